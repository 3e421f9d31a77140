//! The queue: applies a list of rules to the artifacts of one step or inspection (specification 4.3.3, 5.2).
//!
//! All artifacts of the list are queued in the beginning. Each rule in turn consumes artifacts, or fails, or does nothing; what is
//! left at the end is allowed, which is why lists end with `DISALLOW *`. The outcome is complete on a pass as well: which rule
//! consumed which artifact.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::Pattern;
use super::bit_set::BitSet;
use super::trace::{RuleFailure, RuleTrace};
use super::work::{OutOfWork, RuleWork};
use crate::artifacts::Artifacts;
use crate::layout::{ArtifactList, Rule};
use crate::name::StepName;

/// The artifacts that a step or inspection recorded.
#[derive(Clone, Copy, Debug)]
pub struct ItemArtifacts<'a> {
    /// What was there before.
    pub materials: &'a Artifacts,
    /// What was there after.
    pub products: &'a Artifacts,
}

impl<'a> ItemArtifacts<'a> {
    /// One of the two lists.
    pub fn list(self, list: ArtifactList) -> &'a Artifacts {
        match list {
            ArtifactList::Materials => self.materials,
            ArtifactList::Products => self.products,
        }
    }

    /// The list that rules for `list` compare with.
    pub(super) fn other(self, list: ArtifactList) -> &'a Artifacts {
        match list {
            ArtifactList::Materials => self.products,
            ArtifactList::Products => self.materials,
        }
    }
}

/// Finds what another step recorded, for `MATCH`; `None` when there is no such step.
pub type StepLookup<'l, 'a> = &'l dyn Fn(&StepName) -> Option<ItemArtifacts<'a>>;

/// Names that `MATCH` rules may compare in different ways before the results are no longer kept: a megabyte at the default limits.
const COMPARISONS_KEPT: usize = 16;

/// Applies the rules for one list of an item, in order, until one fails.
///
/// ```
/// use intoto_core::artifacts::Artifacts;
/// use intoto_core::digest::DigestSet;
/// use intoto_core::layout::{ArtifactList, Rule};
/// use intoto_core::limits::Limits;
/// use intoto_core::rules::{ItemArtifacts, RuleWork, apply};
///
/// let materials = Artifacts::new();
/// let products: Artifacts = ["hello", "notes.txt"].map(|name| (name.parse().unwrap(), DigestSet::from_sha256([0; 32]))).into_iter().collect();
/// let rules: Vec<Rule> = ["CREATE hello", "DISALLOW *"].map(|rule| rule.parse().unwrap()).into();
/// let item = ItemArtifacts { materials: &materials, products: &products };
///
/// let mut work = RuleWork::new(&Limits::default());
/// let trace = apply(&rules, item, ArtifactList::Products, &|_| None, &mut work).unwrap();
/// assert_eq!(trace.consumed_by(0), [0]);
/// assert_eq!(trace.failure().unwrap().rule(), 1);
/// ```
pub fn apply<'a>(
    rules: &[Rule],
    item: ItemArtifacts<'a>,
    list: ArtifactList,
    steps: StepLookup<'_, 'a>,
    work: &mut RuleWork,
) -> Result<RuleTrace, OutOfWork> {
    let mut queue = Queue::new(item, list, steps, work);
    let mut consumed = Vec::with_capacity(rules.len());
    let mut failure = None;
    for (index, rule) in rules.iter().enumerate() {
        match queue.apply(rule)? {
            Effect::Consumed(artifacts) => {
                for artifact in &artifacts {
                    queue.left.remove(*artifact);
                }
                consumed.push(artifacts);
            }
            Effect::Disallowed(artifacts) => failure = Some(RuleFailure::Disallowed { rule: index, artifacts }),
            Effect::Missing => {
                let present = match rule {
                    Rule::Require { artifact } => queue.artifacts.position(artifact),
                    _ => None,
                };
                let consumed_by = present.and_then(|artifact| consumer(&consumed, artifact));
                failure = Some(RuleFailure::Missing {
                    rule: index,
                    consumed_by,
                });
            }
        }
        if failure.is_some() {
            break;
        }
    }
    let leftover = queue.left.iter(0..queue.artifacts.len()).collect();
    Ok(RuleTrace::new(consumed, failure, leftover))
}

