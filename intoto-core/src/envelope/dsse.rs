//! DSSE envelopes. Specification: DSSE 1.0 with the JSON envelope of its `envelope.md`.

use alloc::string::String;
use alloc::vec::Vec;

use crate::encoding::value::excerpt;
use crate::encoding::{Object, Value, base64, pae, to_json_spaced};
use crate::envelope::{Container, Content, EnvelopeError, PAYLOAD_TYPE, Parts, signature};
use crate::limits::Limits;

pub(super) fn take_apart<'a>(root: &Object<'_>, limits: &Limits) -> Result<Parts<'a>, EnvelopeError> {
    let text = |member| {
        root.get(member).and_then(Value::as_str).ok_or(EnvelopeError::Member {
            member,
            expected: "a string",
        })
    };
    let payload_type = text("payloadType")?;
    if payload_type != PAYLOAD_TYPE {
        return Err(EnvelopeError::PayloadType {
            found: excerpt(payload_type),
        });
    }
    let signatures = signature::read_all(root, Container::Dsse, limits)?;
    let payload = base64::decode(text("payload")?).ok_or(EnvelopeError::PayloadBase64)?;
    let signed_bytes = pae(payload_type, &payload);
    let payload_at = signed_bytes.len() - payload.len();
    Ok(Parts {
        content: Content::Dsse { payload_at },
        signed_bytes,
        signatures,
    })
}

/// The file: one line, sorted, as the reference implementation writes it.
pub(super) fn write(payload: &[u8], signatures: Vec<Value<'_>>) -> String {
    let mut root = Object::new();
    root.insert("payload", Value::from(base64::encode(payload)));
    root.insert("payloadType", Value::from(PAYLOAD_TYPE));
    root.insert("signatures", Value::Array(signatures));
    to_json_spaced(&Value::Object(root))
}
