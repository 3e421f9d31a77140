//! What a layout says about certificates (ITE-7): the authorities, and what a step asks of a certificate's names.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::LayoutProblem;
use super::read::check_count;
use super::write::words_value;
use crate::encoding::{Object, Value};
use crate::limits::Limits;
use crate::member::Members;
use crate::name::KeyId;

#[cfg(feature = "x509")]
use crate::{key::KeyError, key::KeyIdStyle, key::PublicKey, x509::Certificate};

/// What a certificate must have in its names to act for a step, as in-toto-golang compares them.
///
/// In each member `*` alone means anything; without a value, or with one empty value, the certificate must have none; otherwise it must have
/// each of the values once, and no other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the members are those of the one format, which refuses others"
)]
pub struct CertificateConstraint {
    /// The subject's common name.
    pub common_name: String,
    /// The alternative names that are host names.
    pub dns_names: Vec<String>,
    /// The alternative names that are addresses of electronic mail.
    pub emails: Vec<String>,
    /// The subject's organizations.
    pub organizations: Vec<String>,
    /// The ids of the roots of which one must stand at the end of the certificate's path.
    pub roots: Vec<String>,
    /// The alternative names that are URIs.
    pub uris: Vec<String>,
}

impl CertificateConstraint {
    /// The text that means anything.
    pub const ANYTHING: &'static str = "*";

    /// Whether a path may end at the root of that id.
    pub fn accepts_root(&self, id: &KeyId) -> bool {
        matches!(self.roots.as_slice(), [only] if only == Self::ANYTHING)
            || self.roots.iter().any(|root| root == id.as_str())
    }

    /// Whether the names of a certificate do not matter at all, so that everybody counts to whom a root issued one.
    pub fn is_unrestricted(&self) -> bool {
        let lists = [&self.dns_names, &self.emails, &self.organizations, &self.uris];
        self.common_name == Self::ANYTHING
            && (lists.iter()).all(|list| matches!(list.as_slice(), [only] if only == Self::ANYTHING))
    }

    pub(super) fn read_all(members: Members<'_, '_>, limits: &Limits) -> Result<Vec<Self>, LayoutProblem> {
        const MEMBER: &str = "cert_constraints";
        let constraints = match members.optional(MEMBER) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(_) => members.array(MEMBER)?,
        };
        refuse_without_feature(MEMBER, constraints.is_empty())?;
        let what = "certificate constraints";
        check_count(what, constraints.len(), limits.certificate_constraints)?;
        constraints.iter().map(Self::read).collect()
    }

    fn read(value: &Value<'_>) -> Result<Self, LayoutProblem> {
        let members = Members::of(value)?;
        members.refuse_others(&["common_name", "dns_names", "emails", "organizations", "roots", "uris"])?;
        let list = |member| match members.optional(member) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(_) => Ok::<_, LayoutProblem>(members.words(member)?.into_iter().map(str::to_owned).collect()),
        };
        Ok(Self {
            common_name: members.optional_text("common_name")?.to_owned(),
            dns_names: list("dns_names")?,
            emails: list("emails")?,
            organizations: list("organizations")?,
            roots: list("roots")?,
            uris: list("uris")?,
        })
    }

    pub(super) fn to_value(&self) -> Value<'static> {
        let list = |words: &[String]| words_value(words.iter().map(String::as_str));
        Value::Object(Object::from_iter([
            ("common_name", Value::from(self.common_name.clone())),
            ("dns_names", list(&self.dns_names)),
            ("emails", list(&self.emails)),
            ("organizations", list(&self.organizations)),
            ("roots", list(&self.roots)),
            ("uris", list(&self.uris)),
        ]))
    }
}

/// A certificate authority as a layout defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    #[cfg(feature = "x509")]
    certificate: Certificate,
    /// The object in the layout, in which other members than the certificate decide nothing.
    value: Value<'static>,
}

/// The certificate authorities of a layout, by the ids under which it defines them.
pub type Authorities = BTreeMap<KeyId, Authority>;

