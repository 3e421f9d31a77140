//! The numbers of keys and signatures of the three algorithms that the reference implementation knows.
//!
//! Specification: RFC 4880, 5.5.2 and 5.2.2; for EdDSA what became RFC 9580, 5.5.5.5, as GnuPG writes it.

use alloc::string::String;
use alloc::vec::Vec;

use super::dsa::DsaKey;
use super::hash::HashAlgorithm;
use super::packet::{split_number, write_number};
use super::{CertificateError, OpenPgpError, dsa};
use crate::digest::{from_hex, to_hex};
use crate::encoding::value::excerpt;
use crate::encoding::{Object, Value};
use crate::key::{Ed25519Key, KeyError, KeyKind, PublicKey, RsaKey, SignatureError};

const RSA: u8 = 1;
const DSA: u8 = 17;
const EDDSA: u8 = 22;
// Its length and 1.3.6.1.4.1.11591.15.1.
const ED25519_OID: &[u8] = &[9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];
// What says that the point of a key follows in the curve's own form.
const NATIVE_POINT: u8 = 0x40;

/// What a key signs with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::key) enum Material {
    Rsa(RsaKey),
    Dsa(DsaKey),
    Ed25519(Ed25519Key),
}

impl Material {
    /// Reads `keyval.public` of a dictionary with that `type` and `method`.
    pub(super) fn from_layout(key_type: &str, method: &str, public: &Object<'_>) -> Result<Self, KeyError> {
        match (key_type, method) {
            ("rsa", "pgp+rsa-pkcsv1.5") => {
                let (n, e) = (
                    number(public, "n", "keyval.public.n")?,
                    number(public, "e", "keyval.public.e")?,
                );
                rsa(&n, &e)
            }
            ("dsa", "pgp+dsa-fips-180-2") => DsaKey::from_numbers(
                &number(public, "p", "keyval.public.p")?,
                &number(public, "q", "keyval.public.q")?,
                &number(public, "g", "keyval.public.g")?,
                &number(public, "y", "keyval.public.y")?,
            )
            .map(Self::Dsa),
            ("eddsa", "pgp+eddsa-ed25519") => ed25519(&number(public, "q", "keyval.public.q")?),
            _ => Err(KeyError::UnsupportedScheme {
                key_type: excerpt(key_type),
                scheme: excerpt(method),
            }),
        }
    }

    /// The `keyval.public` of a dictionary.
    pub(super) fn to_layout(&self) -> Value<'static> {
        let mut public = Object::new();
        let mut put = |name: &'static str, number: &[u8]| public.insert(name, Value::from(to_hex(number)));
        match self {
            Self::Rsa(key) => {
                put("n", key.modulus());
                put("e", without_zeros(&key.exponent().to_be_bytes()));
            }
            Self::Dsa(key) => {
                for (name, number) in ["p", "q", "g", "y"].into_iter().zip(key.numbers()) {
                    put(name, number);
                }
            }
            Self::Ed25519(key) => {
                put("q", key.as_bytes());
            }
        }
        Value::Object(public)
    }

    /// Reads what follows the algorithm's octet in a key packet.
    pub(super) fn from_packet(algorithm: u8, bytes: &[u8]) -> Result<Result<Self, KeyError>, CertificateError> {
        let malformed = |error: OpenPgpError| CertificateError::Packet {
            reason: match error {
                OpenPgpError::Packet { reason } => reason,
                _ => "a key is malformed",
            },
        };
        let numbers = |bytes| take_numbers(bytes).map_err(malformed);
        match algorithm {
            RSA => {
                let [n, e] = numbers(bytes)?;
                Ok(rsa(n, e))
            }
            DSA => {
                let [p, q, g, y] = take_numbers(bytes).map_err(malformed)?;
                Ok(DsaKey::from_numbers(p, q, g, y).map(Self::Dsa))
            }
            EDDSA => {
                let Some(rest) = bytes.strip_prefix(ED25519_OID) else {
                    return Err(unsupported("a curve other than Ed25519"));
                };
                let [point] = take_numbers(rest).map_err(malformed)?;
                match point {
                    [NATIVE_POINT, key @ ..] => Ok(ed25519(key)),
                    _ => Err(CertificateError::Packet {
                        reason: "a point is not in its curve's form",
                    }),
                }
            }
            other => Err(unsupported(match other {
                2 | 3 => "RSA for one use",
                16 => "ElGamal",
                18 => "ECDH",
                19 => "ECDSA",
                25 => "X25519",
                26 => "X448",
                27 => "Ed25519 in the form of RFC 9580",
                28 => "Ed448",
                _ => "an unknown algorithm",
            })),
        }
    }

    /// What follows the algorithm's octet in a key packet.
    pub(super) fn to_packet(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self {
            Self::Rsa(key) => {
                write_number(key.modulus(), &mut out);
                write_number(&key.exponent().to_be_bytes(), &mut out);
            }
            Self::Dsa(key) => key.numbers().iter().for_each(|number| write_number(number, &mut out)),
            Self::Ed25519(key) => {
                out.extend_from_slice(ED25519_OID);
                write_number(&[&[NATIVE_POINT], key.as_bytes().as_slice()].concat(), &mut out);
            }
        }
        out
    }

    /// How long checking a signature takes, in the time of a common key, roughly.
    pub(super) fn check_cost(&self) -> usize {
        // Multiplications, each of which takes as long as the square of the number's length.
        let powers = |length: usize, multiplications: u32| {
            let square = length.div_ceil(256).pow(2);
            1 + square * usize::try_from(multiplications).unwrap_or(usize::MAX) / 18
        };
        match self {
            Self::Ed25519(_) => 1,
            Self::Rsa(key) => {
                let exponent = key.exponent();
                powers(key.modulus().len(), exponent.ilog2() + exponent.count_ones())
            }
            // Two powers, with exponents of 256 bits at most.
            Self::Dsa(key) => powers(key.numbers()[0].len(), 2 * (256 + 128)),
        }
    }

    /// The bare key as SubjectPublicKeyInfo.
    pub(in crate::key) fn to_spki_der(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => PublicKey::Rsa(key.clone()).to_spki_der(),
            Self::Dsa(key) => key.to_spki_der(),
            Self::Ed25519(key) => PublicKey::Ed25519(key.clone()).to_spki_der(),
        }
    }

    /// The public-key algorithm's octet (RFC 4880, 9.1).
    pub(super) fn algorithm(&self) -> u8 {
        match self {
            Self::Rsa(_) => RSA,
            Self::Dsa(_) => DSA,
            Self::Ed25519(_) => EDDSA,
        }
    }

    pub(super) fn kind(&self) -> KeyKind {
        match self {
            Self::Rsa(_) => KeyKind::OpenPgpRsa,
            Self::Dsa(_) => KeyKind::OpenPgpDsa,
            Self::Ed25519(_) => KeyKind::OpenPgpEdDsa,
        }
    }

    pub(super) fn verify(&self, hash: HashAlgorithm, digest: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let scheme = self.kind().scheme();
        match self {
            Self::Rsa(key) => {
                let length = key.modulus().len();
                if signature.len() > length {
                    return Err(SignatureError::Malformed { scheme });
                }
                // OpenPGP writes numbers without zeros in front; RFC 8017 wants the modulus's length.
                let mut padded = alloc::vec![0; length - signature.len()];
                padded.extend_from_slice(signature);
                key.verify_digest(hash.rsa_scheme(), digest, &padded)
            }
            Self::Dsa(key) => key.verify_digest(digest, signature),
            // OpenPGP's EdDSA signs the digest as if it were the message.
            Self::Ed25519(key) => key.verify(digest, signature),
        }
        .map_err(|error| match error {
            SignatureError::Malformed { .. } => SignatureError::Malformed { scheme },
            other => other,
        })
    }
}

