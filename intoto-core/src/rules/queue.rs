//! The artifacts that no rule has consumed yet, found without looking at each name for each rule.
//!
//! Names are sorted, so a literal beginning is a range, and the counterparts of a `MATCH` are found in one pass over two ranges. What is
//! left is a bit per artifact.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::apply::StepLookup;
use super::bit_set::BitSet;
use super::letters::NameLetters;
use super::work::{OutOfWork, RuleWork};
use crate::artifacts::{ArtifactList, Artifacts, ItemArtifacts};
use crate::layout::{Rule, joined_prefix};
use crate::name::StepName;
use crate::pattern::Pattern;

/// Names that `MATCH` rules may compare in different ways before the results are no longer kept: a megabyte at the default limits.
const COMPARISONS_KEPT: usize = 16;

/// So many bytes of two names are compared in the time of a comparison of a name with a pattern.
const BYTES_PER_COMPARISON: u64 = 256;

/// Whether, and how, an artifact stands in the item's other list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is in this list only.
    Alone,
    /// It is in both, and no digest says that the files differ.
    Same,
    /// It is in both, with different digests of one algorithm: those of another one, or other letters, make no other file.
    Changed,
}

/// What a rule does to the queue.
pub(super) enum Effect {
    Consumed(Vec<usize>),
    Disallowed(Vec<usize>),
    Missing,
}

/// The artifacts that no rule has consumed yet, and what the rules need to know about them.
pub(super) struct Queue<'q, 'a> {
    list: ArtifactList,
    artifacts: &'a Artifacts,
    other: &'a Artifacts,
    steps: StepLookup<'q, 'a>,
    work: &'q mut RuleWork,
    /// The positions of what no rule has consumed yet.
    left: BitSet,
    /// Per artifact; made when the first rule needs it.
    presence: Option<Vec<Presence>>,
    /// Found once for all `MATCH` rules that compare the same names.
    counterparts: Vec<(Comparison, BitSet)>,
    letters: NameLetters,
}

/// What decides which artifacts have an equal counterpart.
#[derive(PartialEq, Eq)]
struct Comparison {
    source_prefix: String,
    on: ArtifactList,
    destination_prefix: String,
    from: StepName,
}

impl<'q, 'a> Queue<'q, 'a> {
    pub(super) fn new(
        item: ItemArtifacts<'a>,
        list: ArtifactList,
        steps: StepLookup<'q, 'a>,
        work: &'q mut RuleWork,
    ) -> Self {
        let artifacts = item.list(list);
        Self {
            list,
            artifacts,
            other: item.other(list),
            steps,
            work,
            left: BitSet::full(artifacts.len()),
            presence: None,
            counterparts: Vec::new(),
            letters: NameLetters::default(),
        }
    }

    /// The positions of what no rule has consumed yet.
    pub(super) fn left(&self) -> Vec<usize> {
        self.left.iter(0..self.artifacts.len()).collect()
    }

    /// Takes artifacts out.
    pub(super) fn remove(&mut self, artifacts: &[usize]) {
        for artifact in artifacts {
            self.left.remove(*artifact);
        }
    }

    /// Works out what a rule does.
    pub(super) fn apply(&mut self, rule: &Rule) -> Result<Effect, OutOfWork> {
        Ok(match rule {
            Rule::Create { pattern } => Effect::Consumed(self.in_one_list(pattern, ArtifactList::Products)?),
            Rule::Delete { pattern } => Effect::Consumed(self.in_one_list(pattern, ArtifactList::Materials)?),
            Rule::Modify { pattern } => Effect::Consumed(self.with_presence(pattern, Presence::Changed)?),
            Rule::Allow { pattern } => Effect::Consumed(self.selected("", pattern, None)?),
            Rule::Disallow { pattern } => match self.selected("", pattern, None)? {
                none if none.is_empty() => Effect::Consumed(none),
                artifacts => Effect::Disallowed(artifacts),
            },
            Rule::Require { artifact } => match self.artifacts.position(artifact) {
                Some(index) if self.left.contains(index) => Effect::Consumed(vec![]),
                _ => Effect::Missing,
            },
            Rule::Match {
                pattern,
                source_prefix,
                on,
                destination_prefix,
                from,
            } => {
                let comparison = Comparison {
                    source_prefix: joined_prefix(source_prefix.as_deref()).into_owned(),
                    on: *on,
                    destination_prefix: joined_prefix(destination_prefix.as_deref()).into_owned(),
                    from: from.clone(),
                };
                Effect::Consumed(self.with_counterpart(pattern, comparison)?)
            }
        })
    }

