//! A JSON reader that accepts RFC 8259 and nothing else, within limits.
//!
//! Other readers disagree about duplicate keys, lone surrogates, byte order marks, `NaN` and numbers beyond 2⁵³; a signature over such a
//! text would mean different things to different verifiers. Here each of them is an error. The reader does not recurse, borrows
//! every string that has no escape, and reads each byte once.
//!
//! ```
//! use intoto_core::encoding::strict_json::{JsonErrorKind, parse};
//! use intoto_core::limits::Limits;
//!
//! let error = parse(b"{\"a\": 1,\n \"a\": 2}", &Limits::default()).unwrap_err();
//! assert!(matches!(error.kind(), JsonErrorKind::DuplicateKey { key } if key == "a"));
//! ```

mod error;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::encoding::scan::{Stop, plain_run};
use crate::encoding::value::{Object, Value, excerpt};
use crate::limits::Limits;

pub use error::{JsonError, JsonErrorKind};

/// The longest number in digits; Python refuses longer ones.
const NUMBER_BYTES: usize = 4300;

/// Reads one JSON text.
pub fn parse<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Value<'a>, JsonError> {
    if bytes.len() > limits.json_bytes {
        let kind = JsonErrorKind::TooLong {
            found: bytes.len(),
            limit: limits.json_bytes,
        };
        return Err(JsonError::at(bytes, 0, kind));
    }
    let locate = |(kind, offset): Failure| JsonError::at(bytes, offset, kind);
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(locate((JsonErrorKind::ByteOrderMark, 0)));
    }
    let text =
        core::str::from_utf8(bytes).map_err(|error| locate((JsonErrorKind::InvalidUtf8, error.valid_up_to())))?;
    let depth = limits.json_depth.min(Limits::JSON_DEPTH_MAX);
    let mut reader = Reader {
        text,
        bytes,
        at: 0,
        nodes_left: limits.json_nodes,
        depth,
        elements: Vec::new(),
        members: Vec::new(),
    };
    reader.read_document(limits).map_err(locate)
}

type Failure = (JsonErrorKind, usize);

