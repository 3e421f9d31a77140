//! ECDSA keys over NIST P-256, with SHA-256. Specification: FIPS 186-5; SEC 1 for points, RFC 5480 for the SPKI form.

use alloc::boxed::Box;
use core::fmt;
use core::hash::{Hash, Hasher};

use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{DerSignature, Signature, VerifyingKey};

use crate::digest::to_hex;
use crate::key::{KeyError, KeyKind, SignatureError};

/// A P-256 public key.
#[derive(Clone)]
pub struct EcdsaP256Key {
    key: VerifyingKey,
    // The uncompressed point: the identity of the key.
    point: Box<[u8]>,
}

impl EcdsaP256Key {
    /// Decodes a point in SEC 1 form, compressed or not.
    pub fn from_sec1_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        VerifyingKey::from_sec1_bytes(bytes)
            .map(Self::new)
            .map_err(|_| KeyError::NotAPoint)
    }

    /// The point in uncompressed SEC 1 form, 65 bytes.
    pub fn as_sec1_bytes(&self) -> &[u8] {
        &self.point
    }

    pub(super) fn new(key: VerifyingKey) -> Self {
        Self {
            key,
            point: key.to_sec1_point(false).as_bytes().into(),
        }
    }

    // Signatures with a high s are accepted: Python and Go accept them, and one cannot be made without the key.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let malformed = SignatureError::Malformed {
            scheme: KeyKind::EcdsaP256.scheme(),
        };
        let der = DerSignature::from_bytes(signature).map_err(|_| malformed)?;
        let signature = Signature::try_from(der).map_err(|_| malformed)?;
        self.key
            .verify(message, &signature)
            .map_err(|_| SignatureError::Mismatch)
    }
}

impl PartialEq for EcdsaP256Key {
    fn eq(&self, other: &Self) -> bool {
        self.point == other.point
    }
}

impl Eq for EcdsaP256Key {}

impl PartialOrd for EcdsaP256Key {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for EcdsaP256Key {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.point.cmp(&other.point)
    }
}

impl Hash for EcdsaP256Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.point.hash(state);
    }
}

impl fmt::Debug for EcdsaP256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcdsaP256Key({})", to_hex(&self.point))
    }
}