    /// `CREATE` and `DELETE`: what stands in the one list and not in the other; nothing when these are rules for the other.
    fn in_one_list(&mut self, pattern: &Pattern, list: ArtifactList) -> Result<Vec<usize>, OutOfWork> {
        if self.list == list {
            self.with_presence(pattern, Presence::Alone)
        } else {
            Ok(vec![])
        }
    }

    fn with_presence(&mut self, pattern: &Pattern, wanted: Presence) -> Result<Vec<usize>, OutOfWork> {
        let presence = self
            .presence
            .take()
            .unwrap_or_else(|| compare(self.artifacts, self.other));
        let mut consumed = self.selected("", pattern, None)?;
        consumed.retain(|index| presence.get(*index) == Some(&wanted));
        self.presence = Some(presence);
        Ok(consumed)
    }

    fn with_counterpart(&mut self, pattern: &Pattern, comparison: Comparison) -> Result<Vec<usize>, OutOfWork> {
        let known = self.counterparts.iter().position(|(known, _)| *known == comparison);
        let (comparison, equal) = match known {
            Some(known) => self.counterparts.swap_remove(known),
            None => {
                let equal = self.equal_counterparts(&comparison)?;
                (comparison, equal)
            }
        };
        let consumed = self.selected(&comparison.source_prefix, pattern, Some(&equal))?;
        if self.counterparts.len() < COMPARISONS_KEPT {
            self.counterparts.push((comparison, equal));
        }
        Ok(consumed)
    }

    /// The queued artifacts below a prefix whose further name matches a pattern, and which are in a set, if one is given.
    fn selected(&mut self, prefix: &str, pattern: &Pattern, among: Option<&BitSet>) -> Result<Vec<usize>, OutOfWork> {
        let mut selected = Vec::new();
        let range = range_of(self.artifacts, prefix, pattern);
        let among = among.unwrap_or(&self.left);
        if pattern.matches_every_name_with_its_prefix() || pattern.as_literal().is_some() {
            for index in self.left.iter_both(among, range) {
                self.work.spend(1)?;
                selected.push(index);
            }
            return Ok(selected);
        }
        self.letters.prepare(self.artifacts);
        let needed = pattern.letters();
        for index in self.left.iter_both(among, range) {
            if self.letters.exclude(index, needed) {
                self.work.spend(1)?;
                continue;
            }
            let Some(name) = name(self.artifacts, index).and_then(|name| name.get(prefix.len()..)) else {
                continue;
            };
            self.work.spend(pattern.work(name))?;
            if pattern.matches(name) {
                selected.push(index);
            }
        }
        Ok(selected)
    }

