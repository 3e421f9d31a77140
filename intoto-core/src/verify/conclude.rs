//! The end of a session: the rules of the inspections, the artifacts in hand, and the verdict.

use alloc::vec::Vec;

use crate::layout::{ArtifactList, Rule};
use crate::verdict::{
    Finding, FindingCode, InspectionReport, LayerReport, ListReport, Stages, StepReport, SubjectReport, Verdict,
};

use super::binding;
use super::inspections::{self, InspectionAnswer, InspectionRequest};
use super::layer::Layer;
use super::policy::Policy;
use super::session::State;

/// The verdict on a layout that is not trusted, or asks for more than is taken: nothing else was looked at.
pub(super) fn untrusted(policy: &Policy, findings: Vec<Finding>) -> Verdict {
    Verdict::conclude(policy.reference_time, Vec::new(), unbound(policy), findings)
}

/// The verdict when something about the steps does not hold: commands from a layout are not run then.
pub(super) fn without_inspections(state: State) -> Verdict {
    let subjects = unbound(&state.policy);
    finish(state, subjects, Vec::new())
}

/// The verdict when the steps hold and the inspections were carried out.
pub(super) fn with_inspections(
    mut state: State,
    answers: impl IntoIterator<Item = (InspectionRequest, Option<InspectionAnswer>)>,
) -> Verdict {
    for (request, answer) in answers {
        inspections::take(&mut state.layers, &request, answer);
    }
    for layer in &mut state.layers {
        inspections::judge(layer, &mut state.work);
    }
    let (subjects, findings) = match state.layers.first() {
        Some(layer) => binding::judge(layer, &state.policy.artifacts),
        None => (unbound(&state.policy), Vec::new()),
    };
    for number in 0..state.layers.len() {
        blame(&mut state.layers, number);
    }
    finish(state, subjects, findings)
}

/// A sublayout that failed only now fails the layout that it is part of.
fn blame(layers: &mut [Layer], number: usize) {
    let Some(layer) = layers.get(number) else { return };
    let (Some(place), Some(severity), true) = (layer.delegated_by, layer.gravest(), layer.failed()) else {
        return;
    };
    let Some(parent) = layers.get_mut(place.layer) else {
        return;
    };
    let step = parent
        .trusted
        .layout()
        .steps()
        .get(place.step)
        .map(|step| step.name.as_str())
        .unwrap_or_default();
    let location = parent.location(step);
    let finding = Finding::new(
        FindingCode::SublayoutRefused,
        severity,
        "an inspection of the sublayout does not hold",
    );
    parent.findings.push(finding.at(location));
}

fn unbound(policy: &Policy) -> Vec<SubjectReport> {
    let artifacts = policy.artifacts.iter();
    artifacts
        .map(|subject| SubjectReport::unbound(subject.name.clone(), subject.digests.clone()))
        .collect()
}

/// Sums up: the findings in the order of the layers.
fn finish(state: State, subjects: Vec<SubjectReport>, about_subjects: Vec<Finding>) -> Verdict {
    let State { policy, layers, .. } = state;
    let mut findings = Vec::new();
    let mut reports = Vec::with_capacity(layers.len());
    for mut layer in layers {
        findings.append(&mut layer.findings);
        reports.push(report(layer));
    }
    findings.extend(about_subjects);
    Verdict::conclude(policy.reference_time, reports, subjects, findings)
}

fn report(layer: Layer) -> (LayerReport, Stages) {
    let Layer {
        trusted,
        path,
        stages,
        steps,
        inspections,
        ..
    } = layer;
    let layout = trusted.layout();
    let list =
        |found: Option<ListReport>, list, rules: &[Rule]| found.unwrap_or_else(|| ListReport::not_applied(list, rules));
    let steps = layout.steps().iter().zip(steps).map(|(step, state)| StepReport {
        name: step.name.clone(),
        threshold: step.threshold.get(),
        distinct_keys: state.distinct_keys,
        represented_by: state
            .representative
            .and_then(|slot| state.slots.get(slot))
            .map(|slot| slot.report.key_id.clone()),
        expected_command: step.expected_command.clone(),
        command: state
            .evidence()
            .map(|evidence| evidence.last.command.clone())
            .unwrap_or_default(),
        links: state.slots.into_iter().map(|slot| slot.report).collect(),
        materials: list(state.materials, ArtifactList::Materials, &step.expected_materials),
        products: list(state.products, ArtifactList::Products, &step.expected_products),
    });
    let inspections = layout
        .inspections()
        .iter()
        .zip(inspections)
        .map(|(inspection, state)| InspectionReport {
            name: inspection.name.clone(),
            run: inspection.run.clone(),
            state: state.state.unwrap_or_else(inspections::not_reached),
            materials: list(state.materials, ArtifactList::Materials, &inspection.expected_materials),
            products: list(state.products, ArtifactList::Products, &inspection.expected_products),
        });
    let report = LayerReport {
        path: path.to_vec(),
        container: trusted.authentic().container,
        signed_sha256: trusted.authentic().signed_sha256,
        signed_by: trusted.authentic().signed_by.clone(),
        expires: layout.expires(),
        readme: layout.readme().into(),
        steps: steps.collect(),
        inspections: inspections.collect(),
    };
    (report, stages)
}
