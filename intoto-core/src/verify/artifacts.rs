//! The rules of steps and inspections, applied to the evidence, with a trace of each.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::encoding::value::excerpt_of;
use crate::layout::{ArtifactList, Rule};
use crate::name::StepName;
use crate::path::ArtifactPath;
use crate::rules::{ItemArtifacts, NotConsumed, RuleFailure, RuleWork, StepLookup, apply, explain};
use crate::verdict::{Finding, FindingCode, ListReport, Location};

use super::layer::{Evidence, Layer};

/// What the rules of one item say: both reports, and what was found.
pub(super) struct Judged {
    pub(super) materials: ListReport,
    pub(super) products: ListReport,
    pub(super) findings: Vec<Finding>,
}

impl Judged {
    /// Whether every rule of both lists was applied and holds.
    pub(super) fn holds(&self) -> bool {
        self.materials.holds() && self.products.holds() && self.findings.is_empty()
    }
}

/// The artifacts that `MATCH` rules of a layout can look up, by the name of the step or inspection.
pub(super) type Sources<'a> = BTreeMap<&'a StepName, ItemArtifacts<'a>>;

/// Everything that the steps of a layer recorded; `None` while a step has no evidence, because no rule may be judged without it.
pub(super) fn sources(layer: &Layer) -> Option<Sources<'_>> {
    let steps = layer.trusted.layout().steps().iter().zip(&layer.steps);
    steps
        .map(|(step, state)| state.evidence().map(|evidence| (&step.name, evidence.artifacts())))
        .collect()
}

/// Applies the material rules, then the product rules.
pub(super) fn judge(
    evidence: &Evidence,
    expected_materials: &[Rule],
    expected_products: &[Rule],
    sources: &Sources<'_>,
    at: &Location,
    work: &mut RuleWork,
) -> Judged {
    let mut findings = Vec::new();
    let mut list = |list, rules: &[Rule]| judge_list(evidence, list, rules, sources, at, work, &mut findings);
    let materials = list(ArtifactList::Materials, expected_materials);
    let products = list(ArtifactList::Products, expected_products);
    Judged {
        materials,
        products,
        findings,
    }
}

fn judge_list(
    evidence: &Evidence,
    list: ArtifactList,
    rules: &[Rule],
    sources: &Sources<'_>,
    at: &Location,
    work: &mut RuleWork,
    findings: &mut Vec<Finding>,
) -> ListReport {
    let lookup = |name: &StepName| sources.get(name).copied();
    let item = evidence.artifacts();
    let trace = match apply(rules, item, list, &lookup, work) {
        Ok(trace) => trace,
        Err(error) => {
            let location = Location {
                list: Some(list),
                ..at.clone()
            };
            findings.push(Finding::undecided(FindingCode::LimitExceeded, error.to_string()).at(location));
            return ListReport::not_applied(list, rules);
        }
    };
    if let Some(failure) = trace.failure() {
        let location = Location {
            list: Some(list),
            rule: Some(failure.rule()),
            ..at.clone()
        };
        let explainer = Explainer {
            rules,
            item,
            list,
            lookup: &lookup,
        };
        explainer.explain(failure, &location, work, findings);
    }
    let link = match list {
        ArtifactList::Materials => evidence.first.clone(),
        ArtifactList::Products => evidence.last.clone(),
    };
    ListReport::applied(list, rules, link, trace)
}

/// So many disallowed artifacts get a finding of their own; the trace has all of them.
const EXPLAINED: usize = 20;

/// So many earlier rules are explained for each: a layout may have thousands.
const REASONS: usize = 5;

/// So much of a rule is shown, and of digests that differ: a functionary may write megabytes of either.
const SHOWN: usize = 400;

/// A list of rules of which one failed.
struct Explainer<'r, 'a> {
    rules: &'r [Rule],
    item: ItemArtifacts<'a>,
    list: ArtifactList,
    lookup: StepLookup<'r, 'a>,
}

