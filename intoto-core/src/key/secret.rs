//! Private keys in memory.
//!
//! They are neither `Clone` nor `Debug`, and are overwritten when they go. Specification: RFC 5958 (PKCS#8), RFC 8410, RFC 5915 (SEC 1), RFC 8017
//! (PKCS#1).

#[cfg(feature = "rsa")]
use alloc::boxed::Box;
use alloc::vec::Vec;

use ed25519_dalek::Signer as _;
use pkcs8::der::Decode as _;
use pkcs8::der::pem::LineEnding;
use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use crate::key::pem::{SEC1_LABEL, decode_pem, pem_label};
#[cfg(feature = "rsa")]
use crate::key::rsa_secret::RsaSecret;
use crate::key::secret_encoding::{SecretBytes, SecretText};
use crate::key::spki::{self, unsupported};
use crate::key::{EcdsaP256Key, EcdsaP384Key, EcdsaP521Key, Ed25519Key, KeyError, PublicKey, SignError, Signer};

#[cfg(feature = "rsa")]
use crate::key::pem::PKCS1_SECRET_LABEL;

const STRUCTURE: &str = "PKCS#8 private key";
// SEQUENCE { version 0, SEQUENCE { id-Ed25519 }, OCTET STRING { OCTET STRING { seed } } }, up to the seed (RFC 8410, 7).
const ED25519_HEADER: [u8; 16] = [0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34, 4, 32];

/// A private key of a supported kind.
pub struct SecretKey {
    secret: Secret,
    public: PublicKey,
}

// All of these overwrite themselves when dropped.
enum Secret {
    Ed25519(ed25519_dalek::SigningKey),
    EcdsaP256(p256::ecdsa::SigningKey),
    EcdsaP384(p384::ecdsa::SigningKey),
    EcdsaP521(p521::ecdsa::SigningKey),
    #[cfg(feature = "rsa")]
    Rsa(Box<RsaSecret>),
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

    /// The P-384 key of that scalar, big-endian; it must be neither zero nor the group order or more.
    pub fn p384_from_scalar(scalar: [u8; 48]) -> Result<Self, KeyError> {
        let scalar = Zeroizing::new(scalar);
        let key = p384::ecdsa::SigningKey::from_slice(&scalar[..]).map_err(|_| KeyError::SecretRange)?;
        Ok(Self::from_p384(key))
    }

    /// The P-521 key of that scalar, big-endian; it must be neither zero nor the group order or more.
    pub fn p521_from_scalar(scalar: [u8; 66]) -> Result<Self, KeyError> {
        let scalar = Zeroizing::new(scalar);
        let key = p521::ecdsa::SigningKey::from_slice(&scalar[..]).map_err(|_| KeyError::SecretRange)?;
        Ok(Self::from_p521(key))
    }

    /// The RSA key of so many bits that grows out of that seed. It takes seconds, and how long depends on the seed.
    ///
    /// The number of bits must be even and within the bounds of [`RsaKey`](crate::key::RsaKey), else this is [`KeyError::SecretRange`].
    #[cfg(feature = "rsa")]
    pub fn rsa_from_seed(bits: usize, seed: [u8; 32]) -> Result<Self, KeyError> {
        let seed = Zeroizing::new(seed);
        Self::from_rsa(RsaSecret::from_seed(bits, &seed)?)
    }

