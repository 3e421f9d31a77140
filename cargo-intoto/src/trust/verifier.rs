//! What verifies Sigstore evidence in this build, and by which root.

use std::sync::Arc;

use camino::Utf8Path;
use intoto_core::identity::IdentityVerifier;
use intoto_core::time::Timestamp;

use crate::error::CliError;
use crate::trust::TrustArgs;

/// A root of Sigstore, as people know it: what it is called, and of when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootSeen {
    /// Where it is from.
    pub name: String,
    /// When the newest of its authorities and logs began: it knows of nothing later.
    pub newest: Option<Timestamp>,
    /// Whether somebody keeps it up to date, so that its age says nothing.
    pub is_kept: bool,
}

/// After so long a root is old: the public instance has new logs about once a year, and what they witness is unknown to a root from before them.
const OLD_SECONDS: i64 = 548 * 24 * 3600;

impl RootSeen {
    /// Whether it is old at that time.
    pub fn is_old(&self, at: Timestamp) -> bool {
        let age = |newest: Timestamp| at.as_unix().saturating_sub(newest.as_unix());
        !self.is_kept && self.newest.is_some_and(|newest| age(newest) > OLD_SECONDS)
    }
}

/// Verifies Sigstore evidence, and says by which roots.
pub trait RootedVerifier: IdentityVerifier {
    /// The roots that vouched for something; if none did, those that were asked. None if there was nothing to ask about.
    fn roots(&self) -> Vec<RootSeen>;

    /// The roots that would be asked at that time.
    ///
    /// # Errors
    /// When they cannot be used.
    fn chosen(&self, at: Timestamp) -> Result<Vec<RootSeen>, CliError>;
}

/// What verifies Sigstore evidence, by the root in that file. Without one, by the user's: the root of `settings.toml`, else that which an entry of
/// the trust store brings by TUF, else those that are shipped. Never by several of these: each of them can vouch for any identity.
///
/// # Errors
/// When the file cannot be used, or this build verifies no such evidence.
pub fn identity_verifier(
    trusted_root: Option<&Utf8Path>,
    trust: &TrustArgs,
) -> Result<Arc<dyn RootedVerifier>, CliError> {
    build::verifier(trusted_root, trust)
}

