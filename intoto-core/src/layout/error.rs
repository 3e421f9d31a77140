//! Why a layout is refused, and where in it.

use alloc::string::String;
use core::fmt;

use super::model::ItemKind;
use super::rule::RuleError;
use crate::artifacts::ArtifactList;
use crate::key::KeyError;
use crate::member::MemberError;
use crate::name::{KeyId, NameError};
use crate::time::TimeError;

/// A layout that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutError {
    location: LayoutLocation,
    problem: LayoutProblem,
}

impl LayoutError {
    pub(super) fn new(location: LayoutLocation, problem: impl Into<LayoutProblem>) -> Self {
        Self {
            location,
            problem: problem.into(),
        }
    }

    /// Where in the layout it is.
    pub fn location(&self) -> &LayoutLocation {
        &self.location
    }

    /// What is wrong there.
    pub fn problem(&self) -> &LayoutProblem {
        &self.problem
    }
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.location {
            LayoutLocation::Layout => write!(f, "{}", self.problem),
            location => write!(f, "{location}: {}", self.problem),
        }
    }
}

impl core::error::Error for LayoutError {}

/// A place in a layout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LayoutLocation {
    /// The layout itself.
    Layout,
    /// A key.
    Key {
        /// The id under which it stands.
        key_id: String,
    },
    /// A step or an inspection.
    Item {
        /// Which of the two.
        kind: ItemKind,
        /// Its position, counted from 0.
        index: usize,
        /// Its name, if it could be read.
        name: Option<String>,
    },
    /// A rule of a step or an inspection.
    Rule {
        /// Which of the two.
        kind: ItemKind,
        /// The position of the step or inspection, counted from 0.
        index: usize,
        /// The name of the step or inspection.
        name: String,
        /// The list.
        list: ArtifactList,
        /// The position of the rule, counted from 0.
        rule: usize,
    },
}

/// Positions are shown counted from 1.
impl fmt::Display for LayoutLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Layout => f.write_str("layout"),
            Self::Key { key_id } => write!(f, "key `{key_id}`"),
            Self::Item {
                kind, name: Some(name), ..
            } => write!(f, "{kind} `{name}`"),
            Self::Item {
                kind,
                index,
                name: None,
            } => write!(f, "{kind} {}", index + 1),
            Self::Rule {
                kind, name, list, rule, ..
            } => {
                write!(f, "{kind} `{name}`, rule {} of expected_{list}", rule + 1)
            }
        }
    }
}

/// What is wrong with a layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutProblem {
    /// A member is missing, unknown or of the wrong kind.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// There is neither a step nor an inspection, so everything would pass.
    #[error("there are neither steps nor inspections")]
    Empty,
    /// A part is there more often than the limits allow.
    #[error("{found} {what} are more than the limit of {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The name cannot be a step's.
    #[error("member `name`: {0}")]
    Name(NameError),
    /// Another step or inspection has the same name.
    #[error("the name is used twice")]
    DuplicateName,
    /// The threshold is no number from 1 on.
    #[error("the threshold is {found}, expected a whole number of at least 1")]
    Threshold {
        /// What it is.
        found: String,
    },
    /// A rule cannot be read.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The text is no key id.
    #[error("key id `{found}`: {source}")]
    KeyId {
        /// What it is.
        found: String,
        /// What is wrong with it.
        source: NameError,
    },
    /// The key cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A step names a key that the layout does not define.
    #[error("key `{key_id}` is not among the layout's keys")]
    UndefinedKey {
        /// The id.
        key_id: KeyId,
    },
    /// A subkey of an OpenPGP key is another key of the layout too.
    #[error("the OpenPGP subkey `{key_id}` belongs to another key of the layout too")]
    SharedSubkey {
        /// The subkey's id.
        key_id: KeyId,
    },
    /// The certificate of a certificate authority cannot be used.
    #[cfg(feature = "x509")]
    #[error(transparent)]
    Certificate(#[from] crate::x509::CertificateError),
    /// What stands beside an authority's certificate is not what stands in it.
    #[error("member `{member}` is not that of the certificate beside it")]
    AuthorityDiffers {
        /// The member's name.
        member: &'static str,
    },
    /// A certificate constraint names a root that the layout does not define.
    #[error("root `{root}` is not among the layout's `rootcas`")]
    UndefinedRoot {
        /// The id, as written.
        root: String,
    },
    /// The time of expiry cannot be read.
    #[error("member `expires`: {0}")]
    Expires(#[from] TimeError),
    /// A member of another implementation that changes who is trusted, and that this one cannot heed.
    #[error("member `{member}` is not supported")]
    Unsupported {
        /// The member's name.
        member: &'static str,
    },
}
