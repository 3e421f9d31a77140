//! The documented exit codes.

use std::process::ExitCode;

/// How a run of the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Verified, or done.
    Success,
    /// Refused by policy: something was decided, and the answer is no.
    Refused,
    /// The command line or the settings are wrong.
    Usage,
    /// Nothing could be decided: input is missing, unreadable or malformed, or no key is trusted.
    CannotDecide,
    /// Input/output or a service failed, or a child process inside a command that decides.
    Failure,
    /// The exit code of cargo or of another wrapped command, unchanged; only commands that never decide return it.
    Child(u8),
}

impl Exit {
    /// The numeric code of the process.
    pub fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::CannotDecide => 3,
            Self::Failure => 4,
            Self::Child(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
