//! Who signed with an identity: what is asked of whoever verifies Sigstore evidence, and how its answer is compared with the layout.
//!
//! Certificates of Fulcio, transparency logs and timestamps are not verified here. The caller brings an [`IdentityVerifier`] that does, and says what
//! it found as [`IdentityFacts`]. What a finding means is decided here: whether the signed bytes are those that are read, whether issuer, subject and
//! extensions are what the layout asks for, whether there is a time that can be trusted, and whether a check was left out.
//!
//! ```
//! use intoto_core::identity::{IdentityFacts, Subject};
//! use intoto_core::key::FulcioIdentity;
//!
//! let alice = FulcioIdentity::exact("https://accounts.example", "alice@example.com")?;
//! let facts = IdentityFacts::new("https://accounts.example", Subject::Email("mallory@example.com".into()));
//! assert!(alice.compare(&facts).is_err());
//! # Ok::<(), intoto_core::key::IdentityError>(())
//! ```

mod compare;
mod facts;
mod fault;
mod judge;
mod verifier;

pub use compare::{About, Difference};
pub use facts::{Bound, IdentityFacts, KeyFacts, Subject, TimeSource, TrustedTime, Validity};
pub use fault::{IdentityFault, UndecidedIdentity};
pub use judge::{CheckedFacts, CheckedKeyFacts, IdentityRefusal, RefusedFacts};
pub use verifier::{IdentityProblem, IdentityVerifier};