    /// The queued artifacts below the source prefix whose counterpart has equal digests.
    fn equal_counterparts(&mut self, comparison: &Comparison) -> Result<BitSet, OutOfWork> {
        let mut equal = BitSet::empty(self.artifacts.len());
        let Some(step) = (self.steps)(&comparison.from) else {
            return Ok(equal);
        };
        let there = step.list(comparison.on);
        let Range {
            start: mut candidate,
            end,
        } = there.with_prefix(&comparison.destination_prefix);
        let source_length = comparison.source_prefix.len();
        let destination_length = comparison.destination_prefix.len();
        // Both ranges are sorted by what follows the prefix, so one pass suffices.
        for index in self.left.iter(self.artifacts.with_prefix(&comparison.source_prefix)) {
            let Some((path, digests)) = self.artifacts.at(index) else {
                continue;
            };
            // Names that begin alike are compared to where they differ, a few of them.
            self.work.spend(1 + path.as_str().len() as u64 / BYTES_PER_COMPARISON)?;
            let Some(rest) = path.as_str().get(source_length..) else {
                continue;
            };
            candidate = seek(there, candidate..end, destination_length, rest);
            if candidate == end {
                break;
            }
            let Some((counterpart, expected)) = there.at(candidate) else {
                break;
            };
            // Joining a directory and an absolute path gives the absolute path: it would leave the prefix.
            let found = counterpart.as_str().get(destination_length..) == Some(rest) && !rest.starts_with('/');
            if found && digests == expected {
                equal.insert(index);
            }
        }
        Ok(equal)
    }
}

/// The first position in a range whose name, after `skipped` bytes, is not less than `wanted`; the range's end if none is.
///
/// Gallops from the start of the range, so a pass over a sorted list costs little whichever list is the longer.
fn seek(artifacts: &Artifacts, range: Range<usize>, skipped: usize, wanted: &str) -> usize {
    let less = |index: usize| {
        name(artifacts, index)
            .and_then(|name| name.get(skipped..))
            .is_some_and(|rest| rest < wanted)
    };
    let Range { mut start, end } = range;
    let mut stride = 1;
    while start + stride <= end && less(start + stride - 1) {
        start += stride;
        stride *= 2;
    }
    let mut low = start;
    let mut high = end.min(start + stride);
    while low < high {
        let middle = low + (high - low) / 2;
        if less(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The positions that can match: the names that begin with the prefix and the pattern's literal text, or the one literal name.
fn range_of(artifacts: &Artifacts, source_prefix: &str, pattern: &Pattern) -> Range<usize> {
    let literal = pattern.literal_prefix();
    let prefix = match (source_prefix, literal) {
        ("", literal) => Cow::Borrowed(literal),
        (source_prefix, literal) => Cow::Owned([source_prefix, literal].concat()),
    };
    if pattern.as_literal().is_some() {
        return artifacts.position(&prefix).map_or(0..0, |index| index..index + 1);
    }
    artifacts.with_prefix(&prefix)
}

fn name(artifacts: &Artifacts, index: usize) -> Option<&str> {
    artifacts.at(index).map(|(path, _)| path.as_str())
}

/// How each artifact stands in the other list.
fn compare(artifacts: &Artifacts, other: &Artifacts) -> Vec<Presence> {
    let mut others = other.iter().peekable();
    let presence = artifacts.iter().map(|(path, digests)| {
        while others.next_if(|(candidate, _)| *candidate < path).is_some() {}
        match others.peek() {
            Some((candidate, found)) if *candidate == path => {
                if digests.differs_from(found) {
                    Presence::Changed
                } else {
                    Presence::Same
                }
            }
            _ => Presence::Alone,
        }
    });
    presence.collect()
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::digest::DigestSet;

    #[test]
    fn seeks_in_any_distance() {
        let list: Artifacts = (0..300)
            .map(|n| {
                (
                    format!("p/{n:04}").parse().expect("a path"),
                    DigestSet::from_sha256([0; 32]),
                )
            })
            .collect();
        for start in [0, 1, 7, 299] {
            for wanted in 0..=300 {
                let found = seek(&list, start..list.len(), 2, &format!("{wanted:04}"));
                assert_eq!(wanted.max(start), found);
            }
        }
        assert_eq!(5, seek(&list, 0..5, 2, "9"));
        // What comes after the range is of another directory, and says nothing.
        let list: Artifacts = ["p/b", "q/a"]
            .map(|name| (name.parse().expect("a path"), DigestSet::from_sha256([0; 32])))
            .into_iter()
            .collect();
        assert_eq!(0, seek(&list, 0..1, 2, "ab"));
    }
}
