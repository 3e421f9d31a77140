//! The keys of `tests/vectors`, so that its layouts and links are good seeds.

use std::sync::LazyLock;

use intoto_core::key::{SecretKey, Signer as _};

static OWNER: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::ed25519_from_seed([1; 32]));
static STRANGER: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::ed25519_from_seed([99; 32]));
static FUNCTIONARIES: LazyLock<Vec<SecretKey>> = LazyLock::new(|| {
    vec![
        SecretKey::ed25519_from_seed([2; 32]),
        SecretKey::p256_from_scalar([3; 32]).expect("it is below the order of the curve"),
        SecretKey::ed25519_from_seed([4; 32]),
        SecretKey::ed25519_from_seed([1; 32]),
    ]
});

/// Signs every layout.
pub fn owner() -> &'static SecretKey {
    &OWNER
}

/// Signs nothing that any layout wants.
pub fn stranger() -> &'static SecretKey {
    &STRANGER
}

/// The functionary whose key has this id, in any style.
pub fn functionary(id: &str) -> Option<&'static SecretKey> {
    FUNCTIONARIES
        .iter()
        .find(|secret| secret.public_key().key_ids().iter().any(|own| own.as_str() == id))
}
