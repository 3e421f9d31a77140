//! Why a chore failed: one sentence, and what would fix it.

use std::fmt::{self, Display};

/// Why a chore failed.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure with the sentence that explains it.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what would fix it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What would fix it.
    pub(crate) fn as_hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Turns any error into a [`Failure`] that says what was being done.
pub(crate) trait Context<T> {
    /// The value, or a failure that reads `failed to {doing}: {error}`.
    fn context(self, doing: impl Display) -> Result<T, Failure>;
}

impl<T, E: Display> Context<T> for Result<T, E> {
    fn context(self, doing: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("failed to {doing}: {error}")))
    }
}
