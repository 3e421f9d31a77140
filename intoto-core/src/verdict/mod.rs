//! The outcome of a verification as a value: coded findings, and a report of every check that was made.

mod code;
mod finding;
mod report;
mod stages;

pub use code::FindingCode;
pub use finding::{Finding, Location, Severity};
pub use report::{
    ArtifactReport, Binding, CertificateReport, EvidenceKind, Fate, IdentityReport, InspectionReport, InspectionState,
    KeyReport, LayerReport, LinkReport, LinkState, ListReport, RuleReport, RuleState, StepReport, SubjectReport,
};
pub(crate) use stages::{Stage, Stages};

use alloc::vec::Vec;
use core::fmt;

use crate::time::Timestamp;

/// The three ends of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Every check was made and every check holds.
    Verified,
    /// At least one check was made and failed.
    Refused,
    /// No check failed, and at least one could not be made.
    Undecided,
}

impl Outcome {
    /// The stable lower-case text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Undecided => "undecided",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a verification decided, and why. Only the session makes one; its outcome is [`Outcome::Verified`] only if every
/// stage of every layout was passed and nothing was found against it.
#[derive(Debug, Clone)]
pub struct Verdict {
    outcome: Outcome,
    reference_time: Timestamp,
    layers: Vec<LayerReport>,
    subjects: Vec<SubjectReport>,
    findings: Vec<Finding>,
}

impl Verdict {
    /// Puts the verdict together: the one place where an outcome is computed.
    pub(crate) fn conclude(
        reference_time: Timestamp,
        layers: Vec<(LayerReport, Stages)>,
        subjects: Vec<SubjectReport>,
        findings: Vec<Finding>,
    ) -> Self {
        let (layers, stages): (Vec<_>, Vec<_>) = layers.into_iter().unzip();
        let outcome = decide(&stages, &subjects, &findings);
        Self {
            outcome,
            reference_time,
            layers,
            subjects,
            findings,
        }
    }

    /// The outcome.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The time at which it was judged.
    pub fn reference_time(&self) -> Timestamp {
        self.reference_time
    }

    /// The layouts concerned: the owner-signed one first, then sublayouts in the order of the steps that they stand for.
    /// Empty if no layout was trusted, or if it asks for more links than this verification takes.
    pub fn layers(&self) -> &[LayerReport] {
        &self.layers
    }

    /// The owner-signed layout, if it was trusted.
    pub fn layout(&self) -> Option<&LayerReport> {
        self.layers.first()
    }

    /// The steps of the owner-signed layout.
    pub fn steps(&self) -> &[StepReport] {
        self.layout().map_or(&[], |layer| &layer.steps)
    }

    /// The inspections of the owner-signed layout.
    pub fn inspections(&self) -> &[InspectionReport] {
        self.layout().map_or(&[], |layer| &layer.inspections)
    }

    /// The artifacts that the caller had in hand, in the policy's order. Empty if only the chain was verified.
    pub fn artifacts(&self) -> &[SubjectReport] {
        &self.subjects
    }

    /// Everything that was found, in the order of the layout.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// Computes the outcome. Anything that is not positively established is not verified.
fn decide(stages: &[Stages], subjects: &[SubjectReport], findings: &[Finding]) -> Outcome {
    match findings.iter().map(|finding| finding.severity).max() {
        Some(Severity::Refusal) => return Outcome::Refused,
        Some(Severity::Undecided) => return Outcome::Undecided,
        Some(Severity::Note | Severity::Warning) | None => {}
    }
    let complete = !stages.is_empty()
        && stages.iter().all(Stages::complete)
        && subjects.iter().all(|subject| !subject.bindings.is_empty());
    if complete {
        Outcome::Verified
    } else {
        Outcome::Undecided
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    const ALL: [Stage; 8] = [
        Stage::Trust,
        Stage::Freshness,
        Stage::Parameters,
        Stage::Thresholds,
        Stage::Agreement,
        Stage::StepRules,
        Stage::Inspections,
        Stage::InspectionRules,
    ];

    fn passed(passed: &[Stage]) -> Stages {
        let mut stages = Stages::default();
        for stage in passed {
            stages.pass(*stage);
        }
        stages
    }

    fn subject(bindings: Vec<Binding>) -> SubjectReport {
        SubjectReport {
            bindings,
            ..SubjectReport::unbound("a".into(), crate::digest::DigestSet::from_sha256([0; 32]))
        }
    }

    #[test]
    fn every_stage_of_every_layer_must_have_passed() {
        let complete = passed(&ALL);
        assert_eq!(decide(&[complete], &[], &[]), Outcome::Verified);
        assert_eq!(decide(&[complete, complete], &[], &[]), Outcome::Verified);
        assert_eq!(decide(&[], &[], &[]), Outcome::Undecided);
        for left_out in 0..ALL.len() {
            let mut stages = ALL.to_vec();
            let stage = stages.remove(left_out);
            let missing = passed(&stages);
            assert_eq!(decide(&[missing], &[], &[]), Outcome::Undecided, "{stage:?}");
            assert_eq!(decide(&[complete, missing], &[], &[]), Outcome::Undecided, "{stage:?}");
        }
    }

    #[test]
    fn the_gravest_finding_decides() {
        let finding = |severity| Finding::new(FindingCode::RuleFailed, severity, "");
        let cases = [
            (vec![Severity::Note, Severity::Warning], Outcome::Verified),
            (
                vec![Severity::Note, Severity::Undecided, Severity::Warning],
                Outcome::Undecided,
            ),
            (vec![Severity::Refusal, Severity::Undecided], Outcome::Refused),
            (vec![Severity::Undecided, Severity::Refusal], Outcome::Refused),
        ];
        for (severities, outcome) in cases {
            let findings: Vec<Finding> = severities.into_iter().map(finding).collect();
            assert_eq!(decide(&[passed(&ALL)], &[], &findings), outcome, "{findings:?}");
        }
        assert_eq!(decide(&[], &[], &[finding(Severity::Refusal)]), Outcome::Refused);
    }

    #[test]
    fn every_artifact_in_hand_must_be_bound() {
        let step = "build".parse().expect("a name");
        let bound = Binding::LastProduct {
            step,
            path: "a".parse().expect("a path"),
        };
        assert_eq!(
            decide(&[passed(&ALL)], &[subject(vec![bound.clone()])], &[]),
            Outcome::Verified
        );
        assert_eq!(
            decide(&[passed(&ALL)], &[subject(vec![bound]), subject(vec![])], &[]),
            Outcome::Undecided
        );
    }
}
