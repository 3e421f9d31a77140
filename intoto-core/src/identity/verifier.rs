//! What verifies Sigstore evidence, and how it says no.

use alloc::string::String;
use core::fmt;

use super::facts::{IdentityFacts, KeyFacts};
use super::fault::{IdentityFault, UndecidedIdentity};
use crate::key::PublicKey;
use crate::time::Timestamp;

/// Verifies Sigstore bundles against roots that the caller trusts. **Trusted**: nothing here looks behind its answer.
///
/// An answer has to rest on all of: the signature by the key in the certificate; the certificate's path to a root, valid at every trusted time;
/// a signed certificate timestamp; a signed entry timestamp, or a checkpoint with an inclusion proof, of a log entry that is about this
/// signature; timestamps. What it did not do, for want of a service or by its settings, stands in [`IdentityFacts::skipped`]: something that is there
/// and wrong is never skipped, but refused.
///
/// It is asked once for each bundle, from any thread, and its answer may depend on nothing but the arguments and its roots.
pub trait IdentityVerifier: fmt::Debug + Send + Sync {
    /// Verifies a bundle as things stand at `at`, and says whose it is.
    ///
    /// `signed_sha256` is the digest of what is said to be signed: of the payload in the bundle's DSSE envelope, or, for a bundle beside a file, of that
    /// file. The answer's [`bound`](IdentityFacts::bound) is the digest that the verifier itself found to be signed.
    fn check(&self, bundle: &[u8], signed_sha256: &[u8; 32], at: Timestamp) -> Result<IdentityFacts, IdentityProblem>;

    /// Verifies a bundle that a key signed, as things stand at `at`, and says when.
    ///
    /// `signed` are the bytes themselves that are said to be signed: the payload in the bundle's DSSE envelope, or the file beside which the bundle is.
    /// That the key made the signature was seen to before; the answer has to rest on the timestamps and the entries of the log, which are about this very
    /// signature by this key.
    ///
    /// A verifier that does not know how decides nothing about such bundles.
    fn check_by_key(
        &self,
        bundle: &[u8],
        key: &PublicKey,
        signed: &[u8],
        at: Timestamp,
    ) -> Result<KeyFacts, IdentityProblem> {
        let _ = (bundle, key, signed, at);
        Err(IdentityProblem::undecided(
            UndecidedIdentity::Unavailable,
            "nothing here verifies Sigstore bundles by keys",
        ))
    }
}

/// Why a bundle says nothing about anybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityProblem {
    /// It was verified, and something in it is wrong.
    #[error("{message}")]
    Refused {
        /// What is wrong.
        fault: IdentityFault,
        /// What was found and what was expected, as a lower-case fragment.
        message: String,
    },
    /// It could not be verified.
    #[error("{message}")]
    Undecided {
        /// Why not.
        reason: UndecidedIdentity,
        /// The reason in words, as a lower-case fragment.
        message: String,
    },
}

impl IdentityProblem {
    /// Something in the bundle is wrong.
    pub fn refused(fault: IdentityFault, message: impl Into<String>) -> Self {
        Self::Refused {
            fault,
            message: message.into(),
        }
    }

    /// The bundle could not be verified.
    pub fn undecided(reason: UndecidedIdentity, message: impl Into<String>) -> Self {
        Self::Undecided {
            reason,
            message: message.into(),
        }
    }
}
