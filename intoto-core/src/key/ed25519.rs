//! Ed25519 keys. Specification: RFC 8032; SPKI form RFC 8410.

use alloc::string::String;
use core::fmt;
use core::hash::{Hash, Hasher};

use ed25519_dalek::{Signature, VerifyingKey};

use crate::digest::{from_hex, to_hex};
use crate::key::{KeyError, KeyKind, SignatureError};

/// An Ed25519 public key of large order, in its canonical encoding.
#[derive(Clone, PartialEq, Eq)]
pub struct Ed25519Key(VerifyingKey);

impl Ed25519Key {
    /// Decodes the 32 bytes of a key.
    ///
    /// Points of small order are refused, because signatures by them can be forged, and so are encodings that are not the point's own, because
    /// one key could then pass as two.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyError::NotAPoint);
        }
        if key.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self(key))
    }

    /// The 32 bytes of the key.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    pub(super) fn from_layout_text(text: &str) -> Result<Self, KeyError> {
        let wrong = KeyError::Ed25519Text {
            found: text.chars().count(),
            expected: 64,
        };
        let bytes = from_hex(text)
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or(wrong)?;
        Self::from_bytes(&bytes)
    }

    pub(super) fn to_layout_text(&self) -> String {
        to_hex(self.as_bytes())
    }

    // Strict: R of small order is refused too, so that all verifiers of a signature agree.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature = Signature::from_slice(signature).map_err(|_| SignatureError::Malformed {
            scheme: KeyKind::Ed25519.scheme(),
        })?;
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| SignatureError::Mismatch)
    }
}

impl PartialOrd for Ed25519Key {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ed25519Key {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Ed25519Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Key({})", to_hex(self.as_bytes()))
    }
}
