//! What verifies Sigstore evidence in this build, and by which root.

use std::sync::Arc;

use camino::Utf8Path;
use intoto_core::identity::IdentityVerifier;

use crate::error::CliError;
use crate::trust::TrustArgs;

/// What verifies Sigstore evidence, by the root in that file. Without one, by the user's: the root of `settings.toml`, else that which an entry of
/// the trust store brings by TUF, else those that are shipped. Never by several of these: each of them can vouch for any identity.
///
/// # Errors
/// When the file cannot be used, or this build verifies no such evidence.
pub fn identity_verifier(
    trusted_root: Option<&Utf8Path>,
    trust: &TrustArgs,
) -> Result<Arc<dyn IdentityVerifier>, CliError> {
    build::verifier(trusted_root, trust)
}

#[cfg(feature = "sigstore")]
mod build {
    use std::sync::{Arc, OnceLock};

    use camino::Utf8Path;
    use intoto_core::identity::{IdentityFacts, IdentityProblem, IdentityVerifier, UndecidedIdentity};
    use intoto_core::time::Timestamp;

    use crate::error::CliError;
    use crate::settings::UserSettings;
    use crate::trust::TrustArgs;
    use crate::trust::sigstore::{RootOrigin, TrustedRoots};

    pub(super) fn verifier(
        trusted_root: Option<&Utf8Path>,
        trust: &TrustArgs,
    ) -> Result<Arc<dyn IdentityVerifier>, CliError> {
        match trusted_root {
            Some(path) => Ok(Arc::new(TrustedRoots::from_file(path)?)),
            None => Ok(Arc::new(OfUser {
                trust: trust.clone(),
                roots: OnceLock::new(),
            })),
        }
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

    impl IdentityVerifier for OfUser {
        fn check(
            &self,
            bundle: &[u8],
            signed_sha256: &[u8; 32],
            at: Timestamp,
        ) -> Result<IdentityFacts, IdentityProblem> {
            let roots = self.roots.get_or_init(|| {
                self.load(at).map_err(|error| match std::error::Error::source(&error) {
                    Some(cause) => format!("{error}: {cause}"),
                    None => error.to_string(),
                })
            });
            match roots {
                Ok(roots) => roots.check(bundle, signed_sha256, at),
                Err(message) => Err(IdentityProblem::undecided(UndecidedIdentity::NoRoot, message)),
            }
        }
    }
}

#[cfg(not(feature = "sigstore"))]
mod build {
    use std::sync::Arc;

    use camino::Utf8Path;
    use intoto_core::identity::{IdentityFacts, IdentityProblem, IdentityVerifier, UndecidedIdentity};
    use intoto_core::time::Timestamp;

    use crate::error::CliError;
    use crate::trust::TrustArgs;

    const HINT: &str =
        "binaries of releases have it; from source it is `cargo install cargo-intoto --features sigstore`";

    pub(super) fn verifier(
        trusted_root: Option<&Utf8Path>,
        _: &TrustArgs,
    ) -> Result<Arc<dyn IdentityVerifier>, CliError> {
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
            Err(IdentityProblem::undecided(
                UndecidedIdentity::Unavailable,
                format!("cannot decide: this build has no Sigstore support; {HINT}"),
            ))
        }
    }
}
