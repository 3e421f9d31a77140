//! Why a file is no envelope, and why a key has not signed one.

use alloc::string::String;

use crate::encoding::{CanonicalError, JsonError};
use crate::envelope::Container;
use crate::key::SignatureError;

/// Why a file is not an envelope of in-toto metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The file is not acceptable JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The file is JSON, but not an object.
    #[error("expected an object, found {found}")]
    NotAnObject {
        /// What kind of value it is.
        found: &'static str,
    },
    /// Neither `payload` nor `signed`: something else than signed metadata.
    #[error("neither a DSSE envelope (`payload`) nor a Metablock (`signed`)")]
    NoContainer,
    /// The members of both containers; verifiers disagree which one counts.
    #[error("both a DSSE envelope (`payload`) and a Metablock (`signed`)")]
    Ambiguous,
    /// A member that the container does not have.
    #[error("unknown member {name:?} in a {container}")]
    UnknownMember {
        /// The member, cut if it is long.
        name: String,
        /// The container.
        container: Container,
    },
    /// A member is missing or has the wrong type.
    #[error("`{member}` must be {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A DSSE envelope of something else than in-toto metadata.
    #[error("expected the payload type application/vnd.in-toto+json, found {found:?}")]
    PayloadType {
        /// The type found, cut if it is long.
        found: String,
    },
    /// The payload is not base64, or lacks its padding.
    #[error("the payload is not padded base64")]
    PayloadBase64,
    /// The payload is not acceptable JSON. The place is one in the decoded payload.
    #[error("payload: {0}")]
    PayloadJson(#[source] JsonError),
    /// The signed object has no canonical form.
    #[error("`signed`: {0}")]
    Canonical(#[from] CanonicalError),
    /// More signatures than the limit.
    #[error("{found} signatures, at most {limit} are allowed")]
    TooManySignatures {
        /// Signatures found.
        found: usize,
        /// Signatures allowed.
        limit: usize,
    },
}

/// Why a key does not count as having signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// No signature carries one of the accepted key ids.
    #[error("no signature by this key")]
    NoSignature,
    /// The signature is in the form of other keys: OpenPGP keys sign with headers, and no others do.
    #[error("the signature is a {found} one, but the key makes {expected} ones")]
    OtherForm {
        /// The form found.
        found: &'static str,
        /// The form expected.
        expected: &'static str,
    },
    /// OpenPGP signatures belong to Metablocks; no implementation knows what one in a DSSE envelope would be over.
    #[error("an OpenPGP signature does not count in a DSSE envelope")]
    OpenPgpInDsse,
    /// An OpenPGP key is valid for a time; [`Envelope::verify_at`](crate::envelope::Envelope::verify_at) judges it.
    #[error("whether an OpenPGP key counts depends on the time, and none was given")]
    TimeNeeded,
    /// The entry of the signature cannot be read.
    #[error("the signature cannot be read: {reason}")]
    Unreadable {
        /// What is wrong with the entry.
        reason: &'static str,
    },
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}
