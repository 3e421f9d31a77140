//! Public keys in the PEM forms that tools write. Specification: RFC 7468; RFC 8017, A.1.1 (PKCS#1); RFC 5280, 4.1 (certificates).

use alloc::vec::Vec;

use pkcs8::der::asn1::AnyRef;
use pkcs8::der::{self, Class, Decode as _, Reader as _, SliceReader, TagNumber, Tagged as _};

use crate::encoding::value::excerpt;
use crate::key::{KeyError, PublicKey};

#[cfg(feature = "rsa")]
pub(super) const PKCS1_LABEL: &str = "RSA PUBLIC KEY";
pub(super) const SEC1_LABEL: &str = "EC PRIVATE KEY";
#[cfg(feature = "rsa")]
pub(super) const PKCS1_SECRET_LABEL: &str = "RSA PRIVATE KEY";
const CERTIFICATE_LABEL: &str = "CERTIFICATE";

impl PublicKey {
    /// Reads a key in any of the PEM forms that public keys have: SPKI, PKCS#1, or a certificate, of which only the key is taken.
    ///
    /// **Nothing of the certificate is checked**, neither dates nor issuer nor use: whoever names the file trusts the key in it.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        match pem_label(text)? {
            CERTIFICATE_LABEL => Self::from_certificate_der(&decode_pem(text, CERTIFICATE_LABEL)?),
            #[cfg(feature = "rsa")]
            PKCS1_LABEL => Self::from_pkcs1_pem(text),
            _ => Self::from_spki_pem(text),
        }
    }

    /// The key of an X.509 certificate in DER. **Nothing of the certificate is checked.**
    pub fn from_certificate_der(der: &[u8]) -> Result<Self, KeyError> {
        let spki = subject_public_key_info(der).map_err(|_| KeyError::Der {
            structure: "certificate",
        })?;
        Self::from_spki_der(spki)
    }

    /// Reads an RSA key in the older PEM form, `-----BEGIN RSA PUBLIC KEY-----`; its scheme becomes PSS with SHA-256.
    #[cfg(feature = "rsa")]
    pub fn from_pkcs1_pem(text: &str) -> Result<Self, KeyError> {
        let der = decode_pem(text, PKCS1_LABEL)?;
        crate::key::RsaKey::from_pkcs1_der(&der, crate::key::RsaScheme::default()).map(Self::Rsa)
    }
}

/// What a PEM text says that it contains, such as `PUBLIC KEY`; [`KeyError::Pem`] if it is none. The `EC PARAMETERS` that OpenSSL writes before a
/// private key are passed over.
pub fn pem_label(text: &str) -> Result<&str, KeyError> {
    der::pem::decode_label(block(text).as_bytes()).map_err(|_| KeyError::Pem)
}

// OpenSSL writes the parameters of a curve in a block of their own before the key, which names the curve once more.
fn block(text: &str) -> &str {
    const END: &str = "-----END EC PARAMETERS-----";
    let text = text.trim();
    match text.split_once(END) {
        Some((parameters, rest)) if parameters.starts_with("-----BEGIN EC PARAMETERS-----") => rest.trim(),
        _ => text,
    }
}

/// Decodes PEM of that label, ignoring white space around it.
pub(super) fn decode_pem(text: &str, expected: &'static str) -> Result<Vec<u8>, KeyError> {
    let found = pem_label(text)?;
    // OpenSSL's own encryption has headers inside the PEM, and derives its key by a single MD5.
    let is_encrypted = found == "ENCRYPTED PRIVATE KEY" || text.contains("\nProc-Type: 4,ENCRYPTED");
    if is_encrypted && expected.ends_with("PRIVATE KEY") {
        return Err(KeyError::Encrypted);
    }
    if found != expected {
        return Err(KeyError::Label {
            found: excerpt(found),
            expected,
        });
    }
    der::pem::decode_vec(block(text).as_bytes())
        .map(|(_, der)| der)
        .map_err(|_| KeyError::Pem)
}

// Certificate ::= SEQUENCE { SEQUENCE { [0] version, serial, signature, issuer, validity, subject, SPKI, … }, … }
fn subject_public_key_info(certificate: &[u8]) -> der::Result<&[u8]> {
    let certificate = AnyRef::from_der(certificate)?;
    certificate.tag().assert_eq(der::Tag::Sequence)?;
    let to_be_signed = AnyRef::decode(&mut SliceReader::new(certificate.value())?)?;
    to_be_signed.tag().assert_eq(der::Tag::Sequence)?;
    let mut members = SliceReader::new(to_be_signed.value())?;
    let first = der::Tag::peek(&members)?;
    if first.class() == Class::ContextSpecific && first.number() == TagNumber(0) {
        members.tlv_bytes()?;
    }
    for _ in ["serial", "signature", "issuer", "validity", "subject"] {
        members.tlv_bytes()?;
    }
    members.tlv_bytes()
}
