//! Packages and targets as cargo reports them, with their sources taken apart.

use camino::{Utf8Path, Utf8PathBuf};

use crate::workspace::Purl;

/// Where cargo takes a package from, as the lock file says; source replacement does not show here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A directory: a member, or a path dependency.
    Path,
    /// A registry, by its index; cargo's prefixes `registry+` and `sparse+` are cut.
    Registry {
        /// The index URL.
        url: String,
        /// Whether this is cargo's default registry.
        is_default: bool,
    },
    /// A git repository at a commit.
    Git {
        /// The repository's URL, without reference and commit.
        url: String,
        /// The full commit id.
        commit: String,
    },
}

/// A package of the dependency graph.
#[derive(Debug, Clone)]
pub struct Package {
    /// Cargo's package id, as in its JSON messages.
    pub id: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Where it comes from.
    pub source: Source,
    /// The source as cargo writes it (`registry+https://…`), none for directories.
    pub source_text: Option<String>,
    /// Its manifest on disk.
    pub manifest_path: Utf8PathBuf,
    /// Its name in links.
    pub purl: Purl,
    /// What it can build.
    pub targets: Vec<Target>,
    /// The readme that the manifest names, relative to it.
    pub readme: Option<Utf8PathBuf>,
    /// The licence file that the manifest names, relative to it.
    pub license_file: Option<Utf8PathBuf>,
}

impl Package {
    /// The directory of the manifest.
    pub fn directory(&self) -> &Utf8Path {
        self.manifest_path.parent().unwrap_or(Utf8Path::new("."))
    }

    /// `NAME-VERSION`, the stem of its `.crate` and the top folder in it.
    pub fn stem(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

/// A member of the workspace.
#[derive(Debug, Clone)]
pub struct Member {
    /// The package.
    pub package: Package,
    /// Whether `cargo publish` would take it to some registry: `publish` is neither `false` nor an empty list.
    pub publishable: bool,
    /// The registries it may be published to, when the manifest limits them.
    pub registries: Option<Vec<String>>,
    /// Whether cargo acts on it when no package is named.
    pub is_default: bool,
}

impl Member {
    /// The name.
    pub fn name(&self) -> &str {
        &self.package.name
    }

    /// The version.
    pub fn version(&self) -> &str {
        &self.package.version
    }
}

/// Something that a package builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The name.
    pub name: String,
    /// Cargo's kinds: `lib`, `bin`, `test`, `custom-build`, `proc-macro` …
    pub kinds: Vec<String>,
    /// The crate types: `lib`, `cdylib`, `bin` …
    pub crate_types: Vec<String>,
    /// Its root source file.
    pub src_path: Utf8PathBuf,
    /// Features it needs.
    pub required_features: Vec<String>,
    /// Whether `cargo test` runs it by default.
    pub test: bool,
    /// Whether it has documentation tests.
    pub doctest: bool,
}

impl Target {
    /// Whether cargo gives it this kind.
    pub fn is(&self, kind: &str) -> bool {
        self.kinds.iter().any(|own| own == kind)
    }
}
