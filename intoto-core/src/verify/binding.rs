//! Whether the artifacts in hand came out of the chain.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::digest::{Algorithm, DigestSet};
use crate::layout::{ArtifactList, Rule};
use crate::name::StepName;
use crate::path::ArtifactPath;
use crate::verdict::{Binding, Fate, Finding, FindingCode, ListReport, Location, SubjectReport};

use super::layer::Layer;
use super::policy::Subject;

/// Judges every artifact: if `MATCH` rules of inspections consumed it, they bind it; otherwise it must be a product of the
/// layout's last step.
pub(super) fn judge(layer: &Layer, subjects: &[Subject]) -> (Vec<SubjectReport>, Vec<Finding>) {
    let mut findings = Vec::new();
    let reports = subjects.iter().map(|subject| {
        let mut report = SubjectReport::unbound(subject.name.clone(), subject.digests.clone());
        report.bindings = by_inspections(layer, subject);
        if report.bindings.is_empty() {
            report.bindings = by_last_step(layer, subject);
        }
        if report.bindings.is_empty() {
            findings.push(unbound(layer, subject));
        }
        report
    });
    let reports = reports.collect();
    (reports, findings)
}

fn by_inspections(layer: &Layer, subject: &Subject) -> Vec<Binding> {
    let mut bindings = Vec::new();
    for (inspection, state) in layer.trusted.layout().inspections().iter().zip(&layer.inspections) {
        for (list, report) in [
            (ArtifactList::Materials, &state.materials),
            (ArtifactList::Products, &state.products),
        ] {
            let Some(report) = report.as_ref().filter(|report| report.holds()) else {
                continue;
            };
            let Some(Fate::Consumed(rule)) = fate(report, subject) else {
                continue;
            };
            let Some(found @ Rule::Match { from, .. }) = inspection.rules(list).get(rule) else {
                continue;
            };
            // An inspection that is compared with an inspection says nothing about the steps.
            if layer.trusted.layout().step(from).is_none() {
                continue;
            }
            bindings.push(Binding::InspectionRule {
                inspection: inspection.name.clone(),
                list,
                rule,
                text: found.to_string(),
                step: from.clone(),
            });
        }
    }
    bindings
}

/// What became of the artifact where the inspection saw it, if what it saw is the artifact in hand.
fn fate(report: &ListReport, subject: &Subject) -> Option<Fate> {
    let seen = report.artifact(&subject.name)?;
    same(seen.digests, &subject.digests).then_some(seen.fate)
}

fn by_last_step(layer: &Layer, subject: &Subject) -> Vec<Binding> {
    let products = last_products(layer, &subject.name).filter(|(_, _, digests)| same(digests, &subject.digests));
    products
        .map(|(step, path, _)| Binding::LastProduct {
            step: step.clone(),
            path: path.clone(),
        })
        .collect()
}

/// The products of the last step with that base name.
fn last_products<'a>(
    layer: &'a Layer,
    name: &'a str,
) -> impl Iterator<Item = (&'a StepName, &'a ArtifactPath, &'a DigestSet)> {
    let last = layer.trusted.layout().steps().last().zip(layer.steps.last());
    let products =
        last.and_then(|(step, state)| state.evidence().map(|evidence| (step, evidence.artifacts().products)));
    products.into_iter().flat_map(move |(step, products)| {
        let named = products.iter().filter(move |(path, _)| path.base_name() == name);
        named.map(|(path, digests)| (&step.name, path, digests))
    })
}

/// Whether two digest sets speak of the same bytes: every algorithm that both know agrees, and there is one.
fn same(left: &DigestSet, right: &DigestSet) -> bool {
    let mut common = 0_usize;
    for (algorithm, digest) in left
        .iter()
        .filter(|(algorithm, _)| Algorithm::from_name(algorithm).is_some())
    {
        for (_, other) in right.iter().filter(|(other, _)| *other == algorithm) {
            if other != digest {
                return false;
            }
            common += 1;
        }
    }
    common > 0
}

fn unbound(layer: &Layer, subject: &Subject) -> Finding {
    let expected = last_products(layer, &subject.name).next();
    let message = match expected {
        Some((step, path, digests)) => format!(
            "`{}` has {}, and the product `{path}` of the last step, `{step}`, has {}",
            subject.name,
            text(&subject.digests),
            text(digests)
        ),
        None => match layer.trusted.layout().steps().last() {
            Some(step) => format!(
                "the last step, `{}`, has no product of the name `{}`",
                step.name, subject.name
            ),
            None => format!("the layout has no step that could have produced `{}`", subject.name),
        },
    };
    let location = Location {
        artifact: Some(subject.name.clone()),
        ..Location::default()
    };
    Finding::refusal(FindingCode::ArtifactUnbound, message)
        .at(location)
        .hint("check that this is the file that was packaged, or add an inspection with `MATCH … FROM` to the layout")
}

fn text(digests: &DigestSet) -> String {
    let digests: Vec<String> = digests
        .iter()
        .map(|(algorithm, digest)| format!("{algorithm} {digest}"))
        .collect();
    digests.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::strict_json;
    use crate::limits::Limits;

    #[test]
    fn digests_speak_of_the_same_bytes() {
        let (a, b) = ("aa".repeat(32), "bb".repeat(32));
        let long = "cc".repeat(64);
        let sha256 = |hex: &str| DigestSet::from_sha256([0; 32]).with("sha256", hex).expect("a digest");
        let both = |hex: &str, long: &str| sha256(hex).with("sha512", long).expect("a digest");
        assert!(same(&sha256(&a), &sha256(&a)));
        assert!(!same(&sha256(&a), &sha256(&b)));
        assert!(same(&sha256(&a), &both(&a, &long)));
        assert!(!same(&both(&a, &long), &both(&a, &"dd".repeat(64))));
        // With nothing in common nothing is said.
        let only = |text: &str| {
            let value = strict_json::parse(text.as_bytes(), &Limits::default()).expect("JSON");
            DigestSet::from_value(&value).expect("digests")
        };
        let sha512 = alloc::format!("{{\"sha512\":\"{long}\"}}");
        assert!(!same(&only(&sha512), &sha256(&a)));
        assert!(same(&only(&sha512), &both(&a, &long)));
        assert!(!same(&only("{\"gost\":\"01\"}"), &only("{\"gost\":\"01\"}")));
        // An algorithm that nobody here computes says nothing, even where it agrees.
        let foreign = |hex: &str, gost: &str| sha256(hex).with("gost", gost).expect("a digest");
        assert!(!same(&foreign(&a, "01"), &foreign(&b, "01")));
    }
}
