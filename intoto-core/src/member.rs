//! Reading the members of metadata objects strictly: what is not known is refused, never skipped.
//!
//! The peers drop or refuse unknown members depending on the container, so a member that one reader heeds and another does not
//! would let one file mean two things.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::encoding::{Object, Value};

/// A member of a link, layout, step or inspection that is not as the specification has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemberError {
    /// The whole value is no object.
    #[error("expected an object, found {found}")]
    NotAnObject {
        /// What the value is.
        found: &'static str,
    },
    /// A member that has to be there is not.
    #[error("member `{member}` is missing")]
    Missing {
        /// The member's name.
        member: &'static str,
    },
    /// A member that the specification does not know.
    #[error("member `{member}` is unknown")]
    Unknown {
        /// The member's name.
        member: String,
    },
    /// A member is of another kind.
    #[error("member `{member}` is {found}, expected {expected}")]
    WrongKind {
        /// The member's name.
        member: &'static str,
        /// What it is.
        found: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// `_type` says that the object is something else.
    #[error("member `_type` is `{found}`, expected `{expected}`")]
    WrongType {
        /// The type found.
        found: String,
        /// The type expected.
        expected: &'static str,
    },
}

/// An object whose members are read by name.
#[derive(Clone, Copy)]
pub(crate) struct Members<'v, 'a> {
    object: &'v Object<'a>,
}

impl<'v, 'a> Members<'v, 'a> {
    pub(crate) fn of(value: &'v Value<'a>) -> Result<Self, MemberError> {
        let object = value
            .as_object()
            .ok_or_else(|| MemberError::NotAnObject { found: value.kind() })?;
        Ok(Self { object })
    }

    /// Reads an object that says in `_type` what it is.
    pub(crate) fn of_type(value: &'v Value<'a>, expected: &'static str) -> Result<Self, MemberError> {
        let members = Self::of(value)?;
        match members.text("_type")? {
            found if found == expected => Ok(members),
            found => Err(MemberError::WrongType {
                found: found.to_owned(),
                expected,
            }),
        }
    }

    pub(crate) fn refuse_others(self, known: &[&str]) -> Result<(), MemberError> {
        match self.object.iter().find(|(name, _)| !known.contains(name)) {
            Some((name, _)) => Err(MemberError::Unknown {
                member: name.to_owned(),
            }),
            None => Ok(()),
        }
    }

    /// As [`Self::refuse_others`], except for members that are let through.
    pub(crate) fn refuse_others_but(self, known: &[&str], is_let_through: fn(&str) -> bool) -> Result<(), MemberError> {
        match self
            .object
            .keys()
            .find(|name| !known.contains(name) && !is_let_through(name))
        {
            Some(name) => Err(MemberError::Unknown {
                member: name.to_owned(),
            }),
            None => Ok(()),
        }
    }

    pub(crate) fn optional(self, member: &str) -> Option<&'v Value<'a>> {
        self.object.get(member)
    }

    pub(crate) fn required(self, member: &'static str) -> Result<&'v Value<'a>, MemberError> {
        self.optional(member).ok_or(MemberError::Missing { member })
    }

    pub(crate) fn text(self, member: &'static str) -> Result<&'v str, MemberError> {
        let value = self.required(member)?;
        value.as_str().ok_or_else(|| wrong_kind(member, value, "a string"))
    }

    pub(crate) fn optional_text(self, member: &'static str) -> Result<&'v str, MemberError> {
        self.optional(member).map_or(Ok(""), |_| self.text(member))
    }

    pub(crate) fn array(self, member: &'static str) -> Result<&'v [Value<'a>], MemberError> {
        let value = self.required(member)?;
        value.as_array().ok_or_else(|| wrong_kind(member, value, "an array"))
    }

    pub(crate) fn object(self, member: &'static str) -> Result<&'v Object<'a>, MemberError> {
        let value = self.required(member)?;
        value.as_object().ok_or_else(|| wrong_kind(member, value, "an object"))
    }

    /// An array of strings.
    pub(crate) fn words(self, member: &'static str) -> Result<Vec<&'v str>, MemberError> {
        let word = |value: &'v Value<'a>| {
            value
                .as_str()
                .ok_or_else(|| wrong_kind(member, value, "an array of strings"))
        };
        self.array(member)?.iter().map(word).collect()
    }

    /// An array of strings, empty when it is absent.
    pub(crate) fn optional_words(self, member: &'static str) -> Result<Vec<&'v str>, MemberError> {
        self.optional(member).map_or(Ok(Vec::new()), |_| self.words(member))
    }
}

/// Whether a member of an attestation is an extension: its name is a URI (attestation framework, parsing rules).
pub(crate) fn is_extension(name: &str) -> bool {
    name.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

pub(crate) fn wrong_kind(member: &'static str, found: &Value<'_>, expected: &'static str) -> MemberError {
    MemberError::WrongKind {
        member,
        found: found.kind(),
        expected,
    }
}