#[cfg(feature = "x509")]
impl Authority {
    /// The authority of a certificate, and the id under which a layout lists it: the legacy one of its key, as in-toto-golang has it.
    pub fn of(certificate: Certificate) -> (KeyId, Self) {
        let key = certificate.public_key();
        let id = key.key_id(KeyIdStyle::Legacy);
        let mut value = key.to_layout_value(KeyIdStyle::Legacy);
        if let Value::Object(object) = &mut value {
            object.insert("keyid", Value::from(id.as_str().to_owned()));
            if let Some(Value::Object(mut keyval)) = object.remove("keyval") {
                keyval.insert("certificate", Value::from(certificate.to_pem()));
                object.insert("keyval", Value::Object(keyval));
            }
        }
        (id, Self { certificate, value })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Reads one member of `rootcas` or `intermediatecas`: a key whose `keyval` has a `certificate`.
    fn read(id: &KeyId, value: &Value<'_>) -> Result<Self, LayoutProblem> {
        let key = value.as_object();
        let keyval = key.and_then(|key| key.get("keyval")).and_then(Value::as_object);
        let text = |member| keyval.and_then(|keyval| keyval.get(member)).and_then(Value::as_str);
        if !matches!(text("private"), None | Some("")) {
            return Err(KeyError::PrivateHalf.into());
        }
        let pem = text("certificate").ok_or(KeyError::Member {
            member: "keyval.certificate",
            expected: "a certificate",
        })?;
        let certificate = Certificate::from_pem(pem)?;
        // The other members say again what stands in the certificate; a layout that contradicts itself means two things.
        match key.and_then(|key| key.get("keyid")).map(Value::as_str) {
            None => {}
            Some(Some(inner)) if inner == id.as_str() => {}
            Some(_) => return Err(LayoutProblem::AuthorityDiffers { member: "keyid" }),
        }
        if let Some(public) = text("public").filter(|public| !public.is_empty()) {
            let is_other = |key: &PublicKey| key != certificate.public_key();
            match PublicKey::from_layout_value(value) {
                Ok(key) if !is_other(&key) => {}
                // in-toto-golang calls every ECDSA key one of P-256; it has to be the same key nevertheless.
                Err(KeyError::OtherKind { .. } | KeyError::UnsupportedScheme { .. })
                    if !PublicKey::from_spki_pem(public).is_ok_and(|key| is_other(&key)) => {}
                Ok(_) | Err(_) => {
                    return Err(LayoutProblem::AuthorityDiffers {
                        member: "keyval.public",
                    });
                }
            }
        }
        Ok(Self {
            certificate,
            value: value.clone().into_owned(),
        })
    }
}

/// Reads `rootcas` or `intermediatecas`; each error comes with the id of the authority it is about.
pub(super) fn read_authorities(
    members: Members<'_, '_>,
    member: &'static str,
    limits: &Limits,
) -> Result<Authorities, (Option<String>, LayoutProblem)> {
    let whole = |problem: LayoutProblem| (None, problem);
    let entries = match members.optional(member) {
        None | Some(Value::Null) => return Ok(Authorities::new()),
        Some(_) => members.object(member).map_err(|error| whole(error.into()))?,
    };
    refuse_without_feature(member, entries.is_empty()).map_err(whole)?;
    check_count("certificate authorities", entries.len(), limits.certificate_authorities).map_err(whole)?;
    entries
        .iter()
        .map(|(id, value)| read_authority(id, value).map_err(|problem| (Some(id.to_owned()), problem)))
        .collect()
}

#[cfg(feature = "x509")]
fn read_authority(id: &str, value: &Value<'_>) -> Result<(KeyId, Authority), LayoutProblem> {
    let id = super::read::key_id(id)?;
    let authority = Authority::read(&id, value)?;
    Ok((id, authority))
}

#[cfg(not(feature = "x509"))]
fn read_authority(_: &str, _: &Value<'_>) -> Result<(KeyId, Authority), LayoutProblem> {
    Err(LayoutProblem::Unsupported {
        member: "keyval.certificate",
    })
}

pub(super) fn authorities_value(authorities: &Authorities) -> Value<'static> {
    let entries = authorities.iter();
    Value::Object(
        entries
            .map(|(id, authority)| (id.as_str().to_owned(), authority.value.clone()))
            .collect(),
    )
}

