//! Named stages of a chore, with the seconds each took.

use std::time::Instant;

use crate::failure::Failure;
use crate::say;

/// Runs a stage, names it before and gives its seconds after; the first failure ends the chore.
pub(crate) fn stage<T>(name: &str, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    say::status("Stage", name);
    let start = Instant::now();
    let result = work();
    let seconds = start.elapsed().as_secs_f64();
    let verb = if result.is_ok() { "Finished" } else { "Failed" };
    say::status(verb, format!("{name} in {seconds:.1} s"));
    result
}
