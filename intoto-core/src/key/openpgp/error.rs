//! Why an OpenPGP signature does not hold, and why an exported key cannot be used.

use alloc::string::String;

use crate::key::KeyError;
use crate::name::KeyId;
use crate::time::Timestamp;

/// Why an OpenPGP signature does not count, its mathematics aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenPgpError {
    /// The headers of the signature packet are malformed, or say that it is something else than a signature over a document by this key.
    #[error("the OpenPGP headers do not fit: {reason}")]
    Headers {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// The packet that holds the signature is malformed.
    #[error("malformed OpenPGP packet: {reason}")]
    Packet {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The key was created later.
    #[error("the OpenPGP key was created at {created}, judged at {at}")]
    KeyNotYetValid {
        /// When it was created.
        created: Timestamp,
        /// The reference time.
        at: Timestamp,
    },
    /// The key has expired.
    #[error("the OpenPGP key expired at {expired}, judged at {at}")]
    KeyExpired {
        /// From when on it is void.
        expired: Timestamp,
        /// The reference time.
        at: Timestamp,
    },
    /// The signature was made later.
    #[error("the OpenPGP signature was made at {made}, judged at {at}")]
    SignatureNotYetMade {
        /// When it was made, in its own words.
        made: Timestamp,
        /// The reference time.
        at: Timestamp,
    },
    /// The signature is older than the key.
    #[error("the OpenPGP signature was made at {made}, before its key at {created}")]
    SignatureBeforeKey {
        /// When it was made, in its own words.
        made: Timestamp,
        /// When the key was created.
        created: Timestamp,
    },
    /// The signature says that it holds for a time only, and that is over.
    #[error("the OpenPGP signature expired at {expired}, judged at {at}")]
    SignatureExpired {
        /// From when on it is void.
        expired: Timestamp,
        /// The reference time.
        at: Timestamp,
    },
    /// The signature stands under a fingerprint that is not one of the key's.
    #[error("the OpenPGP key has no key or subkey of this fingerprint")]
    OtherKey,
    /// The key's holder said that it is not for signing.
    #[error("the OpenPGP key is not for signing")]
    Usage,
}

/// Why exported OpenPGP keys cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// More bytes than are taken.
    #[error("the exported keys have {found} bytes, at most {limit} are allowed")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The text around binary data is malformed, or armors something else than public keys.
    #[error("malformed armor: {reason}")]
    Armor {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The packets are malformed.
    #[error("malformed OpenPGP packets: {reason}")]
    Packet {
        /// What is wrong with them.
        reason: &'static str,
    },
    /// There are private keys in it, which have no business there.
    #[error("there are private keys among the exported keys")]
    PrivateHalf,
    /// There is no key in it.
    #[error("there is no OpenPGP public key in it")]
    Empty,
    /// The primary key cannot be used.
    #[error("the OpenPGP key {fingerprint}: {source}")]
    Key {
        /// Its fingerprint.
        fingerprint: KeyId,
        /// Why.
        source: KeyError,
    },
    /// A primary key of an algorithm or version that is not supported.
    #[error("an OpenPGP key of {what} is not supported")]
    Unsupported {
        /// Its algorithm or version.
        what: String,
    },
    /// No signature of the key on itself holds, so nothing says that its packets belong together.
    #[error("the OpenPGP key {fingerprint} has no valid signature on itself, made with SHA-256 or better")]
    NoSelfSignature {
        /// Its fingerprint.
        fingerprint: KeyId,
    },
    /// The key is revoked, or carries a revocation in its own name that cannot be checked.
    #[error("the OpenPGP key {fingerprint} is revoked")]
    Revoked {
        /// Its fingerprint.
        fingerprint: KeyId,
    },
    /// More subkeys, or more signatures to be checked, than are taken.
    #[error("the OpenPGP key {fingerprint} has more than {limit} {what}")]
    TooMany {
        /// Its fingerprint.
        fingerprint: KeyId,
        /// What there are too many of.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// Checking all signatures of the keys on themselves would take too long.
    #[error("the exported keys have signatures on themselves that take longer to check than {limit} common ones")]
    TooMuch {
        /// How many common signatures are worth being checked for one export.
        limit: usize,
    },
}
