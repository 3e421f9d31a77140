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

use crate::encoding::scan::{Stop, plain_run};
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

/// Says what [`to_canonical`] would, without writing anything.
pub(crate) fn check(value: &Value<'_>) -> Result<(), CanonicalError> {
    match value {
        Value::Float(text) => Err(CanonicalError::Float { text: excerpt(text) }),
        Value::Array(elements) => elements.iter().try_for_each(check),
        Value::Object(object) => object.iter().try_for_each(|(_, value)| check(value)),
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::String(_) => Ok(()),
    }
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
    out.reserve(rest.len() + 3);
    out.push(b'"');
    loop {
        let (plain, after) = rest.split_at(plain_run(rest, Stop::Quotes));
        out.extend_from_slice(plain);
        let Some((&escaped, after)) = after.split_first() else {
            break;
        };
        out.extend_from_slice(&[b'\\', escaped]);
        rest = after;
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encoding::{Object, strict_json};
    use crate::limits::Limits;

    fn canonical(text: &str) -> Result<String, CanonicalError> {
        let value = strict_json::parse(text.as_bytes(), &Limits::default()).unwrap();
        to_canonical(&value).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    // The right-hand sides were written by securesystemslib 1.6.0's `encode_canonical`.
    #[test]
    fn forms() {
        for (text, expected) in [
            (
                r#" { "b" : [ true , null ] , "a" : false } "#,
                r#"{"a":false,"b":[true,null]}"#,
            ),
            (
                r#""\u0000\t\n\u007f\u2028\/é\ud83d\ude00""#,
                "\"\0\t\n\u{7f}\u{2028}/é😀\"",
            ),
            (r#""\"\\""#, r#""\"\\""#),
            (
                "[-0, 0, -5, 340282366920938463463374607431768211456]",
                "[0,0,-5,340282366920938463463374607431768211456]",
            ),
            // By code points, so U+FF5E comes before U+1F600; UTF-16 would have it the other way round.
            (
                r#"{"\ud83d\ude00":1,"\uff5e":2,"Z":3,"a":4}"#,
                "{\"Z\":3,\"a\":4,\"～\":2,\"😀\":1}",
            ),
            ("{}", "{}"),
            ("[]", "[]"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn refuses_floats_at_any_depth() {
        for (text, number) in [("1.0", "1.0"), (r#"{"a":[{"b":1e2}]}"#, "1e2"), ("[-0.0]", "-0.0")] {
            let float = Err(CanonicalError::Float { text: number.into() });
            assert_eq!(canonical(text), float, "{text}");
            let value = strict_json::parse(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(check(&value), float.map(|_| ()), "{text}");
        }
    }

    proptest! {
        // The form depends on the value only, not on the order or the blanks it came with; and where it is JSON again, it is a fixed point.
        #[test]
        fn fixed_point(keys in prop::collection::vec("[a-cé😀 -~]{0,3}", 0..8), number: i64) {
            let forwards: Object<'_> = keys.iter().map(|key| (key.as_str(), Value::from(number))).collect();
            let backwards: Object<'_> = keys.iter().rev().map(|key| (key.as_str(), Value::from(number))).collect();
            let form = to_canonical(&Value::Object(forwards)).unwrap();
            prop_assert_eq!(&form, &to_canonical(&Value::Object(backwards)).unwrap());
            let again = strict_json::parse(&form, &Limits::default()).unwrap();
            prop_assert_eq!(&to_canonical(&again).unwrap(), &form);
        }
    }
}
