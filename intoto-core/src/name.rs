//! Names of steps and ids of keys, and the file names made of them.
//!
//! Specification: in-toto 1.0, 4.3.1 (step names) and 4.4 (link file names). Both parts come from metadata and end up in file
//! names, so what could leave the directory is refused here and nowhere else.
//!
//! ```
//! use intoto_core::name::{KeyId, StepName};
//!
//! let step: StepName = "build".parse().unwrap();
//! let key: KeyId = "556caebdc0877eed53d419b60eddb1e57fa773e4e31d70698b588f3e9cc48b35".parse().unwrap();
//! assert_eq!(step.link_file(&key), "build.556caebd.link");
//! assert!("../build".parse::<StepName>().is_err());
//! ```

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::borrow::Borrow;
use core::fmt;
use core::str::FromStr;

/// The longest step name in bytes: with `.`, eight digits and `.link` it still fits the 255 bytes of a file name.
const STEP_NAME_BYTES: usize = 240;

/// The longest key id in characters: twice the hexadecimal text of SHA-256; identities of later key kinds fit as well.
const KEY_ID_BYTES: usize = 128;

/// The name of a step or an inspection.
///
/// Refused are names that cannot be part of one file name: empty, `.`, `..`, longer than 240 bytes, or with `/`, `\` or a control
/// character. Everything else is allowed, blanks and `*` too: files are looked up by their exact name, never by a pattern.
/// A clone shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepName(Arc<str>);

impl StepName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file name of this step's link by that key: `{name}.{first 8 characters of the id}.link`.
    pub fn link_file(&self, key: &KeyId) -> String {
        format!("{}.{}.link", self.0, key.short())
    }

    /// The file name of this step's Sigstore bundle by that identity: `{name}.{first 8 characters of the id}.sigstore.json`.
    pub fn sigstore_file(&self, key: &KeyId) -> String {
        format!("{}.{}.sigstore.json", self.0, key.short())
    }

    /// The directory, beside a sublayout's own file, that holds the sublayout's links: `{name}.{first 8 characters of the id}`.
    pub fn sublayout_dir(&self, key: &KeyId) -> String {
        format!("{}.{}", self.0, key.short())
    }
}

impl FromStr for StepName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            Err(NameError::Empty)
        } else if text == "." || text == ".." {
            Err(NameError::Dots)
        } else if text.len() > STEP_NAME_BYTES {
            Err(NameError::TooLong {
                found: text.len(),
                limit: STEP_NAME_BYTES,
            })
        } else if let Some(character) = forbidden(text) {
            Err(NameError::Character { character })
        } else {
            Ok(Self(text.into()))
        }
    }
}

fn forbidden(text: &str) -> Option<char> {
    // Nearly every name is plain ASCII, and one pass over the bytes says so; every rule of a layout may name a step.
    let is_plain = |byte: u8| (32..127).contains(&byte) && !matches!(byte, b'/' | b'\\');
    if text.bytes().all(is_plain) {
        return None;
    }
    text.chars().find(|c| matches!(c, '/' | '\\') || c.is_control())
}

/// The id of a key, as metadata spells it.
///
/// The text is opaque and compared exactly: nobody recomputes the ids in a layout, and the implementations derive different ids from
/// one key (see [`KeyIdStyle`](crate::key::KeyIdStyle)). Allowed are 1 to 128 visible ASCII characters without `/` and `\`.
/// A clone shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight characters, the part that link file names carry.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl FromStr for KeyId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            Err(NameError::Empty)
        } else if text.len() > KEY_ID_BYTES {
            Err(NameError::TooLong {
                found: text.len(),
                limit: KEY_ID_BYTES,
            })
        } else if let Some(character) = text.chars().find(|c| !c.is_ascii_graphic() || matches!(c, '/' | '\\')) {
            Err(NameError::Character { character })
        } else {
            Ok(Self(text.into()))
        }
    }
}

macro_rules! text_type {
    ($name:ident) => {
        impl TryFrom<&str> for $name {
            type Error = NameError;

            fn try_from(text: &str) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_type!(StepName);
text_type!(KeyId);

/// Why a text is not a step name or not a key id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("the name is empty")]
    Empty,
    /// The text is `.` or `..`.
    #[error("the name is a directory reference, `.` or `..`")]
    Dots,
    /// The text is longer than the limit.
    #[error("the name has {found} bytes, at most {limit} are allowed")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The text has a character that cannot be part of a file name, or of a key id.
    #[error("the name contains {character:?}")]
    Character {
        /// The first such character.
        character: char,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn step_names() {
        for good in ["build", "a b", "build*", "...", "é", ".x", &"a".repeat(240)] {
            assert_eq!(good.parse::<StepName>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            ".",
            "..",
            "a/b",
            "a\\b",
            "a\0",
            "a\n",
            "../up",
            "\u{85}",
            &"a".repeat(241),
        ] {
            assert!(bad.parse::<StepName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn key_ids() {
        for good in ["a", "0123456789abcdef", &"f".repeat(128)] {
            assert_eq!(good.parse::<KeyId>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a/b", "a\\b", "é", "a\n", &"f".repeat(129)] {
            assert!(bad.parse::<KeyId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn file_names() {
        let step: StepName = "package".parse().unwrap();
        let (long, short): (KeyId, KeyId) = ("0123456789".parse().unwrap(), "012".parse().unwrap());
        assert_eq!(step.link_file(&long), "package.01234567.link");
        assert_eq!(step.link_file(&short), "package.012.link");
        assert_eq!(step.sublayout_dir(&long), "package.01234567");
    }
}
