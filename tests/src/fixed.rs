//! Fixed keys and a fixed time, so that a test's files are the same on every machine and every day.

use intoto_core::key::SecretKey;

/// Seconds since 1970 of 2026-11-22T00:00:00Z.
pub const TIME: i64 = 1_795_305_600;

/// The same instant as text.
pub const TIME_RFC3339: &str = "2026-11-22T00:00:00Z";

/// An ed25519 key that is the same for the same name.
///
/// # Panics
/// When the name is longer than 32 bytes.
#[must_use]
pub fn ed25519(name: &str) -> SecretKey {
    SecretKey::ed25519_from_seed(seed(name))
}

/// A P-256 key that is the same for the same name.
///
/// # Panics
/// When the name is longer than 32 bytes.
#[must_use]
pub fn p256(name: &str) -> SecretKey {
    SecretKey::p256_from_scalar(seed(name)).expect("text is far below the order of the curve")
}

/// The name, filled up with zeros.
fn seed(name: &str) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    seed
}

#[cfg(test)]
mod tests {
    use intoto_core::key::{KeyIdStyle, Signer};

    use super::*;

    #[test]
    fn keys_follow_names() {
        let id = |key: SecretKey| key.public_key().key_id(KeyIdStyle::Python);
        assert_eq!(id(ed25519("alice")), id(ed25519("alice")));
        assert_ne!(id(ed25519("alice")), id(ed25519("bob")));
        assert_ne!(id(p256("alice")), id(p256("bob")));
    }
}
