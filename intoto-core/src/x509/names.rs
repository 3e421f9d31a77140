//! The names in a certificate that a layout can speak of.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::Encode as _;
use x509_cert::der::Tag;
use x509_cert::der::Tagged as _;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

use super::CertificateError;
use crate::limits::Limits;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

/// What says where somebody is or belongs to, and not who it is: country, locality, state, organization, unit of it.
const WHEREABOUTS: [ObjectIdentifier; 5] = [
    ObjectIdentifier::new_unwrap("2.5.4.6"),
    ObjectIdentifier::new_unwrap("2.5.4.7"),
    ObjectIdentifier::new_unwrap("2.5.4.8"),
    ORGANIZATION,
    ObjectIdentifier::new_unwrap("2.5.4.11"),
];

/// The names of a certificate's subject, as the constraints of a layout compare them. Other names,
/// such as addresses of the internet protocol, decide nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateNames {
    /// The subject's common name; empty when it has none.
    pub common_name: String,
    /// The subject's organizations, in its order.
    pub organizations: Vec<String>,
    /// The alternative names that are host names.
    pub dns_names: Vec<String>,
    /// The alternative names that are addresses of electronic mail.
    pub emails: Vec<String>,
    /// The alternative names that are URIs, as written.
    pub uris: Vec<String>,
}

impl CertificateNames {
    /// All alternative names.
    pub fn alternatives(&self) -> impl Iterator<Item = &str> {
        let all = self.dns_names.iter().chain(&self.emails).chain(&self.uris);
        all.map(String::as_str).filter(|name| !name.is_empty())
    }

    pub(super) fn read(subject: &Name, alternatives: &[GeneralName]) -> Result<Self, CertificateError> {
        if subject.iter().count().saturating_add(alternatives.len()) > Limits::CERTIFICATE_NAMES {
            return Err(CertificateError::Name {
                part: "subject",
                problem: "has more than 128 names",
            });
        }
        let mut names = Self::default();
        let mut common_names = 0;
        for attribute in subject.iter() {
            match attribute.oid {
                COMMON_NAME => {
                    // Go heeds the last of several, others the first.
                    common_names += 1;
                    names.common_name = text(attribute)?;
                }
                ORGANIZATION => names.organizations.push(text(attribute)?),
                _ => {}
            }
        }
        if common_names > 1 {
            return Err(CertificateError::Name {
                part: "subject",
                problem: "has several common names",
            });
        }
        for name in alternatives {
            match name {
                GeneralName::DnsName(name) => names.dns_names.push(name.as_str().to_owned()),
                GeneralName::Rfc822Name(name) => names.emails.push(name.as_str().to_owned()),
                GeneralName::UniformResourceIdentifier(name) => names.uris.push(name.as_str().to_owned()),
                _ => {}
            }
        }
        Ok(names)
    }
}

/// Names in a form in which two spellings of one name are equal: whose certificates are counted together.
///
/// Only for that: what a layout asks for is compared to the letter.
#[derive(Debug)]
pub(super) struct Holder {
    subject: Vec<(ObjectIdentifier, Vec<u8>)>,
    /// Of all kinds, also those that a layout cannot speak of, and what the subject says of that kind.
    alternatives: BTreeSet<Vec<u8>>,
    /// Its subject names nobody, and its one URI is a SPIFFE ID: by the X.509-SVID standard that is the name of its holder, and the subject is not.
    is_workload: bool,
}

impl Holder {
    pub(super) fn of(subject: &Name, alternatives: &[GeneralName]) -> Result<Self, CertificateError> {
        let mut subject: Vec<_> = subject.iter().map(attribute_spelling).collect();
        subject.sort_unstable();
        let mut all = BTreeSet::new();
        // Addresses of mail and host names stood in subjects before there were alternative names.
        for (kind, spelling) in &subject {
            let is_address = *kind == COMMON_NAME
                && spelling.iter().any(|byte| matches!(byte, b'@' | b'.'))
                && !spelling.contains(&b' ');
            if is_address || *kind == EMAIL_ADDRESS {
                all.insert(spelling.clone());
            }
        }
        let mut uris = Vec::new();
        for name in alternatives {
            let spelling = match name {
                GeneralName::DnsName(name) => folded(name.as_str().trim_end_matches('.')),
                GeneralName::Rfc822Name(name) => folded(name.as_str()),
                GeneralName::UniformResourceIdentifier(name) => {
                    let spelling = folded(name.as_str());
                    uris.push(spelling.clone());
                    spelling
                }
                other => other.to_der().map_err(|_| CertificateError::Der {
                    part: "alternative names",
                })?,
            };
            if !spelling.is_empty() {
                all.insert(spelling);
            }
        }
        let names_nobody = subject.iter().all(|(kind, _)| WHEREABOUTS.contains(kind));
        let is_workload = names_nobody && matches!(&uris[..], [uri] if uri.starts_with(b"spiffe://"));
        Ok(Self {
            subject,
            alternatives: all,
            is_workload,
        })
    }

    /// Whether both have the subject or an alternative name in common, or neither has any name. The subject that an authority gives to all
    /// workloads says nothing about two of them.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let says_nothing = self.subject.is_empty() || self.is_workload && other.is_workload;
        self.is_nameless() && other.is_nameless()
            || !says_nothing && self.subject == other.subject
            || !self.alternatives.is_disjoint(&other.alternatives)
    }

    pub(super) fn is_nameless(&self) -> bool {
        self.subject.is_empty() && self.alternatives.is_empty()
    }
}

/// RFC 5280, 7.1: an attribute is the same in another kind of text, in other letters, and with other blanks.
fn attribute_spelling(attribute: &AttributeTypeAndValue) -> (ObjectIdentifier, Vec<u8>) {
    let bytes = attribute.value.value();
    let spelling = match attribute.value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => core::str::from_utf8(bytes).map(folded).ok(),
        _ => None,
    };
    (attribute.oid, spelling.unwrap_or_else(|| bytes.to_vec()))
}

fn folded(text: &str) -> Vec<u8> {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase().into_bytes()
}

fn text(attribute: &AttributeTypeAndValue) -> Result<String, CertificateError> {
    let bytes = attribute.value.value();
    let text = match attribute.value.tag() {
        Tag::Utf8String => core::str::from_utf8(bytes).ok(),
        Tag::PrintableString | Tag::Ia5String => core::str::from_utf8(bytes).ok().filter(|text| text.is_ascii()),
        // The older forms are read as different texts by different readers.
        _ => None,
    };
    text.map(str::to_owned).ok_or(CertificateError::Name {
        part: "subject",
        problem: "has a name that is neither UTF-8 nor ASCII",
    })
}
