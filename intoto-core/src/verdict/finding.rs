//! One thing that verification found, and where.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::FindingCode;
use crate::layout::ArtifactList;

/// How much a [`Finding`] weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth telling; changes nothing.
    Note,
    /// Worth a look; changes nothing.
    Warning,
    /// A check could not be made. The outcome is at best [`Outcome::Undecided`](super::Outcome::Undecided).
    Undecided,
    /// A check was made and failed. The outcome is [`Outcome::Refused`](super::Outcome::Refused).
    Refusal,
}

impl Severity {
    /// The stable lower-case text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Undecided => "undecided",
            Self::Refusal => "refusal",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a [`Finding`] was made; every part that does not apply is `None`. The texts come from metadata that may be hostile:
/// whoever prints them escapes them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Location {
    /// The directories of the sublayouts that lead to the layout concerned; empty for the owner-signed layout.
    pub layer: Vec<String>,
    /// The step or inspection.
    pub item: Option<String>,
    /// The file below the layer's directory.
    pub file: Option<String>,
    /// The rule list.
    pub list: Option<ArtifactList>,
    /// The index of the rule in that list, from 0.
    pub rule: Option<usize>,
    /// The artifact.
    pub artifact: Option<String>,
}

/// One thing that verification found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Finding {
    /// What it is, stable.
    pub code: FindingCode,
    /// How much it weighs.
    pub severity: Severity,
    /// Where it was made.
    pub location: Location,
    /// What was found and what was expected: a lower-case fragment that may hold foreign text.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding without location and hint.
    pub(crate) fn new(code: FindingCode, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            location: Location::default(),
            message: message.into(),
            hint: None,
        }
    }

    /// A check was made and failed.
    pub(crate) fn refusal(code: FindingCode, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Refusal, message)
    }

    /// A check could not be made.
    pub(crate) fn undecided(code: FindingCode, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Undecided, message)
    }

    /// Says where.
    pub(crate) fn at(mut self, location: Location) -> Self {
        self.location = location;
        self
    }

    /// Says what to do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Finding {
    /// Writes `code: message` with control characters escaped; the complete rendering is a matter of reports.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message.escape_debug())
    }
}
