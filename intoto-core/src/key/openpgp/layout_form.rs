//! OpenPGP keys as layouts carry them: securesystemslib's dictionary.
//!
//! Python verifies with whatever material stands under an id. Here the fingerprint is computed again wherever the dictionary has what it takes, so
//! that the id under which people know a key is the key's.

use alloc::borrow::ToOwned;
use alloc::vec::Vec;

use super::OpenPgpKey;
use super::hash::fingerprint;
use super::headers::{after, at};
use super::key::Part;
use super::material::Material;
use crate::encoding::value::excerpt;
use crate::encoding::{Object, Value};
use crate::key::KeyError;
use crate::name::KeyId;

impl OpenPgpKey {
    /// Reads a key of a layout, `{"type", "method", "hashes", "keyid", "keyval", "creation_time", "validity_period", "subkeys"}`.
    ///
    /// Refused are a subkey under another id than its own, an id that is not the fingerprint of what the dictionary says, a subkey with subkeys,
    /// and members that are not securesystemslib's.
    pub fn from_layout_value(value: &Value<'_>) -> Result<Self, KeyError> {
        let key = object(value, "key")?;
        let mut parts = alloc::vec![part(key)?];
        if let Some(subkeys) = key.get("subkeys") {
            let subkeys = object(subkeys, "subkeys")?;
            if subkeys.len() > Self::MAX_SUBKEYS {
                return Err(KeyError::TooManySubkeys {
                    found: subkeys.len(),
                    limit: Self::MAX_SUBKEYS,
                });
            }
            for (id, subkey) in subkeys.iter() {
                let subkey = object(subkey, "subkeys")?;
                if subkey.get("subkeys").is_some() {
                    return Err(KeyError::Member {
                        member: "subkeys.subkeys",
                        expected: "absent",
                    });
                }
                let part = part(subkey)?;
                if part.fingerprint.as_str() != id {
                    return Err(KeyError::Subkey {
                        listed: excerpt(id),
                        inner: part.fingerprint,
                    });
                }
                if parts.iter().any(|other| other.fingerprint == part.fingerprint) {
                    return Err(KeyError::Subkey {
                        listed: excerpt(id),
                        inner: part.fingerprint,
                    });
                }
                parts.push(part);
            }
        }
        Ok(Self { parts: parts.into() })
    }

    /// Reads what [`Self::to_value_with_usage`] writes, or a key of a layout.
    ///
    /// # Errors
    /// As [`Self::from_layout_value`], or [`KeyError::Member`] if what is said about the use of the key is anything else.
    pub fn from_value_with_usage(value: &Value<'_>) -> Result<Self, KeyError> {
        let mut key = object(value, "key")?.clone();
        let primary_signs = match key.remove(PRIMARY_SIGNS) {
            None => true,
            Some(Value::Bool(false)) => false,
            Some(_) => {
                return Err(KeyError::Member {
                    member: PRIMARY_SIGNS,
                    expected: "absent or false",
                });
            }
        };
        let key = Self::from_layout_value(&Value::Object(key))?;
        let mut parts = key.parts.to_vec();
        parts[0].may_sign = primary_signs;
        Ok(Self { parts: parts.into() })
    }

    /// The key as layouts carry it and, if its primary key is not for signing, `"primary_signs": false`: for everywhere but layouts, where others
    /// read it.
    pub fn to_value_with_usage(&self) -> Value<'static> {
        let mut value = self.to_layout_value();
        if let (false, Value::Object(key)) = (self.primary().may_sign, &mut value) {
            key.insert(PRIMARY_SIGNS, Value::Bool(false));
        }
        value
    }

    /// The key as layouts carry it. What its holder said about its use is not part of that.
    pub fn to_layout_value(&self) -> Value<'static> {
        let mut key = dictionary(self.primary());
        let subkeys: Vec<&Part> = self.parts.iter().skip(1).collect();
        if !subkeys.is_empty() {
            let subkeys = subkeys
                .into_iter()
                .map(|part| (part.fingerprint.as_str().to_owned(), Value::Object(dictionary(part))));
            key.insert("subkeys", Value::Object(Object::from_iter(subkeys)));
        }
        Value::Object(key)
    }
}

