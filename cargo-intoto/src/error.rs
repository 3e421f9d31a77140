//! The one error type of the command line: what kind, what happened, why, and what would fix it.

use std::error::Error as StdError;
use std::fmt;

use crate::exit::Exit;
use crate::finding::CargoCode;

/// What a failure means for the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Decided, and the answer is no.
    Refused,
    /// The command line or the settings are wrong.
    Usage,
    /// Input is missing, unreadable or malformed; nothing was decided.
    CannotDecide,
    /// Input/output or a service failed.
    Failure,
    /// A wrapped command ended with this code, and the caller wants it unchanged.
    Child(u8),
}

/// A failure of a command, as a user reads it.
///
/// The message is a lower-case fragment without a period that says what was being done and to which file, step or artifact;
/// what would fix it goes into a hint.
#[derive(Debug)]
pub struct CliError {
    kind: ErrorKind,
    code: Option<CargoCode>,
    message: String,
    snippet: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    hints: Vec<String>,
}

impl CliError {
    /// An error of the given kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: None,
            message: message.into(),
            snippet: None,
            source: None,
            hints: Vec::new(),
        }
    }

    /// Decided, and the answer is no, for the reason with this stable code.
    pub fn refused(code: CargoCode, message: impl Into<String>) -> Self {
        Self {
            code: Some(code),
            ..Self::new(ErrorKind::Refused, message)
        }
    }

    /// The command line or the settings are wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Nothing could be decided.
    pub fn cannot_decide(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::CannotDecide, message)
    }

    /// Input/output or a service failed.
    pub fn failure(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failure, message)
    }

    /// Adds the underlying error.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds lines that were laid out already and hold nothing that a terminal obeys: where in a file the mistakes are.
    #[must_use]
    pub fn snippet(mut self, snippet: impl Into<String>) -> Self {
        self.snippet = Some(snippet.into());
        self
    }

    /// Adds a stable code to an error of any kind.
    #[must_use]
    pub fn with_code(mut self, code: CargoCode) -> Self {
        self.code = Some(code);
        self
    }

    /// The same error with another meaning for the exit code.
    #[must_use]
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// Adds a hint: a sentence that says what would fix it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What the failure means for the exit code.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable code, if the failure has one.
    pub fn code(&self) -> Option<CargoCode> {
        self.code
    }

    /// The lines that show where the mistakes are, if there are any.
    pub fn shown(&self) -> Option<&str> {
        self.snippet.as_deref()
    }

    /// The hints, in the order they were added.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The exit code that this failure ends the process with.
    pub fn exit(&self) -> Exit {
        match self.kind {
            ErrorKind::Refused => Exit::Refused,
            ErrorKind::Usage => Exit::Usage,
            ErrorKind::CannotDecide => Exit::CannotDecide,
            ErrorKind::Failure => Exit::Failure,
            ErrorKind::Child(code) => Exit::Child(code),
        }
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for CliError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
