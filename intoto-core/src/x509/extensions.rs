//! What a certificate says it may be used for. Specification: RFC 5280, 4.2.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use x509_cert::der::Decode as _;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

use super::CertificateError;

const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
// No policy is demanded of anybody, so what policies a certificate is issued under restricts nothing.
const CERTIFICATE_POLICIES: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.32");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");

const ANY_PURPOSE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");
const SERVER_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// What the extensions of a certificate say.
pub(super) struct Extensions {
    /// Whether it is an authority's, and how many further authorities may stand below it.
    pub(super) authority: Option<PathLength>,
    /// Whether its key may sign anything but certificates; true without the extension.
    pub(super) may_sign: bool,
    /// Whether its key may sign certificates; true without the extension.
    pub(super) may_issue: bool,
    /// Whether its extended usage, if there is one, allows what Go's verifier asks for.
    pub(super) purpose_fits: bool,
    pub(super) name_constraints: bool,
    /// The first critical extension that is none of these.
    pub(super) unknown_critical: Option<String>,
}

/// How many further authorities an authority allows below itself; `None` is any number.
pub(super) type PathLength = Option<u8>;

impl Extensions {
    /// Reads the extensions, and hands back the subject's alternative names.
    pub(super) fn read(extensions: &[Extension]) -> Result<(Self, Vec<GeneralName>), CertificateError> {
        let mut read = Self {
            authority: None,
            may_sign: true,
            may_issue: true,
            purpose_fits: true,
            name_constraints: false,
            unknown_critical: None,
        };
        let mut alternatives = Vec::new();
        let mut seen = BTreeSet::new();
        for extension in extensions {
            if !seen.insert(extension.extn_id) {
                return Err(CertificateError::RepeatedExtension {
                    extension: extension.extn_id.to_string(),
                });
            }
            let value = extension.extn_value.as_bytes();
            let malformed = |part| move |_| CertificateError::Der { part };
            match extension.extn_id {
                BASIC_CONSTRAINTS => {
                    let found = BasicConstraints::from_der(value).map_err(malformed("basic constraints"))?;
                    read.authority = found.ca.then_some(found.path_len_constraint);
                }
                KEY_USAGE => {
                    let found = KeyUsage::from_der(value).map_err(malformed("key usage"))?;
                    read.may_sign = found.digital_signature();
                    read.may_issue = found.key_cert_sign();
                }
                EXTENDED_KEY_USAGE => {
                    let found = ExtendedKeyUsage::from_der(value).map_err(malformed("extended key usage"))?;
                    read.purpose_fits = found
                        .0
                        .iter()
                        .any(|purpose| [ANY_PURPOSE, SERVER_AUTHENTICATION].contains(purpose));
                }
                SUBJECT_ALT_NAME => {
                    let found = SubjectAltName::from_der(value).map_err(malformed("alternative names"))?;
                    alternatives = found.0;
                }
                NAME_CONSTRAINTS => read.name_constraints = true,
                CERTIFICATE_POLICIES => {}
                other if extension.critical && read.unknown_critical.is_none() => {
                    read.unknown_critical = Some(other.to_string());
                }
                _ => {}
            }
        }
        Ok((read, alternatives))
    }
}
