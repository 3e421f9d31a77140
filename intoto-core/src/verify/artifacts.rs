//! The rules of steps and inspections, applied to the evidence, with a trace of each.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::layout::{ArtifactList, Rule};
use crate::name::StepName;
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
        explain_failure(failure, item, list, rules, &lookup, &location, findings);
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

fn explain_failure<'a>(
    failure: &RuleFailure,
    item: ItemArtifacts<'a>,
    list: ArtifactList,
    rules: &[Rule],
    lookup: StepLookup<'_, 'a>,
    at: &Location,
    findings: &mut Vec<Finding>,
) {
    let Some(rule) = rules.get(failure.rule()) else { return };
    match failure {
        RuleFailure::Disallowed { artifacts, .. } => {
            for artifact in artifacts.iter().take(EXPLAINED) {
                let Some((path, _)) = item.list(list).at(*artifact) else {
                    continue;
                };
                let earlier = rules.get(..failure.rule()).unwrap_or_default();
                let mut message = format!("`{path}` is refused by `{rule}`");
                for reason in reasons(earlier, item, list, *artifact, lookup) {
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
                let message = format!("`{rule}` refuses {more} more artifacts");
                findings.push(Finding::refusal(FindingCode::RuleFailed, message).at(at.clone()));
            }
        }
        RuleFailure::Missing { consumed_by, .. } => {
            let message = match consumed_by.and_then(|index| rules.get(index).map(|earlier| (index, earlier))) {
                Some((index, earlier)) => format!("`{rule}` comes after rule {index}, `{earlier}`, which consumes it"),
                None => format!("`{rule}`, and no such artifact was recorded"),
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

/// Why the rules that look as if they were meant for the artifact did not take it.
fn reasons<'a>(
    rules: &[Rule],
    item: ItemArtifacts<'a>,
    list: ArtifactList,
    artifact: usize,
    lookup: StepLookup<'_, 'a>,
) -> Vec<String> {
    let reason = |rule: &Rule| {
        let why = match explain(rule, item, list, artifact, lookup)? {
            NotConsumed::NoSuchStep => "there is no such step".to_string(),
            NotConsumed::NoCounterpart { name } => format!("`{name}` is not there"),
            NotConsumed::DigestsDiffer { name, here, there } => {
                format!("`{name}` is there with {there}, here it has {here}")
            }
            NotConsumed::ExistedBefore => "it was there before".to_string(),
            NotConsumed::StillThere => "it is still there".to_string(),
            NotConsumed::InOneListOnly => "it is in one of materials and products only".to_string(),
            NotConsumed::Unchanged => "it was not changed".to_string(),
            _ => return None,
        };
        Some(format!("`{rule}` does not take it: {why}"))
    };
    rules.iter().filter_map(reason).take(REASONS).collect()
}
