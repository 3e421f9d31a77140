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
