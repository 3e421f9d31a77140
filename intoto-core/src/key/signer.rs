//! What can sign.

use alloc::string::String;
use alloc::vec::Vec;

use crate::key::{KeyIdStyle, PublicKey};
use crate::name::KeyId;

/// Something that holds, or can reach, a private key: a key in memory, a hardware token, a service.
///
/// ```
/// use intoto_core::key::{PublicKey, SecretKey, SignError, Signer};
///
/// struct Token(SecretKey);
///
/// impl Signer for Token {
///     fn public_key(&self) -> &PublicKey {
///         self.0.public_key()
///     }
///
///     fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
///         self.0.sign(message)
///     }
/// }
///
/// let signer: Box<dyn Signer> = Box::new(Token(SecretKey::ed25519_from_seed([1; 32])));
/// assert_eq!(signer.sign(b"message").unwrap().len(), 64);
/// ```
pub trait Signer {
    /// The public half of the key that signs.
    fn public_key(&self) -> &PublicKey;

    /// The id under which it signs, in that style: an OpenPGP key may sign with a subkey, under that one's.
    fn key_id(&self, style: KeyIdStyle) -> KeyId {
        self.public_key().key_id(style)
    }

    /// Signs the message itself; hashing, where the scheme has it, is the signer's part.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;

    /// The certificate of the key, in PEM, to stand beside its signatures (ITE-7); most keys have none.
    fn certificate(&self) -> Option<&str> {
        None
    }
}

/// Why something could not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The signer failed, in its own words.
    #[error("cannot sign: {reason}")]
    Failed {
        /// What went wrong, as a lower-case fragment.
        reason: String,
    },
}
