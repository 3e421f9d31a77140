//! Which link files a layout wants, and what the answers contribute to its steps.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::identity::IdentityVerifier;
use crate::key::KeyKind;
use crate::layout::{Layout, LayoutKey, Step};
use crate::limits::Limits;
use crate::link::Link;
use crate::name::{KeyId, StepName};
use crate::verdict::{EvidenceKind, FindingCode, IdentityReport, KeyReport, LinkReport, LinkState};

use super::certificates::Bearer;
use super::evidence::{Admitted, Candidate, Content, EvidenceFile, Examined, Signatory, Times, Wanted};
use super::layer::{Evidence, Layer, Place, Slot, StepState};
use super::problem::Problem;
use super::search::EvidenceSearch;
use super::trust::AuthenticLayout;

/// The empty places that the keys of a step leave for evidence.
pub(super) fn places(layout: &Layout, step: &Step) -> StepState {
    let mut slots: Vec<Slot> = Vec::with_capacity(step.pubkeys.len());
    let mut placed = BTreeSet::new();
    for id in &step.pubkeys {
        let key = layout.authorising_key(id);
        let problem = match key {
            Some(LayoutKey::Supported(_) | LayoutKey::Identity(_)) => None,
            Some(LayoutKey::Unsupported(key)) => {
                let message = format!("key `{id}` is of kind {}, which is not supported", key.kind());
                Some(Problem::undecided(FindingCode::KeyUnsupported, message))
            }
            None => Some(Problem::refusal(
                FindingCode::KeyInvalid,
                format!("key `{id}` is not among the layout's keys"),
            )),
        };
        let signatory = key.and_then(|key| match key {
            LayoutKey::Supported(key) => Some(Signatory::Key(Arc::new(key.clone()))),
            LayoutKey::Identity(identity) => Some(Signatory::Identity(Arc::new(identity.clone()))),
            LayoutKey::Unsupported(_) => None,
        });
        let identity = signatory.as_ref().and_then(Signatory::identity);
        let accepted: Arc<[KeyId]> = layout.authorised_ids(id).collect();
        for file_id in accepted.iter() {
            // A step may name a key, and a subkey of it besides.
            if !placed.insert(file_id.clone()) {
                continue;
            }
            let file = match identity {
                Some(_) => step.name.sigstore_file(file_id),
                None => step.name.link_file(file_id),
            };
            let mut report = LinkReport::absent(file_id.clone(), file);
            report.identity = identity.map(|identity| IdentityReport::expected((**identity).clone()));
            slots.push(Slot {
                signatory: signatory.clone(),
                accepted: accepted.clone(),
                report,
                evidence: None,
                problem: problem.clone(),
                bearer: None,
            });
        }
    }
    StepState {
        slots,
        ..StepState::default()
    }
}

/// How many places [`places`] makes for a whole layout, or a few more; nothing if there are more than `most`, which is as far as it counts.
pub(super) fn count(layout: &Layout, most: usize) -> Option<usize> {
    let ids = layout.steps().iter().flat_map(|step| &step.pubkeys);
    let places = ids.flat_map(|id| layout.authorised_ids(id));
    let count = places.take(most.saturating_add(1)).count();
    (count <= most).then_some(count)
}

/// The link files that a layer wants, numbered from `first`: for each place its own, and for each key, where something verifies it, the bundle that may be
/// there besides. That is at most twice the places.
pub(super) fn files(
    layer: &Layer,
    number: usize,
    first: usize,
    (verifier, times): (Option<&Arc<dyn IdentityVerifier>>, Times),
    limits: &Arc<Limits>,
) -> Vec<EvidenceFile> {
    let mut files: Vec<EvidenceFile> = Vec::new();
    for (step_index, (step, state)) in layer.trusted.layout().steps().iter().zip(&layer.steps).enumerate() {
        let mut of_step: BTreeMap<String, usize> = BTreeMap::new();
        let mut want = |name: String, is_bundle: bool, candidate: Candidate| {
            let next = files.len();
            let position = *of_step.entry(name.clone()).or_insert(next);
            if let Some(shared) = files.get_mut(position) {
                shared.candidates.push(candidate);
                return;
            }
            files.push(EvidenceFile {
                wanted: Wanted::Named { file: first + next },
                layer: number,
                step_index,
                step: step.name.clone(),
                directory: layer.path.clone(),
                name,
                candidates: alloc::vec![candidate],
                times,
                is_bundle,
                judge: None,
                verifier: verifier.filter(|_| is_bundle).cloned(),
                limits: limits.clone(),
            });
        };
        for (slot, place) in state.slots.iter().enumerate() {
            let Some(signatory) = &place.signatory else { continue };
            let candidate = Candidate {
                slot: Some(slot),
                key_id: place.report.key_id.clone(),
                accepted: place.accepted.clone(),
                signatory: signatory.clone(),
            };
            let bundle = signatory
                .key()
                .filter(|key| verifier.is_some() && key.signs_bundles())
                .map(|_| Candidate {
                    slot: None,
                    ..candidate.clone()
                });
            want(place.report.file.clone(), signatory.identity().is_some(), candidate);
            if let Some(bundle) = bundle {
                want(step.name.sigstore_file(&bundle.key_id), true, bundle);
            }
        }
    }
    files
}

