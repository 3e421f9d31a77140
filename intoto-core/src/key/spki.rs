//! Public keys as SubjectPublicKeyInfo. Specification: RFC 5280, 4.1; RFC 7468 for the PEM form.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use pkcs8::ObjectIdentifier;
use pkcs8::der::Decode as _;
use pkcs8::spki::SubjectPublicKeyInfoRef;

use crate::key::pem::decode_pem;
use crate::key::{EcdsaP256Key, EcdsaP384Key, EcdsaP521Key, Ed25519Key, KeyError, PublicKey};
#[cfg(feature = "rsa")]
use crate::key::{RsaKey, RsaScheme};

const LABEL: &str = "PUBLIC KEY";

pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
pub(super) const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
pub(super) const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
#[cfg(feature = "rsa")]
pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const STRUCTURE: &str = "SubjectPublicKeyInfo";

impl PublicKey {
    /// Reads a key in SPKI PEM, `-----BEGIN PUBLIC KEY-----`, with or without white space around it.
    ///
    /// An RSA key gets the scheme that the implementations of in-toto give it: PSS with SHA-256.
    pub fn from_spki_pem(text: &str) -> Result<Self, KeyError> {
        Self::from_spki_der(&decode_pem(text, LABEL)?)
    }

    /// Reads a key in SPKI DER.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let malformed = KeyError::Der { structure: STRUCTURE };
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| malformed.clone())?;
        let bytes = info.subject_public_key.as_bytes().ok_or(malformed.clone())?;
        match info.algorithm.oid {
            ED25519 if info.algorithm.parameters.is_some() => Err(malformed),
            ED25519 => Ed25519Key::from_bytes(bytes.try_into().map_err(|_| malformed)?).map(Self::Ed25519),
            EC => match info.algorithm.parameters_oid().map_err(|_| malformed)? {
                P256 => EcdsaP256Key::from_sec1_bytes(bytes).map(Self::EcdsaP256),
                P384 => EcdsaP384Key::from_sec1_bytes(bytes).map(Self::EcdsaP384),
                P521 => EcdsaP521Key::from_sec1_bytes(bytes).map(Self::EcdsaP521),
                curve => Err(unsupported(curve)),
            },
            #[cfg(feature = "rsa")]
            RSA if info.algorithm.parameters != Some(pkcs8::der::asn1::Null.into()) => Err(malformed),
            #[cfg(feature = "rsa")]
            RSA => RsaKey::from_pkcs1_der(bytes, RsaScheme::default()).map(Self::Rsa),
            other => Err(unsupported(other)),
        }
    }

    /// The key in SPKI DER; an ECDSA point uncompressed.
    ///
    /// Of an OpenPGP key that is the primary key's material. What makes it an OpenPGP key is lost: as a key of its own it verifies none of the same
    /// signatures.
    pub fn to_spki_der(&self) -> Vec<u8> {
        // The headers are constant for each kind: SEQUENCE { SEQUENCE { algorithm }, BIT STRING { 0 unused bits, key } }.
        const ED25519_HEADER: [u8; 12] = [0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0];
        const P256_HEADER: [u8; 26] = [
            0x30, 89, 0x30, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7,
            3, 66, 0,
        ];
        const P384_HEADER: [u8; 23] = [
            0x30, 118, 0x30, 16, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 34, 3, 98, 0,
        ];
        const P521_HEADER: [u8; 25] = [
            0x30, 0x81, 155, 0x30, 16, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 35, 3, 0x81,
            134, 0,
        ];
        match self {
            Self::Ed25519(key) => [&ED25519_HEADER[..], key.as_bytes()].concat(),
            Self::EcdsaP256(key) => [&P256_HEADER[..], key.as_sec1_bytes()].concat(),
            Self::EcdsaP384(key) => [&P384_HEADER[..], key.as_sec1_bytes()].concat(),
            Self::EcdsaP521(key) => [&P521_HEADER[..], key.as_sec1_bytes()].concat(),
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => key.to_spki_der(),
            #[cfg(feature = "openpgp")]
            Self::OpenPgp(key) => key.primary_spki_der(),
        }
    }

    /// The key in SPKI PEM, 64 characters a line, with a line end at the end.
    pub fn to_spki_pem(&self) -> String {
        let base64 = crate::encoding::base64::encode(&self.to_spki_der());
        let mut text = format!("-----BEGIN {LABEL}-----\n");
        let mut rest = base64.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str("-----END PUBLIC KEY-----\n");
        text
    }
}

pub(super) fn unsupported(oid: ObjectIdentifier) -> KeyError {
    KeyError::UnsupportedAlgorithm {
        algorithm: algorithm_name(oid),
    }
}

fn algorithm_name(oid: ObjectIdentifier) -> String {
    let dotted = oid.to_string();
    let name = match dotted.as_str() {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.3.132.0.33" => "ECDSA P-224",
        "1.3.132.0.10" => "ECDSA secp256k1",
        "1.3.101.113" => "Ed448",
        "1.3.101.110" => "X25519",
        "1.2.840.10040.4.1" => "DSA",
        "2.16.840.1.101.3.4.3.17" => "ML-DSA-44",
        "2.16.840.1.101.3.4.3.18" => "ML-DSA-65",
        "2.16.840.1.101.3.4.3.19" => "ML-DSA-87",
        _ => &dotted,
    };
    name.to_owned()
}
