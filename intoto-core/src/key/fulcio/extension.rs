//! What certificates of Fulcio say about a workflow. Specification: Fulcio's `docs/oid-info.md`.

use core::fmt;

/// Declares the extensions, their names, object identifiers and shapes from one table.
macro_rules! extensions {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $oid:literal, $shape:ident;)+) => {
        /// An extension of a certificate, by the name that Fulcio gives it, written with hyphens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Extension { $($(#[doc = $doc])+ $variant,)+ }

        impl Extension {
            /// Every extension, by its object identifier.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in layouts.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Its object identifier, in decimal digits and points.
            pub fn oid(self) -> &'static str {
                match self { $(Self::$variant => concat!("1.3.6.1.4.1.57264.1.", $oid),)+ }
            }

            /// What its texts look like, and so where a pattern may have a `*`.
            pub fn shape(self) -> Shape {
                match self { $(Self::$variant => Shape::$shape,)+ }
            }
        }
    };
}

/// What the texts of an extension look like, and so where a pattern for them may have a `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// Any text; a `*` may stand anywhere.
    Text,
    /// A URI below a repository; a `*` may stand behind the repository only.
    BelowRepository,
    /// Something that names an owner, a repository or bytes: never a pattern.
    Exact,
    /// A number that a repository or owner keeps when its name changes: decimal digits, never a pattern.
    Number,
}

extensions! {
    /// The event that started the workflow, in the older form.
    GithubWorkflowTrigger = "github-workflow-trigger", "2", Text;
    /// The commit of the workflow, in the older form.
    GithubWorkflowSha = "github-workflow-sha", "3", Exact;
    /// The workflow's title, which any workflow of the repository can give itself.
    GithubWorkflowName = "github-workflow-name", "4", Text;
    /// `owner/repository`, in the older form.
    GithubWorkflowRepository = "github-workflow-repository", "5", Exact;
    /// The ref that the workflow ran on, in the older form.
    GithubWorkflowRef = "github-workflow-ref", "6", Text;
    /// The build instructions that asked for the certificate: for a reusable workflow, that one.
    BuildSignerUri = "build-signer-uri", "9", BelowRepository;
    /// The commit of those build instructions.
    BuildSignerDigest = "build-signer-digest", "10", Exact;
    /// Whether the machine was the service's or the project's.
    RunnerEnvironment = "runner-environment", "11", Exact;
    /// The repository that was built.
    SourceRepositoryUri = "source-repository-uri", "12", Exact;
    /// The commit that was built.
    SourceRepositoryDigest = "source-repository-digest", "13", Exact;
    /// The ref that was built.
    SourceRepositoryRef = "source-repository-ref", "14", Text;
    /// The number of the repository, which it keeps when it is renamed, and which no other gets.
    SourceRepositoryIdentifier = "source-repository-identifier", "15", Number;
    /// The owner of the repository that was built.
    SourceRepositoryOwnerUri = "source-repository-owner-uri", "16", Exact;
    /// The number of the owner, who keeps it when renamed, and which no other gets.
    SourceRepositoryOwnerIdentifier = "source-repository-owner-identifier", "17", Number;
    /// The build instructions that the run started with.
    BuildConfigUri = "build-config-uri", "18", BelowRepository;
    /// The commit of those.
    BuildConfigDigest = "build-config-digest", "19", Exact;
    /// The event that started the build.
    BuildTrigger = "build-trigger", "20", Text;
    /// The run.
    RunInvocationUri = "run-invocation-uri", "21", BelowRepository;
    /// Whether the repository was public.
    SourceRepositoryVisibilityAtSigning = "source-repository-visibility-at-signing", "22", Exact;
    /// The environment that the job was deployed to.
    DeploymentEnvironment = "deployment-environment", "23", Text;
}

impl Extension {
    /// The extension of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|extension| extension.name() == name)
    }

    /// The extension of that object identifier.
    pub fn from_oid(oid: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|extension| extension.oid() == oid)
    }

    /// Whether it says which repository, or whose.
    pub fn names_repository(self) -> bool {
        matches!(
            self,
            Self::GithubWorkflowRepository
                | Self::SourceRepositoryUri
                | Self::SourceRepositoryIdentifier
                | Self::SourceRepositoryOwnerUri
                | Self::SourceRepositoryOwnerIdentifier
        )
    }

    /// Whether it says which ref.
    pub fn names_ref(self) -> bool {
        matches!(self, Self::GithubWorkflowRef | Self::SourceRepositoryRef)
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
