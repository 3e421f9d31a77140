//! Which link files a layout wants, and what the answers contribute to its steps.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::key::KeyKind;
use crate::layout::{Layout, LayoutKey, Step};
use crate::limits::Limits;
use crate::link::Link;
use crate::name::KeyId;
use crate::verdict::{EvidenceKind, FindingCode, KeyReport, LinkReport, LinkState};

use super::evidence::{Admitted, Candidate, Content, EvidenceFile};
use super::layer::{Evidence, Layer, Place, Slot, StepState};
use super::problem::Problem;
use super::trust::AuthenticLayout;

/// The empty places that the keys of a step leave for evidence.
pub(super) fn places(layout: &Layout, step: &Step) -> StepState {
    let mut slots: Vec<Slot> = Vec::with_capacity(step.pubkeys.len());
    for id in &step.pubkeys {
        let key = layout.authorising_key(id);
        let problem = match key {
            Some(LayoutKey::Supported(_)) => None,
            Some(LayoutKey::Unsupported(key)) => {
                let message = format!("key `{id}` is of kind {}, which is not supported", key.kind());
                Some(Problem::undecided(FindingCode::KeyUnsupported, message))
            }
            None => Some(Problem::refusal(
                FindingCode::KeyInvalid,
                format!("key `{id}` is not among the layout's keys"),
            )),
        };
        let key = key.and_then(LayoutKey::supported).cloned().map(Arc::new);
        let accepted: Arc<[KeyId]> = layout.authorised_ids(id).collect();
        for file_id in accepted.iter() {
            // A step may name a key, and a subkey of it besides.
            if accepted.len() > 1 && slots.iter().any(|slot| slot.report.key_id == *file_id) {
                continue;
            }
            slots.push(Slot {
                key: key.clone(),
                accepted: accepted.clone(),
                report: LinkReport::absent(file_id.clone(), step.name.link_file(file_id)),
                evidence: None,
                problem: problem.clone(),
            });
        }
    }
    StepState {
        slots,
        ..StepState::default()
    }
}

/// How many places [`places`] makes for a whole layout, or a few more.
pub(super) fn count(layout: &Layout) -> usize {
    let of_step = |step: &Step| -> usize { step.pubkeys.iter().map(|id| layout.authorised_ids(id).count()).sum() };
    layout.steps().iter().map(of_step).fold(0, usize::saturating_add)
}

/// The link files that a layer wants, numbered from `first`.
pub(super) fn files(layer: &Layer, number: usize, first: usize, limits: &Arc<Limits>) -> Vec<EvidenceFile> {
    let mut files: Vec<EvidenceFile> = Vec::new();
    for (step_index, (step, state)) in layer.trusted.layout().steps().iter().zip(&layer.steps).enumerate() {
        let mut of_step: BTreeMap<&str, usize> = BTreeMap::new();
        for (slot, place) in state.slots.iter().enumerate() {
            let Some(key) = &place.key else { continue };
            let candidate = Candidate {
                slot,
                key_id: place.report.key_id.clone(),
                accepted: place.accepted.clone(),
                key: key.clone(),
            };
            let next = files.len();
            let position = *of_step.entry(&place.report.file).or_insert(next);
            if let Some(shared) = files.get_mut(position) {
                shared.candidates.push(candidate);
                continue;
            }
            files.push(EvidenceFile {
                index: first + next,
                layer: number,
                step_index,
                step: step.name.clone(),
                directory: layer.path.clone(),
                name: place.report.file.clone(),
                candidates: alloc::vec![candidate],
                at: layer.trusted.reference_time(),
                limits: limits.clone(),
            });
        }
    }
    files
}

/// A sublayout that a functionary signed in place of a link.
pub(super) struct Delegation {
    pub(super) place: Place,
    pub(super) path: Arc<[String]>,
    pub(super) layout: AuthenticLayout,
}

/// Puts what a file contributes into its places. Sublayouts are handed back, to be opened when all files of the round are in.
pub(super) fn take(file: &EvidenceFile, admitted: Admitted, layer: &mut Layer, delegations: &mut Vec<Delegation>) {
    let Some(step) = layer.steps.get_mut(file.step_index) else {
        return;
    };
    for (position, candidate) in file.candidates.iter().enumerate() {
        let Some(slot) = step.slots.get_mut(candidate.slot) else {
            continue;
        };
        slot.report.container = admitted.container;
        match contribution(&admitted, position) {
            Err(problem) => slot.refuse(problem),
            Ok((kind, content)) => {
                slot.report.key_kind = Some(kind);
                match content {
                    Content::Link(form, link) => {
                        slot.report.evidence = Some(*form);
                        slot.report.commit = environment(link, "commit");
                        slot.report.run = environment(link, "run");
                        slot.report.state = LinkState::Admitted;
                        slot.evidence = Some(Evidence {
                            first: link.clone(),
                            last: link.clone(),
                        });
                    }
                    Content::Layout(layout) => {
                        slot.report.evidence = Some(EvidenceKind::Sublayout);
                        let mut layout = layout.clone();
                        layout.signed_by = alloc::vec![KeyReport {
                            key_id: candidate.key_id.clone(),
                            kind
                        }];
                        let directory = file.step.sublayout_dir(&candidate.key_id);
                        delegations.push(Delegation {
                            place: Place {
                                layer: file.layer,
                                step: file.step_index,
                                slot: candidate.slot,
                            },
                            path: layer.path.iter().cloned().chain([directory]).collect(),
                            layout,
                        });
                    }
                }
            }
        }
    }
}

/// What the file says for one of the keys that may have signed it.
fn contribution(admitted: &Admitted, candidate: usize) -> Result<(KeyKind, &Content), Problem> {
    let examined = admitted.examined.as_ref().map_err(Problem::clone)?;
    match examined.signatures.get(candidate) {
        Some(Ok(kind)) => Ok((*kind, examined.content.as_ref().map_err(Problem::clone)?)),
        Some(Err(problem)) => Err(problem.clone()),
        None => Err(Problem::refusal(
            FindingCode::SignatureMissing,
            "the signature was not examined",
        )),
    }
}

/// A text in a link's environment. Other tools may put anything there, so other kinds of values are no concern of ours.
fn environment(link: &Link, member: &str) -> Option<String> {
    link.environment.as_object()?.get(member)?.as_str().map(String::from)
}
