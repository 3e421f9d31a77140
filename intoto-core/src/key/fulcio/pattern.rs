//! Patterns for what a certificate says: one sign, `*`, that never leaves a part of a path or crosses an `@`.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;

use super::error::{IdentityError, refuse_text};
use super::extension::Shape;

/// A text in which each `*` stands for any characters but `/` and `@`. Nothing else in it is special.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

impl Pattern {
    /// Reads a pattern for texts of that shape; `member` names it in errors.
    pub fn new(member: &'static str, text: &str, shape: Shape) -> Result<Self, IdentityError> {
        refuse_text(member, text)?;
        let star = text.find('*');
        match (shape, star) {
            (Shape::Number, _) if !text.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(IdentityError::Number { member });
            }
            (Shape::Exact | Shape::Number, Some(_)) => return Err(IdentityError::Exact { member }),
            (Shape::BelowRepository, Some(star)) if end_of_repository(text).is_none_or(|end| end > star) => {
                return Err(IdentityError::CoversRepository { member });
            }
            _ => {}
        }
        Ok(Self(text.to_owned()))
    }

    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for one text only.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// Whether the whole text is one that it stands for.
    ///
    /// It is enough to move the last `*` on: what one in front of it could take more of, that one can, and neither gets past a `/` or `@`, which only
    /// the same sign of the pattern matches.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut p, mut t) = (0, 0);
        // Where the last `*` stands, and where the text goes on behind what it has taken.
        let mut star: Option<(usize, usize)> = None;
        loop {
            match (pattern.get(p), text.get(t)) {
                (None, None) => return true,
                (Some(b'*'), _) => {
                    star = Some((p, t));
                    p += 1;
                    continue;
                }
                (Some(expected), Some(found)) if expected == found => {
                    (p, t) = (p + 1, t + 1);
                    continue;
                }
                _ => {}
            }
            match star {
                Some((at, taken)) if text.get(taken).is_some_and(|byte| !matches!(byte, b'/' | b'@')) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                _ => return false,
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Where the part of a URI ends that names host, owner and repository: at `//`, which GitLab writes behind a project of any depth, else at GitHub's
/// `/.github/`, else at the ref. At least an owner and a repository come before.
pub(super) fn end_of_repository(uri: &str) -> Option<usize> {
    let authority = "https://".len();
    let rest = uri.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    let path_at = authority + host.len() + 1;
    let mark = (path.find("//"))
        .or_else(|| path.find("/.github/"))
        .or_else(|| path.find('@'))
        .map(|mark| path_at + mark)?;
    let names = uri[path_at..mark].split('/');
    let is_complete = !host.is_empty() && names.clone().count() >= 2 && names.clone().all(|name| !name.is_empty());
    is_complete.then_some(mark)
}
