//! Names of artifacts: clean relative paths, URIs and package URLs.
//!
//! Specification: in-toto 1.0, 4.2 and ITE-4 (names with a scheme). Python compares names as text, Go cleans them first. A name that is
//! already clean means the same to both, so only clean names are accepted; that also shuts out `dir/../evil` (CVE-2021-41087).
//!
//! ```
//! use intoto_core::path::ArtifactPath;
//!
//! assert!("src/lib.rs".parse::<ArtifactPath>().is_ok());
//! assert!("pkg:cargo/serde@1.0.228".parse::<ArtifactPath>().is_ok());
//! assert!("./src/lib.rs".parse::<ArtifactPath>().is_err());
//! ```

mod purl;

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use core::borrow::Borrow;
use core::fmt;
use core::str::FromStr;

pub use purl::PurlError;

/// The longest name in bytes: Linux's PATH_MAX.
const PATH_BYTES: usize = 4096;

/// The name of an artifact, as links and REQUIRE rules spell it; compared exactly, byte by byte.
///
/// It is one of
/// - a relative path with `/` between non-empty components other than `.` and `..`: `src/lib.rs`;
/// - `scheme:` followed by such a path, or by `//` and such a path: `file:src/lib.rs`, `https://example.org/x`.
///   A scheme is a lower-case letter and further lower-case letters, digits, `+`, `.` or `-` before the first colon, with something
///   after it and no `/` before it. So `a:b` has a scheme and must be clean after it, `A:b` is an ordinary file name,
///   and both are kept as they are;
/// - a package URL in its canonical form, `pkg:cargo/serde@1.0.228`: see [`PurlError`] for what that excludes.
///
/// Backslashes and control characters are refused anywhere. At most 4096 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactPath(Box<str>);

impl ArtifactPath {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scheme before the first colon, if the name has one: `pkg` for a package URL.
    pub fn scheme(&self) -> Option<&str> {
        split_scheme(&self.0).map(|(scheme, _)| scheme)
    }

    /// What follows the last `/`; the whole name when there is none.
    pub fn base_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl FromStr for ArtifactPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        check(text)?;
        Ok(Self(text.into()))
    }
}

impl TryFrom<&str> for ArtifactPath {
    type Error = PathError;

    fn try_from(text: &str) -> Result<Self, PathError> {
        text.parse()
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl AsRef<str> for ArtifactPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ArtifactPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Why a text is not the name of an artifact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Nothing, or nothing after the scheme.
    #[error("the artifact name is empty")]
    Empty,
    /// Longer than 4096 bytes.
    #[error("the artifact name has {found} bytes, at most {limit} are allowed")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A backslash: a separator to some readers, part of a name to others.
    #[error("the artifact name contains a backslash")]
    Backslash,
    /// A control character.
    #[error("the artifact name contains the control character {character:?}")]
    Control {
        /// The first one.
        character: char,
    },
    /// The path, or the part after the scheme, begins with `/`.
    #[error("the artifact name is an absolute path")]
    Absolute,
    /// Two slashes in a row.
    #[error("the artifact name contains an empty component (`//`)")]
    EmptyComponent,
    /// A slash at the end.
    #[error("the artifact name ends with `/`")]
    TrailingSlash,
    /// A component `.`, as in `./x`.
    #[error("the artifact name contains a `.` component")]
    Dot,
    /// A component `..`.
    #[error("the artifact name contains a `..` component")]
    DotDot,
    /// A name that begins with `pkg:` and is not a canonical package URL.
    #[error("the artifact name is not a canonical package URL: {0}")]
    Purl(PurlError),
}

fn check(text: &str) -> Result<(), PathError> {
    if text.is_empty() {
        return Err(PathError::Empty);
    }
    if text.len() > PATH_BYTES {
        return Err(PathError::TooLong {
            found: text.len(),
            limit: PATH_BYTES,
        });
    }
    if is_ordinary(text) {
        return Ok(());
    }
    for character in text.chars() {
        match character {
            '\\' => return Err(PathError::Backslash),
            _ if character.is_control() => return Err(PathError::Control { character }),
            _ => {}
        }
    }
    match split_scheme(text) {
        Some(("pkg", rest)) => purl::check(rest).map_err(PathError::Purl),
        Some((_, rest)) => check_components(rest.strip_prefix("//").unwrap_or(rest)),
        // `pkg:` alone would be a name that looks like the beginning of a package URL.
        None if text == "pkg:" => Err(PathError::Empty),
        None => check_components(text),
    }
}

/// Says whether a name is surely clean: of printable ASCII, without a scheme, and no component empty or beginning with a dot.
///
/// Links have tens of thousands of names and nearly all are like this, which one pass without branches says.
fn is_ordinary(text: &str) -> bool {
    let bytes = text.as_bytes();
    let ([first, after @ ..], [before @ .., last]) = (bytes, bytes) else {
        return false;
    };
    let is_odd = |byte: u8| !(32..=126).contains(&byte) | (byte == b'\\') | (byte == b':');
    let begins_oddly = |byte: u8| (byte == b'/') | (byte == b'.');
    let odd = before.iter().zip(after).fold(0, |odd, (&before, &byte)| {
        odd | u8::from(is_odd(byte) | ((before == b'/') & begins_oddly(byte)))
    });
    odd == 0 && !is_odd(*first) && !begins_oddly(*first) && *last != b'/'
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let is_scheme = bytes.next()?.is_ascii_lowercase()
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'.' | b'-'));
    (is_scheme && !rest.is_empty()).then_some((scheme, rest))
}

