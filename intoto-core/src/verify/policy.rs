//! What the caller demands of a verification.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::digest::DigestSet;
use crate::identity::IdentityVerifier;
use crate::key::{FulcioIdentity, PublicKey};
use crate::layout::Parameters;
use crate::limits::Limits;
use crate::time::Timestamp;

/// What the caller demands of a verification: everything that the session knows of the world beside the evidence.
///
/// ```
/// use intoto_core::key::{SecretKey, Signer as _};
/// use intoto_core::time::Timestamp;
/// use intoto_core::verify::Policy;
///
/// let owner = SecretKey::ed25519_from_seed([7; 32]);
/// let policy = Policy::new(vec![owner.public_key().clone()], Timestamp::from_unix(1_800_000_000));
/// assert!(policy.artifacts.is_empty());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Policy {
    /// The keys that must **all** have signed the layout; each may have signed under any of its key-id styles. With none,
    /// nothing is ever verified. One key given twice is one key.
    pub owner_keys: Vec<PublicKey>,
    /// The identities that must **all** have signed the layout besides, each in a Sigstore bundle beside it. One of them or of the keys has to be
    /// there.
    pub owner_identities: Vec<FulcioIdentity>,
    /// What verifies Sigstore evidence. Without it no identity has signed anything, and nothing is decided that needs one.
    pub identity_verifier: Option<Arc<dyn IdentityVerifier>>,
    /// The time at which everything is judged.
    pub reference_time: Timestamp,
    /// Count only evidence that is known to have been signed before this time: by a log or a timestamp authority, in a Sigstore bundle. What nobody
    /// vouches for counts for nothing then. That is for layouts of owners or functionaries who are believed for the past alone.
    pub signed_before: Option<Timestamp>,
    /// How much input is taken.
    pub limits: Limits,
    /// Values for the `{name}` parameters of the owner-signed layout; sublayouts see none of them.
    pub parameters: Parameters,
    /// Certificates of authorities that may stand between a layout's roots and a functionary, besides those that the layout names. They
    /// are trusted only as far as a root vouches for them, and serve sublayouts too.
    #[cfg(feature = "x509")]
    pub intermediates: Vec<crate::x509::Certificate>,
    /// What a command means that is not the one the layout expects.
    pub command_difference: CommandDifference,
    /// The artifacts in hand, which must be bound to the chain. With none, only the chain is verified.
    pub artifacts: Vec<Subject>,
}

impl Policy {
    /// The usual policy: default limits, no parameters, no artifacts, a different command is a warning.
    pub fn new(owner_keys: Vec<PublicKey>, reference_time: Timestamp) -> Self {
        Self {
            owner_keys,
            owner_identities: Vec::new(),
            identity_verifier: None,
            reference_time,
            signed_before: None,
            limits: Limits::default(),
            parameters: Parameters::new(),
            #[cfg(feature = "x509")]
            intermediates: Vec::new(),
            command_difference: CommandDifference::Warn,
            artifacts: Vec::new(),
        }
    }
}

/// What a link's command means that is not the one the layout expects. The specification leaves it to the client, and both
/// reference implementations only warn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum CommandDifference {
    /// It is a warning.
    #[default]
    Warn,
    /// It is a refusal.
    Refuse,
}

/// An artifact that the caller has in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its base name, as an inspection sees it in its directory.
    pub name: String,
    /// Its digests.
    pub digests: DigestSet,
}
