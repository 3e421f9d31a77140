//! One entry of an envelope's `signatures`.

use alloc::string::String;
use alloc::vec::Vec;

use crate::digest::from_hex;
use crate::encoding::{Object, Value, base64};
use crate::envelope::{Container, EnvelopeError, VerifyError};
use crate::key::{OpenPgpSignature, PublicKey};
use crate::limits::Limits;
use crate::name::KeyId;
use crate::time::Timestamp;

/// A signature as an envelope carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    key_id: Option<KeyId>,
    body: SignatureBody,
    certificate: Option<String>,
}

/// What a signature consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureBody {
    /// The bytes of a signature in its scheme's form.
    Bytes(Vec<u8>),
    /// An OpenPGP signature: `other_headers` and `signature`.
    OpenPgp(OpenPgpSignature),
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

    /// The text of the certificate that stands beside the signature (`cert`), as it was received: PEM if it is any use.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// What the signature consists of.
    pub fn body(&self) -> &SignatureBody {
        &self.body
    }

    /// Whether the key signed; `at` is when that is judged, which matters to keys that end.
    pub(super) fn check(
        &self,
        key: &PublicKey,
        container: Container,
        message: &[u8],
        at: Option<Timestamp>,
    ) -> Result<(), VerifyError> {
        match (&self.body, key) {
            (SignatureBody::Unreadable { reason }, _) => Err(VerifyError::Unreadable { reason }),
            (SignatureBody::OpenPgp(_), _) if container == Container::Dsse => Err(VerifyError::OpenPgpInDsse),
            #[cfg(feature = "openpgp")]
            (SignatureBody::OpenPgp(signature), PublicKey::OpenPgp(key)) => {
                let at = at.ok_or(VerifyError::TimeNeeded)?;
                // Without an id nobody's signature is checked at all.
                let key_id = self.key_id().ok_or(VerifyError::NoSignature)?;
                Ok(key.verify_at(key_id, signature, message, at)?)
            }
            #[cfg(feature = "openpgp")]
            (SignatureBody::Bytes(_), PublicKey::OpenPgp(_)) => Err(VerifyError::OtherForm {
                found: "plain",
                expected: "OpenPGP",
            }),
            (SignatureBody::OpenPgp(_), _) => Err(VerifyError::OtherForm {
                found: "OpenPGP",
                expected: "plain",
            }),
            (SignatureBody::Bytes(bytes), key) => {
                // Keys of these kinds have no end of their own.
                let _ = at;
                Ok(key.verify(message, bytes)?)
            }
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
    let body = match (entry.get("sig"), open_pgp(entry)) {
        // One reader would take the one, another the other.
        (Some(_), Some(_)) => SignatureBody::Unreadable {
            reason: "there are both `sig` and `signature` with `other_headers`",
        },
        (Some(Value::String(text)), None) => {
            let (bytes, reason) = match container {
                Container::Dsse => (base64::decode(text), "`sig` is not padded base64"),
                Container::Metablock => (from_hex(text).ok(), "`sig` is not hexadecimal"),
            };
            bytes.map_or(SignatureBody::Unreadable { reason }, SignatureBody::Bytes)
        }
        (Some(_), None) => SignatureBody::Unreadable {
            reason: "`sig` is not a string",
        },
        (None, Some(body)) => body,
        (None, None) => SignatureBody::Unreadable {
            reason: "there is no `sig`",
        },
    };
    Ok(Signature {
        key_id: key_id.parse().ok(),
        body,
        certificate: entry.get("cert").and_then(Value::as_str).map(String::from),
    })
}

/// The signature of an entry in GnuPG's form: hexadecimal text in either container, as the reference implementation writes it.
fn open_pgp(entry: &Object<'_>) -> Option<SignatureBody> {
    let (headers, signature) = (entry.get("other_headers")?, entry.get("signature")?);
    let hex = |value: &Value<'_>| value.as_str().and_then(|text| from_hex(text).ok());
    Some(match (hex(headers), hex(signature)) {
        (Some(headers), Some(signature)) => SignatureBody::OpenPgp(OpenPgpSignature::new(headers, signature)),
        (None, _) => SignatureBody::Unreadable {
            reason: "`other_headers` is not hexadecimal",
        },
        (_, None) => SignatureBody::Unreadable {
            reason: "`signature` is not hexadecimal",
        },
    })
}
