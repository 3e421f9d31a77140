//! Identities as layouts carry them, and their ids.

use alloc::borrow::ToOwned as _;
use alloc::vec::Vec;

use super::FulcioIdentity;
use super::constraints::{Constraints, SkippableCheck};
use super::error::IdentityError;
use super::extension::Extension;
use crate::digest::{sha256, to_hex};
use crate::encoding::value::excerpt;
use crate::encoding::{Object, Value, to_canonical};
use crate::name::KeyId;

impl FulcioIdentity {
    /// Whether a layout's key says that it is an identity.
    pub fn is_one(value: &Value<'_>) -> bool {
        let member = |name| value.as_object().and_then(|key| key.get(name)).and_then(Value::as_str);
        member("keytype") == Some(Self::KEY_TYPE) && member("scheme") == Some(Self::SCHEME)
    }

    /// Reads an identity as a layout carries it. Every member counts: one that identities do not have is refused.
    pub fn from_layout_value(value: &Value<'_>) -> Result<Self, IdentityError> {
        let key = object(value, "key")?;
        refuse_others(key, &["keyid", "keytype", "keyval", "scheme"])?;
        if !Self::is_one(value) {
            return Err(IdentityError::Member {
                member: "keytype",
                expected: "`sigstore-oidc` with the scheme `Fulcio`",
            });
        }
        let keyval = object(key.get("keyval").unwrap_or(&Value::Null), "keyval")?;
        refuse_others(keyval, &["constraints", "identity", "issuer"])?;
        let issuer = text(keyval.get("issuer").unwrap_or(&Value::Null), "issuer")?;
        let identity = keyval
            .get("identity")
            .map(|value| text(value, "identity"))
            .transpose()?;
        let constraints = keyval.get("constraints").map(read_constraints).transpose()?;
        Self::new(issuer, identity, constraints.unwrap_or_default())
    }

    /// Reads an identity that a layout lists under an id, which has to be its own.
    pub fn from_layout_entry(listed: &KeyId, value: &Value<'_>) -> Result<Self, IdentityError> {
        let identity = Self::from_layout_value(value)?;
        let computed = identity.key_id();
        let inner = value.as_object().and_then(|key| key.get("keyid"));
        let inner = inner.map(|inner| text(inner, "keyid")).transpose()?;
        match [Some(listed.as_str()), inner]
            .into_iter()
            .flatten()
            .find(|id| *id != computed.as_str())
        {
            Some(other) => Err(IdentityError::KeyId {
                listed: excerpt(other),
                computed: computed.as_str().to_owned(),
            }),
            None => Ok(identity),
        }
    }

    /// The identity as a layout carries it.
    pub fn to_layout_value(&self) -> Value<'static> {
        let mut keyval = Object::new();
        if !self.constraints.is_empty() {
            keyval.insert("constraints", constraints_value(&self.constraints));
        }
        if let Some(identity) = &self.identity {
            keyval.insert("identity", Value::from(identity.clone()));
        }
        keyval.insert("issuer", Value::from(self.issuer.clone()));
        Value::Object(Object::from_iter([
            ("keytype", Value::from(Self::KEY_TYPE)),
            ("keyval", Value::Object(keyval)),
            ("scheme", Value::from(Self::SCHEME)),
        ]))
    }

    /// The id, as securesystemslib derives it: the SHA-256 of the canonical form of type, scheme and value.
    pub fn key_id(&self) -> KeyId {
        let canonical = to_canonical(&self.to_layout_value()).expect("an identity's object has no numbers");
        to_hex(&sha256(&canonical))
            .parse()
            .expect("hexadecimal text is a key id")
    }
}

fn read_constraints(value: &Value<'_>) -> Result<Constraints, IdentityError> {
    let members = object(value, "constraints")?;
    let mut constraints = Constraints::default();
    for (name, value) in members.iter() {
        constraints = match name {
            Constraints::SUBJECT => constraints.with_subject(text(value, Constraints::SUBJECT)?)?,
            Constraints::PREDICATE_TYPE => constraints.attesting(text(value, Constraints::PREDICATE_TYPE)?)?,
            Constraints::ALLOW_SKIPPED => {
                let checks = value.as_array().filter(|checks| !checks.is_empty());
                let checks = checks.ok_or(IdentityError::Member {
                    member: Constraints::ALLOW_SKIPPED,
                    expected: "an array of names",
                })?;
                checks.iter().try_fold(constraints, |constraints, check| {
                    let name = text(check, Constraints::ALLOW_SKIPPED)?;
                    let check = SkippableCheck::from_name(name)
                        .ok_or_else(|| IdentityError::UnknownCheck { name: excerpt(name) })?;
                    Ok::<_, IdentityError>(constraints.allowing(check))
                })?
            }
            name => {
                let extension = Extension::from_name(name)
                    .ok_or_else(|| IdentityError::UnknownConstraint { name: excerpt(name) })?;
                constraints.with(extension, text(value, extension.name())?)?
            }
        };
    }
    if constraints.is_empty() {
        return Err(IdentityError::NoConstraints);
    }
    Ok(constraints)
}

fn constraints_value(constraints: &Constraints) -> Value<'static> {
    let mut object = Object::new();
    let skipped: Vec<Value<'static>> = constraints
        .allow_skipped()
        .map(|check| Value::from(check.name()))
        .collect();
    if !skipped.is_empty() {
        object.insert(Constraints::ALLOW_SKIPPED, Value::Array(skipped));
    }
    for (extension, pattern) in constraints.extensions() {
        object.insert(extension.name(), Value::from(pattern.as_str().to_owned()));
    }
    if let Some(predicate) = constraints.predicate_type() {
        object.insert(Constraints::PREDICATE_TYPE, Value::from(predicate.to_owned()));
    }
    if let Some(pattern) = constraints.subject() {
        object.insert(Constraints::SUBJECT, Value::from(pattern.as_str().to_owned()));
    }
    Value::Object(object)
}

fn object<'v, 'a>(value: &'v Value<'a>, member: &'static str) -> Result<&'v Object<'a>, IdentityError> {
    value.as_object().ok_or(IdentityError::Member {
        member,
        expected: "an object",
    })
}

fn text<'v>(value: &'v Value<'_>, member: &'static str) -> Result<&'v str, IdentityError> {
    value.as_str().ok_or(IdentityError::Member {
        member,
        expected: "a string",
    })
}

fn refuse_others(object: &Object<'_>, known: &[&str]) -> Result<(), IdentityError> {
    match object.keys().find(|name| !known.contains(name)) {
        Some(name) => Err(IdentityError::Unknown { name: excerpt(name) }),
        None => Ok(()),
    }
}
