//! Asking for inspections: commands that the verifier carries out, and what they saw.

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::artifacts::Artifacts;
use crate::layout::Inspection;
use crate::link::Link;
use crate::name::StepName;
use crate::rules::RuleWork;
use crate::verdict::{Finding, FindingCode, InspectionState, Stage};

use super::artifacts::{self, Judged};
use super::layer::{Evidence, Layer};

/// An inspection that the session wants to have carried out. Requests are made only when everything about the steps holds; they
/// come from signed layouts, but running a command is the caller's decision and the caller's risk.
#[derive(Debug, Clone)]
pub struct InspectionRequest {
    pub(super) index: usize,
    /// The layout that wants it, and its place there.
    pub(super) layer: usize,
    pub(super) inspection: usize,
    pub(super) path: Arc<[String]>,
    pub(super) name: StepName,
    pub(super) run: Vec<String>,
}

impl InspectionRequest {
    /// The directories of the sublayout that wants it; empty for the owner-signed layout. A command that a sublayout wants to
    /// run was never seen by the owner.
    pub fn layer(&self) -> &[String] {
        &self.path
    }

    /// Whether the owners' keys signed the layout that wants it, rather than a functionary a sublayout.
    pub fn is_owner_signed(&self) -> bool {
        self.path.is_empty()
    }

    /// The inspection's name.
    pub fn name(&self) -> &StepName {
        &self.name
    }

    /// The command, word by word, parameters filled in. No shell is meant to see it.
    pub fn run(&self) -> &[String] {
        &self.run
    }

    /// Answers with what was there before and after the command, and how it ended.
    pub fn done(&self, return_value: i64, materials: Artifacts, products: Artifacts) -> InspectionAnswer {
        self.answer(Answer::Done {
            return_value,
            materials,
            products,
        })
    }

    /// Answers that the command was not run, or did not come to an end, and why.
    pub fn not_run(&self, reason: impl Into<String>) -> InspectionAnswer {
        let code = FindingCode::InspectionNotRun;
        self.answer(Answer::NotRun {
            code,
            reason: reason.into(),
        })
    }

    /// Answers that it asks for more than the caller does for one verification, and for more of what.
    pub fn beyond_limit(&self, reason: impl Into<String>) -> InspectionAnswer {
        let code = FindingCode::LimitExceeded;
        self.answer(Answer::NotRun {
            code,
            reason: reason.into(),
        })
    }

    /// Everything that the layers want: sublayouts first, because the owner's inspections come last.
    pub(super) fn all(layers: &[Layer]) -> Vec<Self> {
        let owner = layers.iter().enumerate().take(1);
        let mut requests = Vec::new();
        for (number, layer) in layers.iter().enumerate().skip(1).chain(owner) {
            for (inspection, wanted) in layer.trusted.layout().inspections().iter().enumerate() {
                requests.push(Self {
                    index: requests.len(),
                    layer: number,
                    inspection,
                    path: layer.path.clone(),
                    name: wanted.name.clone(),
                    run: wanted.run.clone(),
                });
            }
        }
        requests
    }

    pub(super) fn is_answered_by(&self, answer: &InspectionAnswer) -> bool {
        self.index == answer.index && self.path == answer.layer && self.name == answer.name
    }

    fn answer(&self, answer: Answer) -> InspectionAnswer {
        InspectionAnswer {
            index: self.index,
            layer: self.path.clone(),
            name: self.name.clone(),
            answer,
        }
    }
}

/// The answer to an [`InspectionRequest`].
#[derive(Debug, Clone)]
pub struct InspectionAnswer {
    pub(super) index: usize,
    pub(super) layer: Arc<[String]>,
    pub(super) name: StepName,
    pub(super) answer: Answer,
}

#[derive(Debug, Clone)]
pub(super) enum Answer {
    Done {
        return_value: i64,
        materials: Artifacts,
        products: Artifacts,
    },
    NotRun {
        code: FindingCode,
        reason: String,
    },
}

