//! What tells the holders of keys apart, where thresholds count them.

use alloc::vec::Vec;

use crate::key::PublicKey;
#[cfg(feature = "rsa")]
use crate::key::RsaKey;
#[cfg(feature = "openpgp")]
use crate::key::openpgp::Material;

/// Key material in somebody's hand, in whatever form a layout lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity(Vec<u8>);

impl PublicKey {
    /// The key material that this key signs with: one piece, or for OpenPGP that of the primary key and of each subkey.
    pub(crate) fn identities(&self) -> impl Iterator<Item = Identity> {
        let identities = match self {
            #[cfg(feature = "openpgp")]
            Self::OpenPgp(key) => key.materials().map(Identity::of_material).collect(),
            other => alloc::vec![Identity::of(other)],
        };
        identities.into_iter()
    }

    /// Whether both are in one hand: whoever can sign with some part of the one can sign with a part of the other. They may be one key in two forms, such
    /// as OpenPGP and plain, or RSA with two exponents, and still be unequal.
    pub fn shares_holder(&self, other: &Self) -> bool {
        let own: Vec<Identity> = self.identities().collect();
        other.identities().any(|identity| own.contains(&identity))
    }
}

impl Identity {
    fn of(key: &PublicKey) -> Self {
        match key {
            #[cfg(feature = "rsa")]
            PublicKey::Rsa(key) => Self::of_rsa(key),
            other => Self(other.to_spki_der()),
        }
    }

    #[cfg(feature = "openpgp")]
    fn of_material(material: &Material) -> Self {
        match material {
            Material::Rsa(key) => Self::of_rsa(key),
            other => Self(other.to_spki_der()),
        }
    }

    /// Somebody whom an issuer vouches for, whatever key they sign with.
    pub(crate) fn of_person(issuer: &str, kind: &str, subject: &str) -> Self {
        let mut bytes = b"oidc".to_vec();
        for text in [issuer, kind, subject] {
            bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Self(bytes)
    }

    // Whoever knows the factors of a modulus signs with any exponent.
    #[cfg(feature = "rsa")]
    fn of_rsa(key: &RsaKey) -> Self {
        Self([b"rsa", key.modulus()].concat())
    }
}

#[cfg(test)]
mod tests {
    use crate::key::{SecretKey, Signer as _};

    #[test]
    fn holders_are_told_apart() {
        let key = |seed| SecretKey::ed25519_from_seed([seed; 32]).public_key().clone();
        assert!(key(1).shares_holder(&key(1)));
        assert!(!key(1).shares_holder(&key(2)));
    }
}
