//! Signed files: what is signed, by which keys, in either of the two containers.
//!
//! Specification: in-toto 1.0, 4.1 (Metablock) and ITE-5 (DSSE). The signed bytes are what was received (DSSE) or the canonical form of the received
//! object (Metablock), never a model of it that was written again.
//!
//! ```
//! use intoto_core::encoding::{Object, Value};
//! use intoto_core::envelope::{Container, Envelope, sign};
//! use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
//! use intoto_core::limits::Limits;
//!
//! let secret = SecretKey::ed25519_from_seed([7; 32]);
//! let key = secret.public_key();
//! let payload = Value::Object(Object::from_iter([("_type", Value::from("link"))]));
//! let file = sign(&payload, &[(&secret, key.key_id(KeyIdStyle::Legacy))], Container::Dsse).unwrap();
//!
//! let envelope = Envelope::parse(&file, &Limits::default()).unwrap();
//! let verified = envelope.verify(key, &key.key_ids()).unwrap();
//! assert_eq!(*verified.value().unwrap(), payload);
//! ```

mod bundle;
mod dsse;
mod error;
mod keyed;
mod metablock;
#[cfg(feature = "openpgp")]
#[cfg(test)]
mod openpgp_tests;
mod sign;
mod signature;
#[cfg(test)]
mod tests;
mod verified;

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use crate::encoding::{Object, Value, strict_json};
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::name::KeyId;
use crate::time::Timestamp;

pub use bundle::{Bundle, BundleError, CheckedBundle};
pub use error::{EnvelopeError, VerifyError};
pub use keyed::Witnessed;
pub use sign::{SignError, append, replace, sign, unsigned};
pub use signature::{Signature, SignatureBody};
pub use verified::Verified;

/// The payload type of in-toto metadata in a DSSE envelope.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The two containers of signed metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Container {
    /// `{"payload", "payloadType", "signatures"}`: signs the payload's bytes as they are.
    #[default]
    Dsse,
    /// `{"signatures", "signed"}`: signs the canonical JSON of an object.
    Metablock,
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Dsse => "DSSE",
            Self::Metablock => "Metablock",
        })
    }
}

/// A signed file that was taken apart, and of which nothing is believed yet.
#[derive(Clone, Debug)]
pub struct Envelope<'a> {
    received: &'a [u8],
    content: Content<'a>,
    signed_bytes: Vec<u8>,
    signatures: Vec<Signature>,
    limits: Limits,
}

#[derive(Clone, Debug)]
enum Content<'a> {
    // The payload is the end of the signed bytes, from here on.
    Dsse { payload_at: usize },
    Metablock { signed: Value<'a> },
}

impl<'a> Envelope<'a> {
    /// Takes a file apart: a DSSE envelope if it has `payload` or `payloadType`, a Metablock if it has `signed`; with both it is refused.
    ///
    /// Members that neither container has are refused, because they are not signed and nobody would look at them. Members of a *signature*
    /// that are unknown are ignored. A signature of an unknown form is kept as such and spoils no other.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, EnvelopeError> {
        let root = strict_json::parse(bytes, limits)?;
        let Value::Object(root) = root else {
            return Err(EnvelopeError::NotAnObject { found: root.kind() });
        };
        let parts = match container_of(&root)? {
            Container::Dsse => dsse::take_apart(&root, limits)?,
            Container::Metablock => metablock::take_apart(root, limits)?,
        };
        let Parts {
            content,
            signed_bytes,
            signatures,
        } = parts;
        Ok(Self {
            received: bytes,
            content,
            signed_bytes,
            signatures,
            limits: limits.clone(),
        })
    }

    /// Which container it is.
    pub fn container(&self) -> Container {
        match self.content {
            Content::Dsse { .. } => Container::Dsse,
            Content::Metablock { .. } => Container::Metablock,
        }
    }

    /// The file as it was received.
    pub fn received(&self) -> &'a [u8] {
        self.received
    }

    /// The signatures in the file's order.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The bytes that signatures are over: DSSE's pre-authentication encoding, or the canonical form of the received object.
    pub fn signed_bytes(&self) -> &[u8] {
        &self.signed_bytes
    }

    /// What is signed, read as strict JSON. **Not verified**: use [`Verified::value`] for anything that decides.
    pub fn payload_value(&self) -> Result<Cow<'_, Value<'_>>, EnvelopeError> {
        match &self.content {
            Content::Dsse { payload_at } => strict_json::parse(&self.signed_bytes[*payload_at..], &self.limits)
                .map(Cow::Owned)
                .map_err(EnvelopeError::PayloadJson),
            Content::Metablock { signed } => Ok(Cow::Borrowed(signed)),
        }
    }

    /// Checks that the key signed, under one of the accepted ids.
    ///
    /// A signature is tried only if its key id is one of them. When several carry the same id, the reference implementations differ: in a Metablock the
    /// first one decides for all of them, and so it does here; in a DSSE envelope Python refuses the file and Go tries each, and here each is
    /// tried too, so that a worthless entry in front of a good one changes nothing. However many signatures of a key there are, the key
    /// has signed once: whoever counts, counts keys.
    ///
    /// A key that is valid for a time only, which OpenPGP keys are, never counts here, but by [`Self::verify_at`].
    pub fn verify(&self, key: &PublicKey, accepted: &[KeyId]) -> Result<Verified<&Self>, VerifyError> {
        self.verify_by(key, accepted, None)
    }

    /// As [`Self::verify`], of any key, as things stand at that time.
    pub fn verify_at(
        &self,
        key: &PublicKey,
        accepted: &[KeyId],
        at: Timestamp,
    ) -> Result<Verified<&Self>, VerifyError> {
        self.verify_by(key, accepted, Some(at))
    }

    fn verify_by(
        &self,
        key: &PublicKey,
        accepted: &[KeyId],
        at: Option<Timestamp>,
    ) -> Result<Verified<&Self>, VerifyError> {
        let mut problem = None;
        for (index, signature) in self.signatures.iter().enumerate() {
            let Some(key_id) = signature.key_id().filter(|id| accepted.contains(id)) else {
                continue;
            };
            let is_later = || {
                self.signatures[..index]
                    .iter()
                    .any(|earlier| earlier.key_id() == Some(key_id))
            };
            if self.container() == Container::Metablock && is_later() {
                continue;
            }
            match signature.check(key, self.container(), &self.signed_bytes, at) {
                Ok(()) => return Ok(Verified::new(self, key.clone(), key_id.clone())),
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        Err(problem.unwrap_or(VerifyError::NoSignature))
    }
}

struct Parts<'a> {
    content: Content<'a>,
    signed_bytes: Vec<u8>,
    signatures: Vec<Signature>,
}

fn container_of(root: &Object<'_>) -> Result<Container, EnvelopeError> {
    let dsse = root.get("payload").is_some() || root.get("payloadType").is_some();
    let metablock = root.get("signed").is_some();
    let (container, members): (_, &[&str]) = match (dsse, metablock) {
        (true, true) => return Err(EnvelopeError::Ambiguous),
        (false, false) => return Err(EnvelopeError::NoContainer),
        (true, false) => (Container::Dsse, &["payload", "payloadType", "signatures"]),
        (false, true) => (Container::Metablock, &["signatures", "signed"]),
    };
    match root.keys().find(|key| !members.contains(key)) {
        Some(name) => Err(EnvelopeError::UnknownMember {
            name: crate::encoding::value::excerpt(name),
            container,
        }),
        None => Ok(container),
    }
}