/// A signature's numbers in the form that metadata has.
pub(super) fn signature_from_packet(algorithm: u8, bytes: &[u8]) -> Result<Vec<u8>, OpenPgpError> {
    match algorithm {
        RSA => take_numbers(bytes).map(|[number]| number.to_vec()),
        DSA => take_numbers(bytes).map(|[r, s]| dsa::signature_der(r, s)),
        EDDSA => {
            let mut signature = Vec::with_capacity(64);
            for number in take_numbers::<2>(bytes)? {
                // Both are strings of 32 octets in truth, so that zeros in front are part of them.
                let zeros = 32_usize.checked_sub(number.len()).ok_or(OpenPgpError::Packet {
                    reason: "a number of the signature is too long",
                })?;
                signature.resize(signature.len() + zeros, 0);
                signature.extend_from_slice(number);
            }
            Ok(signature)
        }
        _ => Err(OpenPgpError::Headers {
            reason: "the algorithm is none of RSA, DSA and EdDSA",
        }),
    }
}

/// Takes exactly so many numbers.
fn take_numbers<const COUNT: usize>(mut bytes: &[u8]) -> Result<[&[u8]; COUNT], OpenPgpError> {
    let mut numbers = [[].as_slice(); COUNT];
    for number in &mut numbers {
        (*number, bytes) = split_number(bytes)?;
    }
    if bytes.is_empty() {
        Ok(numbers)
    } else {
        Err(OpenPgpError::Packet {
            reason: "something follows its numbers",
        })
    }
}

fn rsa(n: &[u8], e: &[u8]) -> Result<Material, KeyError> {
    RsaKey::from_components(n, e, crate::key::RsaScheme::Pkcs1v15Sha256).map(Material::Rsa)
}

fn ed25519(point: &[u8]) -> Result<Material, KeyError> {
    let bytes = <&[u8; 32]>::try_from(point).map_err(|_| KeyError::Member {
        member: "keyval.public.q",
        expected: "the 32 bytes of an Ed25519 key",
    })?;
    Ed25519Key::from_bytes(bytes).map(Material::Ed25519)
}

fn number(public: &Object<'_>, name: &str, member: &'static str) -> Result<Vec<u8>, KeyError> {
    public
        .get(name)
        .and_then(Value::as_str)
        .and_then(|text| from_hex(text).ok())
        .ok_or(KeyError::Member {
            member,
            expected: "a number in hexadecimal digits",
        })
}

pub(super) fn without_zeros(mut number: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = number {
        number = rest;
    }
    number
}

fn unsupported(what: &str) -> CertificateError {
    CertificateError::Unsupported {
        what: String::from(what),
    }
}