/// Members that hand trust to certificates; heeding none of them is only right when they say nothing.
fn refuse_without_feature(member: &'static str, is_empty: bool) -> Result<(), LayoutProblem> {
    if cfg!(feature = "x509") || is_empty {
        Ok(())
    } else {
        Err(LayoutProblem::Unsupported { member })
    }
}

#[cfg(all(test, feature = "x509"))]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::encoding::{strict_json, to_json};
    use crate::x509::testing::sample;

    #[test]
    fn an_authority_says_nothing_beside_its_certificate() {
        let (id, own) = Authority::of(sample("p256"));
        let (other_id, other) = Authority::of(sample("p384"));
        let json = |authority: &Authority| -> serde_json::Value {
            serde_json::from_str(&to_json(&authority.value)).expect("core writes JSON")
        };
        let other_public = json(&other)["keyval"]["public"].clone();
        let text = |problem: LayoutProblem| alloc::format!("{problem}");
        let differs = |member| Some(text(LayoutProblem::AuthorityDiffers { member }));
        let missing = Some(text(
            KeyError::Member {
                member: "keyval.certificate",
                expected: "a certificate",
            }
            .into(),
        ));
        for (pointer, value, expected) in [
            ("/keyid", json!(id.as_str()), None),
            ("/keyid", json!(other_id.as_str()), differs("keyid")),
            ("/keyid", json!(1), differs("keyid")),
            ("/keyid", json!(null), differs("keyid")),
            ("/keyval/public", json!(""), None),
            ("/keyval/public", other_public, differs("keyval.public")),
            ("/keyval/public", json!("x"), differs("keyval.public")),
            // in-toto-golang calls every ECDSA key one of P-256, and writes no scheme that readers share.
            ("/scheme", json!("ecdsa-sha2-nistp384"), None),
            ("/scheme", json!("x"), None),
            ("/keyval/private", json!(""), None),
            ("/keyval/private", json!("x"), Some(text(KeyError::PrivateHalf.into()))),
            ("/keyval/certificate", json!(1), missing.clone()),
            ("/keyval", json!({}), missing),
            (
                "/keyval/certificate",
                json!("x"),
                Some(text(crate::x509::CertificateError::Pem.into())),
            ),
        ] {
            let mut changed = json(&own);
            let (parent, member) = pointer.rsplit_once('/').expect("a pointer");
            changed.pointer_mut(parent).expect("it is there")[member] = value.clone();
            let changed = changed.to_string();
            let read = strict_json::parse(changed.as_bytes(), &Limits::default()).expect("JSON");
            let found = Authority::read(&id, &read);
            match expected {
                None => assert_eq!(found.expect("an authority").certificate(), own.certificate()),
                Some(expected) => assert_eq!(found.map_err(text), Err(expected), "{pointer} {value}"),
            }
        }
    }

    #[test]
    fn authorities_are_read_as_they_are_written() {
        let authorities: Authorities = ["p256", "p384", "p521"].map(|name| Authority::of(sample(name))).into();
        let mut layout = Object::new();
        layout.insert("rootcas", authorities_value(&authorities));
        layout.insert("_type", Value::from("layout"));
        let layout = Value::Object(layout);
        let members = Members::of_type(&layout, "layout").expect("members");
        let read = |limits: &Limits| read_authorities(members, "rootcas", limits);
        assert_eq!(read(&Limits::default()).expect("authorities"), authorities);
        assert_eq!(
            read_authorities(members, "intermediatecas", &Limits::default()).expect("none"),
            Authorities::new()
        );
        for (certificate_authorities, is_read) in [(3, true), (2, false)] {
            let limits = Limits {
                certificate_authorities,
                ..Limits::default()
            };
            assert_eq!(read(&limits).is_ok(), is_read);
        }
    }
}