/// The state of an inspection that was never asked for.
pub(super) fn not_reached() -> InspectionState {
    InspectionState::NotRun {
        reason: "the steps do not verify".into(),
    }
}

/// Notes that none of a layer's inspections is asked for, because all layers together have more than that.
pub(super) fn none_of_too_many(layer: &mut Layer, limit: usize) {
    for inspected in &mut layer.inspections {
        let reason = "there are too many".into();
        inspected.state = Some(InspectionState::NotRun { reason });
    }
    if !layer.inspections.is_empty() {
        layer.over_limit("inspections", limit);
    }
}

/// Notes what became of an inspection.
pub(super) fn take(layers: &mut [Layer], request: &InspectionRequest, answer: Option<InspectionAnswer>) {
    let Some(layer) = layers.get_mut(request.layer) else {
        return;
    };
    let at = layer.location(request.name.as_str());
    let Some(inspected) = layer.inspections.get_mut(request.inspection) else {
        return;
    };
    let answer = answer.map_or_else(
        || Answer::NotRun {
            code: FindingCode::InspectionNotRun,
            reason: "it was not carried out".into(),
        },
        |answer| answer.answer,
    );
    let finding = match answer {
        Answer::Done {
            return_value: 0,
            materials,
            products,
        } => {
            inspected.link = Some(Arc::new(Link {
                materials,
                products,
                ..Link::summary(request.name.clone(), [])
            }));
            inspected.state = Some(InspectionState::Done { return_value: 0 });
            return;
        }
        Answer::Done { return_value, .. } => {
            inspected.state = Some(InspectionState::Done { return_value });
            let message = format!("the command ended with exit code {return_value}, expected 0");
            Finding::refusal(FindingCode::InspectionFailed, message)
        }
        Answer::NotRun { code, reason } => {
            inspected.state = Some(InspectionState::NotRun { reason: reason.clone() });
            Finding::undecided(code, format!("the inspection was not run: {reason}"))
        }
    };
    layer.findings.push(finding.at(at));
}

/// Applies the rules of a layer's inspections, once every one of them was run.
pub(super) fn judge(layer: &mut Layer, work: &mut RuleWork) {
    let judged: Option<Vec<Judged>> = judge_all(layer, work);
    let Some(judged) = judged else { return };
    layer.stages.pass(Stage::Inspections);
    if judged.len() == layer.trusted.layout().inspections().len() && judged.iter().all(Judged::holds) {
        layer.stages.pass(Stage::InspectionRules);
    }
    for (inspected, judged) in layer.inspections.iter_mut().zip(judged) {
        layer.findings.extend(judged.findings);
        inspected.materials = Some(judged.materials);
        inspected.products = Some(judged.products);
    }
}

