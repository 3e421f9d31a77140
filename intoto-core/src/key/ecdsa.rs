//! ECDSA keys over the NIST curves. Specification: FIPS 186-5; SEC 1 for points, RFC 5480 for the SPKI form.
//!
//! The curve decides the digest (SHA-256, SHA-384, SHA-512), as in both reference implementations, and so there is one scheme for each curve.

use alloc::boxed::Box;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::digest::to_hex;
use crate::key::{KeyError, KeyKind, SignatureError};

// The curves differ in nothing but names and sizes; a generic type would show the library's traits to everybody.
macro_rules! ecdsa_key {
    ($(#[$doc:meta])* $name:ident, $curve:ident, $kind:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            key: $curve::ecdsa::VerifyingKey,
            // The uncompressed point: the identity of the key.
            point: Box<[u8]>,
        }

        impl $name {
            /// Decodes a point in SEC 1 form, compressed or not.
            pub fn from_sec1_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
                $curve::ecdsa::VerifyingKey::from_sec1_bytes(bytes)
                    .map(Self::new)
                    .map_err(|_| KeyError::NotAPoint)
            }

            #[doc = concat!("The point in uncompressed SEC 1 form, ", $bytes, " bytes.")]
            pub fn as_sec1_bytes(&self) -> &[u8] {
                &self.point
            }

            pub(super) fn new(key: $curve::ecdsa::VerifyingKey) -> Self {
                Self {
                    point: key.to_sec1_point(false).as_bytes().into(),
                    key,
                }
            }

            // Signatures with a high s are accepted: Python and Go accept them, and one cannot be made without the key.
            pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
                use $curve::ecdsa::signature::Verifier as _;

                let malformed = SignatureError::Malformed {
                    scheme: KeyKind::$kind.scheme(),
                };
                let der = $curve::ecdsa::DerSignature::from_bytes(signature).map_err(|_| malformed)?;
                let signature = $curve::ecdsa::Signature::try_from(der).map_err(|_| malformed)?;
                self.key
                    .verify(message, &signature)
                    .map_err(|_| SignatureError::Mismatch)
            }

            // Over a digest that is not the curve's own, as in certificates. Digests that are short for the curve count as numbers with zeros in
            // front, which the library wants to see.
            #[cfg(feature = "x509")]
            pub(crate) fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
                use $curve::ecdsa::signature::hazmat::PrehashVerifier as _;

                let malformed = SignatureError::Malformed {
                    scheme: KeyKind::$kind.scheme(),
                };
                let der = $curve::ecdsa::DerSignature::from_bytes(signature).map_err(|_| malformed)?;
                let signature = $curve::ecdsa::Signature::try_from(der).map_err(|_| malformed)?;
                let zeros = (self.point.len() / 4 + 1).saturating_sub(digest.len());
                let digest = [&alloc::vec![0; zeros], digest].concat();
                self.key
                    .verify_prehash(&digest, &signature)
                    .map_err(|_| SignatureError::Mismatch)
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.point == other.point
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> core::cmp::Ordering {
                self.point.cmp(&other.point)
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.point.hash(state);
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), to_hex(&self.point))
            }
        }
    };
}

ecdsa_key! {
    /// A P-256 public key, for signatures with SHA-256.
    EcdsaP256Key, p256, EcdsaP256, 65
}
ecdsa_key! {
    /// A P-384 public key, for signatures with SHA-384.
    EcdsaP384Key, p384, EcdsaP384, 97
}
ecdsa_key! {
    /// A P-521 public key, for signatures with SHA-512.
    EcdsaP521Key, p521, EcdsaP521, 133
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::vec::Vec;

    use super::*;
    use crate::encoding::base64::decode;
    use crate::key::PublicKey;

    // Made with Python's `cryptography` 48, the odd ones put together by hand from a signature's numbers. The message is `message`.
    #[test]
    fn signatures() {
        let mut keys = BTreeMap::new();
        for line in include_str!("ecdsa_cases.tsv").lines() {
            match line.split('\t').collect::<Vec<_>>()[..] {
                ["key", name, spki] => {
                    keys.insert(name, PublicKey::from_spki_der(&decode(spki).unwrap()).unwrap());
                }
                ["signature", name, what, outcome, signature] => {
                    let key = &keys[name];
                    let scheme = key.kind().scheme();
                    let expected = match outcome {
                        "ok" => Ok(()),
                        "mismatch" => Err(SignatureError::Mismatch),
                        "malformed" => Err(SignatureError::Malformed { scheme }),
                        _ => panic!("{outcome}"),
                    };
                    let signature = decode(signature).unwrap();
                    assert_eq!(key.verify(b"message", &signature), expected, "{name}, {what}");
                    assert!(key.verify(b"Message", &signature).is_err(), "{name}, {what}");
                }
                _ => panic!("{line}"),
            }
        }
        assert_eq!(keys.len(), 3);
    }

    // What sets and messages need of a key, for each curve.
    macro_rules! check_key {
        ($name:ident, $curve:ident) => {{
            let key = |scalar: u8| {
                let secret = $curve::SecretKey::from_slice(&[&alloc::vec![0; size_of::<$curve::FieldBytes>() - 1][..], &[scalar]].concat());
                $name::new($curve::ecdsa::SigningKey::from(secret.unwrap()).verifying_key().clone())
            };
            let (one, two) = (key(1), key(2));
            let bytes = one.as_sec1_bytes();
            assert_eq!($name::from_sec1_bytes(bytes).unwrap(), one);
            let compressed = [&[2 + (bytes[bytes.len() - 1] & 1)], &bytes[1..=bytes.len() / 2]].concat();
            assert_eq!($name::from_sec1_bytes(&compressed).unwrap(), one);
            assert_eq!($name::from_sec1_bytes(&bytes[1..]), Err(KeyError::NotAPoint));
            let mut off_the_curve = bytes.to_vec();
            off_the_curve[bytes.len() - 1] ^= 1;
            assert_eq!($name::from_sec1_bytes(&off_the_curve), Err(KeyError::NotAPoint));
            assert_ne!(one, two);
            assert_eq!(one.cmp(&two), bytes.cmp(two.as_sec1_bytes()));
            assert_eq!(one.partial_cmp(&one), Some(core::cmp::Ordering::Equal));
            assert_eq!(HashSet::from([one.clone(), two, one.clone()]).len(), 2);
            assert_eq!(alloc::format!("{one:?}"), alloc::format!("{}({})", stringify!($name), to_hex(bytes)));
        }};
    }

    #[test]
    fn keys_are_their_points() {
        use std::collections::HashSet;

        check_key!(EcdsaP256Key, p256);
        check_key!(EcdsaP384Key, p384);
        check_key!(EcdsaP521Key, p521);
    }
}
