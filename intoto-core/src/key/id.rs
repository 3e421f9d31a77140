//! The ids that implementations derive from a key.
//!
//! Specification: in-toto 1.0, 4.2.1: the SHA-256 of the key's canonical JSON. It does not say which members that JSON has, and
//! the implementations disagree, so one key has several ids. In a layout the id stands beside the key and nobody derives it.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::digest::{sha256, to_hex};
use crate::encoding::{Object, Value, to_canonical};
use crate::key::{KeyKind, PublicKey};
use crate::name::KeyId;

/// Which implementation's way to write a key, and so to derive its id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyIdStyle {
    /// The reference implementation since its version 3: `keytype`, `keyval.public`, `scheme`; PEM with its final line end.
    Python,
    /// The Go implementation and the reference implementation up to version 2: also `keyid_hash_algorithms`; PEM without its final line end.
    #[default]
    Legacy,
}

impl KeyIdStyle {
    /// All styles, the reference implementation's first.
    pub const ALL: [Self; 2] = [Self::Python, Self::Legacy];
}

impl PublicKey {
    /// The id of this key in that style.
    ///
    /// An OpenPGP key has only one, the fingerprint of its primary key.
    pub fn key_id(&self, style: KeyIdStyle) -> KeyId {
        #[cfg(feature = "openpgp")]
        if let Self::OpenPgp(key) = self {
            return key.fingerprint().clone();
        }
        hash(&self.to_layout_value(style))
    }

    /// Every id that some implementation derives from this key, each once: the styles in their order, then for ECDSA the ids of keys with the
    /// older type names, the one of Go's command line, which calls every curve P-256, and the one of in-toto-rs.
    ///
    /// Of an OpenPGP key, the fingerprints of the primary key and the subkeys.
    pub fn key_ids(&self) -> Vec<KeyId> {
        #[cfg(feature = "openpgp")]
        if let Self::OpenPgp(key) = self {
            return key.key_ids().cloned().collect();
        }
        let mut ids: Vec<KeyId> = KeyIdStyle::ALL.iter().map(|&style| self.key_id(style)).collect();
        let kind = self.kind();
        if let Some(point) = self.ecdsa_point() {
            for style in KeyIdStyle::ALL {
                // Until 2019 securesystemslib gave such keys their scheme as type.
                ids.push(hash(&object(
                    kind.scheme(),
                    kind.scheme(),
                    self.layout_text(style),
                    style,
                )));
            }
            ids.extend(self.go_command_line_id());
            ids.push(hash(&layout_object(kind, to_hex(point), KeyIdStyle::Legacy)));
        }
        ids
    }

    /// The id that Go's command line derives from the key, where it is that of no style: it takes every ECDSA key for one of P-256.
    pub fn go_command_line_id(&self) -> Option<KeyId> {
        let kind = self.kind();
        self.ecdsa_point().filter(|_| kind != KeyKind::EcdsaP256)?;
        let (pem, scheme) = (self.layout_text(KeyIdStyle::Legacy), KeyKind::EcdsaP256.scheme());
        Some(hash(&object(kind.key_type(), scheme, pem, KeyIdStyle::Legacy)))
    }

    // The uncompressed point of an ECDSA key.
    fn ecdsa_point(&self) -> Option<&[u8]> {
        match self {
            Self::EcdsaP256(key) => Some(key.as_sec1_bytes()),
            Self::EcdsaP384(key) => Some(key.as_sec1_bytes()),
            Self::EcdsaP521(key) => Some(key.as_sec1_bytes()),
            _ => None,
        }
    }
}

/// A layout's key: the object that is written and the object whose digest is the id.
pub(super) fn layout_object(kind: KeyKind, public: String, style: KeyIdStyle) -> Value<'static> {
    object(kind.key_type(), kind.scheme(), public, style)
}

fn object(key_type: &'static str, scheme: &'static str, public: String, style: KeyIdStyle) -> Value<'static> {
    let mut key = Object::new();
    if style == KeyIdStyle::Legacy {
        key.insert(
            "keyid_hash_algorithms",
            Value::Array(vec![Value::from("sha256"), Value::from("sha512")]),
        );
    }
    key.insert("keytype", Value::from(key_type));
    key.insert(
        "keyval",
        Value::Object(Object::from_iter([("public", Value::from(public))])),
    );
    key.insert("scheme", Value::from(scheme));
    Value::Object(key)
}

fn hash(key: &Value<'_>) -> KeyId {
    let canonical = to_canonical(key).expect("a key's object has no numbers");
    to_hex(&sha256(&canonical))
        .parse()
        .expect("hexadecimal text is a key id")
}
