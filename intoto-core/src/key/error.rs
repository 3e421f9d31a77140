//! Why something is not a usable key, and why a signature does not hold.

use alloc::string::String;

use crate::key::{IdentityError, OpenPgpError};
use crate::name::KeyId;

/// Why a text, some bytes or a layout's value are not a key that this crate can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not PEM at all, or a broken one.
    #[error("expected PEM text")]
    Pem,
    /// PEM of something else: a certificate, an encrypted or a public instead of a private key.
    #[error("expected PEM with the label {expected:?}, found {found:?}")]
    Label {
        /// The label found.
        found: String,
        /// The label that had to be there.
        expected: &'static str,
    },
    /// The private key is encrypted; decrypting is the caller's job.
    #[error("the private key is encrypted")]
    Encrypted,
    /// The DER structure is broken or has bytes after its end.
    #[error("malformed {structure}")]
    Der {
        /// The structure that was expected.
        structure: &'static str,
    },
    /// A key of an algorithm that is not supported.
    #[error("unsupported key algorithm {algorithm}")]
    UnsupportedAlgorithm {
        /// The algorithm's name, or its object identifier.
        algorithm: String,
    },
    /// A layout's key of a type and scheme that is not supported.
    #[error("unsupported key type {key_type:?} with scheme {scheme:?}")]
    UnsupportedScheme {
        /// The `keytype` found; for OpenPGP keys their `type`.
        key_type: String,
        /// The `scheme` found; for OpenPGP keys their `method`.
        scheme: String,
    },
    /// A key in a layout is of another kind than its `keytype` and `scheme` say.
    #[error("the key is {found}, but the layout says {expected}")]
    OtherKind {
        /// The scheme of the key that was found.
        found: &'static str,
        /// The scheme that the layout names.
        expected: &'static str,
    },
    /// The text of an Ed25519 key is not 64 hexadecimal digits.
    #[error("expected the {expected} hexadecimal digits of an ed25519 key, found {found} characters")]
    Ed25519Text {
        /// Characters found.
        found: usize,
        /// Digits expected.
        expected: usize,
    },
    /// The bytes are not a point of the curve, or not in the one encoding that the point has.
    #[error("the public key is not a point of the curve")]
    NotAPoint,
    /// An Ed25519 key of small order: signatures by it can be made by anybody.
    #[error("the public key has small order, so anybody can sign for it")]
    SmallOrder,
    /// An RSA key that can be factored.
    #[error("the RSA key has {bits} bits, and {minimum} is the least that is safe")]
    RsaTooSmall {
        /// The bits of its modulus.
        bits: usize,
        /// The bits that it must have.
        minimum: usize,
    },
    /// An RSA key so large that checking one signature would take long.
    #[error("the RSA key has {bits} bits, and {maximum} is the limit")]
    RsaTooLarge {
        /// The bits of its modulus.
        bits: usize,
        /// The bits that it may have.
        maximum: usize,
    },
    /// An RSA key's public exponent is even, below 3, or beyond 33 bits. With 1, every message is its own signature.
    #[error("the RSA key's public exponent must be odd, at least 3 and below 2^33")]
    RsaExponent,
    /// An RSA key's modulus is even.
    #[error("the RSA key's modulus is no product of two odd primes")]
    RsaModulus,
    /// The private scalar is zero or too large.
    #[error("the private key is out of range")]
    SecretRange,
    /// The private key file carries a public key that does not belong to it.
    #[error("the private key and the public key stored with it do not belong together")]
    Pair,
    /// A member of a layout's key is missing or has the wrong type.
    #[error("the key's `{member}` must be {expected}")]
    Member {
        /// The member, as a path: `keyval.public`.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A layout's key carries its private half; it is public now and must not be trusted.
    #[error("the layout contains the private half of the key")]
    PrivateHalf,
    /// A DSA key whose numbers have sizes that are not in use, or too weak.
    #[error("a DSA key of {p} and {q} bits, where 2048 and 224, 2048 and 256, or 3072 and 256 are expected")]
    DsaSize {
        /// The bits of its prime.
        p: usize,
        /// The bits of its subgroup's order.
        q: usize,
    },
    /// A DSA key's numbers are out of their range: with a generator of 1, anybody can sign.
    #[error("the numbers of the DSA key are out of range")]
    DsaNumbers,
    /// An OpenPGP key with more subkeys than are taken.
    #[error("the OpenPGP key has {found} subkeys, at most {limit} are allowed")]
    TooManySubkeys {
        /// Subkeys found.
        found: usize,
        /// Subkeys allowed.
        limit: usize,
    },
    /// An OpenPGP key's subkey is listed under another id than its own, or twice.
    #[error("the OpenPGP subkey {inner} is listed as {listed:?}, or twice")]
    Subkey {
        /// The id under which it is listed, cut if it is long.
        listed: String,
        /// The id inside.
        inner: KeyId,
    },
    /// An OpenPGP key is listed under an id that is not the fingerprint of its creation time and numbers.
    #[error("the OpenPGP key is listed as {listed}, but its fingerprint is {computed}")]
    Fingerprint {
        /// The id under which it is listed.
        listed: KeyId,
        /// The fingerprint of what stands there.
        computed: KeyId,
    },
    /// A layout's key names an id inside that differs from the one it is listed under.
    #[error("the key is listed as {listed} but says {inner:?} inside")]
    InnerId {
        /// The id under which the layout lists the key.
        listed: KeyId,
        /// The id inside, cut if it is long.
        inner: String,
    },
    /// A layout's identity is not one that can be asked for.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Why a signature does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The bytes are not a signature of the key's kind, for instance of another length.
    #[error("malformed {scheme} signature")]
    Malformed {
        /// The scheme of the key.
        scheme: &'static str,
    },
    /// A signature, but not by this key over these bytes.
    #[error("the signature is not by this key over this content")]
    Mismatch,
    /// An OpenPGP signature that does not count, whatever its mathematics.
    #[error(transparent)]
    OpenPgp(#[from] OpenPgpError),
}