impl Part {
    /// A part as packets say that it is: version 4.
    pub(super) fn packet_body(material: &Material, created: u32) -> Vec<u8> {
        let mut body = alloc::vec![4];
        body.extend_from_slice(&created.to_be_bytes());
        body.push(material.algorithm());
        body.extend_from_slice(&material.to_packet());
        body
    }
}

/// Ours alone.
const PRIMARY_SIGNS: &str = "primary_signs";

const MEMBERS: [&str; 8] = [
    "type",
    "method",
    "hashes",
    "keyid",
    "keyval",
    "creation_time",
    "validity_period",
    "subkeys",
];

fn part(key: &Object<'_>) -> Result<Part, KeyError> {
    let text = |name: &str, member| {
        key.get(name).and_then(Value::as_str).ok_or(KeyError::Member {
            member,
            expected: "a string",
        })
    };
    let (key_type, method) = (text("type", "type")?, text("method", "method")?);
    // Before anything is complained about that a kind of key from the future may well have.
    if let Err(unsupported @ KeyError::UnsupportedScheme { .. }) =
        Material::from_layout(key_type, method, &Object::new())
    {
        return Err(unsupported);
    }
    let keyval = object(key.get("keyval").unwrap_or(&Value::Null), "keyval")?;
    if keyval
        .get("private")
        .is_some_and(|private| !matches!(private, Value::Null) && private.as_str() != Some(""))
    {
        return Err(KeyError::PrivateHalf);
    }
    let public = object(keyval.get("public").unwrap_or(&Value::Null), "keyval.public")?;
    let material = Material::from_layout(key_type, method, public)?;
    if key.keys().any(|member| !MEMBERS.contains(&member)) {
        return Err(KeyError::Member {
            member: "key",
            expected: "an object with the members of an OpenPGP key only",
        });
    }
    // Nothing depends on it: a signature names its hash itself, and that must be SHA-256.
    if key.get("hashes").is_some_and(|hashes| hashes.as_array().is_none()) {
        return Err(KeyError::Member {
            member: "hashes",
            expected: "an array",
        });
    }
    let listed: KeyId = text("keyid", "keyid")?.parse().map_err(|_| KeyError::Member {
        member: "keyid",
        expected: "a fingerprint",
    })?;
    let created = seconds(key, "creation_time")?;
    let validity = seconds(key, "validity_period")?;
    if let Some(created) = created {
        let computed = fingerprint(&Part::packet_body(&material, created));
        if computed != listed {
            return Err(KeyError::Fingerprint { listed, computed });
        }
    } else if validity.is_some() {
        return Err(KeyError::Member {
            member: "creation_time",
            expected: "there, because `validity_period` is",
        });
    }
    let created = created.map(at);
    Ok(Part {
        fingerprint: listed,
        material,
        created,
        expires: created
            .zip(validity)
            .map(|(created, validity)| after(created, validity)),
        may_sign: true,
    })
}

/// A number of seconds; like in Python, 0 is the same as none.
fn seconds(key: &Object<'_>, member: &'static str) -> Result<Option<u32>, KeyError> {
    match key.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_i64()
            .and_then(|seconds| u32::try_from(seconds).ok())
            .map(|seconds| Some(seconds).filter(|seconds| *seconds != 0))
            .ok_or(KeyError::Member {
                member,
                expected: "a whole number of seconds below 2^32",
            }),
    }
}

fn dictionary(part: &Part) -> Object<'static> {
    let kind = part.material.kind();
    let keyval = Object::from_iter([("private", Value::from("")), ("public", part.material.to_layout())]);
    let mut key = Object::from_iter([
        ("hashes", Value::Array(alloc::vec![Value::from("pgp+SHA2")])),
        ("keyid", Value::from(part.fingerprint.as_str().to_owned())),
        ("keyval", Value::Object(keyval)),
        ("method", Value::from(kind.scheme())),
        ("type", Value::from(kind.key_type())),
    ]);
    if let Some(created) = part.created {
        key.insert("creation_time", Value::from(created.as_unix()));
        if let Some(expires) = part.expires {
            key.insert("validity_period", Value::from(expires.as_unix() - created.as_unix()));
        }
    }
    key
}

fn object<'v, 'a>(value: &'v Value<'a>, member: &'static str) -> Result<&'v Object<'a>, KeyError> {
    value.as_object().ok_or(KeyError::Member {
        member,
        expected: "an object",
    })
}
