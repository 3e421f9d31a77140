//! Keys as layouts carry them.
//!
//! Specification: in-toto 1.0, 4.2.1 to 4.2.3: `{"keytype", "scheme", "keyval": {"public"}}`, the text of `public` being hexadecimal for Ed25519
//! and SPKI PEM for ECDSA.

use crate::encoding::value::excerpt;
use crate::encoding::{Object, Value};
use crate::key::id::layout_object;
use crate::key::{Ed25519Key, KeyError, KeyIdStyle, KeyKind, PublicKey};
use crate::name::KeyId;

impl PublicKey {
    /// Reads a key of a layout: either style, also with `private: ""`, also of the type `ecdsa-sha2-nistp256` that old layouts use.
    ///
    /// Members that carry no key material (`keyid_hash_algorithms`, `certificate` …) are not looked at. A non-empty `private` is refused.
    pub fn from_layout_value(value: &Value<'_>) -> Result<Self, KeyError> {
        let key = value.as_object().ok_or(KeyError::Member {
            member: "key",
            expected: "an object",
        })?;
        refuse_openpgp(key)?;
        let key_type = text(key, "keytype", "keytype")?;
        let scheme = text(key, "scheme", "scheme")?;
        let keyval = key.get("keyval").and_then(Value::as_object).ok_or(KeyError::Member {
            member: "keyval",
            expected: "an object",
        })?;
        match keyval.get("private") {
            None | Some(Value::Null) => {}
            Some(Value::String(private)) if private.is_empty() => {}
            Some(Value::String(_)) => return Err(KeyError::PrivateHalf),
            Some(_) => {
                return Err(KeyError::Member {
                    member: "keyval.private",
                    expected: "an empty string",
                });
            }
        }
        match (key_type, scheme) {
            ("ed25519", "ed25519") => {
                Ed25519Key::from_layout_text(text(keyval, "public", "keyval.public")?).map(Self::Ed25519)
            }
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => expect_kind(
                Self::from_spki_pem(text(keyval, "public", "keyval.public")?)?,
                KeyKind::EcdsaP256,
            ),
            _ => Err(KeyError::UnsupportedScheme {
                key_type: excerpt(key_type),
                scheme: excerpt(scheme),
            }),
        }
    }

    /// Reads a key that a layout lists under an id, and refuses one that names a different `keyid` inside: the reference implementation
    /// verifies with the inner id, others with the outer one.
    pub fn from_layout_entry(listed: &KeyId, value: &Value<'_>) -> Result<Self, KeyError> {
        match value.as_object().and_then(|key| key.get("keyid")) {
            None => {}
            Some(Value::String(inner)) if inner == listed.as_str() => {}
            Some(Value::String(inner)) => {
                return Err(KeyError::InnerId {
                    listed: listed.clone(),
                    inner: excerpt(inner),
                });
            }
            Some(_) => {
                return Err(KeyError::Member {
                    member: "keyid",
                    expected: "a string",
                });
            }
        }
        Self::from_layout_value(value)
    }

    /// The key as a layout of that style carries it. The legacy style is what both reference implementations can read and
    /// verify. Which id the key has in the layout is the layout's affair: there is no `keyid` in it.
    pub fn to_layout_value(&self, style: KeyIdStyle) -> Value<'static> {
        let public = match self {
            Self::Ed25519(key) => key.to_layout_text(),
            Self::EcdsaP256(_) => {
                let mut pem = self.to_spki_pem();
                if style == KeyIdStyle::Legacy {
                    pem.truncate(pem.trim_end().len());
                }
                pem
            }
        };
        layout_object(self.kind(), public, style)
    }
}

// OpenPGP keys have `type`, `method` and `hashes` in place of `keytype` and `scheme`; the error names what they are.
fn refuse_openpgp(key: &Object<'_>) -> Result<(), KeyError> {
    let member = |name: &str| key.get(name).and_then(Value::as_str);
    match (member("keytype"), member("type"), member("method")) {
        (None, Some(key_type), Some(method)) => Err(KeyError::UnsupportedScheme {
            key_type: excerpt(key_type),
            scheme: excerpt(method),
        }),
        _ => Ok(()),
    }
}

fn text<'a>(object: &'a Object<'_>, name: &str, member: &'static str) -> Result<&'a str, KeyError> {
    object.get(name).and_then(Value::as_str).ok_or(KeyError::Member {
        member,
        expected: "a string",
    })
}

fn expect_kind(key: PublicKey, expected: KeyKind) -> Result<PublicKey, KeyError> {
    if key.kind() == expected {
        Ok(key)
    } else {
        Err(KeyError::OtherKind {
            found: key.kind().scheme(),
            expected: expected.scheme(),
        })
    }
}
