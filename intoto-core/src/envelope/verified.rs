//! The mark that a signature was verified.

use alloc::borrow::Cow;

use crate::encoding::Value;
use crate::envelope::{Envelope, EnvelopeError};
use crate::key::{FulcioIdentity, KeyKind, PublicKey};
use crate::name::KeyId;

/// Something whose signature by a key or an identity was verified. Only [`Envelope::verify`] and [`CheckedBundle::by`](super::CheckedBundle::by) make
/// one.
///
/// That says who signed it, not whether they are allowed to.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    content: T,
    /// `None` if an identity signed: there is no key that would be its.
    key: Option<PublicKey>,
    key_id: KeyId,
}

impl<T> Verified<T> {
    pub(super) fn new(content: T, key: PublicKey, key_id: KeyId) -> Self {
        Self {
            content,
            key: Some(key),
            key_id,
        }
    }

    pub(super) fn by_identity(content: T, identity: &FulcioIdentity) -> Self {
        Self {
            content,
            key: None,
            key_id: identity.key_id(),
        }
    }

    /// What was signed.
    pub fn content(&self) -> &T {
        &self.content
    }

    /// The key that signed, if it was a key.
    pub fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref()
    }

    /// The kind of what signed.
    pub fn kind(&self) -> KeyKind {
        self.key.as_ref().map_or(KeyKind::Fulcio, PublicKey::kind)
    }

    /// The id under which the key signed, or of the identity.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }
}

impl<'e> Verified<&'e Envelope<'_>> {
    /// What was signed, read as strict JSON.
    pub fn value(&self) -> Result<Cow<'e, Value<'e>>, EnvelopeError> {
        self.content.payload_value()
    }

    /// The bytes that the signature is over.
    pub fn signed_bytes(&self) -> &'e [u8] {
        self.content.signed_bytes()
    }
}
