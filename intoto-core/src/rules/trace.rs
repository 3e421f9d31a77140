//! What every rule did, and why an artifact was not consumed.

use alloc::string::String;
use alloc::vec::Vec;

use super::apply::{StepLookup, consumer};
use super::queue::Presence;
use crate::artifacts::{ArtifactList, ItemArtifacts};
use crate::digest::DigestSet;
use crate::layout::{Rule, joined_prefix};

/// The complete outcome of applying a list of rules.
///
/// Artifacts are positions in the list's [`Artifacts`](crate::artifacts::Artifacts), rules are positions in the layout's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTrace {
    consumed: Vec<Vec<usize>>,
    failure: Option<RuleFailure>,
    leftover: Vec<usize>,
}

impl RuleTrace {
    pub(super) fn new(consumed: Vec<Vec<usize>>, failure: Option<RuleFailure>, leftover: Vec<usize>) -> Self {
        Self {
            consumed,
            failure,
            leftover,
        }
    }

    /// Says whether no rule failed.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// The rule that failed, and why; rules after it were not applied.
    pub fn failure(&self) -> Option<&RuleFailure> {
        self.failure.as_ref()
    }

    /// How many rules were applied and did not fail.
    pub fn applied(&self) -> usize {
        self.consumed.len()
    }

    /// The artifacts that a rule consumed, in the order of their names.
    pub fn consumed_by(&self, rule: usize) -> &[usize] {
        self.consumed.get(rule).map(Vec::as_slice).unwrap_or_default()
    }

    /// The rule that consumed an artifact.
    pub fn consumer_of(&self, artifact: usize) -> Option<usize> {
        consumer(&self.consumed, artifact)
    }

    /// Per artifact, out of `count`, the rule that consumed it.
    pub fn consumers(&self, count: usize) -> Vec<Option<usize>> {
        let mut consumers = alloc::vec![None; count];
        for (rule, artifacts) in self.consumed.iter().enumerate() {
            for artifact in artifacts {
                if let Some(consumer) = consumers.get_mut(*artifact) {
                    *consumer = Some(rule);
                }
            }
        }
        consumers
    }

    /// What no rule consumed; allowed when no rule failed.
    pub fn leftover(&self) -> &[usize] {
        &self.leftover
    }
}

/// The rule that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleFailure {
    /// A `DISALLOW` rule met artifacts that no earlier rule had consumed.
    Disallowed {
        /// The position of the rule.
        rule: usize,
        /// The artifacts, at least one.
        artifacts: Vec<usize>,
    },
    /// The artifact of a `REQUIRE` rule was not queued.
    Missing {
        /// The position of the rule.
        rule: usize,
        /// The earlier rule that consumed the artifact; without one it was never recorded.
        consumed_by: Option<usize>,
    },
}

impl RuleFailure {
    /// The position of the rule that failed.
    pub fn rule(&self) -> usize {
        match self {
            Self::Disallowed { rule, .. } | Self::Missing { rule, .. } => *rule,
        }
    }
}

/// Why a rule did not consume an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotConsumed<'a> {
    /// Such a rule never consumes: `DISALLOW`, `REQUIRE`, `CREATE` for materials, `DELETE` for products.
    NeverConsumes,
    /// The pattern does not match the name.
    PatternDiffers,
    /// The name is not below the rule's source prefix.
    OutsidePrefix,
    /// No step of that name was verified.
    NoSuchStep,
    /// The other step did not record the artifact.
    NoCounterpart {
        /// The name that it should have there.
        name: String,
    },
    /// The other step recorded it with other digests.
    DigestsDiffer {
        /// The name there.
        name: String,
        /// The digests of this artifact.
        here: &'a DigestSet,
        /// The digests there.
        there: &'a DigestSet,
    },
    /// `CREATE`: it was there before.
    ExistedBefore,
    /// `DELETE`: it is still there.
    StillThere,
    /// `MODIFY`: it is in one of the two lists only.
    InOneListOnly,
    /// `MODIFY`: it was not changed.
    Unchanged,
}

/// Explains why a rule does not consume an artifact, looking at the rule alone; `None` when it would consume it.
///
/// Whether an earlier rule was faster is [`RuleTrace::consumer_of`]'s to say.
pub fn explain<'a>(
    rule: &Rule,
    item: ItemArtifacts<'a>,
    list: ArtifactList,
    artifact: usize,
    steps: StepLookup<'_, 'a>,
) -> Option<NotConsumed<'a>> {
    let (path, here) = item.list(list).at(artifact)?;
    let name = path.as_str();
    match rule {
        Rule::Disallow { .. } | Rule::Require { .. } => Some(NotConsumed::NeverConsumes),
        Rule::Create { .. } if list == ArtifactList::Materials => Some(NotConsumed::NeverConsumes),
        Rule::Delete { .. } if list == ArtifactList::Products => Some(NotConsumed::NeverConsumes),
        Rule::Allow { pattern } | Rule::Create { pattern } | Rule::Delete { pattern } | Rule::Modify { pattern }
            if !pattern.matches(name) =>
        {
            Some(NotConsumed::PatternDiffers)
        }
        Rule::Allow { .. } => None,
        Rule::Create { .. } => {
            (presence(item, list, name, here) != Presence::Alone).then_some(NotConsumed::ExistedBefore)
        }
        Rule::Delete { .. } => (presence(item, list, name, here) != Presence::Alone).then_some(NotConsumed::StillThere),
        Rule::Modify { .. } => match presence(item, list, name, here) {
            Presence::Alone => Some(NotConsumed::InOneListOnly),
            Presence::Same => Some(NotConsumed::Unchanged),
            Presence::Changed => None,
        },
        Rule::Match {
            pattern,
            source_prefix,
            on,
            destination_prefix,
            from,
        } => {
            let Some(rest) = name.strip_prefix(&*joined_prefix(source_prefix.as_deref())) else {
                return Some(NotConsumed::OutsidePrefix);
            };
            if rest.starts_with('/') {
                return Some(NotConsumed::OutsidePrefix);
            }
            if !pattern.matches(rest) {
                return Some(NotConsumed::PatternDiffers);
            }
            let Some(step) = steps(from) else {
                return Some(NotConsumed::NoSuchStep);
            };
            let name = [&*joined_prefix(destination_prefix.as_deref()), rest].concat();
            match step.list(*on).get(&name) {
                None => Some(NotConsumed::NoCounterpart { name }),
                Some(there) if there == here => None,
                Some(there) => Some(NotConsumed::DigestsDiffer { name, here, there }),
            }
        }
    }
}

fn presence(item: ItemArtifacts<'_>, list: ArtifactList, name: &str, here: &DigestSet) -> Presence {
    match item.other(list).get(name) {
        None => Presence::Alone,
        Some(there) if there == here => Presence::Same,
        Some(_) => Presence::Changed,
    }
}