/// `None` unless every inspection was run and succeeded. Rules see the steps and all inspections.
fn judge_all(layer: &Layer, work: &mut RuleWork) -> Option<Vec<Judged>> {
    let mut sources = artifacts::sources(layer)?;
    let inspections = layer.trusted.layout().inspections();
    let mut seen = Vec::with_capacity(inspections.len());
    for (inspection, inspected) in inspections.iter().zip(&layer.inspections) {
        let link = inspected.link.as_ref()?;
        sources.insert(&inspection.name, link.artifacts());
        seen.push((
            inspection,
            Evidence {
                first: link.clone(),
                last: link.clone(),
            },
        ));
    }
    let mut judge = |(inspection, evidence): &(&Inspection, Evidence)| {
        let at = layer.location(inspection.name.as_str());
        artifacts::judge(
            evidence,
            &inspection.expected_materials,
            &inspection.expected_products,
            &sources,
            &at,
            work,
        )
    };
    (seen.len() == inspections.len()).then(|| seen.iter().map(&mut judge).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::DigestSet;
    use crate::limits::Limits;
    use crate::verdict::Severity;
    use crate::verify::testing;

    #[test]
    fn a_request_is_answered_by_its_own_answer() {
        let places = [(0, ""), (1, ""), (0, "a"), (1, "a")];
        let requests: Vec<InspectionRequest> = places
            .iter()
            .flat_map(|(index, path)| ["check", "look"].map(|name| (*index, *path, name)))
            .map(|(index, path, name)| InspectionRequest {
                index,
                layer: 0,
                inspection: 0,
                path: path.split_terminator('/').map(String::from).collect(),
                name: name.parse().expect("a name"),
                run: Vec::new(),
            })
            .collect();
        for (number, request) in requests.iter().enumerate() {
            let answered: Vec<bool> = (requests.iter())
                .map(|other| request.is_answered_by(&other.not_run("not here")))
                .collect();
            let expected: Vec<bool> = (0..requests.len()).map(|other| other == number).collect();
            assert_eq!(answered, expected, "{request:?}");
        }
    }

    #[test]
    fn an_inspection_without_an_end_is_told_by_its_reason() {
        let inspection =
            r#"{"_type":"inspection","name":"check","run":["true"],"expected_materials":[],"expected_products":[]}"#;
        type Answered = fn(&InspectionRequest) -> InspectionAnswer;
        let cases: [(Answered, FindingCode); 2] = [
            (|request| request.not_run("why"), FindingCode::InspectionNotRun),
            (|request| request.beyond_limit("why"), FindingCode::LimitExceeded),
        ];
        for (answered, code) in cases {
            let mut layers = [testing::layer(&[], "", inspection)];
            let [request] = <[_; 1]>::try_from(InspectionRequest::all(&layers)).expect("one request");
            take(&mut layers, &request, Some(answered(&request)));
            let [finding] = layers[0].findings.as_slice() else {
                panic!("{:?}", layers[0].findings)
            };
            assert_eq!((finding.code, finding.severity), (code, Severity::Undecided));
            assert_eq!(finding.message, "the inspection was not run: why");
        }
    }

    /// What a layer says it has passed does not hang on a finding beside it.
    #[test]
    fn rules_pass_only_if_they_hold() {
        for (rule, holds) in [(r#"["ALLOW","*"]"#, true), (r#"["DISALLOW","*"]"#, false)] {
            let inspection = format!(
                r#"{{"_type":"inspection","name":"check","run":["true"],"expected_materials":[{rule}],"expected_products":[]}}"#
            );
            let mut layers = [testing::layer(&[], "", &inspection)];
            let [request] = <[_; 1]>::try_from(InspectionRequest::all(&layers)).expect("one request");
            let artifacts: Artifacts = [("a".parse().expect("a path"), DigestSet::from_sha256([1; 32]))]
                .into_iter()
                .collect();
            let answer = request.done(0, artifacts, Artifacts::default());
            take(&mut layers, &request, Some(answer));
            let [layer] = &mut layers;
            let mut expected = layer.stages;
            expected.pass(Stage::Inspections);
            if holds {
                expected.pass(Stage::InspectionRules);
            }
            judge(layer, &mut RuleWork::new(&Limits::default()));
            assert_eq!((layer.stages, layer.failed()), (expected, !holds));
        }
    }

    #[test]
    fn nothing_passes_unless_every_inspection_was_run() {
        let inspection = |name: &str| {
            format!(
                r#"{{"_type":"inspection","name":"{name}","run":["true"],"expected_materials":[],"expected_products":[]}}"#
            )
        };
        let both = [inspection("one"), inspection("two")].join(",");
        for (answered, return_value, passes) in [(2, 0, true), (1, 0, false), (0, 0, false), (2, 1, false)] {
            let mut layers = [testing::layer(&[], "", &both)];
            for request in InspectionRequest::all(&layers).iter().take(answered) {
                let answer = request.done(return_value, Artifacts::default(), Artifacts::default());
                take(&mut layers, request, Some(answer));
            }
            let [layer] = &mut layers;
            let before = layer.stages;
            judge(layer, &mut RuleWork::new(&Limits::default()));
            assert_eq!(layer.stages != before, passes, "{answered} {return_value}");
        }
    }
}