// An array or object that has begun and not ended. What it holds so far is the end of one of the reader's two stacks, from `first` on:
// so each container is allocated once, in its final size, when it ends.
#[derive(Clone, Copy)]
enum Open {
    Array { first: usize },
    Object { first: usize, start: usize, sorted: bool },
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    nodes_left: usize,
    depth: usize,
    elements: Vec<Value<'a>>,
    // The last member of an open object has a key, and `Null` until its value has been read.
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Reader<'a> {
    fn read_document(&mut self, limits: &Limits) -> Result<Value<'a>, Failure> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            // One value begins here; of a container the first element or member is next.
            self.skip_blanks();
            self.nodes_left = self.nodes_left.checked_sub(1).ok_or((
                JsonErrorKind::TooManyValues {
                    limit: limits.json_nodes,
                },
                self.at,
            ))?;
            let mut value = match self.bytes.get(self.at) {
                Some(b'"') => Value::String(self.read_string()?),
                Some(b'{') => {
                    let start = self.enter(open.len())?;
                    if self.next_is(b'}') {
                        Value::Object(Object::new())
                    } else {
                        open.push(Open::Object {
                            first: self.members.len(),
                            start,
                            sorted: true,
                        });
                        self.read_key("a key or `}`")?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.enter(open.len())?;
                    if self.next_is(b']') {
                        Value::Array(Vec::new())
                    } else {
                        open.push(Open::Array {
                            first: self.elements.len(),
                        });
                        continue;
                    }
                }
                Some(b'-' | b'0'..=b'9') => self.read_number()?,
                Some(b't') => self.read_word("true", Value::Bool(true))?,
                Some(b'f') => self.read_word("false", Value::Bool(false))?,
                Some(b'n') => self.read_word("null", Value::Null)?,
                _ => return Err(self.unexpected("a value")),
            };
            // One value has ended; it may end the containers around it.
            loop {
                match open.last_mut() {
                    None => {
                        self.skip_blanks();
                        let done = self.at == self.bytes.len();
                        return if done {
                            Ok(value)
                        } else {
                            Err((JsonErrorKind::Trailing, self.at))
                        };
                    }
                    Some(Open::Array { first }) => {
                        self.elements.push(value);
                        if self.next_is(b',') {
                            break;
                        }
                        if !self.next_is(b']') {
                            return Err(self.unexpected("`,` or `]`"));
                        }
                        value = Value::Array(self.elements.split_off(*first));
                    }
                    Some(Open::Object { first, start, sorted }) => {
                        let (first, start) = (*first, *start);
                        if let Some((_, place)) = self.members.last_mut() {
                            *place = value;
                        }
                        if self.next_is(b',') {
                            self.read_key("a key")?;
                            *sorted = *sorted && self.last_keys_ascend();
                            break;
                        }
                        if !self.next_is(b'}') {
                            return Err(self.unexpected("`,` or `}`"));
                        }
                        let object = Object::from_members(self.members.split_off(first), *sorted)
                            .map_err(|key| (JsonErrorKind::DuplicateKey { key: excerpt(&key) }, start))?;
                        value = Value::Object(object);
                    }
                }
                open.pop();
            }
        }
    }

    // Whether the last two keys are in strict order, which also says that they differ.
    fn last_keys_ascend(&self) -> bool {
        match self.members.as_slice() {
            [.., (before, _), (last, _)] => before < last,
            _ => true,
        }
    }

    fn enter(&mut self, open: usize) -> Result<usize, Failure> {
        let start = self.at;
        if open >= self.depth {
            return Err((JsonErrorKind::TooDeep { limit: self.depth }, start));
        }
        self.at += 1;
        Ok(start)
    }

    // Reads a key and its colon, and makes room for the value.
    fn read_key(&mut self, expected: &'static str) -> Result<(), Failure> {
        self.skip_blanks();
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(self.unexpected(expected));
        }
        let key = self.read_string()?;
        if !self.next_is(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.members.push((key, Value::Null));
        Ok(())
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    // Skips blanks and, if it comes next, the byte.
    fn next_is(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self, expected: &'static str) -> Failure {
        let kind = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => JsonErrorKind::Unexpected { found, expected },
            None => JsonErrorKind::End { expected },
        };
        (kind, self.at)
    }

    fn read_word(&mut self, word: &'static str, value: Value<'a>) -> Result<Value<'a>, Failure> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.unexpected("a value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn read_number(&mut self) -> Result<Value<'a>, Failure> {
        let start = self.at;
        let malformed = (JsonErrorKind::Number, start);
        self.at += usize::from(self.bytes[self.at] == b'-');
        let integer = self.skip_digits();
        if integer == 0 || (integer > 1 && self.bytes[self.at - integer] == b'0') {
            return Err(malformed);
        }
        let mut float = false;
        if self.bytes.get(self.at) == Some(&b'.') {
            float = true;
            self.at += 1;
            if self.skip_digits() == 0 {
                return Err(malformed);
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            float = true;
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            if self.skip_digits() == 0 {
                return Err(malformed);
            }
        }
        if self.at - start > NUMBER_BYTES {
            return Err((JsonErrorKind::NumberTooLong, start));
        }
        let text = Cow::Borrowed(&self.text[start..self.at]);
        Ok(if float {
            Value::Float(text)
        } else {
            Value::Integer(text)
        })
    }

    fn skip_digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.at - start
    }

    fn read_string(&mut self) -> Result<Cow<'a, str>, Failure> {
        self.at += 1;
        let start = self.at;
        self.skip_plain();
        if self.bytes.get(self.at) == Some(&b'"') {
            let text = &self.text[start..self.at];
            self.at += 1;
            return Ok(Cow::Borrowed(text));
        }
        let mut unescaped = String::from(&self.text[start..self.at]);
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(unescaped));
                }
                Some(b'\\') => unescaped.push(self.read_escape()?),
                Some(_) => return Err((JsonErrorKind::ControlCharacter, self.at)),
                None => return Err(self.unexpected("the end of a string")),
            }
            let run = self.at;
            self.skip_plain();
            unescaped.push_str(&self.text[run..self.at]);
        }
    }

    // Goes to the next quotation mark, backslash or control character.
    fn skip_plain(&mut self) {
        self.at += plain_run(&self.bytes[self.at..], Stop::Controls);
    }

    fn read_escape(&mut self) -> Result<char, Failure> {
        let start = self.at;
        let escaped = self.bytes.get(self.at + 1).copied();
        self.at += 2;
        Ok(match escaped {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.read_four_digits(start)?;
                let code = match first {
                    0xd800..=0xdbff => {
                        if self.bytes.get(self.at..self.at + 2) != Some(b"\\u") {
                            return Err((JsonErrorKind::LoneSurrogate, start));
                        }
                        self.at += 2;
                        let second = self.read_four_digits(start)?;
                        if !(0xdc00..=0xdfff).contains(&second) {
                            return Err((JsonErrorKind::LoneSurrogate, start));
                        }
                        0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                    }
                    _ => first,
                };
                char::from_u32(code).ok_or((JsonErrorKind::LoneSurrogate, start))?
            }
            _ => return Err((JsonErrorKind::Escape, start)),
        })
    }

    fn read_four_digits(&mut self, start: usize) -> Result<u32, Failure> {
        let digits = self
            .bytes
            .get(self.at..self.at + 4)
            .ok_or((JsonErrorKind::Escape, start))?;
        self.at += 4;
        digits.iter().try_fold(0, |code, &byte| {
            char::from(byte)
                .to_digit(16)
                .map(|digit| code << 4 | digit)
                .ok_or((JsonErrorKind::Escape, start))
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;
    use crate::encoding::{to_json, to_json_pretty, to_json_spaced};

    fn read(text: &str) -> Result<Value<'_>, JsonError> {
        parse(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn accepts() {
        for (text, expected) in [
            ("null", "null"),
            (" \t\r\n true ", "true"),
            ("[]", "[]"),
            ("[ ]", "[]"),
            ("{ }", "{}"),
            ("[1, [ ], {}]", "[1,[],{}]"),
            (r#"{"b":1,"a":[false]}"#, r#"{"a":[false],"b":1}"#),
            ("-0", "-0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("1.50E+3", "1.50E+3"),
            ("[0.0,-1e5]", "[0.0,-1e5]"),
            (r#""\u0041\/\"\\\b\f\n\r\t""#, r#""A/\"\\\b\f\n\r\t""#),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#),
            (r#""\u0000""#, r#""\u0000""#),
            ("\"\u{7f}\u{ffff}\"", r#""\u007f\uffff""#),
            (
                r#"{"$serde_json::private::Number":"5"}"#,
                r#"{"$serde_json::private::Number":"5"}"#,
            ),
            (r#"{"":0}"#, r#"{"":0}"#),
        ] {
            assert_eq!(
                read(text).map(|value| to_json(&value)).as_deref(),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses() {
        for (text, expected) in [
            ("", "unexpected end, expected a value at line 1 column 1"),
            ("\u{feff}{}", "a byte order mark at line 1 column 1"),
            ("{} {}", "text after the end of the value at line 1 column 4"),
            ("1\0", "text after the end of the value at line 1 column 2"),
            ("NaN", "unexpected 'N', expected a value at line 1 column 1"),
            ("Infinity", "unexpected 'I', expected a value at line 1 column 1"),
            ("nul", "unexpected 'n', expected a value at line 1 column 1"),
            ("True", "unexpected 'T', expected a value at line 1 column 1"),
            ("-", "a malformed number at line 1 column 1"),
            ("-Infinity", "a malformed number at line 1 column 1"),
            ("+1", "unexpected '+', expected a value at line 1 column 1"),
            ("01", "a malformed number at line 1 column 1"),
            ("-01", "a malformed number at line 1 column 1"),
            ("1.", "a malformed number at line 1 column 1"),
            (".5", "unexpected '.', expected a value at line 1 column 1"),
            ("1e", "a malformed number at line 1 column 1"),
            ("1e+", "a malformed number at line 1 column 1"),
            ("0x1", "text after the end of the value at line 1 column 2"),
            ("1_000", "text after the end of the value at line 1 column 2"),
            ("[1,]", "unexpected ']', expected a value at line 1 column 4"),
            ("[1 2]", "unexpected '2', expected `,` or `]` at line 1 column 4"),
            ("[1", "unexpected end, expected `,` or `]` at line 1 column 3"),
            ("[1}", "unexpected '}', expected `,` or `]` at line 1 column 3"),
            (r#"{"a":1,}"#, "unexpected '}', expected a key at line 1 column 8"),
            (r#"{"a"}"#, "unexpected '}', expected `:` at line 1 column 5"),
            (
                r#"{"a":1 "b":2}"#,
                "unexpected '\"', expected `,` or `}` at line 1 column 8",
            ),
            ("{a:1}", "unexpected 'a', expected a key or `}` at line 1 column 2"),
            ("{'a':1}", "unexpected '\\'', expected a key or `}` at line 1 column 2"),
            ("{\n  \"é\" é}", "unexpected 'é', expected `:` at line 2 column 8"),
            ("// x\n1", "unexpected '/', expected a value at line 1 column 1"),
            ("\"a", "unexpected end, expected the end of a string at line 1 column 3"),
            (
                "\"a\n\"",
                "an unescaped control character in a string at line 1 column 3",
            ),
            (
                "\"a\tb\"",
                "an unescaped control character in a string at line 1 column 3",
            ),
            (
                "\"1234567\u{1f}\"",
                "an unescaped control character in a string at line 1 column 9",
            ),
            (
                "\"12345678\0\"",
                "an unescaped control character in a string at line 1 column 10",
            ),
            (r#""\x41""#, "an unknown escape in a string at line 1 column 2"),
            (r#""\u00""#, "an unknown escape in a string at line 1 column 2"),
            (r#""\u+041""#, "an unknown escape in a string at line 1 column 2"),
            ("\"\\", "an unknown escape in a string at line 1 column 2"),
            ("\"\\u12", "an unknown escape in a string at line 1 column 2"),
            (r#""\ud800""#, "a lone surrogate in a string at line 1 column 2"),
            (r#""\ud800\n""#, "a lone surrogate in a string at line 1 column 2"),
            (r#""\ud800\ud800""#, "a lone surrogate in a string at line 1 column 2"),
            (r#""\udc00\ud800""#, "a lone surrogate in a string at line 1 column 2"),
            (
                r#"{"a":1,"a":1}"#,
                r#"the key "a" twice in the object at line 1 column 1"#,
            ),
            (
                r#"{"a":1,"b":2,"a":1}"#,
                r#"the key "a" twice in the object at line 1 column 1"#,
            ),
            (
                r#"[{"x":{"a":1,"\u0061":{}}}]"#,
                r#"the key "a" twice in the object at line 1 column 7"#,
            ),
        ] {
            assert_eq!(
                read(text).map_err(|error| error.to_string()),
                Err(expected.to_string()),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_is_not_utf8() {
        for bytes in [
            &b"\"\xff\""[..],
            b"\"\xed\xa0\x80\"",
            b"\"\xc0\x80\"",
            b"\"\xe2\x82\"",
            b"\xff\xfe1\0",
        ] {
            let error = parse(bytes, &Limits::default()).unwrap_err();
            assert_eq!(error.kind(), &JsonErrorKind::InvalidUtf8, "{bytes:?}");
        }
    }

    #[test]
    fn keeps_limits() {
        let limits = Limits {
            json_bytes: 40,
            json_depth: 3,
            json_nodes: 5,
            ..Limits::default()
        };
        let kind = |text: &str| parse(text.as_bytes(), &limits).err().map(|error| error.kind().clone());
        assert_eq!(kind("[[[1]]]"), None);
        assert_eq!(kind("[[[[]]]]"), Some(JsonErrorKind::TooDeep { limit: 3 }));
        assert_eq!(kind(r#"{"a":[{"a":[1]}]}"#), Some(JsonErrorKind::TooDeep { limit: 3 }));
        assert_eq!(kind("[1,2,3,4]"), None);
        assert_eq!(kind("[1,2,3,4,5]"), Some(JsonErrorKind::TooManyValues { limit: 5 }));
        assert_eq!(kind(&format!("1{}", " ".repeat(39))), None);
        assert_eq!(
            kind(&" ".repeat(41)),
            Some(JsonErrorKind::TooLong { found: 41, limit: 40 })
        );
        let digits = "1".repeat(4300);
        assert!(read(&digits).is_ok());
        assert_eq!(
            read(&format!("{digits}1")).unwrap_err().kind(),
            &JsonErrorKind::NumberTooLong
        );
    }

    #[test]
    fn deep_text_ends_soon() {
        for opening in ["[", r#"{"a":"#] {
            let error = read(&opening.repeat(100_000)).unwrap_err();
            assert_eq!(
                error.kind(),
                &JsonErrorKind::TooDeep {
                    limit: Limits::default().json_depth
                }
            );
            let greedy = Limits {
                json_depth: usize::MAX,
                ..Limits::default()
            };
            let error = parse(opening.repeat(100_000).as_bytes(), &greedy).unwrap_err();
            assert_eq!(
                error.kind(),
                &JsonErrorKind::TooDeep {
                    limit: Limits::JSON_DEPTH_MAX
                }
            );
        }
    }

    #[test]
    fn borrows_strings_without_escapes() {
        let Ok(Value::Array(elements)) = read(r#"["plain é", "esc\u0061ped"]"#) else {
            panic!("an array")
        };
        assert!(matches!(elements[0], Value::String(Cow::Borrowed("plain é"))));
        assert!(matches!(&elements[1], Value::String(Cow::Owned(text)) if text == "escaped"));
    }

    fn any_value() -> impl Strategy<Value = Value<'static>> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            "-?[1-9][0-9]{0,30}\\.[0-9]{1,5}(e-?[0-9]{1,3})?".prop_map(|text| Value::Float(text.into())),
            any::<String>().prop_map(Value::from),
            "[\\PC\"\\\\\n\u{0}]{0,24}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::btree_map(any::<String>(), inner, 0..6).prop_map(|map| Value::Object(map.into())),
            ]
        })
    }

    proptest! {
        #[test]
        fn written_values_read_back(value in any_value()) {
            for text in [to_json(&value), to_json_spaced(&value), to_json_pretty(&value)] {
                prop_assert!(text.is_ascii());
                let again = read(&text);
                prop_assert_eq!(again.as_ref(), Ok(&value));
            }
        }

        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = parse(&bytes, &Limits::default());
        }

        #[test]
        fn never_panics_on_almost_json(text in "[\\[\\]{}\",:\\\\u0-9dDcC8e.\\-tfn a\u{e9}\u{1f600}]{0,40}") {
            if let Ok(value) = read(&text) {
                let written = to_json(&value);
                let again = read(&written).map(|value| to_json(&value));
                prop_assert_eq!(again.as_deref(), Ok(written.as_str()));
            }
        }
    }
}
