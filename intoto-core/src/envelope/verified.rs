//! The mark that a signature was verified.

use alloc::borrow::Cow;

use crate::encoding::Value;
use crate::envelope::{Envelope, EnvelopeError};
use crate::key::PublicKey;
use crate::name::KeyId;

/// Something whose signature by a key was verified. Only [`Envelope::verify`] makes one.
///
/// That says who signed it, not whether this key is allowed to.
#[derive(Clone, Debug)]
pub struct Verified<T> {
    content: T,
    key: PublicKey,
    key_id: KeyId,
}

impl<T> Verified<T> {
    pub(super) fn new(content: T, key: PublicKey, key_id: KeyId) -> Self {
        Self { content, key, key_id }
    }

    /// What was signed.
    pub fn content(&self) -> &T {
        &self.content
    }

    /// The key that signed.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The id under which the key signed.
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
