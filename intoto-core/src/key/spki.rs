//! Public keys as SubjectPublicKeyInfo. Specification: RFC 5280, 4.1; RFC 7468 for the PEM form.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use pkcs8::der::Decode as _;
use pkcs8::der::pem;
use pkcs8::spki::SubjectPublicKeyInfoRef;
use pkcs8::{DecodePublicKey as _, ObjectIdentifier};

use crate::encoding::value::excerpt;
use crate::key::{EcdsaP256Key, Ed25519Key, KeyError, PublicKey};

const LABEL: &str = "PUBLIC KEY";

pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const STRUCTURE: &str = "SubjectPublicKeyInfo";

impl PublicKey {
    /// Reads a key in SPKI PEM, `-----BEGIN PUBLIC KEY-----`, with or without white space around it.
    pub fn from_spki_pem(text: &str) -> Result<Self, KeyError> {
        Self::from_spki_der(&decode_pem(text, LABEL)?)
    }

    /// Reads a key in SPKI DER.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        let malformed = |_| KeyError::Der { structure: STRUCTURE };
        let info = SubjectPublicKeyInfoRef::from_der(der).map_err(malformed)?;
        match info.algorithm.oid {
            ED25519 if info.algorithm.parameters.is_some() => Err(KeyError::Der { structure: STRUCTURE }),
            ED25519 => {
                let bytes = info
                    .subject_public_key
                    .as_bytes()
                    .and_then(|bytes| <&[u8; 32]>::try_from(bytes).ok());
                Ed25519Key::from_bytes(bytes.ok_or(KeyError::Der { structure: STRUCTURE })?).map(Self::Ed25519)
            }
            EC => match info
                .algorithm
                .parameters_oid()
                .map_err(|_| KeyError::Der { structure: STRUCTURE })?
            {
                P256 => p256::ecdsa::VerifyingKey::from_public_key_der(der)
                    .map(|key| Self::EcdsaP256(EcdsaP256Key::new(key)))
                    .map_err(|_| KeyError::NotAPoint),
                curve => Err(KeyError::UnsupportedAlgorithm {
                    algorithm: algorithm_name(curve),
                }),
            },
            other => Err(KeyError::UnsupportedAlgorithm {
                algorithm: algorithm_name(other),
            }),
        }
    }

    /// The key in SPKI DER; an ECDSA point uncompressed.
    pub fn to_spki_der(&self) -> Vec<u8> {
        // The headers are constant for each kind: SEQUENCE { SEQUENCE { algorithm }, BIT STRING { 0 unused bits, key } }.
        const ED25519_HEADER: [u8; 12] = [0x30, 42, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 33, 0];
        const P256_HEADER: [u8; 26] = [
            0x30, 89, 0x30, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7,
            3, 66, 0,
        ];
        match self {
            Self::Ed25519(key) => [&ED25519_HEADER[..], key.as_bytes()].concat(),
            Self::EcdsaP256(key) => [&P256_HEADER[..], key.as_sec1_bytes()].concat(),
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

/// Decodes PEM of that label, ignoring white space around it.
pub(super) fn decode_pem(text: &str, expected: &'static str) -> Result<Vec<u8>, KeyError> {
    let text = text.trim();
    let found = pem::decode_label(text.as_bytes()).map_err(|_| KeyError::Pem)?;
    if found == "ENCRYPTED PRIVATE KEY" && expected != LABEL {
        return Err(KeyError::Encrypted);
    }
    if found != expected {
        return Err(KeyError::Label {
            found: excerpt(found),
            expected,
        });
    }
    pem::decode_vec(text.as_bytes())
        .map(|(_, der)| der)
        .map_err(|_| KeyError::Pem)
}

pub(super) fn algorithm_name(oid: ObjectIdentifier) -> String {
    let dotted = oid.to_string();
    let name = match dotted.as_str() {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.3.132.0.33" => "ECDSA P-224",
        "1.3.132.0.34" => "ECDSA P-384",
        "1.3.132.0.35" => "ECDSA P-521",
        "1.3.132.0.10" => "ECDSA secp256k1",
        "1.3.101.113" => "Ed448",
        "1.3.101.110" => "X25519",
        "1.2.840.10040.4.1" => "DSA",
        _ => &dotted,
    };
    name.to_owned()
}
