//! What the file of a step may hold: a link, a statement that converts to one, or a layout that stands for the step.

use alloc::string::String;

use crate::encoding::Value;
use crate::encoding::value::excerpt;
use crate::layout::{Layout, LayoutError};
use crate::limits::Limits;
use crate::link::{Link, LinkError};
use crate::member::{MemberError, Members};
use crate::statement::{Statement, StatementError, StatementVersion};

/// Signed metadata, by its `_type`.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// The evidence of a step.
    Link(Link),
    /// The evidence of a step as a statement with a link predicate, converted to the link that it means.
    Statement(Link),
    /// A layout; in a step's place a sublayout.
    Layout(Layout),
}

impl Payload {
    /// Reads a link, a statement with a link predicate, or a layout. Everything else is refused by the name of its type.
    pub fn from_value(value: &Value<'_>, limits: &Limits) -> Result<Self, PayloadError> {
        match Members::of(value)?.text("_type")? {
            Link::TYPE => Ok(Self::Link(Link::from_value(value, limits)?)),
            Layout::TYPE => Ok(Self::Layout(Layout::from_value(value, limits)?)),
            found if StatementVersion::from_type(found).is_some() => {
                Ok(Self::Statement(Statement::from_value(value, limits)?.into_link()?))
            }
            found => Err(PayloadError::UnknownType { found: excerpt(found) }),
        }
    }

    /// The link that it is or converts to.
    pub fn link(&self) -> Option<&Link> {
        match self {
            Self::Link(link) | Self::Statement(link) => Some(link),
            Self::Layout(_) => None,
        }
    }
}

/// Metadata that is neither a link, a statement that converts to one, nor a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// It is no object, or `_type` is missing or no text.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// `_type` says that it is something else: another version of a statement or layout, or nothing that in-toto knows.
    #[error("metadata of type `{found}` is not supported, expected a link, a layout or a statement")]
    UnknownType {
        /// The type found, cut if it is long.
        found: String,
    },
    /// It says that it is a link and is none.
    #[error("link is refused: {0}")]
    Link(#[from] LinkError),
    /// It says that it is a statement and is none, or none that converts to a link.
    #[error("statement is refused: {0}")]
    Statement(#[from] StatementError),
    /// It says that it is a layout and is none.
    #[error("layout is refused: {0}")]
    Layout(#[from] LayoutError),
}
