//! The encodings of private keys, which are overwritten when they go, as the keys are.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;

use zeroize::Zeroizing;

/// A private key as text, overwritten when it goes.
pub struct SecretText(Zeroizing<String>);

/// A private key as bytes, overwritten when they go.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretText {
    pub(super) fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

impl Deref for SecretText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl SecretBytes {
    pub(super) fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl Deref for SecretBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
