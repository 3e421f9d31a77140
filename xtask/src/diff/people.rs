//! The fixed keys of everybody in the cases.

use std::sync::LazyLock;

use intoto_core::encoding::to_json;
use intoto_core::key::{KeyIdStyle, PublicKey, SecretKey, Signer as _};
use serde_json::Value;

/// Somebody with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Person {
    /// Owns layouts.
    Owner,
    /// Owns layouts too.
    Partner,
    /// Carries out steps, as the next three do.
    Alice,
    Bob,
    Carol,
    Dave,
    /// Is named by no layout.
    Mallory,
}

struct Keys {
    secret: SecretKey,
    python: String,
    legacy: String,
}

static KEYS: LazyLock<Vec<Keys>> = LazyLock::new(|| {
    let p256 = |seed| SecretKey::p256_from_scalar([seed; 32]).expect("it is below the order of the curve");
    let ed25519 = |seed| SecretKey::ed25519_from_seed([seed; 32]);
    let secrets = [
        ed25519(1),
        p256(2),
        ed25519(3),
        p256(4),
        ed25519(5),
        ed25519(6),
        ed25519(7),
    ];
    let id = |secret: &SecretKey, style| secret.public_key().key_id(style).as_str().to_owned();
    secrets
        .into_iter()
        .map(|secret| Keys {
            python: id(&secret, KeyIdStyle::Python),
            legacy: id(&secret, KeyIdStyle::Legacy),
            secret,
        })
        .collect()
});

impl Person {
    /// Those whom layouts name in their steps.
    pub(super) const FUNCTIONARIES: [Self; 4] = [Self::Alice, Self::Bob, Self::Carol, Self::Dave];

    fn keys(self) -> &'static Keys {
        &KEYS[self as usize]
    }

    /// The key id in a style.
    pub(super) fn id(self, style: KeyIdStyle) -> &'static str {
        match style {
            KeyIdStyle::Python => &self.keys().python,
            _ => &self.keys().legacy,
        }
    }

    /// The public key.
    pub(super) fn public_key(self) -> &'static PublicKey {
        self.keys().secret.public_key()
    }

    /// The public key as layouts list it.
    pub(super) fn in_layout(self, style: KeyIdStyle) -> Value {
        let mut key: Value =
            serde_json::from_str(&to_json(&self.public_key().to_layout_value(style))).expect("core writes JSON");
        key["keyid"] = self.id(style).into();
        key
    }

    /// Signs.
    pub(super) fn sign(self, message: &[u8]) -> Vec<u8> {
        self.keys().secret.sign(message).expect("keys in memory sign")
    }
}
