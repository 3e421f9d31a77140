//! What the chores print: verbs in cargo's manner on stderr, tables on stdout.

use std::fmt::Display;
use std::io::Write;

use crate::failure::Failure;

/// A right-aligned verb and what it is about.
pub(crate) fn status(verb: &str, message: impl Display) {
    line(&format!("\u{1b}[1;32m{verb:>12}\u{1b}[0m {message}"));
}

/// A failure with its hint.
pub(crate) fn failure(failure: &Failure) {
    line(&format!("\u{1b}[1;31merror:\u{1b}[0m {failure}"));
    if let Some(hint) = failure.as_hint() {
        line(&format!(" \u{1b}[1;36mhint:\u{1b}[0m {hint}"));
    }
}

/// One line of a table, to stdout.
pub(crate) fn row(text: impl Display) {
    let mut stdout = anstream::stdout().lock();
    // Nobody is left to tell when the terminal itself is gone.
    let _ = writeln!(stdout, "{text}");
    let _ = stdout.flush();
}

fn line(text: &str) {
    // As above.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
