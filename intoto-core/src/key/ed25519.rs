//! Ed25519 keys. Specification: RFC 8032; SPKI form RFC 8410.

use alloc::string::String;
use core::fmt;
use core::hash::{Hash, Hasher};

use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};

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
        if is_of_small_order(bytes) || key.is_weak() {
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

    // Strict: R of small order is refused too, so that all verifiers of a signature agree. `verify_strict` does the same, but decodes R
    // for it, which costs a tenth of the whole: R is compared with the canonical encoding of the point that it must be, so by then its
    // bytes tell whether it is one of the eight.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature = Signature::from_slice(signature).map_err(|_| SignatureError::Malformed {
            scheme: KeyKind::Ed25519.scheme(),
        })?;
        if is_of_small_order(signature.r_bytes()) {
            return Err(SignatureError::Mismatch);
        }
        self.0.verify(message, &signature).map_err(|_| SignatureError::Mismatch)
    }
}

/// The y coordinates of the eight points of small order, in their canonical encoding without the sign of x.
const SMALL_ORDER: [[u8; 32]; 5] = [
    encoding(1, 0, 0),
    encoding(0, 0, 0),
    encoding(0xec, 0xff, 0x7f),
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
];

const fn encoding(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut bytes = [middle; 32];
    bytes[0] = first;
    bytes[31] = last;
    bytes
}

/// Whether these bytes are the canonical encoding of a point of small order, or one with the wrong sign.
fn is_of_small_order(bytes: &[u8; 32]) -> bool {
    let [rest @ .., last] = bytes;
    SMALL_ORDER
        .iter()
        .any(|[weak @ .., weak_last]| *weak_last == last & 0x7f && weak == rest)
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

    // There are no more than eight: the two orders below 4 have one point each, and there are two of order 4 and four of order 8.
    #[test]
    fn the_list_of_small_orders_is_whole() {
        let mut points = alloc::collections::BTreeSet::new();
        for mut bytes in SMALL_ORDER {
            for sign in [0, 0x80] {
                bytes[31] = bytes[31] & 0x7f | sign;
                assert!(is_of_small_order(&bytes));
                if let Ok(key) = VerifyingKey::from_bytes(&bytes) {
                    assert!(key.is_weak(), "{bytes:?}");
                    points.insert(key.to_edwards().compress().to_bytes());
                }
            }
        }
        assert_eq!(points.len(), 8);
        assert!(!is_of_small_order(&[9; 32]));
    }

    // The equation of verification holds with R the neutral element, which the holder of the secret half can bring about; but who multiplies
    // the equation by the cofactor takes other signatures for valid than who does not, so nobody may accept any.
    #[test]
    fn a_signature_with_r_of_small_order_is_refused() {
        let key = crate::key::SecretKey::ed25519_from_seed([7; 32]);
        let crate::key::PublicKey::Ed25519(public) = crate::key::Signer::public_key(&key) else {
            unreachable!("an Ed25519 key was made");
        };
        let s = from_hex("d4c5323131ff9683cfb3d30197c786c9043f1052d6c2d5293f19d6f36b911104").unwrap();
        let mut signature = [0; 64];
        signature[0] = 1;
        signature[32..].copy_from_slice(&s);
        let dalek = Signature::from_bytes(&signature);
        assert!(public.0.verify(b"message", &dalek).is_ok(), "the vector is none");
        assert!(public.0.verify_strict(b"message", &dalek).is_err());
        assert_eq!(public.verify(b"message", &signature), Err(SignatureError::Mismatch));
    }

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
