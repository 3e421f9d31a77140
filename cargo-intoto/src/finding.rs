//! Stable codes for what cargo-intoto itself refuses, beside the verification codes of `intoto-core`.

use std::fmt;

use intoto_core::verdict::Severity;

/// Declares the enum, its kebab-case texts and the list of all codes from one table.
macro_rules! cargo_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// Why cargo-intoto refused something that `intoto-core` knows nothing about. Each has a paragraph in `docs/findings.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum CargoCode { $($(#[$doc])* $variant,)+ }

        impl CargoCode {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable kebab-case text.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

cargo_codes! {
    /// Cargo did not say, once and in its own message, that the build succeeded.
    BuildUnconfirmed = "build-unconfirmed",
    /// Cargo's configuration takes the place of a build script.
    BuildScriptReplaced = "build-script-replaced",
    /// An executable names other packages than it was built from.
    AuditableListDiffers = "auditable-list-differs",
    /// The database of advisories is not what its commit holds.
    AdvisoryDatabaseModified = "advisory-database-modified",
    /// The link that is to be finished is not the one that the same key began.
    BegunLinkDiffers = "begun-link-differs",
    /// `RUSTC_BOOTSTRAP` switches on what the stable compiler does not have.
    BootstrapSet = "bootstrap-set",
    /// A tool beside cargo refuses the workspace.
    CheckFailed = "check-failed",
    /// A tool beside cargo did not say what it found, or contradicts itself.
    CheckUndecided = "check-undecided",
    /// The environment or cargo's configuration names another compiler.
    CompilerReplaced = "compiler-replaced",
    /// A wrapper stands between cargo and the compiler.
    CompilerWrapped = "compiler-wrapped",
    /// The tree differs from its commit when it is packaged.
    DirtyTree = "dirty-tree",
    /// Cargo reused a unit that this run did not compile, or that changed since.
    FreshUnit = "fresh-unit",
    /// The environment or cargo's configuration names another linker.
    LinkerReplaced = "linker-replaced",
    /// The run's links changed while a step ran.
    LinksChangedDuringStep = "links-changed-during-step",
    /// No test ran.
    NoTestsRan = "no-tests-ran",
    /// A `[patch]` in cargo's configuration.
    PatchConfigured = "patch-configured",
    /// Processes that a step started were still running when it had ended.
    ProcessLeftRunning = "process-left-running",
    /// The registry serves other bytes under a version than were recorded for it.
    PublishedDiffers = "published-differs",
    /// A product changed after it was made and before it was recorded.
    ProductChanged = "product-changed",
    /// A product that the step should have made is not there.
    ProductMissing = "product-missing",
    /// A statement has no subject by which a verifier of bundles could find it.
    StatementUnverifiable = "statement-unverifiable",
    /// A runner takes the place of the tests' own start.
    RunnerSet = "runner-set",
    /// Sources changed while a step ran.
    SourceChangedDuringStep = "source-changed-during-step",
    /// Cargo's configuration takes packages from another place.
    SourceReplaced = "source-replaced",
    /// An unpacked registry package differs from its `.crate`.
    RegistrySourceModified = "registry-source-modified",
    /// An unpacked registry package has a file that its `.crate` does not hold.
    RegistrySourceExtra = "registry-source-extra",
    /// An unpacked registry package lacks a file that its `.crate` holds.
    RegistrySourceMissing = "registry-source-missing",
    /// The `.crate` of a locked package is not in cargo's cache.
    CrateMissing = "crate-missing",
    /// A cached `.crate` is not the one that the lock file demands.
    CrateChecksumMismatch = "crate-checksum-mismatch",
    /// The lock file has no checksum for a package of a registry.
    LockChecksumMissing = "lock-checksum-missing",
    /// Cargo uses a package that the lock file does not list.
    LockPackageMissing = "lock-package-missing",
    /// The lock file changed while a step ran.
    LockChanged = "lock-changed",
    /// A vendored package differs from its `.crate`.
    VendoredModified = "vendored-modified",
    /// There is nothing to compare a vendored package with.
    VendoredUnverified = "vendored-unverified",
    /// The checkout of a git dependency differs from its commit.
    GitCheckoutModified = "git-checkout-modified",
    /// A `.crate` could not be read from disk.
    CrateUnreadable = "crate-unreadable",
    /// A `.crate` is no gzip-compressed tar archive of the form cargo writes.
    CrateMalformed = "crate-malformed",
    /// A `.crate` exceeds a limit of size, number of files, or compression ratio.
    CrateTooLarge = "crate-too-large",
    /// A `.crate` holds more than one gzip member.
    CrateSeveralMembers = "crate-several-members",
    /// Bytes follow the end of a `.crate`.
    CrateTrailingBytes = "crate-trailing-bytes",
    /// An entry of a `.crate` is a link, a directory, a device or an extension header.
    CrateEntryNotRegular = "crate-entry-not-regular",
    /// An entry of a `.crate` has a name that is unclean or not UTF-8.
    CrateEntryName = "crate-entry-name",
    /// An entry of a `.crate` lies outside `NAME-VERSION/`.
    CrateEntryOutside = "crate-entry-outside",
    /// A `.crate` holds a name twice.
    CrateEntryDuplicate = "crate-entry-duplicate",
    /// Two names in a `.crate` differ in case only.
    CrateEntryCaseCollision = "crate-entry-case-collision",
    /// A file of a `.crate` is no recorded source and nothing that cargo generates.
    CrateFileUnexplained = "crate-file-unexplained",
    /// A file of a `.crate` has the bytes of the commit, and cargo would not have packaged it.
    CrateFileLeftOut = "crate-file-left-out",
    /// A file that cargo was to package is not in the `.crate`.
    CrateFileMissing = "crate-file-missing",
    /// A file of a `.crate` differs from the recorded source file in its place.
    CrateFileChanged = "crate-file-changed",
    /// The manifest in a `.crate` differs from its source in more than cargo's own rewriting.
    CrateManifestChanged = "crate-manifest-changed",
    /// `.cargo_vcs_info.json` in a `.crate` contradicts the link.
    CrateVcsInfoMismatch = "crate-vcs-info-mismatch",
    /// `Cargo.lock` in a `.crate` has a package that the chain does not account for.
    CrateLockMismatch = "crate-lock-mismatch",
    /// `Cargo.lock` in a `.crate` has packages that no lock file of the source has.
    CrateLockResolved = "crate-lock-resolved",
    /// Nothing says which commit a `.crate` was made from, or where in it.
    CrateSourceUnknown = "crate-source-unknown",
    /// A `.crate` says of itself that files of it differed from its commit.
    CratePackagedDirty = "crate-packaged-dirty",
    /// A file of a `.crate` would have to come from somewhere that the repository does not hold.
    CrateSourceMissing = "crate-source-missing",
    /// A file of a `.crate` has another execute bit than its source.
    CrateModeDiffers = "crate-mode-differs",
    /// No branch or tag of the repository leads to the commit.
    CommitUnreachable = "commit-unreachable",
    /// The step was carried out again, and made something else.
    RebuildDiffers = "rebuild-differs",
    /// The file name, the top folder and the manifest of a `.crate` are not of one crate.
    CrateNameMismatch = "crate-name-mismatch",
    /// The evidence does not say where the files of a `.crate` come from.
    CrateNotExplained = "crate-not-explained",
    /// A bundle is no tar archive of the one form that bundles have.
    BundleMalformed = "bundle-malformed",
    /// A member of a bundle has a name that is unclean, or leads elsewhere.
    BundleEntryName = "bundle-entry-name",
    /// A member of a bundle is a link, a directory, a device, or a header that changes another's name.
    BundleEntryNotRegular = "bundle-entry-not-regular",
    /// A bundle holds a name twice.
    BundleEntryDuplicate = "bundle-entry-duplicate",
    /// The members of a bundle are not those that its manifest lists.
    BundleManifestMismatch = "bundle-manifest-mismatch",
    /// Bytes follow the end of a bundle.
    BundleTrailingBytes = "bundle-trailing-bytes",
    /// A bundle exceeds a limit of size or number.
    BundleTooLarge = "bundle-too-large",
    /// A bundle says that it is about other crates than the one in hand.
    BundleCrateMismatch = "bundle-crate-mismatch",
    /// A private key file can be read by others.
    KeyFileExposed = "key-file-exposed",
    /// The clock stands before a time that was seen already.
    ClockBehind = "clock-behind",
    /// The layout is not the one with the sha256 that was demanded.
    LayoutDigestMismatch = "layout-digest-mismatch",
    /// A layout is older than one that was accepted before.
    LayoutOlder = "layout-older",
    /// A layout is not the one that its owners' TUF repository names.
    LayoutNotCurrent = "layout-not-current",
    /// The layout source, the signed layout and the workspace say different things.
    LayoutDisagrees = "layout-disagrees",
    /// A bill of materials has a package that is not locked, or another digest than the lock for it.
    SbomHashMismatch = "sbom-hash-mismatch",
    /// A bill of materials has no digest for a package of a registry.
    SbomHashMissing = "sbom-hash-missing",
    /// A file that is about to be signed for is not the one that the link recorded.
    SignedArtifactDiffers = "signed-artifact-differs",
    /// A file that is about to be signed holds another step's link than was asked for, or a layout.
    SignedStepDiffers = "signed-step-differs",
    /// Nobody is trusted for the crates under verification.
    OwnerUnknown = "owner-unknown",
    /// The trust store is not understood.
    TrustStoreMalformed = "trust-store-malformed",
    /// The trust store can be changed by others.
    TrustStoreUnsafe = "trust-store-unsafe",
    /// The root that Sigstore evidence was verified by is old.
    TrustedRootOld = "trusted-root-old",
    /// The tree gives cargo an alias named `intoto`, which runs in our place.
    CargoAliasIntoto = "cargo-alias-intoto",
    /// The tree makes rustup run a cargo of its own choice.
    ToolchainPath = "toolchain-path",
    /// A TUF repository sends more than anything of its kind has.
    TufEndlessData = "tuf-endless-data",
    /// What a TUF repository said is over.
    TufExpired = "tuf-expired",
    /// A TUF repository serves nothing newer than what has expired.
    TufFrozen = "tuf-frozen",
    /// A file of a TUF repository is not there.
    TufIncomplete = "tuf-incomplete",
    /// A file of a TUF repository is not understood.
    TufMalformed = "tuf-malformed",
    /// Files of a TUF repository do not belong together.
    TufMixed = "tuf-mixed",
    /// A TUF repository offers less than it did before.
    TufRollback = "tuf-rollback",
    /// No chain of signatures leads from the trusted TUF root to the one that is offered.
    TufRootUntrusted = "tuf-root-untrusted",
    /// A TUF repository does not have what is wanted of it.
    TufTargetMissing = "tuf-target-missing",
    /// Too few keys of a TUF role have signed.
    TufThresholdUnmet = "tuf-threshold-unmet",
    /// What is about to be uploaded is not what the chain made under that name.
    UploadDiffers = "upload-differs",
    /// What is about to be uploaded was made by no step of the chain.
    UploadNotRecorded = "upload-not-recorded",
}

impl fmt::Display for CargoCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that cargo-intoto found beside the verdict of `intoto-core`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CargoFinding {
    /// What it is, stable.
    pub code: CargoCode,
    /// How much it weighs.
    pub severity: Severity,
    /// The file or artifact concerned.
    pub subject: Option<String>,
    /// What was found and what was expected: a lower-case fragment that may hold foreign text.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl CargoFinding {
    /// A check was made and failed.
    pub fn refusal(code: CargoCode, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Refusal, message)
    }

    /// A check could not be made.
    pub fn undecided(code: CargoCode, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Undecided, message)
    }

    /// Worth looking into; changes nothing.
    pub fn warning(code: CargoCode, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// Worth telling; changes nothing.
    pub fn note(code: CargoCode, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    /// Says which file or artifact.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether it is a refusal.
    pub fn is_refusal(&self) -> bool {
        self.severity == Severity::Refusal
    }

    fn new(code: CargoCode, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            subject: None,
            message: message.into(),
            hint: None,
        }
    }
}
