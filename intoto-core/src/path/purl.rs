//! The check that a package URL is written in its one canonical form.
//!
//! Specification: purl 1.0 (ECMA-427), "How to build a purl string".

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

/// Why a package URL is not in its canonical form, the only one in which two of them can be compared as text.
///
/// The form is `pkg:type/namespace/name@version?qualifiers#subpath`. Letters, digits, `.`, `-`, `_`, `~` and `:` stand for themselves, every
/// other byte of a component is percent-encoded in upper case. What a package type adds (such as lower-case names) is not checked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PurlError {
    /// The type is empty, begins with a digit, or has another character than `a-z`, `0-9`, `.` and `-`.
    #[error("the type must be lower-case letters, digits, `.` or `-`, and begin with a letter")]
    Type,
    /// There is no name, or a component before it is empty.
    #[error("a component is empty")]
    EmptyComponent,
    /// A component is `.` or `..`, written out or percent-encoded.
    #[error("a component is `.` or `..`")]
    Dots,
    /// A character that must be percent-encoded stands bare, or a separator comes twice.
    #[error("{character:?} must be percent-encoded")]
    Bare {
        /// The character.
        character: char,
    },
    /// `%` without two upper-case hexadecimal digits, or in front of a character that needs no encoding.
    #[error("percent-encoding that is not canonical")]
    Percent,
    /// Percent-encoded bytes that are not UTF-8 text, or a control character, slash or backslash within a component.
    #[error("percent-encoded bytes that a component must not contain")]
    Encoded,
    /// The version after `@` is empty.
    #[error("the version is empty")]
    Version,
    /// A qualifier has no key or no value, or its key is not lower-case.
    #[error("a qualifier is not of the form key=value with a lower-case key")]
    Qualifier,
    /// The qualifiers are not sorted by key, or a key comes twice.
    #[error("the qualifiers are not sorted, or `{key}` comes twice")]
    Order {
        /// The key that stands wrong.
        key: String,
    },
}

/// Checks what follows `pkg:`.
pub(super) fn check(text: &str) -> Result<(), PurlError> {
    let (text, subpath) = split(text, '#');
    let (text, qualifiers) = split(text, '?');
    let (text, version) = split(text, '@');
    let (kind, path) = text.split_once('/').ok_or(PurlError::EmptyComponent)?;
    check_type(kind)?;
    for component in path.split('/') {
        check_component(component)?;
    }
    if let Some(version) = version {
        if version.is_empty() {
            return Err(PurlError::Version);
        }
        check_text(version, true)?;
    }
    if let Some(qualifiers) = qualifiers {
        check_qualifiers(qualifiers)?;
    }
    for component in subpath.into_iter().flat_map(|subpath| subpath.split('/')) {
        check_component(component)?;
    }
    Ok(())
}

fn split(text: &str, separator: char) -> (&str, Option<&str>) {
    match text.split_once(separator) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn check_type(kind: &str) -> Result<(), PurlError> {
    let good = kind.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && kind
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    if good { Ok(()) } else { Err(PurlError::Type) }
}

fn check_qualifiers(qualifiers: &str) -> Result<(), PurlError> {
    let mut previous = "";
    for qualifier in qualifiers.split('&') {
        let (key, value) = qualifier.split_once('=').ok_or(PurlError::Qualifier)?;
        let good = key.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
            && key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_'));
        if !good || value.is_empty() {
            return Err(PurlError::Qualifier);
        }
        if key <= previous {
            return Err(PurlError::Order { key: key.to_owned() });
        }
        check_text(value, true)?;
        previous = key;
    }
    Ok(())
}

fn check_component(component: &str) -> Result<(), PurlError> {
    match component {
        "" => Err(PurlError::EmptyComponent),
        "." | ".." => Err(PurlError::Dots),
        _ => check_text(component, false),
    }
}

// `slash` allows an encoded slash: in versions and qualifier values it is data, in a path component it would be a separator to some.
fn check_text(text: &str, slash: bool) -> Result<(), PurlError> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if character == '%' {
            let byte = encoded_byte(rest.as_bytes()).ok_or(PurlError::Percent)?;
            if needs_no_encoding(byte) {
                return Err(PurlError::Percent);
            }
            if byte < 32 || byte == 127 || byte == b'\\' || (byte == b'/' && !slash) {
                return Err(PurlError::Encoded);
            }
            decoded.push(byte);
            rest = &rest[3..];
        } else if character.is_ascii() && needs_no_encoding(character as u8) {
            decoded.push(character as u8);
            rest = &rest[1..];
        } else {
            return Err(PurlError::Bare { character });
        }
    }
    core::str::from_utf8(&decoded)
        .ok()
        .filter(|decoded| !decoded.chars().any(char::is_control))
        .map(|_| ())
        .ok_or(PurlError::Encoded)
}

