//! Canonical JSON as in-toto signs it.
//!
//! Specification: in-toto 1.0, 4.1, "canonical JSON" of OLPC, as both reference implementations write it. It is not RFC 8785: only `"` and `\` are
//! escaped and every other character stands raw, line ends and NUL too, so the result need not be JSON. Numbers are integers.
//!
//! ```
//! use intoto_core::encoding::{Value, to_canonical};
//!
//! assert_eq!(to_canonical(&Value::from("a\"\n")).unwrap(), b"\"a\\\"\n\"");
//! assert!(to_canonical(&Value::Float("1.0".into())).is_err());
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use crate::encoding::value::{Value, excerpt};

/// Writes the canonical form of a value.
pub fn to_canonical(value: &Value<'_>) -> Result<Vec<u8>, CanonicalError> {
    let mut out = Vec::with_capacity(256);
    write(value, &mut out)?;
    Ok(out)
}

/// Why a value has no canonical form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CanonicalError {
    /// A number with a fraction or an exponent; implementations write them differently, even `1.0`.
    #[error("the number {text} has no canonical form")]
    Float {
        /// The number as written, cut if it is long.
        text: String,
    },
}

fn write(value: &Value<'_>, out: &mut Vec<u8>) -> Result<(), CanonicalError> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Integer(text) => out.extend_from_slice(if text == "-0" { b"0" } else { text.as_bytes() }),
        Value::Float(text) => return Err(CanonicalError::Float { text: excerpt(text) }),
        Value::String(text) => write_string(text, out),
        Value::Array(elements) => {
            out.push(b'[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(element, out)?;
            }
            out.push(b']');
        }
        Value::Object(object) => {
            out.push(b'{');
            for (index, (key, value)) in object.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_string(key, out);
                out.push(b':');
                write(value, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    out.push(b'"');
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
        out.extend_from_slice(&rest[..at]);
        out.push(b'\\');
        out.push(rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}
