//! How much work rules may cause.

use crate::layout::Rule;
use crate::limits::Limits;

/// What is left of the work that rules may cause in one verification, in comparisons of one name with one pattern.
///
/// Rules and artifacts come from other people, and every rule may look at every artifact, so both counts being within their limits
/// does not bound the time. One value goes through a whole verification.
#[derive(Clone, Debug)]
pub struct RuleWork {
    left: u64,
    limit: u64,
}

impl RuleWork {
    /// All the work that the limits allow.
    pub fn new(limits: &Limits) -> Self {
        Self {
            left: limits.rule_work,
            limit: limits.rule_work,
        }
    }

    /// Notes that a name is about to be compared with a rule's pattern outside the queue, as explanations do.
    pub(crate) fn spend_on(&mut self, rule: &Rule, name: &str) -> Result<(), OutOfWork> {
        self.spend(rule.pattern().map_or(1, |pattern| pattern.work(name)))
    }

    pub(super) fn spend(&mut self, work: u64) -> Result<(), OutOfWork> {
        match self.left.checked_sub(work) {
            Some(left) => self.left = left,
            None => return Err(OutOfWork { limit: self.limit }),
        }
        Ok(())
    }
}

/// Rules ask for more comparisons than the limits allow, so they decide nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("applying the artifact rules takes more than the limit of {limit} comparisons")]
pub struct OutOfWork {
    limit: u64,
}

impl OutOfWork {
    /// The limit.
    pub fn limit(self) -> u64 {
        self.limit
    }
}
