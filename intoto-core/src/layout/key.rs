//! The functionaries' keys in a layout.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::error::LayoutProblem;
use super::read::key_id;
use crate::encoding::{Object, Value};
use crate::key::{FulcioIdentity, KeyError, KeyIdStyle, PublicKey};
use crate::name::KeyId;

/// A key as a layout defines it.
#[derive(Clone, Debug, PartialEq)]
pub enum LayoutKey {
    /// A key that links can be verified with.
    Supported(PublicKey),
    /// An identity, whose evidence comes in Sigstore bundles.
    Identity(FulcioIdentity),
    /// A key of a kind that this version cannot verify with.
    ///
    /// The layout is loaded, since the step may not need this key; no link counts by it.
    Unsupported(UnsupportedKey),
}

impl LayoutKey {
    /// The key, if links can be verified with it.
    pub fn supported(&self) -> Option<&PublicKey> {
        match self {
            Self::Supported(key) => Some(key),
            Self::Identity(_) | Self::Unsupported(_) => None,
        }
    }

    /// The identity, if it is one.
    pub fn identity(&self) -> Option<&FulcioIdentity> {
        match self {
            Self::Identity(identity) => Some(identity),
            Self::Supported(_) | Self::Unsupported(_) => None,
        }
    }

    /// The ids of an OpenPGP key's subkeys, none for any other key.
    pub(super) fn subkey_ids(&self) -> Vec<KeyId> {
        match self {
            #[cfg(feature = "openpgp")]
            Self::Supported(PublicKey::OpenPgp(key)) => key.subkey_ids().cloned().collect(),
            Self::Supported(_) | Self::Identity(_) => Vec::new(),
            Self::Unsupported(key) => {
                let subkeys = key.value.as_object().and_then(|key| key.get("subkeys"));
                let subkeys = subkeys.and_then(Value::as_object);
                subkeys
                    .into_iter()
                    .flat_map(Object::keys)
                    .filter_map(|id| id.parse().ok())
                    .collect()
            }
        }
    }

    /// Reads one member of a layout's `keys`.
    pub(super) fn from_entry(id: &str, value: &Value<'_>) -> Result<(KeyId, Self), LayoutProblem> {
        let id = key_id(id)?;
        if value.as_object().is_some_and(holds_private_part) {
            return Err(KeyError::PrivateHalf.into());
        }
        if FulcioIdentity::is_one(value) {
            let identity = FulcioIdentity::from_layout_entry(&id, value).map_err(KeyError::from)?;
            return Ok((id, Self::Identity(identity)));
        }
        let key = match PublicKey::from_layout_entry(&id, value) {
            Ok(key) => Self::Supported(key),
            Err(KeyError::UnsupportedScheme { key_type, scheme }) => {
                check_subkeys(value)?;
                let kind = format!("{key_type}/{scheme}");
                Self::Unsupported(UnsupportedKey {
                    kind,
                    value: value.clone().into_owned(),
                })
            }
            Err(error) => return Err(error.into()),
        };
        Ok((id, key))
    }

    /// The member of a layout's `keys`, in the legacy form, which both peers read.
    pub fn to_value(&self, id: &KeyId) -> Value<'static> {
        match self {
            Self::Supported(key) => {
                let mut value = key.to_layout_value(KeyIdStyle::Legacy);
                if let Value::Object(object) = &mut value {
                    object.insert("keyid", Value::from(id.as_str().to_owned()));
                }
                value
            }
            Self::Identity(identity) => identity.to_layout_value(),
            Self::Unsupported(key) => key.value.clone(),
        }
    }
}

/// A key of an unknown kind, kept as it was found.
#[derive(Clone, Debug, PartialEq)]
pub struct UnsupportedKey {
    pub(super) kind: String,
    pub(super) value: Value<'static>,
}

impl UnsupportedKey {
    /// Its kind and scheme, for messages.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The object in the layout.
    pub fn value(&self) -> &Value<'static> {
        &self.value
    }
}

/// Keys that can be read see to this themselves: each subkey makes a link to ask for.
fn check_subkeys(key: &Value<'_>) -> Result<(), KeyError> {
    const LIMIT: usize = 32;
    let subkeys = key.as_object().and_then(|key| key.get("subkeys"));
    match subkeys.and_then(Value::as_object).map_or(0, Object::len) {
        found if found > LIMIT => Err(KeyError::TooManySubkeys { found, limit: LIMIT }),
        _ => Ok(()),
    }
}

/// Says whether a key, or an OpenPGP subkey of it, comes with more than the `private: ""` that peers write.
///
/// Whatever the kind: it has been leaked to everybody who reads the layout.
fn holds_private_part(key: &Object<'_>) -> bool {
    let leaks = |key: &Object<'_>| {
        let private = key
            .get("keyval")
            .and_then(Value::as_object)
            .and_then(|keyval| keyval.get("private"));
        private.is_some_and(|private| !matches!(private, Value::Null) && private.as_str() != Some(""))
    };
    let subkeys = key.get("subkeys").and_then(Value::as_object);
    leaks(key)
        || subkeys
            .into_iter()
            .flat_map(Object::iter)
            .filter_map(|(_, subkey)| subkey.as_object())
            .any(leaks)
}
