//! What can be wrong with a JSON text, and where it is.

use alloc::string::String;
use core::fmt;

/// Why a text is not acceptable JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    kind: JsonErrorKind,
    offset: usize,
    line: usize,
    column: usize,
}

impl JsonError {
    /// What is wrong.
    pub fn kind(&self) -> &JsonErrorKind {
        &self.kind
    }

    /// Where, in bytes from the beginning.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in bytes, counted from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    pub(super) fn at(bytes: &[u8], offset: usize, kind: JsonErrorKind) -> Self {
        let before = &bytes[..offset.min(bytes.len())];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|&&byte| byte != b'\n').count();
        Self {
            kind,
            offset,
            line,
            column,
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, line, column, .. } = self;
        write!(f, "{kind} at line {line} column {column}")
    }
}

impl core::error::Error for JsonError {}

/// What can be wrong with a JSON text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// More bytes than [`Limits::json_bytes`](crate::limits::Limits::json_bytes).
    #[error("the text has {found} bytes, at most {limit} are allowed")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// More values than [`Limits::json_nodes`](crate::limits::Limits::json_nodes).
    #[error("more than {limit} values")]
    TooManyValues {
        /// Values allowed.
        limit: usize,
    },
    /// More levels of arrays and objects than [`Limits::json_depth`](crate::limits::Limits::json_depth).
    #[error("more than {limit} levels of arrays and objects")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
    },
    /// A number of more than 4300 digits.
    #[error("a number of more than 4300 digits")]
    NumberTooLong,
    /// The text begins with a byte order mark.
    #[error("a byte order mark")]
    ByteOrderMark,
    /// Bytes that are not UTF-8.
    #[error("bytes that are not UTF-8")]
    InvalidUtf8,
    /// The text ends within a value.
    #[error("unexpected end, expected {expected}")]
    End {
        /// What had to come.
        expected: &'static str,
    },
    /// A character that cannot stand there; this covers `NaN`, comments, trailing commas and single quotes.
    #[error("unexpected {found:?}, expected {expected}")]
    Unexpected {
        /// The character found.
        found: char,
        /// What had to come.
        expected: &'static str,
    },
    /// Something after the end of the value.
    #[error("text after the end of the value")]
    Trailing,
    /// A number that JSON does not allow, such as `01`, `1.` or `.5`.
    #[error("a malformed number")]
    Number,
    /// A control character that stands unescaped in a string.
    #[error("an unescaped control character in a string")]
    ControlCharacter,
    /// A backslash with something else than JSON's escapes after it.
    #[error("an unknown escape in a string")]
    Escape,
    /// `\ud800` to `\udfff` that is not part of a pair.
    #[error("a lone surrogate in a string")]
    LoneSurrogate,
    /// A key that comes twice in one object, also when it is escaped differently. The place is the beginning of the object.
    #[error("the key {key:?} twice in the object")]
    DuplicateKey {
        /// The key, cut if it is long.
        key: String,
    },
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use crate::encoding::strict_json;
    use crate::limits::Limits;

    /// The text, what is wrong with it, and where: the byte, the line and the column.
    type Case = (&'static [u8], &'static str, (usize, usize, usize));

    const CASES: [Case; 15] = [
        (b"[1,\n 2", "unexpected end, expected `,` or `]`", (6, 2, 3)),
        (b"[1,\n x]", "unexpected 'x', expected a value", (5, 2, 2)),
        (b"1 2", "text after the end of the value", (2, 1, 3)),
        (b"\n\n01", "a malformed number", (2, 3, 1)),
        (b"\xef\xbb\xbf1", "a byte order mark", (0, 1, 1)),
        (b"[\"a\", \"\xff\"]", "bytes that are not UTF-8", (7, 1, 8)),
        (b"\"a\tb\"", "an unescaped control character in a string", (2, 1, 3)),
        (b"\"\\x\"", "an unknown escape in a string", (1, 1, 2)),
        (b"\"\\ud800\"", "a lone surrogate in a string", (1, 1, 2)),
        (
            b" {\"a\": 1, \"\\u0061\": 2}",
            "the key \"a\" twice in the object",
            (1, 1, 2),
        ),
        (b"[[[[1]]]]", "more than 3 levels of arrays and objects", (3, 1, 4)),
        (b"[1,2,3,4,5,6,7,8]", "more than 8 values", (15, 1, 16)),
        (
            b"                                                                 ",
            "the text has 65 bytes, at most 64 are allowed",
            (0, 1, 1),
        ),
        (b"", "unexpected end, expected a value", (0, 1, 1)),
        (b"nul", "unexpected 'n', expected a value", (0, 1, 1)),
    ];

    #[test]
    fn errors_say_what_and_where() {
        let limits = Limits {
            json_bytes: 64,
            json_depth: 3,
            json_nodes: 8,
            ..Limits::default()
        };
        let longest = [b"0".as_slice(), &[b' '; 63]].concat();
        assert!(strict_json::parse(&longest, &limits).is_ok());
        for (text, what, (offset, line, column)) in CASES {
            let error = strict_json::parse(text, &limits).unwrap_err();
            assert_eq!(
                error.to_string(),
                alloc::format!("{what} at line {line} column {column}")
            );
            assert_eq!(
                (error.offset(), error.line(), error.column()),
                (offset, line, column),
                "{what}"
            );
        }
    }
}