fn encoded_byte(text: &[u8]) -> Option<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    Some(digit(*text.get(1)?)? << 4 | digit(*text.get(2)?)?)
}

fn needs_no_encoding(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts() {
        for text in [
            "cargo/serde@1.0.228",
            "cargo/serde",
            "cargo/x@1.0.0-rc.1%2Bbuild",
            "cargo/x@1?repository_url=https:%2F%2Fexample.org%2Findex",
            "cargo/x@1?checksum=sha256:ab&vcs_url=git%2Bhttps:%2F%2Fexample.org%2Fx.git%40cc55",
            "npm/%40scope/name@1",
            "golang/github.com/a/b@v1#sub/dir",
            "generic/%C3%A9",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn refuses() {
        let bare = |character| PurlError::Bare { character };
        for (text, expected) in [
            ("cargo", PurlError::EmptyComponent),
            ("cargo/", PurlError::EmptyComponent),
            ("cargo//x", PurlError::EmptyComponent),
            ("//cargo/x", PurlError::Type),
            ("Cargo/x", PurlError::Type),
            ("/x", PurlError::Type),
            ("1a/x", PurlError::Type),
            ("cargo/..", PurlError::Dots),
            ("cargo/../x", PurlError::Dots),
            ("cargo/x#a/../b", PurlError::Dots),
            ("cargo/%2E%2E", PurlError::Percent),
            ("cargo/%2f", PurlError::Percent),
            ("cargo/%", PurlError::Percent),
            ("cargo/%4", PurlError::Percent),
            ("cargo/%61", PurlError::Percent),
            ("cargo/x?a=%3A", PurlError::Percent),
            ("cargo/a%2Fb", PurlError::Encoded),
            ("cargo/a%5Cb", PurlError::Encoded),
            ("cargo/a%00", PurlError::Encoded),
            ("cargo/a%0A", PurlError::Encoded),
            ("cargo/%FF", PurlError::Encoded),
            ("cargo/%C2%9B", PurlError::Encoded),
            ("cargo/a b", bare(' ')),
            ("cargo/é", bare('é')),
            ("cargo/a+b", bare('+')),
            ("cargo/x@1+2", bare('+')),
            ("cargo/x@1@2", bare('@')),
            ("cargo/x@", PurlError::Version),
            ("cargo/x?", PurlError::Qualifier),
            ("cargo/x?a", PurlError::Qualifier),
            ("cargo/x?a=", PurlError::Qualifier),
            ("cargo/x?A=b", PurlError::Qualifier),
            ("cargo/x?=b", PurlError::Qualifier),
            ("cargo/x?a=b=c", bare('=')),
            ("cargo/x?a=b/c", bare('/')),
            ("cargo/x?b=1&a=2", PurlError::Order { key: "a".into() }),
            ("cargo/x?a=1&a=2", PurlError::Order { key: "a".into() }),
            ("cargo/x#", PurlError::EmptyComponent),
            ("cargo/x#a//b", PurlError::EmptyComponent),
        ] {
            assert_eq!(check(text), Err(expected), "{text}");
        }
    }
}