/// The rule that consumed an artifact; positions ascend within each rule.
pub(super) fn consumer(consumed: &[Vec<usize>], artifact: usize) -> Option<usize> {
    consumed
        .iter()
        .position(|artifacts| artifacts.binary_search(&artifact).is_ok())
}

/// A prefix of a `MATCH` rule as it is put before names: with one slash at its end; nothing when the rule has none.
///
/// This is what the reference implementation makes of it: a prefix that is not a clean path matches no clean name.
pub(crate) fn joined(prefix: Option<&str>) -> Cow<'_, str> {
    match prefix {
        None | Some("") => Cow::Borrowed(""),
        Some(prefix) => {
            let mut joined = String::with_capacity(prefix.len() + 1);
            joined.push_str(prefix);
            if !prefix.ends_with('/') {
                joined.push('/');
            }
            Cow::Owned(joined.replace('\\', "/"))
        }
    }
}

/// Whether, and how, an artifact stands in the item's other list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is in this list only.
    Alone,
    /// It is in both, with equal digests.
    Same,
    /// It is in both, with different digests.
    Changed,
}

enum Effect {
    Consumed(Vec<usize>),
    Disallowed(Vec<usize>),
    Missing,
}

struct Queue<'q, 'a> {
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
    fn new(item: ItemArtifacts<'a>, list: ArtifactList, steps: StepLookup<'q, 'a>, work: &'q mut RuleWork) -> Self {
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
        }
    }

    fn apply(&mut self, rule: &Rule) -> Result<Effect, OutOfWork> {
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
                    source_prefix: joined(source_prefix.as_deref()).into_owned(),
                    on: *on,
                    destination_prefix: joined(destination_prefix.as_deref()).into_owned(),
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
        let decided = pattern.matches_every_name_with_its_prefix() || pattern.as_literal().is_some();
        for index in self.left.iter_both(among.unwrap_or(&self.left), range) {
            let Some(name) = name(self.artifacts, index).and_then(|name| name.get(prefix.len()..)) else {
                continue;
            };
            self.work.spend(if decided { 1 } else { pattern.work(name) })?;
            if decided || pattern.matches(name) {
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
            self.work.spend(1)?;
            let Some((path, digests)) = self.artifacts.at(index) else {
                continue;
            };
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
                if *found == digests {
                    Presence::Same
                } else {
                    Presence::Changed
                }
            }
            _ => Presence::Alone,
        }
    });
    presence.collect()
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::string::ToString;

    use super::*;
    use crate::digest::DigestSet;
    use crate::limits::Limits;
    use crate::rules::{NotConsumed, explain};

    /// Artifacts from `name=digest`, the digest being one digit.
    fn artifacts(texts: &[&str]) -> Artifacts {
        let entry = |text: &&str| {
            let (name, digest) = text.split_once('=').expect("name=digest");
            (
                name.parse().expect("a path"),
                DigestSet::from_sha256([digest.parse().expect("a digit"); 32]),
            )
        };
        texts.iter().map(entry).collect()
    }

    struct Chain {
        materials: Artifacts,
        products: Artifacts,
        steps: BTreeMap<StepName, (Artifacts, Artifacts)>,
    }

    impl Chain {
        fn new(materials: &[&str], products: &[&str]) -> Self {
            Self {
                materials: artifacts(materials),
                products: artifacts(products),
                steps: BTreeMap::new(),
            }
        }

        fn with_step(mut self, name: &str, materials: &[&str], products: &[&str]) -> Self {
            self.steps.insert(
                name.parse().expect("a name"),
                (artifacts(materials), artifacts(products)),
            );
            self
        }

        fn item(&self) -> ItemArtifacts<'_> {
            ItemArtifacts {
                materials: &self.materials,
                products: &self.products,
            }
        }

        fn step(&self, name: &StepName) -> Option<ItemArtifacts<'_>> {
            self.steps
                .get(name)
                .map(|(materials, products)| ItemArtifacts { materials, products })
        }

        fn apply(&self, list: ArtifactList, rules: &[&str]) -> RuleTrace {
            let rules: Vec<Rule> = rules.iter().map(|rule| rule.parse().expect("a rule")).collect();
            let mut work = RuleWork::new(&Limits::default());
            apply(&rules, self.item(), list, &|name| self.step(name), &mut work).expect("within the limits")
        }

        /// What each rule consumed, then the failure, then what is left, in one text.
        fn shown(&self, list: ArtifactList, rules: &[&str]) -> String {
            let trace = self.apply(list, rules);
            let names = |indices: &[usize]| {
                let names: Vec<&str> = indices
                    .iter()
                    .filter_map(|index| name(self.item().list(list), *index))
                    .collect();
                names.join(",")
            };
            let mut shown: Vec<String> = (0..trace.applied())
                .map(|rule| names(trace.consumed_by(rule)))
                .collect();
            match trace.failure() {
                Some(RuleFailure::Disallowed { rule, artifacts }) => {
                    shown.push(format!("{rule} disallows {}", names(artifacts)))
                }
                Some(RuleFailure::Missing { rule, consumed_by }) => {
                    shown.push(format!("{rule} misses, {consumed_by:?}"))
                }
                None => shown.push(format!("left {}", names(trace.leftover()))),
            }
            shown.join("; ")
        }
    }

    #[test]
    fn each_rule_consumes_what_it_says() {
        let chain = Chain::new(
            &["changed=1", "deleted=1", "same=1"],
            &["changed=2", "created=1", "same=1"],
        );
        let (materials, products) = (ArtifactList::Materials, ArtifactList::Products);
        let cases: [(ArtifactList, &[&str], &str); 14] = [
            (products, &["CREATE *"], "created; left changed,same"),
            (products, &["MODIFY *"], "changed; left created,same"),
            (products, &["DELETE *"], "; left changed,created,same"),
            (materials, &["DELETE *"], "deleted; left changed,same"),
            (materials, &["MODIFY *"], "changed; left deleted,same"),
            (materials, &["CREATE *"], "; left changed,deleted,same"),
            (
                products,
                &["ALLOW c*", "DISALLOW *"],
                "changed,created; 1 disallows same",
            ),
            (products, &["DISALLOW c*"], "0 disallows changed,created"),
            (products, &["DISALLOW d*", "ALLOW *"], "; changed,created,same; left "),
            (products, &["REQUIRE same", "ALLOW *"], "; changed,created,same; left "),
            (products, &["REQUIRE s*"], "0 misses, None"),
            (
                products,
                &["ALLOW created", "ALLOW same", "REQUIRE same"],
                "created; same; 2 misses, Some(1)",
            ),
            (products, &[], "left changed,created,same"),
            (
                products,
                &["ALLOW *", "DISALLOW *", "CREATE *"],
                "changed,created,same; ; ; left ",
            ),
        ];
        for (list, rules, expected) in cases {
            assert_eq!(expected, chain.shown(list, rules), "{list} {rules:?}");
        }
    }

    #[test]
    fn match_compares_with_the_other_step() {
        let chain = Chain::new(&["a/x=1", "a/y=2", "b/x=1", "x=1", "z=3"], &[]).with_step(
            "s",
            &["x=1"],
            &["x=1", "y=1", "d/x=1", "a/x=1", "b/x=2"],
        );
        let cases = [
            ("MATCH * WITH PRODUCTS FROM s", "a/x,x; left a/y,b/x,z"),
            ("MATCH * WITH MATERIALS FROM s", "x; left a/x,a/y,b/x,z"),
            ("MATCH * WITH PRODUCTS FROM t", "; left a/x,a/y,b/x,x,z"),
            ("MATCH * IN a WITH PRODUCTS FROM s", "a/x; left a/y,b/x,x,z"),
            ("MATCH * IN a/ WITH PRODUCTS FROM s", "a/x; left a/y,b/x,x,z"),
            ("MATCH x IN b WITH PRODUCTS IN d FROM s", "b/x; left a/x,a/y,x,z"),
            ("MATCH x WITH PRODUCTS IN d FROM s", "x; left a/x,a/y,b/x,z"),
            ("MATCH b/x IN b WITH PRODUCTS FROM s", "; left a/x,a/y,b/x,x,z"),
            // A prefix is text, not a pattern, and never reaches outside itself.
            ("MATCH * IN [ab] WITH PRODUCTS FROM s", "; left a/x,a/y,b/x,x,z"),
            ("MATCH * IN b/../a WITH PRODUCTS FROM s", "; left a/x,a/y,b/x,x,z"),
            ("MATCH * IN ./a WITH PRODUCTS FROM s", "; left a/x,a/y,b/x,x,z"),
            ("MATCH /x IN a WITH PRODUCTS FROM s", "; left a/x,a/y,b/x,x,z"),
        ];
        for (rule, expected) in cases {
            assert_eq!(expected, chain.shown(ArtifactList::Materials, &[rule]), "{rule}");
        }
    }

    #[test]
    fn digests_are_compared_as_whole_sets() {
        let both = DigestSet::from_sha256([1; 32])
            .with("sha512", &"ab".repeat(64))
            .expect("a digest");
        let chain = Chain {
            materials: [("x".parse().expect("a path"), both)].into_iter().collect(),
            ..Chain::new(&[], &["x=1"]).with_step("s", &["x=1"], &[])
        };
        let shown = chain.shown(ArtifactList::Materials, &["MATCH * WITH MATERIALS FROM s", "MODIFY *"]);
        assert_eq!("; x; left ", shown);
    }

    #[test]
    fn explains_what_was_not_consumed() {
        let chain = Chain::new(&["a/x=1", "a/y=2", "same=1"], &["same=1"]).with_step("s", &["x=2"], &["d/y=2"]);
        let cases = [
            ("a/x", "MATCH * IN a WITH MATERIALS FROM s", "DigestsDiffer"),
            (
                "a/x",
                "MATCH * IN a WITH PRODUCTS IN d FROM s",
                "NoCounterpart { name: \"d/x\" }",
            ),
            ("a/y", "MATCH * IN a WITH PRODUCTS IN d FROM s", "consumed"),
            ("a/y", "MATCH x IN a WITH PRODUCTS IN d FROM s", "PatternDiffers"),
            ("same", "MATCH * IN a WITH PRODUCTS FROM s", "OutsidePrefix"),
            ("same", "MATCH * WITH PRODUCTS FROM t", "NoSuchStep"),
            ("same", "ALLOW a/*", "PatternDiffers"),
            ("same", "CREATE *", "NeverConsumes"),
            ("same", "DELETE *", "StillThere"),
            ("same", "MODIFY *", "Unchanged"),
            ("a/x", "MODIFY *", "InOneListOnly"),
            ("a/x", "DISALLOW *", "NeverConsumes"),
        ];
        for (artifact, rule, expected) in cases {
            let index = chain.materials.position(artifact).expect("an artifact");
            let rule: Rule = rule.parse().expect("a rule");
            let list = ArtifactList::Materials;
            let found = match explain(&rule, chain.item(), list, index, &|name| chain.step(name)) {
                None => "consumed".to_string(),
                Some(NotConsumed::DigestsDiffer { here, there, .. }) => {
                    assert_ne!(here, there);
                    "DigestsDiffer".to_string()
                }
                Some(other) => format!("{other:?}"),
            };
            assert_eq!(expected, found, "{rule} for {artifact}");
        }
    }

    #[test]
    fn work_is_bounded() {
        let chain = Chain::new(&["a=1", "b=1", "c=1"], &[]);
        let rules: Vec<Rule> = ["ALLOW *x", "ALLOW *y"]
            .iter()
            .map(|rule| rule.parse().expect("a rule"))
            .collect();
        for (rule_work, enough) in [(5, false), (6, true)] {
            let mut work = RuleWork::new(&Limits {
                rule_work,
                ..Limits::default()
            });
            let trace = apply(&rules, chain.item(), ArtifactList::Materials, &|_| None, &mut work);
            assert_eq!(enough, trace.is_ok());
        }
    }

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
    }
}
