//! Private keys in memory.
//!
//! They are neither `Clone` nor `Debug`, and are overwritten when they go. Specification: RFC 5958 (PKCS#8), RFC 8410, RFC 5915.

use alloc::string::String;
use alloc::vec::Vec;

use ed25519_dalek::Signer as _;
use pkcs8::der::Decode as _;
use pkcs8::der::pem::LineEnding;
use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use crate::key::pem::decode_pem;
use crate::key::spki::{self, unsupported};
use crate::key::{EcdsaP256Key, Ed25519Key, KeyError, PublicKey, SignError, Signer};

const STRUCTURE: &str = "PKCS#8 private key";
// SEQUENCE { version 0, SEQUENCE { id-Ed25519 }, OCTET STRING { OCTET STRING { seed } } }, up to the seed (RFC 8410, 7).
const ED25519_HEADER: [u8; 16] = [0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34, 4, 32];

/// A private key of a supported kind.
pub struct SecretKey {
    secret: Secret,
    public: PublicKey,
}

// Both of these overwrite themselves when dropped.
enum Secret {
    Ed25519(ed25519_dalek::SigningKey),
    EcdsaP256(p256::ecdsa::SigningKey),
}

impl SecretKey {
    /// The Ed25519 key of that seed (RFC 8032's private key).
    pub fn ed25519_from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self::from_ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
            .expect("the public key of a clamped scalar has large order and is encoded canonically")
    }

    /// The P-256 key of that scalar, big-endian; it must be neither zero nor the group order or more.
    pub fn p256_from_scalar(scalar: [u8; 32]) -> Result<Self, KeyError> {
        let scalar = Zeroizing::new(scalar);
        let key = p256::ecdsa::SigningKey::from_slice(&scalar[..]).map_err(|_| KeyError::SecretRange)?;
        Ok(Self::from_p256(key))
    }

    /// Reads an unencrypted PKCS#8 key in DER.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| KeyError::Der { structure: STRUCTURE })?;
        match info.algorithm.oid {
            spki::ED25519 => Self::from_ed25519_info(&info),
            spki::EC => match info
                .algorithm
                .parameters_oid()
                .map_err(|_| KeyError::Der { structure: STRUCTURE })?
            {
                spki::P256 => p256::ecdsa::SigningKey::from_pkcs8_der(der)
                    .map(Self::from_p256)
                    .map_err(|_| KeyError::Der { structure: STRUCTURE }),
                curve => Err(unsupported(curve)),
            },
            other => Err(unsupported(other)),
        }
    }

    /// Reads an unencrypted PKCS#8 key in PEM, `-----BEGIN PRIVATE KEY-----`.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, KeyError> {
        let der = Zeroizing::new(decode_pem(text, "PRIVATE KEY")?);
        Self::from_pkcs8_der(&der)
    }

    /// Reads an unencrypted P-256 key in the older PEM form, `-----BEGIN EC PRIVATE KEY-----`, which Go's tools accept.
    pub fn from_sec1_pem(text: &str) -> Result<Self, KeyError> {
        let der = Zeroizing::new(decode_pem(text, "EC PRIVATE KEY")?);
        let key = p256::SecretKey::from_sec1_der(&der).map_err(|_| KeyError::Der {
            structure: "EC private key",
        })?;
        Ok(Self::from_p256(key.into()))
    }

    /// The key as unencrypted PKCS#8 in PEM, with a line end at the end.
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        self.to_document()
            .to_pem("PRIVATE KEY", LineEnding::LF)
            .expect("the document is valid DER and the label valid PEM")
    }

    /// The key as unencrypted PKCS#8 in DER, for encrypting it.
    pub fn to_pkcs8_der(&self) -> Zeroizing<Vec<u8>> {
        self.to_document().to_bytes()
    }

    fn to_document(&self) -> pkcs8::SecretDocument {
        match &self.secret {
            // Without the public key: PKCS#8 version 1, which is what Python writes and every reader accepts.
            Secret::Ed25519(key) => {
                let mut der = Zeroizing::new([0; 48]);
                der[..16].copy_from_slice(&ED25519_HEADER);
                der[16..].copy_from_slice(key.as_bytes());
                pkcs8::SecretDocument::try_from(&der[..]).expect("the header is valid DER")
            }
            Secret::EcdsaP256(key) => key
                .to_pkcs8_der()
                .expect("the encoding of a private key has a fixed, small size"),
        }
    }

    // Done here because the library's way leaves a copy of the seed behind in memory.
    fn from_ed25519_info(info: &PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        let malformed = KeyError::Der { structure: STRUCTURE };
        let seed = match info.private_key.as_bytes() {
            [4, 32, seed @ ..] if seed.len() == 32 && info.algorithm.parameters.is_none() => seed,
            _ => return Err(malformed),
        };
        let key = ed25519_dalek::SigningKey::try_from(seed).map_err(|_| malformed)?;
        let public = key.verifying_key();
        match &info.public_key {
            Some(stored) if stored.as_bytes() != Some(public.as_bytes()) => Err(KeyError::Pair),
            _ => Self::from_ed25519(key),
        }
    }

    fn from_ed25519(key: ed25519_dalek::SigningKey) -> Result<Self, KeyError> {
        let public = PublicKey::Ed25519(Ed25519Key::from_bytes(key.verifying_key().as_bytes())?);
        Ok(Self {
            secret: Secret::Ed25519(key),
            public,
        })
    }

    fn from_p256(key: p256::ecdsa::SigningKey) -> Self {
        let public = PublicKey::EcdsaP256(EcdsaP256Key::new(*key.verifying_key()));
        Self {
            secret: Secret::EcdsaP256(key),
            public,
        }
    }
}

impl Signer for SecretKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    // Both schemes are deterministic here (RFC 8032, RFC 6979), so signing needs no source of randomness.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let failed = |_| SignError::Failed {
            reason: "the private key is unusable".into(),
        };
        match &self.secret {
            Secret::Ed25519(key) => Ok(key.try_sign(message).map_err(failed)?.to_vec()),
            Secret::EcdsaP256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).map_err(failed)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
        }
    }
}
