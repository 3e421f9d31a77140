//! Signatures on certificates. Specification: RFC 8410 (Ed25519), RFC 5758 (ECDSA), RFC 4055 (RSA).

use alloc::vec::Vec;

use sha2::Digest as _;
use x509_cert::der::asn1::{Any, ObjectIdentifier};
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::key::{PublicKey, RsaScheme, SignatureError};

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");

/// How a certificate is said to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Ed25519,
    Ecdsa(Digest),
    Rsa(RsaScheme),
}

/// The digests that ECDSA signatures are over. SHA-1 is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

impl Scheme {
    /// The scheme of an algorithm, if it is one that can be verified.
    pub(super) fn of(algorithm: &AlgorithmIdentifierOwned) -> Option<Self> {
        let parameters = algorithm.parameters.as_ref();
        let absent = parameters.is_none();
        // RFC 4055 wants a `NULL` for RSA, and readers are to take nothing as well; the others have no parameters at all.
        let null = parameters.is_none_or(|parameters| *parameters == Any::null());
        match algorithm.oid {
            ED25519 if absent => Some(Self::Ed25519),
            ECDSA_SHA256 if absent => Some(Self::Ecdsa(Digest::Sha256)),
            ECDSA_SHA384 if absent => Some(Self::Ecdsa(Digest::Sha384)),
            ECDSA_SHA512 if absent => Some(Self::Ecdsa(Digest::Sha512)),
            RSA_SHA256 if null => Some(Self::Rsa(RsaScheme::Pkcs1v15Sha256)),
            RSA_SHA384 if null => Some(Self::Rsa(RsaScheme::Pkcs1v15Sha384)),
            RSA_SHA512 if null => Some(Self::Rsa(RsaScheme::Pkcs1v15Sha512)),
            RSA_PSS => pss(parameters?).map(Self::Rsa),
            _ => None,
        }
    }

    /// Checks a signature in this scheme by that key; by a key of another kind it is none.
    pub(super) fn verify(self, key: &PublicKey, signed: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match (self, key) {
            (Self::Ed25519, PublicKey::Ed25519(_)) => key.verify(signed, signature),
            // Authorities choose the digest by themselves; OpenSSL takes SHA-256 for every curve.
            (Self::Ecdsa(digest), PublicKey::EcdsaP256(key)) => key.verify_digest(&digest.of(signed), signature),
            (Self::Ecdsa(digest), PublicKey::EcdsaP384(key)) => key.verify_digest(&digest.of(signed), signature),
            (Self::Ecdsa(digest), PublicKey::EcdsaP521(key)) => key.verify_digest(&digest.of(signed), signature),
            #[cfg(feature = "rsa")]
            (Self::Rsa(scheme), PublicKey::Rsa(key)) => {
                PublicKey::Rsa(key.clone().with_scheme(scheme)).verify(signed, signature)
            }
            _ => Err(SignatureError::Mismatch),
        }
    }
}

impl Digest {
    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => sha2::Sha256::digest(message).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(message).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(message).to_vec(),
        }
    }
}

/// PSS with one digest for message and mask, as everybody writes it. The salt's length is the signature's affair.
#[cfg(feature = "rsa")]
fn pss(parameters: &Any) -> Option<RsaScheme> {
    use x509_cert::der::{Decode as _, Encode as _};

    const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
    const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
    const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
    const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");

    let der = parameters.to_der().ok()?;
    let parameters = rsa::pkcs1::RsaPssParams::<Any>::from_der(&der).ok()?;
    let mask = parameters.mask_gen;
    if mask.oid != MGF1 || mask.parameters?.oid != parameters.hash.oid {
        return None;
    }
    match parameters.hash.oid {
        SHA256 => Some(RsaScheme::PssSha256),
        SHA384 => Some(RsaScheme::PssSha384),
        SHA512 => Some(RsaScheme::PssSha512),
        _ => None,
    }
}

#[cfg(not(feature = "rsa"))]
fn pss(_: &Any) -> Option<RsaScheme> {
    None
}