impl Explainer<'_, '_> {
    fn explain(&self, failure: &RuleFailure, at: &Location, work: &mut RuleWork, findings: &mut Vec<Finding>) {
        let Some(rule) = self.rules.get(failure.rule()) else {
            return;
        };
        let text = shown(rule);
        match failure {
            RuleFailure::Disallowed { artifacts, .. } => {
                for artifact in artifacts.iter().take(EXPLAINED) {
                    let Some((path, _)) = self.item.list(self.list).at(*artifact) else {
                        continue;
                    };
                    let mut message = format!("`{path}` is refused by `{text}`");
                    for reason in self.reasons(failure.rule(), *artifact, path, work) {
                        message.push_str("; ");
                        message.push_str(&reason);
                    }
                    let location = Location {
                        artifact: Some(path.to_string()),
                        ..at.clone()
                    };
                    findings.push(Finding::refusal(FindingCode::RuleFailed, message).at(location));
                }
                if let Some(more) = artifacts.len().checked_sub(EXPLAINED).filter(|more| *more > 0) {
                    let message = format!("`{text}` refuses {more} more artifacts");
                    findings.push(Finding::refusal(FindingCode::RuleFailed, message).at(at.clone()));
                }
            }
            RuleFailure::Missing { consumed_by, .. } => {
                let earlier =
                    consumed_by.and_then(|index| self.rules.get(index).map(|earlier| (index, shown(earlier))));
                let message = match earlier {
                    Some((index, earlier)) => {
                        format!("`{text}` comes after rule {index}, `{earlier}`, which consumes it")
                    }
                    None => format!("`{text}`, and no such artifact was recorded"),
                };
                let Rule::Require { artifact } = rule else { return };
                let location = Location {
                    artifact: Some(artifact.clone()),
                    ..at.clone()
                };
                findings.push(Finding::refusal(FindingCode::RuleFailed, message).at(location));
            }
        }
    }

    /// Why the rules before one that look as if they were meant for the artifact did not take it, as long as there is work left to spend on
    /// that: the queue may have passed over most of them without comparing anything.
    fn reasons(&self, before: usize, artifact: usize, path: &ArtifactPath, work: &mut RuleWork) -> Vec<String> {
        let mut reasons = Vec::new();
        for rule in self.rules.get(..before).unwrap_or_default() {
            if reasons.len() == REASONS || work.spend_on(rule, path.as_str()).is_err() {
                break;
            }
            reasons.extend(self.reason(rule, artifact));
        }
        reasons
    }

    fn reason(&self, rule: &Rule, artifact: usize) -> Option<String> {
        let why = match explain(rule, self.item, self.list, artifact, self.lookup)? {
            NotConsumed::NoSuchStep => "there is no such step".to_string(),
            NotConsumed::NoCounterpart { name } => format!("`{}` is not there", excerpt_of(&name, SHOWN)),
            NotConsumed::DigestsDiffer { name, here, there } => {
                let [here, there] = [here, there].map(|digests| excerpt_of(&digests.to_string(), SHOWN));
                format!("`{name}` is there with {there}, here it has {here}")
            }
            NotConsumed::ExistedBefore => "it was there before".to_string(),
            NotConsumed::StillThere => "it is still there".to_string(),
            NotConsumed::InOneListOnly => "it is in one of materials and products only".to_string(),
            NotConsumed::Unchanged => "it was not changed".to_string(),
            _ => return None,
        };
        Some(format!("`{}` does not take it: {why}", shown(rule)))
    }
}

