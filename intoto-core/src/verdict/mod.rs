//! The outcome of a verification as a value: coded findings, and a report of every check that was made.

mod code;
mod finding;

pub use code::FindingCode;
pub use finding::{ArtifactList, Finding, Location, Severity};

use core::fmt;

/// The three ends of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Every check was made and every check holds.
    Verified,
    /// At least one check was made and failed.
    Refused,
    /// No check failed, and at least one could not be made.
    Undecided,
}

impl Outcome {
    /// The stable lower-case text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
