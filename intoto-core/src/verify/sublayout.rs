//! Layouts that stand for a step of another layout (specification 4.5, 5.2.10).

use alloc::format;
use alloc::sync::Arc;

use crate::layout::Parameters;
use crate::limits::Limits;
use crate::link::Link;
use crate::name::StepName;
use crate::verdict::{FindingCode, LinkState, Severity, Stages};

use super::freshness::TrustedLayout;
use super::layer::{Evidence, Layer, Place};
use super::problem::Problem;
use super::trust::AuthenticLayout;

/// Opens the sublayout that a functionary signed in place of a link, or says why not. It is a layout like any other, with that
/// functionary as its owner, except that parameters are none of its business.
pub(super) fn open(
    layers: &[Layer],
    parent: &Layer,
    layout: AuthenticLayout,
    limits: &Limits,
) -> Result<(TrustedLayout, Stages), Problem> {
    let mut depth = 0;
    let mut above = Some(parent);
    while let Some(layer) = above {
        depth += 1;
        if layer.trusted.authentic().signed_sha256 == layout.signed_sha256 {
            return Err(Problem::refusal(
                FindingCode::SublayoutCycle,
                "the sublayout contains itself",
            ));
        }
        above = layer.delegated_by.and_then(|place| layers.get(place.layer));
    }
    if depth > limits.sublayout_depth {
        let message = format!(
            "the sublayout is {depth} levels deep, at most {} are allowed",
            limits.sublayout_depth
        );
        return Err(Problem::undecided(FindingCode::SublayoutTooDeep, message));
    }
    TrustedLayout::establish(layout, parent.trusted.reference_time(), &Parameters::new())
}

/// What a verified sublayout says about the step that it stands for: the materials of its first step, the products of its last.
/// A layout without steps, with inspections only, says that there is nothing.
pub(super) fn summary(layer: &Layer, name: &StepName) -> Option<Evidence> {
    let (Some(first), Some(last)) = (layer.steps.first(), layer.steps.last()) else {
        let empty = Arc::new(Link::summary(name.clone(), []));
        return Some(Evidence {
            first: empty.clone(),
            last: empty,
        });
    };
    Some(Evidence {
        first: first.evidence()?.first.clone(),
        last: last.evidence()?.last.clone(),
    })
}

/// Puts a judged sublayout's summary, or its failure, in the place of the link that it stands for. The sublayout's own findings
/// weigh in the verdict whether the threshold needs it or not: its functionary is trusted with the step, like any whose link
/// disagrees.
pub(super) fn report_to(parent: &mut Layer, place: Place, layer: &Layer) {
    let Some(step) = parent.trusted.layout().steps().get(place.step) else {
        return;
    };
    let summary = if layer.failed() {
        None
    } else {
        summary(layer, &step.name)
    };
    let severity = layer
        .gravest()
        .filter(|_| layer.failed())
        .unwrap_or(Severity::Undecided);
    let Some(slot) = parent.slot_mut(place) else { return };
    match summary {
        Some(summary) => {
            slot.evidence = Some(summary);
            slot.report.state = LinkState::Admitted;
        }
        None => {
            let message = "the sublayout does not verify";
            slot.refuse(Problem {
                code: FindingCode::SublayoutRefused,
                severity,
                message: message.into(),
            });
        }
    }
}
