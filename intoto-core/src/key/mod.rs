//! Public keys and what signs with their private halves.
//!
//! Specification: in-toto 1.0, 4.2 "Key formats". A new kind of key is one more file here and one more variant of [`PublicKey`].
//!
//! ```
//! use intoto_core::key::{KeyIdStyle, PublicKey, SecretKey, Signer};
//!
//! let secret = SecretKey::ed25519_from_seed([7; 32]);
//! let signature = secret.sign(b"message").unwrap();
//! let public = PublicKey::from_spki_pem(&secret.public_key().to_spki_pem()).unwrap();
//! assert!(public.verify(b"message", &signature).is_ok());
//! assert!(public.verify(b"other", &signature).is_err());
//! assert_eq!(public.key_ids().len(), 2);
//! assert_ne!(public.key_id(KeyIdStyle::Python), public.key_id(KeyIdStyle::Legacy));
//! ```

mod ecdsa;
mod ed25519;
mod error;
#[cfg(test)]
mod form_tests;
mod fulcio;
mod id;
mod identity;
mod layout_form;
mod openpgp;
mod pem;
#[cfg(feature = "rsa")]
mod rsa;
mod rsa_scheme;
#[cfg(feature = "rsa")]
mod rsa_secret;
mod secret;
mod secret_encoding;
mod signer;
mod spki;
#[cfg(test)]
mod tests;

use core::fmt;

pub use ecdsa::{EcdsaP256Key, EcdsaP384Key, EcdsaP521Key};
pub use ed25519::Ed25519Key;
pub use error::{KeyError, SignatureError};
pub use fulcio::{Constraints, Extension, FulcioIdentity, IdentityError, Pattern, Shape, SkippableCheck};
pub use id::KeyIdStyle;
pub(crate) use identity::Identity;
pub use openpgp::{CertificateError, OpenPgpError, OpenPgpSignature};
#[cfg(feature = "openpgp")]
pub use openpgp::{OpenPgpCertificate, OpenPgpKey};
pub use pem::pem_label;
#[cfg(feature = "rsa")]
pub use rsa::RsaKey;
pub use rsa_scheme::RsaScheme;
pub use secret::SecretKey;
pub use secret_encoding::{SecretBytes, SecretText};
pub use signer::{SignError, Signer};

/// A public key of a kind that this crate can verify with.
///
/// Two keys are equal when they are the same key, however they were written and whatever their ids: thresholds count distinct values of this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PublicKey {
    /// Ed25519 (RFC 8032).
    Ed25519(Ed25519Key),
    /// ECDSA over NIST P-256 with SHA-256 (FIPS 186-5).
    EcdsaP256(EcdsaP256Key),
    /// ECDSA over NIST P-384 with SHA-384.
    EcdsaP384(EcdsaP384Key),
    /// ECDSA over NIST P-521 with SHA-512.
    EcdsaP521(EcdsaP521Key),
    /// RSA (RFC 8017) with PSS or PKCS#1 v1.5 padding.
    #[cfg(feature = "rsa")]
    Rsa(RsaKey),
    /// OpenPGP, version 4, with RSA, DSA or Ed25519 (RFC 4880).
    #[cfg(feature = "openpgp")]
    OpenPgp(OpenPgpKey),
}

impl PublicKey {
    /// Whether its signatures have a place in a Sigstore bundle. Those of OpenPGP keys have headers, for which there is none.
    pub(crate) fn signs_bundles(&self) -> bool {
        match self {
            #[cfg(feature = "openpgp")]
            Self::OpenPgp(_) => false,
            _ => true,
        }
    }

    /// The kind of the key.
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Ed25519(_) => KeyKind::Ed25519,
            Self::EcdsaP256(_) => KeyKind::EcdsaP256,
            Self::EcdsaP384(_) => KeyKind::EcdsaP384,
            Self::EcdsaP521(_) => KeyKind::EcdsaP521,
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => KeyKind::Rsa(key.scheme()),
            #[cfg(feature = "openpgp")]
            Self::OpenPgp(key) => key.kind(),
        }
    }

    /// Checks that `signature` is this key's over `message`: 64 bytes for Ed25519, a DER sequence for ECDSA, as many
    /// bytes as the modulus has for RSA. For OpenPGP it is a signature packet as `gpg --detach-sign` writes it; whether the key was valid when it was
    /// made is a matter of time, and for [`Envelope::verify_at`](crate::envelope::Envelope::verify_at).
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match self {
            Self::Ed25519(key) => key.verify(message, signature),
            Self::EcdsaP256(key) => key.verify(message, signature),
            Self::EcdsaP384(key) => key.verify(message, signature),
            Self::EcdsaP521(key) => key.verify(message, signature),
            #[cfg(feature = "rsa")]
            Self::Rsa(key) => key.verify(message, signature),
            #[cfg(feature = "openpgp")]
            Self::OpenPgp(key) => key.verify_packet(signature, message),
        }
    }
}

/// The kinds of keys, as layouts name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// `ed25519` with the scheme `ed25519`.
    Ed25519,
    /// `ecdsa` with the scheme `ecdsa-sha2-nistp256`.
    EcdsaP256,
    /// `ecdsa` with the scheme `ecdsa-sha2-nistp384`.
    EcdsaP384,
    /// `ecdsa` with the scheme `ecdsa-sha2-nistp521`.
    EcdsaP521,
    /// `rsa` with that scheme.
    Rsa(RsaScheme),
    /// `rsa` with the OpenPGP method `pgp+rsa-pkcsv1.5`.
    OpenPgpRsa,
    /// `dsa` with the OpenPGP method `pgp+dsa-fips-180-2`.
    OpenPgpDsa,
    /// `eddsa` with the OpenPGP method `pgp+eddsa-ed25519`.
    OpenPgpEdDsa,
    /// `sigstore-oidc` with the scheme `Fulcio`: an identity, of which there is no [`PublicKey`].
    Fulcio,
}

impl KeyKind {
    /// The `keytype` that layouts carry; for OpenPGP keys the `type`.
    pub fn key_type(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521 => "ecdsa",
            Self::Rsa(_) | Self::OpenPgpRsa => "rsa",
            Self::OpenPgpDsa => "dsa",
            Self::OpenPgpEdDsa => "eddsa",
            Self::Fulcio => FulcioIdentity::KEY_TYPE,
        }
    }

    /// The `scheme` that layouts carry; for OpenPGP keys the `method`.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::EcdsaP384 => "ecdsa-sha2-nistp384",
            Self::EcdsaP521 => "ecdsa-sha2-nistp521",
            Self::Rsa(scheme) => scheme.name(),
            Self::OpenPgpRsa => "pgp+rsa-pkcsv1.5",
            Self::OpenPgpDsa => "pgp+dsa-fips-180-2",
            Self::OpenPgpEdDsa => "pgp+eddsa-ed25519",
            Self::Fulcio => FulcioIdentity::SCHEME,
        }
    }
}

impl fmt::Display for KeyKind {
    /// Writes the scheme, which is unique to the kind.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.scheme())
    }
}