fn shown(rule: &Rule) -> String {
    excerpt_of(&rule.to_string(), SHOWN)
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use super::*;
    use crate::artifacts::Artifacts;
    use crate::digest::DigestSet;
    use crate::limits::Limits;
    use crate::link::Link;

    /// What does not hold is a finding as well: either is enough.
    #[test]
    fn both_lists_must_hold() {
        let artifacts = |name: &str| -> Artifacts {
            let digest = DigestSet::from_sha256([1; 32]);
            [(name.parse().expect("a path"), digest)].into_iter().collect()
        };
        let link = Arc::new(Link {
            materials: artifacts("a"),
            products: artifacts("b"),
            ..Link::summary("s".parse().expect("a name"), [])
        });
        let evidence = Evidence {
            first: link.clone(),
            last: link,
        };
        let judged = |materials: &str, products: &str| {
            let rules = |rule: &str| [rule.parse().expect("a rule")];
            let mut work = RuleWork::new(&Limits::default());
            let at = Location::default();
            let sources = Sources::new();
            judge(&evidence, &rules(materials), &rules(products), &sources, &at, &mut work)
        };
        let good = judged("ALLOW *", "DISALLOW a");
        assert!(good.holds());
        for (materials, products) in [
            ("DISALLOW a", "ALLOW *"),
            ("ALLOW *", "DISALLOW b"),
            ("DISALLOW a", "DISALLOW b"),
        ] {
            let mut bad = judged(materials, products);
            let finding = bad.findings.remove(0);
            bad.findings.clear();
            assert!(!bad.holds(), "{materials}, {products}");
            let mut told = judged("ALLOW *", "ALLOW *");
            told.findings.push(finding);
            assert!(!told.holds());
        }
    }

    #[test]
    fn each_reason_is_told() {
        let artifacts = |all: &[(&str, u8)]| -> Artifacts {
            let entry =
                |(name, digest): &(&str, u8)| (name.parse().expect("a path"), DigestSet::from_sha256([*digest; 32]));
            all.iter().map(entry).collect()
        };
        let (materials, products) = (artifacts(&[("a", 1), ("b", 1)]), artifacts(&[("b", 1), ("c", 1)]));
        let there = artifacts(&[("d/b", 2)]);
        let item = ItemArtifacts {
            materials: &materials,
            products: &products,
        };
        let other = ItemArtifacts {
            materials: &there,
            products: &there,
        };
        let cases = [
            (ArtifactList::Products, "b", "CREATE *", Some("it was there before")),
            (ArtifactList::Products, "b", "MODIFY *", Some("it was not changed")),
            (
                ArtifactList::Products,
                "c",
                "MODIFY *",
                Some("it is in one of materials and products only"),
            ),
            (ArtifactList::Materials, "b", "DELETE *", Some("it is still there")),
            (
                ArtifactList::Materials,
                "b",
                "MATCH * WITH PRODUCTS FROM nobody",
                Some("there is no such step"),
            ),
            (
                ArtifactList::Materials,
                "a",
                "MATCH * WITH PRODUCTS IN d FROM s",
                Some("`d/a` is not there"),
            ),
            (
                ArtifactList::Materials,
                "b",
                "MATCH * WITH PRODUCTS IN d FROM s",
                Some("`d/b` is there with sha256:0202"),
            ),
            // What was never meant for it is passed over.
            (ArtifactList::Materials, "b", "ALLOW x", None),
            (ArtifactList::Materials, "b", "REQUIRE x", None),
            (ArtifactList::Materials, "b", "MATCH * IN x WITH PRODUCTS FROM s", None),
        ];
        for (list, artifact, rule, expected) in cases {
            let explainer = Explainer {
                rules: &[],
                item,
                list,
                lookup: &|name| (name.as_str() == "s").then_some(other),
            };
            let artifact = item.list(list).position(artifact).expect("an artifact");
            let found = explainer.reason(&rule.parse().expect("a rule"), artifact);
            let expected = expected.map(|why| alloc::format!("`{rule}` does not take it: {why}"));
            match expected {
                Some(expected) => assert!(
                    found.as_ref().is_some_and(|found| found.starts_with(&expected)),
                    "{found:?}"
                ),
                None => assert_eq!(found, None),
            }
        }
    }

    #[test]
    fn twenty_artifacts_are_explained_and_the_others_counted() {
        for (count, last) in [
            (1, "`00`"),
            (20, "`19`"),
            (21, "refuses 1 more"),
            (25, "refuses 5 more"),
        ] {
            let named = |number: usize| alloc::format!("{number:02}").parse().expect("a path");
            let materials: Artifacts = (0..count)
                .map(|number| (named(number), DigestSet::from_sha256([1; 32])))
                .collect();
            let link = Arc::new(Link {
                materials,
                ..Link::summary("s".parse().expect("a name"), [])
            });
            let evidence = Evidence {
                first: link.clone(),
                last: link,
            };
            let rules = ["DISALLOW *".parse().expect("a rule")];
            let mut work = RuleWork::new(&Limits::default());
            let judged = judge(&evidence, &rules, &[], &Sources::new(), &Location::default(), &mut work);
            assert_eq!(judged.findings.len(), count.min(21));
            let found = judged.findings.last().expect("a finding");
            assert!(found.message.contains(last), "{}", found.message);
        }
    }

    /// The queue passes over a name by its letters alone; saying why takes a comparison, which is paid for too.
    #[test]
    fn explanations_are_paid_for() {
        let name = alloc::format!("b{}", "a".repeat(1600));
        let materials = [(name.parse().expect("a path"), DigestSet::from_sha256([1; 32]))];
        let materials: Artifacts = materials.into_iter().collect();
        let products = Artifacts::new();
        let item = ItemArtifacts {
            materials: &materials,
            products: &products,
        };
        let costly: Rule = "ALLOW *?????????c*".parse().expect("a rule");
        let mut rules = alloc::vec![costly; 10];
        rules.push("MATCH * WITH PRODUCTS FROM nobody".parse().expect("a rule"));
        rules.push("DISALLOW *".parse().expect("a rule"));
        let explainer = Explainer {
            rules: &rules,
            item,
            list: ArtifactList::Materials,
            lookup: &|_| None,
        };
        for (rule_work, explained) in [(100, false), (10_011, false), (10_100, true)] {
            let mut work = RuleWork::new(&Limits {
                rule_work,
                ..Limits::default()
            });
            let trace = apply(&rules, item, ArtifactList::Materials, &|_| None, &mut work).expect("within the limit");
            let mut findings = Vec::new();
            let failure = trace.failure().expect("it is disallowed");
            explainer.explain(failure, &Location::default(), &mut work, &mut findings);
            let [finding] = &findings[..] else {
                panic!("{findings:?}")
            };
            assert_eq!(
                finding.message.contains("there is no such step"),
                explained,
                "{rule_work}"
            );
            assert!(finding.message.contains("is refused by `DISALLOW *`"));
        }
    }
}