#[cfg(feature = "sigstore")]
mod build {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, OnceLock};

    use camino::Utf8Path;
    use intoto_core::identity::{IdentityFacts, IdentityProblem, IdentityVerifier, KeyFacts, UndecidedIdentity};
    use intoto_core::key::PublicKey;
    use intoto_core::time::Timestamp;

    use super::{RootSeen, RootedVerifier};
    use crate::error::CliError;
    use crate::settings::UserSettings;
    use crate::trust::TrustArgs;
    use crate::trust::sigstore::{Root, RootOrigin, TrustedRoots};

    pub(super) fn verifier(
        trusted_root: Option<&Utf8Path>,
        trust: &TrustArgs,
    ) -> Result<Arc<dyn RootedVerifier>, CliError> {
        match trusted_root {
            Some(path) => Ok(Arc::new(OfFile {
                roots: TrustedRoots::from_file(path)?,
                asked: AtomicBool::new(false),
            })),
            None => Ok(Arc::new(OfUser {
                trust: trust.clone(),
                roots: OnceLock::new(),
            })),
        }
    }

    /// The root that the user named.
    #[derive(Debug)]
    struct OfFile {
        roots: TrustedRoots,
        asked: AtomicBool,
    }

    impl IdentityVerifier for OfFile {
        fn check(
            &self,
            bundle: &[u8],
            signed_sha256: &[u8; 32],
            at: Timestamp,
        ) -> Result<IdentityFacts, IdentityProblem> {
            self.asked.store(true, Ordering::Relaxed);
            self.roots.check(bundle, signed_sha256, at)
        }

        fn check_by_key(
            &self,
            bundle: &[u8],
            key: &PublicKey,
            signed: &[u8],
            at: Timestamp,
        ) -> Result<KeyFacts, IdentityProblem> {
            self.asked.store(true, Ordering::Relaxed);
            self.roots.check_by_key(bundle, key, signed, at)
        }
    }

    impl RootedVerifier for OfFile {
        fn roots(&self) -> Vec<RootSeen> {
            match self.asked.load(Ordering::Relaxed) {
                true => seen(&self.roots),
                false => Vec::new(),
            }
        }

        fn chosen(&self, _: Timestamp) -> Result<Vec<RootSeen>, CliError> {
            Ok(seen(&self.roots))
        }
    }

    /// Those that vouched for something, or all of them.
    fn seen(roots: &TrustedRoots) -> Vec<RootSeen> {
        let mut seen: Vec<&Root> = roots.roots().iter().filter(|root| root.has_vouched()).collect();
        if seen.is_empty() {
            seen = roots.roots().iter().collect();
        }
        let describe = |root: &Root| RootSeen {
            name: root.origin().to_string(),
            newest: root.newest(),
            // What comes by TUF is refused when nobody signs it any more.
            is_kept: matches!(root.origin(), RootOrigin::Pinned(_)),
        };
        seen.into_iter().map(describe).collect()
    }

    /// The user's root, read when the first bundle is met: most layouts have no identities.
    #[derive(Debug)]
    struct OfUser {
        trust: TrustArgs,
        roots: OnceLock<Result<TrustedRoots, String>>,
    }

    impl OfUser {
        fn load(&self, at: Timestamp) -> Result<TrustedRoots, CliError> {
            if let Some(path) = UserSettings::load()?.sigstore.trusted_root {
                return TrustedRoots::from_file(&path);
            }
            let store = self.trust.load()?;
            match store.sigstore_root(at)? {
                Some((name, bytes)) => TrustedRoots::from_bytes(RootOrigin::Pinned(name.to_owned()), &bytes),
                None => TrustedRoots::shipped(),
            }
        }
    }

    impl OfUser {
        fn loaded(&self, at: Timestamp) -> Result<&TrustedRoots, IdentityProblem> {
            let roots = self.roots.get_or_init(|| {
                self.load(at).map_err(|error| match std::error::Error::source(&error) {
                    Some(cause) => format!("{error}: {cause}"),
                    None => error.to_string(),
                })
            });
            roots
                .as_ref()
                .map_err(|message| IdentityProblem::undecided(UndecidedIdentity::NoRoot, message))
        }
    }

    impl IdentityVerifier for OfUser {
        fn check(
            &self,
            bundle: &[u8],
            signed_sha256: &[u8; 32],
            at: Timestamp,
        ) -> Result<IdentityFacts, IdentityProblem> {
            self.loaded(at)?.check(bundle, signed_sha256, at)
        }

        fn check_by_key(
            &self,
            bundle: &[u8],
            key: &PublicKey,
            signed: &[u8],
            at: Timestamp,
        ) -> Result<KeyFacts, IdentityProblem> {
            self.loaded(at)?.check_by_key(bundle, key, signed, at)
        }
    }

    impl RootedVerifier for OfUser {
        fn roots(&self) -> Vec<RootSeen> {
            let loaded = self.roots.get().and_then(|roots| roots.as_ref().ok());
            loaded.map(seen).unwrap_or_default()
        }

        fn chosen(&self, at: Timestamp) -> Result<Vec<RootSeen>, CliError> {
            self.load(at).map(|roots| seen(&roots))
        }
    }
}

#[cfg(not(feature = "sigstore"))]
mod build {
    use std::sync::Arc;

    use camino::Utf8Path;
    use intoto_core::identity::{IdentityFacts, IdentityProblem, IdentityVerifier, KeyFacts, UndecidedIdentity};
    use intoto_core::key::PublicKey;
    use intoto_core::time::Timestamp;

    use super::{RootSeen, RootedVerifier};
    use crate::error::CliError;
    use crate::trust::TrustArgs;

    const HINT: &str =
        "binaries of releases have it; from source it is `cargo install cargo-intoto --features sigstore`";

    pub(super) fn verifier(
        trusted_root: Option<&Utf8Path>,
        _: &TrustArgs,
    ) -> Result<Arc<dyn RootedVerifier>, CliError> {
        match trusted_root {
            None => Ok(Arc::new(Without)),
            Some(path) => Err(CliError::usage(format!(
                "--trusted-root {path} has no meaning: this build has no Sigstore support"
            ))
            .hint(HINT)),
        }
    }

    /// Verifies nothing, so that nothing is decided that needs it.
    #[derive(Debug)]
    struct Without;

    impl IdentityVerifier for Without {
        fn check(&self, _: &[u8], _: &[u8; 32], _: Timestamp) -> Result<IdentityFacts, IdentityProblem> {
            Err(unavailable())
        }

        fn check_by_key(&self, _: &[u8], _: &PublicKey, _: &[u8], _: Timestamp) -> Result<KeyFacts, IdentityProblem> {
            Err(unavailable())
        }
    }

    fn unavailable() -> IdentityProblem {
        IdentityProblem::undecided(
            UndecidedIdentity::Unavailable,
            format!("cannot decide: this build has no Sigstore support; {HINT}"),
        )
    }

    impl RootedVerifier for Without {
        fn roots(&self) -> Vec<RootSeen> {
            Vec::new()
        }

        fn chosen(&self, _: Timestamp) -> Result<Vec<RootSeen>, CliError> {
            Ok(Vec::new())
        }
    }
}
