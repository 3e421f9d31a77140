//! Keys as layouts carry them.
//!
//! Specification: in-toto 1.0, 4.2.1 to 4.2.3: `{"keytype", "scheme", "keyval": {"public"}}`, the text of `public` being hexadecimal for Ed25519
//! and SPKI PEM for ECDSA and RSA.

use alloc::string::String;

use crate::encoding::value::excerpt;
use crate::encoding::{Object, Value};
use crate::key::id::layout_object;
#[cfg(feature = "rsa")]
use crate::key::pem::{PKCS1_LABEL, pem_label};
use crate::key::{Ed25519Key, KeyError, KeyIdStyle, KeyKind, PublicKey, RsaScheme};
use crate::name::KeyId;

impl PublicKey {
    /// Reads a key of a layout: either style, also with `private: ""`, also of the types such as `ecdsa-sha2-nistp256` that old
    /// layouts use, also an RSA key in PKCS#1 PEM. The curve of an ECDSA key must be the one that the scheme names.
    ///
    /// Members that carry no key material (`keyid_hash_algorithms`, `certificate` …) are not looked at. A non-empty `private` is refused.
    pub fn from_layout_value(value: &Value<'_>) -> Result<Self, KeyError> {
        let key = value.as_object().ok_or(KeyError::Member {
            member: "key",
            expected: "an object",
        })?;
        if is_openpgp(key) {
            return Self::openpgp_from_layout_value(value, key);
        }
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
        let unsupported = || KeyError::UnsupportedScheme {
            key_type: excerpt(key_type),
            scheme: excerpt(scheme),
        };
        match (key_type, scheme) {
            ("ed25519", "ed25519") => {
                Ed25519Key::from_layout_text(text(keyval, "public", "keyval.public")?).map(Self::Ed25519)
            }
            ("rsa", scheme) => {
                let scheme = RsaScheme::from_name(scheme).ok_or_else(unsupported)?;
                Self::rsa_from_layout_text(text(keyval, "public", "keyval.public")?, scheme).ok_or_else(unsupported)?
            }
            (key_type, scheme) if key_type == "ecdsa" || key_type == scheme => {
                let kind = ecdsa_kind(scheme).ok_or_else(unsupported)?;
                expect_kind(Self::from_spki_pem(text(keyval, "public", "keyval.public")?)?, kind)
            }
            _ => Err(unsupported()),
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
    ///
    /// An OpenPGP key has one form, and its id in it.
    pub fn to_layout_value(&self, style: KeyIdStyle) -> Value<'static> {
        #[cfg(feature = "openpgp")]
        if let Self::OpenPgp(key) = self {
            return key.to_layout_value();
        }
        layout_object(self.kind(), self.layout_text(style), style)
    }

    /// What stands under `keyval.public`.
    pub(super) fn layout_text(&self, style: KeyIdStyle) -> String {
        if let Self::Ed25519(key) = self {
            return key.to_layout_text();
        }
        let mut pem = self.to_spki_pem();
        if style == KeyIdStyle::Legacy {
            pem.truncate(pem.trim_end().len());
        }
        pem
    }

    #[cfg(feature = "openpgp")]
    fn openpgp_from_layout_value(value: &Value<'_>, _: &Object<'_>) -> Result<Self, KeyError> {
        crate::key::OpenPgpKey::from_layout_value(value).map(Self::OpenPgp)
    }

    #[cfg(not(feature = "openpgp"))]
    fn openpgp_from_layout_value(_: &Value<'_>, key: &Object<'_>) -> Result<Self, KeyError> {
        Err(KeyError::UnsupportedScheme {
            key_type: excerpt(text(key, "type", "type")?),
            scheme: excerpt(text(key, "method", "method")?),
        })
    }

    // `None` if this build has no RSA.
    #[cfg(feature = "rsa")]
    fn rsa_from_layout_text(text: &str, scheme: RsaScheme) -> Option<Result<Self, KeyError>> {
        let key = match pem_label(text) {
            Ok(PKCS1_LABEL) => Self::from_pkcs1_pem(text),
            _ => Self::from_spki_pem(text),
        };
        Some(key.and_then(|key| match key {
            Self::Rsa(key) => Ok(Self::Rsa(key.with_scheme(scheme))),
            other => expect_kind(other, KeyKind::Rsa(scheme)),
        }))
    }

    #[cfg(not(feature = "rsa"))]
    fn rsa_from_layout_text(_: &str, _: RsaScheme) -> Option<Result<Self, KeyError>> {
        None
    }
}

fn ecdsa_kind(scheme: &str) -> Option<KeyKind> {
    [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::EcdsaP521]
        .into_iter()
        .find(|kind| kind.scheme() == scheme)
}

// OpenPGP keys have `type`, `method` and `hashes` in place of `keytype` and `scheme`.
fn is_openpgp(key: &Object<'_>) -> bool {
    key.get("keytype").is_none() && ["type", "method"].iter().all(|name| key.get(name).is_some())
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
