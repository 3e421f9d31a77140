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
        if !is_reduced(bytes) {
            return Err(KeyError::NotAPoint);
        }
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        // A sign bit on x = 0 would be another second encoding, but these points have small order.
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

/// Whether the y coordinate is below 2²⁵⁵ − 19, so that it is spelled in its only canonical way.
fn is_reduced(bytes: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = bytes;
    *low < 0xed || high & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
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

#[cfg(test)]
mod tests {
    use super::*;

    // All second encodings that there are: y + p where that fits, and -0 for the x of the two points that have 0 there.
    #[test]
    fn second_encodings_are_refused() {
        for sign in [0, 0x80] {
            for low in 0xed..=0xff {
                let mut bytes = [0xff; 32];
                (bytes[0], bytes[31]) = (low, 0x7f | sign);
                assert_eq!(Ed25519Key::from_bytes(&bytes), Err(KeyError::NotAPoint), "{bytes:?}");
            }
        }
        let mut one = [0; 32];
        (one[0], one[31]) = (1, 0x80);
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        for bytes in [one, minus_one] {
            assert!(Ed25519Key::from_bytes(&bytes).is_err(), "{bytes:?}");
        }
    }
}