/// The searches for links by certificates that a layer wants, numbered from `first`.
#[cfg(feature = "x509")]
pub(super) fn searches(
    layer: &Layer,
    number: usize,
    first: usize,
    (intermediates, times): (&[crate::x509::Certificate], Times),
    limits: &Arc<Limits>,
) -> Vec<EvidenceSearch> {
    use super::certificates::{Judge, Trust};

    let layout = layer.trusted.layout();
    let mut searches = Vec::new();
    let mut trust = None;
    for (step_index, (step, state)) in layout.steps().iter().zip(&layer.steps).enumerate() {
        if step.certificates.is_empty() {
            continue;
        }
        let time = layer.trusted.reference_time();
        let trust = trust.get_or_insert_with(|| Arc::new(Trust::of(layout, intermediates, time, limits)));
        searches.extend(Judge::of(step, trust).map(|judge| EvidenceSearch {
            index: first + searches.len(),
            layer: number,
            step_index,
            step: step.name.clone(),
            directory: layer.path.clone(),
            named: state.slots.iter().map(|slot| slot.report.file.clone()).collect(),
            judge: Arc::new(judge),
            times,
            limits: limits.clone(),
        }));
    }
    searches
}

/// A sublayout that a functionary signed in place of a link.
pub(super) struct Delegation {
    pub(super) place: Place,
    pub(super) path: Arc<[String]>,
    pub(super) layout: AuthenticLayout,
}

/// Puts what a file contributes into its places. Sublayouts are handed back, to be opened when all files of the round are in.
pub(super) fn take(file: &EvidenceFile, admitted: Admitted, layer: &mut Layer, delegations: &mut Vec<Delegation>) {
    for (position, candidate) in file.candidates.iter().enumerate() {
        let Some(slot) = candidate.slot.or_else(|| make_place(file, candidate, layer)) else {
            continue;
        };
        let place = Place {
            layer: file.layer,
            step: file.step_index,
            slot,
        };
        fill(place, &file.step, &admitted, position, layer, delegations);
    }
}

/// A place for the bundle of a key: who has a link there already, and a bundle that says something else, has said two things.
fn make_place(file: &EvidenceFile, candidate: &Candidate, layer: &mut Layer) -> Option<usize> {
    let step = layer.steps.get_mut(file.step_index)?;
    step.slots.push(Slot {
        signatory: Some(candidate.signatory.clone()),
        accepted: candidate.accepted.clone(),
        report: LinkReport::absent(candidate.key_id.clone(), file.name.clone()),
        evidence: None,
        problem: None,
        bearer: None,
    });
    Some(step.slots.len() - 1)
}

/// Makes a place for a file that was searched for, and puts into it what the file contributes.
pub(super) fn take_found(
    search: &EvidenceSearch,
    admitted: Admitted,
    layer: &mut Layer,
    delegations: &mut Vec<Delegation>,
) {
    let Some(step) = layer.steps.get_mut(search.step_index) else {
        return;
    };
    let bearer = admitted
        .examined
        .as_ref()
        .ok()
        .and_then(|examined| examined.bearer.clone());
    // A file that does not say whose it is, is called by what its name says.
    let known = bearer.as_ref().map(|bearer| bearer.key_id.clone());
    let named = || search.short(&admitted.name).unwrap_or("unknown").parse().ok();
    let Some(key_id) = known.or_else(named) else { return };
    let mut report = LinkReport::absent(key_id, admitted.name.clone());
    report.certificate = bearer.as_ref().map(Bearer::report);
    step.slots.push(Slot {
        signatory: bearer.as_ref().map(|bearer| Signatory::Key(bearer.key.clone())),
        accepted: Arc::from([]),
        report,
        evidence: None,
        problem: None,
        bearer,
    });
    let place = Place {
        layer: search.layer,
        step: search.step_index,
        slot: step.slots.len() - 1,
    };
    fill(place, &search.step, &admitted, 0, layer, delegations);
}

fn fill(
    place: Place,
    step: &StepName,
    admitted: &Admitted,
    position: usize,
    layer: &mut Layer,
    delegations: &mut Vec<Delegation>,
) {
    let path = layer.path.clone();
    let Some(slot) = layer.slot_mut(place) else { return };
    slot.report.container = admitted.container;
    if let (Some(report), Ok(examined)) = (&mut slot.report.identity, &admitted.examined) {
        report.found = examined.facts.as_deref().cloned();
    }
    let signed = |examined: &Examined| matches!(examined.signatures.get(position), Some(Ok(_)));
    if let Ok(examined) = &admitted.examined
        && signed(examined)
    {
        slot.report.witness = examined.witness.as_deref().cloned();
    }
    let (kind, content) = match contribution(admitted, position) {
        Ok(contribution) => contribution,
        Err(problem) => return slot.refuse(problem),
    };
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
        Content::Layout { layout, .. } => {
            slot.report.evidence = Some(EvidenceKind::Sublayout);
            let key_id = slot.report.key_id.clone();
            let directory = step.sublayout_dir(&key_id);
            let mut layout = layout.clone();
            layout.signed_by = alloc::vec![KeyReport { key_id, kind }];
            delegations.push(Delegation {
                place,
                path: path.iter().cloned().chain([directory]).collect(),
                layout,
            });
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
