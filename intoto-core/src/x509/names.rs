//! The names in a certificate that a layout can speak of.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::Tag;
use x509_cert::der::Tagged as _;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

use super::CertificateError;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");

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
