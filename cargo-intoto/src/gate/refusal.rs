//! A refusal as cargo shows it: a message, and what it is because of.

use std::error::Error;

use intoto_core::verdict::Outcome;

use crate::error::CliError;
use crate::escape;
use crate::report;
use crate::verification::Report;

/// More causes than this are counted and not told: a terminal has so many lines.
const MAX_CAUSES: usize = 24;
/// A longer text is cut: whoever wrote it wants to hide another one.
const MAX_CHARACTERS: usize = 2000;

/// Why something is not done. Its texts are escaped: cargo prints them as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    message: String,
    causes: Vec<String>,
}

impl Refusal {
    /// A refusal with this message.
    pub fn new(message: impl AsRef<str>) -> Self {
        Self {
            message: shown(message.as_ref()),
            causes: Vec::new(),
        }
    }

    /// Adds a cause behind those that are there.
    #[must_use]
    pub fn because(mut self, cause: impl AsRef<str>) -> Self {
        self.causes.push(shown(cause.as_ref()));
        self
    }

    /// An error as a refusal: its message, what it is because of, its hints.
    pub fn of_error(error: &CliError) -> Self {
        let code = error.code().map(|code| format!("[{code}] ")).unwrap_or_default();
        let mut refusal = Self::new(format!("{code}{error}"));
        let mut source = error.source();
        while let Some(cause) = source {
            refusal = refusal.because(cause.to_string());
            source = cause.source();
        }
        for hint in error.hints() {
            refusal = refusal.because(format!("hint: {hint}"));
        }
        refusal.bounded()
    }

    /// What stands against the crates of a report; none if they are verified.
    pub fn of_report(report: &Report) -> Option<Self> {
        let verb = match report.outcome() {
            Outcome::Verified => return None,
            Outcome::Refused => "refuses",
            Outcome::Undecided => "cannot decide on",
        };
        let names: Vec<&str> = report.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
        let mut refusal = Self::new(format!("the layout {} {verb} {}", report.layout_name, names.join(", ")));
        for reason in report::reasons(report) {
            refusal = refusal.because(reason);
        }
        Some(refusal.bounded())
    }

    /// The same under another message, of which this one becomes the first cause.
    #[must_use]
    pub fn under(self, message: impl AsRef<str>) -> Self {
        let mut causes = vec![self.message];
        causes.extend(self.causes);
        Self {
            message: shown(message.as_ref()),
            causes,
        }
    }

    /// What is refused.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What it is because of, from the outside in.
    pub fn causes(&self) -> &[String] {
        &self.causes
    }

    fn bounded(mut self) -> Self {
        let more = self.causes.len().saturating_sub(MAX_CAUSES);
        if more > 0 {
            self.causes.truncate(MAX_CAUSES);
            self.causes.push(format!(
                "and {more} more: `cargo-intoto verify` on the same files tells all"
            ));
        }
        self
    }
}

fn shown(text: &str) -> String {
    let escaped = escape::message(text);
    match escaped.char_indices().nth(MAX_CHARACTERS) {
        Some((at, _)) => format!("{}…", &escaped[..at]),
        None => escaped.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_refusal_is_obeyed_or_endless() {
        let long = "x".repeat(3 * MAX_CHARACTERS);
        let mut error = CliError::cannot_decide("a\nb").because(long.as_str());
        for hint in 0..100 {
            error = error.hint(format!("hint {hint}"));
        }
        let refusal = Refusal::of_error(&error).under("top");
        assert_eq!(refusal.message(), "top");
        assert_eq!(refusal.causes()[0], "a\\nb");
        assert_eq!(refusal.causes()[1].chars().count(), MAX_CHARACTERS + 1);
        assert_eq!(refusal.causes().len(), MAX_CAUSES + 2);
        assert!(refusal.causes()[MAX_CAUSES + 1].starts_with("and 77 more"));
    }
}
