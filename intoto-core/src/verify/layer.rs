//! One layout under verification, with what has been gathered for it.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::key::PublicKey;
use crate::link::Link;
use crate::name::KeyId;
use crate::rules::ItemArtifacts;
use crate::verdict::{
    Finding, FindingCode, InspectionState, LinkReport, LinkState, ListReport, Location, Severity, Stages,
};

use super::certificates::Bearer;
use super::evidence::Signatory;
use super::freshness::TrustedLayout;
use super::gather;
use super::problem::Problem;

/// One layout under verification: the owner-signed one, or a sublayout.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) trusted: TrustedLayout,
    /// The directories that lead to its links.
    pub(super) path: Arc<[String]>,
    /// The link of another layer that it stands for; `None` for the owner-signed layout.
    pub(super) delegated_by: Option<Place>,
    pub(super) stages: Stages,
    pub(super) findings: Vec<Finding>,
    /// In the layout's order.
    pub(super) steps: Vec<StepState>,
    /// In the layout's order.
    pub(super) inspections: Vec<Inspected>,
}

impl Layer {
    /// A layer without evidence.
    pub(super) fn new(
        (trusted, stages): (TrustedLayout, Stages),
        path: Arc<[String]>,
        delegated_by: Option<Place>,
    ) -> Self {
        let layout = trusted.layout();
        let steps = layout.steps().iter().map(|step| gather::places(layout, step)).collect();
        let inspections = layout.inspections().iter().map(|_| Inspected::default()).collect();
        Self {
            trusted,
            path,
            delegated_by,
            stages,
            findings: Vec::new(),
            steps,
            inspections,
        }
    }

    pub(super) fn slot_mut(&mut self, place: Place) -> Option<&mut Slot> {
        self.steps.get_mut(place.step)?.slots.get_mut(place.slot)
    }

    /// Notes, once, that there is more of something than this verification takes.
    pub(super) fn over_limit(&mut self, what: &str, limit: usize) {
        let message = format!("the verification needs more than {limit} {what}");
        let location = Location {
            layer: self.path.to_vec(),
            ..Location::default()
        };
        let finding = Finding::undecided(FindingCode::LimitExceeded, message).at(location);
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// The place of a finding about one step or inspection.
    pub(super) fn location(&self, item: &str) -> Location {
        Location {
            layer: self.path.to_vec(),
            item: Some(item.into()),
            ..Location::default()
        }
    }

    /// How much the gravest finding so far weighs.
    pub(super) fn gravest(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// Whether something was found that stands against it.
    pub(super) fn failed(&self) -> bool {
        self.gravest() >= Some(Severity::Undecided)
    }
}

/// Where a link stands: layer, step, and key of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) layer: usize,
    pub(super) step: usize,
    pub(super) slot: usize,
}

/// What has been gathered for one step.
#[derive(Debug, Default)]
pub(super) struct StepState {
    /// One for each key that the step names, in its order; then one for each file that was found besides, by its name.
    pub(super) slots: Vec<Slot>,
    pub(super) distinct_keys: usize,
    /// The slot whose evidence stands for the step, once the threshold is met.
    pub(super) representative: Option<usize>,
    pub(super) materials: Option<ListReport>,
    pub(super) products: Option<ListReport>,
}

impl StepState {
    pub(super) fn evidence(&self) -> Option<&Evidence> {
        self.representative
            .and_then(|slot| self.slots.get(slot))
            .and_then(|slot| slot.evidence.as_ref())
    }

    /// Every key's evidence, in the order of the keys.
    pub(super) fn admitted(&self) -> impl Iterator<Item = (&Slot, &Evidence)> {
        self.slots
            .iter()
            .filter_map(|slot| slot.evidence.as_ref().map(|evidence| (slot, evidence)))
    }
}

/// What one key of a step has contributed.
#[derive(Debug)]
pub(super) struct Slot {
    /// `None` if it is of a kind that is not supported.
    pub(super) signatory: Option<Signatory>,
    /// The ids under which it may have signed.
    pub(super) accepted: Arc<[KeyId]>,
    pub(super) report: LinkReport,
    pub(super) evidence: Option<Evidence>,
    /// Why there is no evidence although there is a file.
    pub(super) problem: Option<Problem>,
    /// Who stands behind it, where that is known from a certificate.
    pub(super) bearer: Option<Bearer>,
}

impl Slot {
    /// The key of whoever has one.
    pub(super) fn key(&self) -> Option<&Arc<PublicKey>> {
        self.signatory.as_ref().and_then(Signatory::key)
    }

    /// There is a file, and it does not count.
    pub(super) fn refuse(&mut self, problem: Problem) {
        self.report.state = LinkState::Refused {
            code: problem.code,
            message: problem.message.clone(),
        };
        self.evidence = None;
        self.problem = Some(problem);
    }
}

/// What stands for a step: one link, or the two ends of a sublayout. Links are shared, never copied.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    /// Its materials count.
    pub(super) first: Arc<Link>,
    /// Everything else of it counts.
    pub(super) last: Arc<Link>,
}

impl Evidence {
    pub(super) fn artifacts(&self) -> ItemArtifacts<'_> {
        ItemArtifacts {
            materials: &self.first.materials,
            products: &self.last.products,
        }
    }
}

/// What has been gathered for one inspection.
#[derive(Debug, Default)]
pub(super) struct Inspected {
    /// `None` as long as there is no answer.
    pub(super) state: Option<InspectionState>,
    /// What it saw, if it was run and succeeded.
    pub(super) link: Option<Arc<Link>>,
    pub(super) materials: Option<ListReport>,
    pub(super) products: Option<ListReport>,
}
