//! Where a repository lies, and what its targets are called.

use std::fmt;
use std::str::FromStr;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;

/// A directory of files: on this machine, or behind a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// An absolute path.
    Directory(Utf8PathBuf),
    /// An `https` URL, or `http` on the loopback interface, without a slash at its end. `net` judges it when it is asked.
    Url(String),
}

impl Place {
    /// The place that a word of the command line names; a path is taken from `here`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn named(word: &str, here: &Utf8Path) -> Result<Self, CliError> {
        if word.contains("://") {
            word.parse()
        } else {
            here.join(word).as_str().parse()
        }
    }

    /// A place below this one.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        match self {
            Self::Directory(path) => Self::Directory(path.join(name)),
            Self::Url(url) => Self::Url(format!("{url}/{name}")),
        }
    }
}

impl FromStr for Place {
    type Err = CliError;

    fn from_str(text: &str) -> Result<Self, CliError> {
        let wrong = || {
            CliError::usage(format!("`{}` is no place of a TUF repository", text.escape_debug()))
                .hint("give an https URL, or a directory")
        };
        if text.contains("://") {
            let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['?', '#', '@', '\\']);
            let scheme = text.starts_with("https://") || text.starts_with("http://");
            return match is_plain && scheme {
                true => Ok(Self::Url(text.trim_end_matches('/').to_owned())),
                false => Err(wrong()),
            };
        }
        let path = Utf8PathBuf::from(text);
        match path.is_absolute() && !text.chars().any(char::is_control) {
            true => Ok(Self::Directory(path)),
            false => Err(wrong()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => f.write_str(path.as_str()),
            Self::Url(url) => f.write_str(url),
        }
    }
}

/// A project of a repository: the folder of its targets, and usually the name of the role that may sign for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project(String);

impl Project {
    /// The target that says who owns the project.
    pub fn owners(&self) -> String {
        format!("{}/owners.toml", self.0)
    }

    /// The target that is the project's signed layout.
    pub fn layout(&self) -> String {
        format!("{}/release.layout", self.0)
    }

    /// The target that is the Sigstore bundle beside it, where the owner is an identity.
    pub fn layout_signature(&self) -> String {
        format!("{}/release.layout.sigstore.json", self.0)
    }
}

impl FromStr for Project {
    type Err = CliError;

    fn from_str(text: &str) -> Result<Self, CliError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        // A name that fits a file, a URL and a pattern of paths as it is.
        if text.len() <= 128 && text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.bytes().all(fits)
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                CliError::usage(format!("`{}` is no name of a project", text.escape_debug()))
                    .hint("it has letters, digits, `-`, `_` and `.`, and begins with a letter or a digit"),
            )
        }
    }
}

impl fmt::Display for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The target that holds Sigstore's root, as in Sigstore's own repository.
#[cfg_attr(not(feature = "sigstore"), expect(dead_code, reason = "only the client asks for it"))]
pub(super) const SIGSTORE_ROOT: &str = "trusted_root.json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_urls_or_absolute_paths() {
        for (word, expected) in [
            ("https://t.example/repo/", Some("https://t.example/repo")),
            ("http://127.0.0.1:80/x", Some("http://127.0.0.1:80/x")),
            ("repo", Some("/here/repo")),
            ("/srv/repo", Some("/srv/repo")),
            ("file:///srv/repo", None),
            ("https://user@t.example", None),
            ("https://t.example/?q", None),
            ("https://t.example/a b", None),
            ("a\nb", None),
        ] {
            let place = Place::named(word, Utf8Path::new("/here"))
                .ok()
                .map(|place| place.to_string());
            assert_eq!(place.as_deref(), expected, "{word:?}");
        }
        assert!("relative".parse::<Place>().is_err(), "the store holds absolute paths");
    }

    #[test]
    fn projects_are_plain_names() {
        for (text, sound) in [
            ("hello", true),
            ("hello-2.x_y", true),
            ("", false),
            (".", false),
            ("..", false),
            ("a/b", false),
            ("a*", false),
            ("-a", false),
            ("a b", false),
            ("ä", false),
        ] {
            assert_eq!(text.parse::<Project>().is_ok(), sound, "{text:?}");
        }
        assert!("a".repeat(129).parse::<Project>().is_err());
    }
}
