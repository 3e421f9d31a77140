//! A fault as cargo-mutants describes it.

use serde::Deserialize;

/// What is put where.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Fault {
    /// Where it is and what it does, in words; no two faults have the same.
    pub(super) name: String,
    pub(super) file: String,
    pub(super) function: Option<Function>,
    /// What is replaced.
    pub(super) span: Span,
    pub(super) replacement: String,
    pub(super) genre: Genre,
}

/// The function that it is in.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Function {
    pub(super) span: Span,
}

/// The kinds that can be switched on when the tests run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    #[serde(other)]
    Other,
}

/// From the first character to the one behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Span {
    pub(super) start: Place,
    pub(super) end: Place,
}

/// Line and column, from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
}
