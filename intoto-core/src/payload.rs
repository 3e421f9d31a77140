//! What the file of a step may hold: a link, or a layout that stands for the step.

use crate::encoding::Value;
use crate::layout::{Layout, LayoutError};
use crate::limits::Limits;
use crate::link::{Link, LinkError};
use crate::member::{MemberError, Members};

/// Signed metadata, by its `_type`.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// The evidence of a step.
    Link(Link),
    /// A layout; in a step's place a sublayout.
    Layout(Layout),
}

impl Payload {
    /// Reads a link or a layout.
    pub fn from_value(value: &Value<'_>, limits: &Limits) -> Result<Self, PayloadError> {
        match Members::of(value)?.text("_type")? {
            Link::TYPE => Ok(Self::Link(Link::from_value(value, limits)?)),
            Layout::TYPE => Ok(Self::Layout(Layout::from_value(value, limits)?)),
            found => Err(MemberError::WrongType {
                found: found.into(),
                expected: "link or layout",
            }
            .into()),
        }
    }
}

/// Metadata that is neither a link nor a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// `_type` is missing or says something else.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// It says that it is a link and is none.
    #[error("link is refused: {0}")]
    Link(#[from] LinkError),
    /// It says that it is a layout and is none.
    #[error("layout is refused: {0}")]
    Layout(#[from] LayoutError),
}