fn check_components(path: &str) -> Result<(), PathError> {
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    if path.starts_with('/') {
        return Err(PathError::Absolute);
    }
    if path.ends_with('/') {
        return Err(PathError::TrailingSlash);
    }
    for component in path.split('/') {
        match component {
            "" => return Err(PathError::EmptyComponent),
            "." => return Err(PathError::Dot),
            ".." => return Err(PathError::DotDot),
            _ => {}
        }
    }
    Ok(())
}

impl From<ArtifactPath> for String {
    fn from(path: ArtifactPath) -> Self {
        path.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn accepts() {
        for text in [
            "a",
            "src/lib.rs",
            "a:b",
            "A:b",
            "a b",
            "...",
            ".gitignore",
            "a/.b",
            "a..b",
            "é/ü",
            "c:x",
            "file:src/lib.rs",
            "dir:src",
            "https://example.org/a",
            "foo:",
            "1:/x",
            "*",
            "[x]",
            "pkg",
            "pkgs:a/b",
            "pkg:cargo/serde@1.0.228",
        ] {
            assert_eq!(text.parse::<ArtifactPath>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn refuses() {
        let long = "a".repeat(4097);
        for (text, expected) in [
            ("", PathError::Empty),
            ("pkg:", PathError::Empty),
            ("x://", PathError::Empty),
            ("/", PathError::Absolute),
            ("/etc/passwd", PathError::Absolute),
            ("file:/etc/passwd", PathError::Absolute),
            ("file:///etc/passwd", PathError::Absolute),
            ("./x", PathError::Dot),
            ("file:./x", PathError::Dot),
            (".", PathError::Dot),
            ("a/.", PathError::Dot),
            ("..", PathError::DotDot),
            ("a/../b", PathError::DotDot),
            ("dir:..", PathError::DotDot),
            ("https://a/../b", PathError::DotDot),
            ("a//b", PathError::EmptyComponent),
            ("x:a//b", PathError::EmptyComponent),
            ("x/", PathError::TrailingSlash),
            ("x:a/", PathError::TrailingSlash),
            ("a\\b", PathError::Backslash),
            ("pkg:cargo/a\\b", PathError::Backslash),
            ("a\nb", PathError::Control { character: '\n' }),
            ("a\0", PathError::Control { character: '\0' }),
            ("a\u{7f}", PathError::Control { character: '\u{7f}' }),
            ("a\u{9b}", PathError::Control { character: '\u{9b}' }),
            (
                &long,
                PathError::TooLong {
                    found: 4097,
                    limit: 4096,
                },
            ),
        ] {
            assert_eq!(text.parse::<ArtifactPath>(), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn parts() {
        let path = |text: &str| text.parse::<ArtifactPath>().unwrap();
        assert_eq!(path("a/b").scheme(), None);
        assert_eq!(path("pkg:cargo/a@1").scheme(), Some("pkg"));
        assert_eq!(path("target/package/a.crate").base_name(), "a.crate");
        assert_eq!(path("a").base_name(), "a");
    }

    proptest! {
        // What the accepted names promise: cleaning them, as Go does, changes nothing.
        #[test]
        fn accepted_names_are_clean(text in "[a-c:./\\\\ é]{0,12}") {
            if let Ok(path) = text.parse::<ArtifactPath>() {
                prop_assert_eq!(path.to_string(), text.clone());
                let rest = path.scheme().map_or(text.as_str(), |scheme| &text[scheme.len() + 1..]);
                let rest = if path.scheme().is_some() { rest.strip_prefix("//").unwrap_or(rest) } else { rest };
                let cleaned = rest.split('/').filter(|c| !matches!(*c, "" | "." | "..")).collect::<Vec<_>>().join("/");
                prop_assert_eq!(String::from(rest), cleaned);
            }
        }
    }
}
