//! One certificate, taken apart. Specification: RFC 5280, 4.1.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::der::asn1::BitStringRef;
use x509_cert::der::pem::{self, LineEnding};
use x509_cert::der::{Decode, Encode as _, Reader as _, SliceReader};
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Time;

use super::extensions::Extensions;
use super::names::{CertificateNames, Holder};
use super::{CertificateError, signature};
use crate::encoding::value::excerpt;
use crate::key::{PublicKey, SignatureError};
use crate::limits::Limits;
use crate::time::Timestamp;

const LABEL: &str = "CERTIFICATE";

/// An X.509 certificate of version 3, of which nothing is believed yet.
///
/// Equal are certificates of the same bytes. A clone shares them.
#[derive(Clone)]
pub struct Certificate(Arc<Parts>);

struct Parts {
    der: Vec<u8>,
    /// The signed part, as it was received.
    signed: Vec<u8>,
    algorithm: AlgorithmIdentifierOwned,
    signature: Vec<u8>,
    issuer: Name,
    subject: Name,
    not_before: Timestamp,
    not_after: Timestamp,
    key: PublicKey,
    names: CertificateNames,
    holder: Holder,
    extensions: Extensions,
}

impl Certificate {
    /// Reads PEM text with one certificate in it, `-----BEGIN CERTIFICATE-----`, with or without white space around it.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        // Base64 takes four bytes for three, and line ends and labels a little.
        check_length(text.len() / 2)?;
        let text = text.trim();
        let found = pem::decode_label(text.as_bytes()).map_err(|_| CertificateError::Pem)?;
        if found != LABEL {
            return Err(CertificateError::Label { found: excerpt(found) });
        }
        let (_, der) = pem::decode_vec(text.as_bytes()).map_err(|_| CertificateError::Pem)?;
        Self::from_der(&der)
    }

    /// Reads a certificate in DER.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        check_length(der.len())?;
        let malformed = |part| move |_| CertificateError::Der { part };
        let mut reader = SliceReader::new(der).map_err(malformed("certificate"))?;
        let (signed, algorithm, signature) = reader
            .sequence(|reader| -> Result<_, x509_cert::der::Error> {
                let signed = reader.tlv_bytes()?;
                let algorithm = AlgorithmIdentifierOwned::decode(reader)?;
                let signature = BitStringRef::decode(reader)?;
                Ok((signed, algorithm, signature))
            })
            .map_err(malformed("certificate"))?;
        reader.finish().map_err(malformed("certificate"))?;
        let content = TbsCertificate::from_der(signed).map_err(malformed("certificate"))?;
        if content.version() != Version::V3 {
            return Err(CertificateError::Version);
        }
        if *content.signature() != algorithm {
            return Err(CertificateError::AlgorithmsDiffer);
        }
        let signature = signature.as_bytes().ok_or(CertificateError::Der {
            part: "signature of the certificate",
        })?;
        if content.issuer().is_empty() {
            return Err(CertificateError::Name {
                part: "issuer",
                problem: "is empty",
            });
        }
        let key = content
            .subject_public_key_info()
            .to_der()
            .map_err(malformed("SubjectPublicKeyInfo"))?;
        let extensions = content.extensions().map_or(&[][..], Vec::as_slice);
        let (extensions, alternatives) = Extensions::read(extensions)?;
        Ok(Self(Arc::new(Parts {
            der: der.to_vec(),
            signed: signed.to_vec(),
            signature: signature.to_vec(),
            algorithm,
            issuer: content.issuer().clone(),
            subject: content.subject().clone(),
            not_before: timestamp(content.validity().not_before)?,
            not_after: timestamp(content.validity().not_after)?,
            key: PublicKey::from_spki_der(&key)?,
            names: CertificateNames::read(content.subject(), &alternatives)?,
            holder: Holder::of(content.subject(), &alternatives)?,
            extensions,
        })))
    }

    /// The certificate in DER, as it was read.
    pub fn to_der(&self) -> &[u8] {
        &self.0.der
    }

    /// The certificate in PEM, 64 characters a line, with a line end at the end: as other implementations write it.
    pub fn to_pem(&self) -> String {
        pem::encode_string(LABEL, LineEnding::LF, &self.0.der).expect("the label is valid and the length bounded")
    }

    /// The key that it is about.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.key
    }

    /// The names that it gives to the holder of that key.
    pub fn names(&self) -> &CertificateNames {
        &self.0.names
    }

    /// The first second of its validity.
    pub fn not_before(&self) -> Timestamp {
        self.0.not_before
    }

    /// The last second of its validity.
    pub fn not_after(&self) -> Timestamp {
        self.0.not_after
    }

    /// Whether its holder is said to be a certificate authority.
    pub fn is_authority(&self) -> bool {
        self.0.extensions.authority.is_some()
    }

    /// Its subject for messages, cut if it is long; an empty subject by an alternative name.
    pub fn subject(&self) -> String {
        if self.0.subject.is_empty() {
            let other = self.0.names.alternatives().next();
            return other.map_or_else(|| "(nobody)".into(), excerpt);
        }
        shown(&self.0.subject)
    }

    /// Its issuer for messages, cut if it is long.
    pub fn issuer(&self) -> String {
        shown(&self.0.issuer)
    }

    /// Whether both certificates speak of the same holder: the same subject, or one alternative name in common, of any kind and however it is
    /// spelled. Certificates without any name are one holder's; of two workloads with a SPIFFE ID each, whose subjects name nobody, the ids decide.
    ///
    /// Whoever can have two certificates issued is still one functionary.
    pub fn same_holder(&self, other: &Self) -> bool {
        self.0.holder.is_same_as(&other.0.holder)
    }

    /// Whether it names nobody, so that it may be anybody's.
    pub(crate) fn is_nameless(&self) -> bool {
        self.0.holder.is_nameless()
    }

    pub(super) fn extensions(&self) -> &Extensions {
        &self.0.extensions
    }

    /// Whether `issuer` bears the name of this certificate's issuer.
    pub(super) fn names_as_issuer(&self, issuer: &Self) -> bool {
        self.0.issuer == issuer.0.subject
    }

    /// The algorithm of the signature on it, if it is one that can be verified.
    pub(super) fn scheme(&self) -> Option<signature::Scheme> {
        signature::Scheme::of(&self.0.algorithm)
    }

    /// The algorithm of the signature on it, for messages.
    pub(super) fn algorithm(&self) -> String {
        self.0.algorithm.oid.to_string()
    }

    /// Checks that `issuer` signed it.
    pub(super) fn check_signature(&self, issuer: &Self, scheme: signature::Scheme) -> Result<(), SignatureError> {
        scheme.verify(&issuer.0.key, &self.0.signed, &self.0.signature)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.subject())
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

fn check_length(found: usize) -> Result<(), CertificateError> {
    match Limits::CERTIFICATE_BYTES {
        limit if found > limit => Err(CertificateError::TooLong { found, limit }),
        _ => Ok(()),
    }
}

fn timestamp(time: Time) -> Result<Timestamp, CertificateError> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs());
    seconds
        .map(Timestamp::from_unix)
        .map_err(|_| CertificateError::Der { part: "validity" })
}

fn shown(name: &Name) -> String {
    excerpt(&name.to_string())
}
