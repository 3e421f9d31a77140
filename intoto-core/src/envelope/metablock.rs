//! Metablocks, the first container of in-toto. Specification: in-toto 1.0, 4.1.

use alloc::string::String;
use alloc::vec::Vec;

use crate::encoding::{Object, Value, to_canonical, to_json_pretty};
use crate::envelope::{Container, Content, EnvelopeError, Parts, signature};
use crate::limits::Limits;

pub(super) fn take_apart<'a>(mut root: Object<'a>, limits: &Limits) -> Result<Parts<'a>, EnvelopeError> {
    let signatures = signature::read_all(&root, Container::Metablock, limits)?;
    let signed = root
        .remove("signed")
        .filter(|signed| signed.as_object().is_some())
        .ok_or(EnvelopeError::Member {
            member: "signed",
            expected: "an object",
        })?;
    // Of the object as it was received, unknown members included: what is left out of the signed bytes would be unsigned.
    let signed_bytes = to_canonical(&signed)?;
    Ok(Parts {
        content: Content::Metablock { signed },
        signed_bytes,
        signatures,
    })
}

/// The file: sorted, one blank of indentation, as the reference implementation writes it.
pub(super) fn write<'a>(signed: Value<'a>, signatures: Vec<Value<'a>>) -> String {
    let mut root = Object::new();
    root.insert("signatures", Value::Array(signatures));
    root.insert("signed", signed);
    to_json_pretty(&Value::Object(root))
}
