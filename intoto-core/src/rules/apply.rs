//! The queue: applies a list of rules to the artifacts of one step or inspection (specification 4.3.3, 5.2).
//!
//! All artifacts of the list are queued in the beginning. Each rule in turn consumes artifacts, or fails, or does nothing; what is
//! left at the end is allowed, which is why lists end with `DISALLOW *`. The outcome is complete on a pass as well: which rule
//! consumed which artifact.

use alloc::vec::Vec;

use super::queue::{Effect, Queue};
use super::trace::{RuleFailure, RuleTrace};
use super::work::{OutOfWork, RuleWork};
use crate::artifacts::{ArtifactList, ItemArtifacts};
use crate::layout::Rule;
use crate::name::StepName;

/// Finds what another step recorded, for `MATCH`; `None` when there is no such step.
pub type StepLookup<'l, 'a> = &'l dyn Fn(&StepName) -> Option<ItemArtifacts<'a>>;

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
                queue.remove(&artifacts);
                consumed.push(artifacts);
            }
            Effect::Disallowed(artifacts) => failure = Some(RuleFailure::Disallowed { rule: index, artifacts }),
            Effect::Missing => {
                let present = match rule {
                    Rule::Require { artifact } => item.list(list).position(artifact),
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
    Ok(RuleTrace::new(consumed, failure, queue.left()))
}

/// The rule that consumed an artifact; positions ascend within each rule.
pub(super) fn consumer(consumed: &[Vec<usize>], artifact: usize) -> Option<usize> {
    consumed
        .iter()
        .position(|artifacts| artifacts.binary_search(&artifact).is_ok())
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::string::ToString;

    use super::*;
    use crate::artifacts::Artifacts;
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
                    .filter_map(|index| Some(self.item().list(list).at(*index)?.0.as_str()))
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
        // One digest more makes no match, and no modification either.
        let shown = chain.shown(ArtifactList::Materials, &["MATCH * WITH MATERIALS FROM s", "MODIFY *"]);
        assert_eq!("; ; left x", shown);
    }

    #[test]
    fn explains_what_was_not_consumed() {
        let chain = Chain::new(&["a/x=1", "a/y=2", "other=1", "same=1"], &["other=2", "same=1"]).with_step(
            "s",
            &["x=2"],
            &["d/y=2"],
        );
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
            ("other", "MODIFY *", "consumed"),
            ("other", "DELETE *", "StillThere"),
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

    /// Exactly so much: less would be a way around the limit, more a limit that real chains meet.
    #[test]
    fn work_is_bounded() {
        let long = |letter: &str| format!("{}=1", letter.repeat(1_600));
        let [long, other] = [long("a"), long("b")];
        let short = ["a=1", "b=1", "c=1"];
        let cases: [(&[&str], &[&str], u64); 11] = [
            (&short, &["ALLOW *x", "ALLOW *y"], 6),
            (&short, &["ALLOW *"], 3),
            (&short, &["ALLOW *", "ALLOW *"], 3),
            (&short, &["ALLOW b", "ALLOW d"], 1),
            (&short, &["ALLOW b*"], 1),
            // The letters of a name say that it cannot match; where they do not, it is searched.
            (&[&long, &other], &["ALLOW *ab*"], 2),
            (&[&long, &other], &["ALLOW *aa*"], 1 + 1_600 / 16 + 1),
            // Looking for counterparts is paid for by the length of the names, once for rules that look for the same.
            (&short, &["MATCH * WITH PRODUCTS FROM s"], 3 + 1),
            (&[&long], &["MATCH * WITH PRODUCTS FROM s"], 1 + 1_600 / 256),
            (
                &short,
                &["MATCH a* WITH PRODUCTS FROM s", "MATCH b* WITH PRODUCTS FROM s"],
                3 + 1,
            ),
            (
                &short,
                &["MATCH a* WITH PRODUCTS FROM s", "MATCH b* WITH MATERIALS FROM s"],
                3 + 1 + 1,
            ),
        ];
        for (materials, rules, expected) in cases {
            let chain = Chain::new(materials, &[]).with_step("s", &[], &["a=1", "d=1"]);
            let rules: Vec<Rule> = rules.iter().map(|rule| rule.parse().expect("a rule")).collect();
            for (rule_work, enough) in [(expected - 1, false), (expected, true)] {
                let mut work = RuleWork::new(&Limits {
                    rule_work,
                    ..Limits::default()
                });
                let trace = apply(
                    &rules,
                    chain.item(),
                    ArtifactList::Materials,
                    &|name| chain.step(name),
                    &mut work,
                );
                let refused = trace.err().map(OutOfWork::limit);
                assert_eq!(refused, (!enough).then_some(rule_work), "{rules:?}");
            }
        }
    }
}
