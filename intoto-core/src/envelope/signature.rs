//! One entry of an envelope's `signatures`.

use alloc::vec::Vec;

use crate::digest::from_hex;
use crate::encoding::{Object, Value, base64};
use crate::envelope::{Container, EnvelopeError, VerifyError};
use crate::key::PublicKey;
use crate::limits::Limits;
use crate::name::KeyId;

/// A signature as an envelope carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    key_id: Option<KeyId>,
    body: SignatureBody,
}

/// What a signature consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureBody {
    /// The bytes of a signature in its scheme's form.
    Bytes(Vec<u8>),
    /// An OpenPGP signature (`other_headers` and `signature`), recognised but not supported.
    OpenPgp,
    /// Something else; it counts for nothing and spoils no other signature.
    Unreadable {
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl Signature {
    /// The id of the key that is said to have signed; `None` when the entry has an empty one, or one that cannot be an id.
    pub fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref()
    }

    /// What the signature consists of.
    pub fn body(&self) -> &SignatureBody {
        &self.body
    }

    pub(super) fn check(&self, key: &PublicKey, message: &[u8]) -> Result<(), VerifyError> {
        match &self.body {
            SignatureBody::Bytes(bytes) => Ok(key.verify(message, bytes)?),
            SignatureBody::OpenPgp => Err(VerifyError::OpenPgp),
            SignatureBody::Unreadable { reason } => Err(VerifyError::Unreadable { reason }),
        }
    }
}

/// Reads the member `signatures` of a container.
pub(super) fn read_all(
    root: &Object<'_>,
    container: Container,
    limits: &Limits,
) -> Result<Vec<Signature>, EnvelopeError> {
    let entries = root
        .get("signatures")
        .and_then(Value::as_array)
        .ok_or(EnvelopeError::Member {
            member: "signatures",
            expected: "an array",
        })?;
    if entries.len() > limits.signatures {
        return Err(EnvelopeError::TooManySignatures {
            found: entries.len(),
            limit: limits.signatures,
        });
    }
    entries.iter().map(|entry| read(entry, container)).collect()
}

fn read(entry: &Value<'_>, container: Container) -> Result<Signature, EnvelopeError> {
    let entry = entry.as_object().ok_or(EnvelopeError::Member {
        member: "signatures",
        expected: "an array of objects",
    })?;
    let key_id = match entry.get("keyid") {
        // DSSE makes the id optional; without one a signature is nobody's.
        None => "",
        Some(Value::String(id)) => id,
        Some(_) => {
            return Err(EnvelopeError::Member {
                member: "signatures.keyid",
                expected: "a string",
            });
        }
    };
    let body = match (entry.get("sig"), entry.get("signature")) {
        (Some(Value::String(text)), _) => {
            let (bytes, reason) = match container {
                Container::Dsse => (base64::decode(text), "`sig` is not padded base64"),
                Container::Metablock => (from_hex(text).ok(), "`sig` is not hexadecimal"),
            };
            bytes.map_or(SignatureBody::Unreadable { reason }, SignatureBody::Bytes)
        }
        (Some(_), _) => SignatureBody::Unreadable {
            reason: "`sig` is not a string",
        },
        (None, Some(_)) if entry.get("other_headers").is_some() => SignatureBody::OpenPgp,
        (None, _) => SignatureBody::Unreadable {
            reason: "there is no `sig`",
        },
    };
    Ok(Signature {
        key_id: key_id.parse().ok(),
        body,
    })
}
