//! Artifact rules at work: the queue that they consume, and the trace of what each of them did.

mod apply;
mod bit_set;
mod letters;
#[cfg(test)]
mod oracle;
mod queue;
mod trace;
mod work;

pub use crate::artifacts::ItemArtifacts;
pub use crate::pattern::{Pattern, escape_pattern};
pub use apply::{StepLookup, apply};
pub use trace::{NotConsumed, RuleFailure, RuleTrace, explain};
pub use work::{OutOfWork, RuleWork};
