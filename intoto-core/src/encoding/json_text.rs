//! Ordinary JSON for files: sorted keys, ASCII only, in the three shapes that Python's `json.dumps` gives metadata.
//!
//! ```
//! use intoto_core::encoding::{Object, Value, to_json, to_json_pretty, to_json_spaced};
//!
//! let value = Value::Object(Object::from_iter([("a", Value::from("é")), ("b", Value::from(vec![]))]));
//! assert_eq!(to_json(&value), r#"{"a":"\u00e9","b":[]}"#);
//! assert_eq!(to_json_spaced(&value), r#"{"a": "\u00e9", "b": []}"#);
//! assert_eq!(to_json_pretty(&value), "{\n \"a\": \"\\u00e9\",\n \"b\": []\n}");
//! ```

use alloc::string::String;
use core::fmt::Write as _;

use crate::encoding::scan::{Stop, plain_run};
use crate::encoding::value::Value;

/// Writes a value without any blanks.
pub fn to_json(value: &Value<'_>) -> String {
    write_all(
        value,
        Shape {
            comma: ",",
            colon: ":",
            indented: false,
        },
    )
}

/// Writes a value on one line with a blank after each comma and colon, as the reference implementation writes DSSE payloads.
pub fn to_json_spaced(value: &Value<'_>) -> String {
    write_all(
        value,
        Shape {
            comma: ", ",
            colon: ": ",
            indented: false,
        },
    )
}

/// Writes a value with one blank of indentation per level and no line end at the end, as the reference implementation writes files.
pub fn to_json_pretty(value: &Value<'_>) -> String {
    write_all(
        value,
        Shape {
            comma: ",",
            colon: ": ",
            indented: true,
        },
    )
}

#[derive(Clone, Copy)]
struct Shape {
    comma: &'static str,
    colon: &'static str,
    indented: bool,
}

fn write_all(value: &Value<'_>, shape: Shape) -> String {
    let mut out = String::with_capacity(256);
    write(value, shape, 0, &mut out);
    out
}

fn write(value: &Value<'_>, shape: Shape, level: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Integer(text) | Value::Float(text) => out.push_str(text),
        Value::String(text) => write_string(text, out),
        Value::Array(elements) if elements.is_empty() => out.push_str("[]"),
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                begin_item(index, shape, level + 1, out);
                write(element, shape, level + 1, out);
            }
            break_line(shape, level, out);
            out.push(']');
        }
        Value::Object(object) if object.is_empty() => out.push_str("{}"),
        Value::Object(object) => {
            out.push('{');
            for (index, (key, value)) in object.iter().enumerate() {
                begin_item(index, shape, level + 1, out);
                write_string(key, out);
                out.push_str(shape.colon);
                write(value, shape, level + 1, out);
            }
            break_line(shape, level, out);
            out.push('}');
        }
    }
}

fn begin_item(index: usize, shape: Shape, level: usize, out: &mut String) {
    if index > 0 {
        out.push_str(shape.comma);
    }
    break_line(shape, level, out);
}

fn break_line(shape: Shape, level: usize, out: &mut String) {
    if shape.indented {
        out.push('\n');
        out.extend(core::iter::repeat_n(' ', level));
    }
}

fn write_string(text: &str, out: &mut String) {
    let mut rest = text;
    out.push('"');
    loop {
        let (plain, after) = rest.split_at(plain_run(rest.as_bytes(), Stop::Unprintable));
        out.push_str(plain);
        let mut characters = after.chars();
        let Some(character) = characters.next() else { break };
        write_escaped(character, out);
        rest = characters.as_str();
    }
    out.push('"');
}

fn write_escaped(character: char, out: &mut String) {
    let short = match character {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
            return;
        }
    };
    out.push_str(short);
}
