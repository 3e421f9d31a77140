//! Artifact rules at work: the patterns that select artifacts and the queue that consumes them.

mod apply;
mod bit_set;
mod character_set;
mod letters;
#[cfg(test)]
mod oracle;
mod overlap;
mod pattern;
mod queue;
mod trace;
mod work;

pub(crate) use apply::joined as joined_prefix;
pub use apply::{ItemArtifacts, StepLookup, apply};
pub(crate) use pattern::set_length;
pub use pattern::{Pattern, escape_pattern};
pub use trace::{NotConsumed, RuleFailure, RuleTrace, explain};
pub use work::{OutOfWork, RuleWork};