    /// Reads an unencrypted key in any of the PEM forms that private keys have: PKCS#8, SEC 1, PKCS#1.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        match pem_label(text)? {
            SEC1_LABEL => Self::from_sec1_pem(text),
            #[cfg(feature = "rsa")]
            PKCS1_SECRET_LABEL => Self::from_pkcs1_pem(text),
            _ => Self::from_pkcs8_pem(text),
        }
    }

    /// Reads an unencrypted PKCS#8 key in DER.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let malformed = KeyError::Der { structure: STRUCTURE };
        let info = PrivateKeyInfoRef::from_der(der).map_err(|_| malformed.clone())?;
        match info.algorithm.oid {
            spki::ED25519 => Self::from_ed25519_info(&info),
            spki::EC => match info.algorithm.parameters_oid().map_err(|_| malformed.clone())? {
                spki::P256 => p256::ecdsa::SigningKey::from_pkcs8_der(der).map(Self::from_p256),
                spki::P384 => p384::ecdsa::SigningKey::from_pkcs8_der(der).map(Self::from_p384),
                spki::P521 => p521::ecdsa::SigningKey::from_pkcs8_der(der).map(Self::from_p521),
                curve => return Err(unsupported(curve)),
            }
            .map_err(|_| malformed),
            #[cfg(feature = "rsa")]
            spki::RSA => Self::from_rsa(RsaSecret::from_pkcs1_der(info.private_key.as_bytes())?),
            other => Err(unsupported(other)),
        }
    }

    /// Reads an unencrypted PKCS#8 key in PEM, `-----BEGIN PRIVATE KEY-----`.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, KeyError> {
        let der = Zeroizing::new(decode_pem(text, "PRIVATE KEY")?);
        Self::from_pkcs8_der(&der)
    }

    /// Reads an unencrypted ECDSA key in the older PEM form, `-----BEGIN EC PRIVATE KEY-----`, also behind the `EC PARAMETERS` that OpenSSL
    /// writes in front.
    pub fn from_sec1_pem(text: &str) -> Result<Self, KeyError> {
        let der = Zeroizing::new(decode_pem(text, SEC1_LABEL)?);
        // The secrets of the curves differ in length, and a curve named inside must be the right one.
        if let Ok(key) = p256::SecretKey::from_sec1_der(&der) {
            return Ok(Self::from_p256(key.into()));
        }
        if let Ok(key) = p384::SecretKey::from_sec1_der(&der) {
            return Ok(Self::from_p384(key.into()));
        }
        p521::SecretKey::from_sec1_der(&der)
            .map(|key| Self::from_p521(key.into()))
            .map_err(|_| KeyError::Der {
                structure: "EC private key",
            })
    }

    /// Reads an unencrypted RSA key in the older PEM form, `-----BEGIN RSA PRIVATE KEY-----`.
    #[cfg(feature = "rsa")]
    pub fn from_pkcs1_pem(text: &str) -> Result<Self, KeyError> {
        let der = Zeroizing::new(decode_pem(text, PKCS1_SECRET_LABEL)?);
        Self::from_rsa(RsaSecret::from_pkcs1_der(&der)?)
    }

    /// Mixes fresh randomness into what RSA signatures need of it, the salt and the blinding; other kinds need none.
    ///
    /// Without it both come from the key and the message, which is enough to be safe. With it, whoever measures how long signing takes cannot
    /// have the same computation repeated.
    #[must_use]
    #[cfg_attr(
        not(feature = "rsa"),
        expect(unused_mut, unused_variables, reason = "no other kind takes any")
    )]
    pub fn hedged(mut self, entropy: [u8; 32]) -> Self {
        let entropy = Zeroizing::new(entropy);
        #[cfg(feature = "rsa")]
        if let Secret::Rsa(key) = &mut self.secret {
            key.hedge(&entropy);
        }
        self
    }

    /// The key as unencrypted PKCS#8 in PEM, with a line end at the end.
    pub fn to_pkcs8_pem(&self) -> SecretText {
        let pem = self.to_document().to_pem("PRIVATE KEY", LineEnding::LF);
        SecretText::new(pem.expect("the document is valid DER and the label valid PEM"))
    }

    /// The key as unencrypted PKCS#8 in DER, for encrypting it.
    pub fn to_pkcs8_der(&self) -> SecretBytes {
        SecretBytes::new(self.to_document().to_bytes())
    }

    fn to_document(&self) -> pkcs8::SecretDocument {
        let fixed = "the encoding of a private key has a fixed, small size";
        match &self.secret {
            // Without the public key: PKCS#8 version 1, which is what Python writes and every reader accepts.
            Secret::Ed25519(key) => {
                let mut der = Zeroizing::new([0; 48]);
                der[..16].copy_from_slice(&ED25519_HEADER);
                der[16..].copy_from_slice(key.as_bytes());
                pkcs8::SecretDocument::try_from(&der[..]).expect("the header is valid DER")
            }
            Secret::EcdsaP256(key) => key.to_pkcs8_der().expect(fixed),
            Secret::EcdsaP384(key) => key.to_pkcs8_der().expect(fixed),
            Secret::EcdsaP521(key) => key.to_pkcs8_der().expect(fixed),
            #[cfg(feature = "rsa")]
            Secret::Rsa(key) => key.to_pkcs8(),
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
        Self {
            public: PublicKey::EcdsaP256(EcdsaP256Key::new(*key.verifying_key())),
            secret: Secret::EcdsaP256(key),
        }
    }

    fn from_p384(key: p384::ecdsa::SigningKey) -> Self {
        Self {
            public: PublicKey::EcdsaP384(EcdsaP384Key::new(*key.verifying_key())),
            secret: Secret::EcdsaP384(key),
        }
    }

    fn from_p521(key: p521::ecdsa::SigningKey) -> Self {
        Self {
            public: PublicKey::EcdsaP521(EcdsaP521Key::new(*key.verifying_key())),
            secret: Secret::EcdsaP521(key),
        }
    }

    #[cfg(feature = "rsa")]
    fn from_rsa(key: RsaSecret) -> Result<Self, KeyError> {
        Ok(Self {
            public: PublicKey::Rsa(key.public_key()?),
            secret: Secret::Rsa(Box::new(key)),
        })
    }
}

impl Signer for SecretKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    // All schemes are deterministic here (RFC 8032, RFC 6979, and RSA in their manner), so signing needs no source of randomness.
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
            Secret::EcdsaP384(key) => {
                let signature: p384::ecdsa::Signature = key.try_sign(message).map_err(failed)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Secret::EcdsaP521(key) => {
                let signature: p521::ecdsa::Signature = key.try_sign(message).map_err(failed)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            #[cfg(feature = "rsa")]
            Secret::Rsa(key) => key.sign(message),
        }
    }
}
