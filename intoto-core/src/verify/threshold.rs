//! Whether enough distinct keys stand behind every step.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::key::{Identity, PublicKey};
use crate::verdict::{Finding, FindingCode, Location, Severity};

use super::layer::{Slot, StepState};

/// Counts the distinct keys behind a step, chooses its representative, and says what is missing. Returns whether the threshold
/// is met.
pub(super) fn judge(step: &mut StepState, threshold: usize, at: &Location, findings: &mut Vec<Finding>) -> bool {
    step.distinct_keys = distinct_keys(&step.slots);
    let met = threshold > 0 && step.distinct_keys >= threshold;
    if met {
        step.representative = step.slots.iter().position(|slot| slot.evidence.is_some());
    }
    for slot in &step.slots {
        if let Some(problem) = &slot.problem {
            let severity = if met { Severity::Warning } else { problem.severity };
            let location = Location {
                file: Some(slot.report.file.clone()),
                ..at.clone()
            };
            findings.push(Finding::new(problem.code, severity, problem.message.clone()).at(location));
        }
    }
    if !met {
        findings.push(shortfall(step, threshold).at(at.clone()));
    }
    met
}

/// Distinct public keys, not key ids: one key that the layout lists under two ids is one functionary.
fn distinct_keys(slots: &[Slot]) -> usize {
    let mut holders: Vec<BTreeSet<Identity>> = Vec::new();
    let mut counted: BTreeSet<&PublicKey> = BTreeSet::new();
    for key in admitted_keys(slots).filter(|key| counted.insert(key)) {
        // Keys that share key material are in one hand: an OpenPGP key and its subkeys, a key within an OpenPGP key and by itself.
        let mut merged: BTreeSet<Identity> = key.identities().collect();
        holders.retain(|holder| {
            let apart = holder.is_disjoint(&merged);
            if !apart {
                merged.extend(holder.iter().cloned());
            }
            apart
        });
        holders.push(merged);
    }
    holders.len()
}

fn admitted_keys(slots: &[Slot]) -> impl Iterator<Item = &PublicKey> {
    slots
        .iter()
        .filter(|slot| slot.evidence.is_some())
        .filter_map(|slot| slot.key.as_deref())
}

/// Bad evidence is a refusal; evidence that is not there is no decision.
fn shortfall(step: &StepState, threshold: usize) -> Finding {
    let found = step.distinct_keys;
    let bad = step
        .slots
        .iter()
        .any(|slot| slot.problem.as_ref().is_some_and(|p| p.severity == Severity::Refusal));
    // Another link of a key that counts, by a subkey of it, would not count again.
    let counted: BTreeSet<&PublicKey> = admitted_keys(&step.slots).collect();
    let missing: Vec<&Slot> = step
        .slots
        .iter()
        .filter(|slot| slot.evidence.is_none() && !slot.key.as_deref().is_some_and(|key| counted.contains(key)))
        .collect();
    let keys = |count: usize| {
        if count == 1 {
            "1 key".into()
        } else {
            format!("{count} distinct keys")
        }
    };
    if bad || missing.is_empty() {
        let message = format!("expected valid links by {}, found {}", keys(threshold), keys(found));
        return Finding::refusal(FindingCode::ThresholdUnmet, message);
    }
    let wanted: Vec<String> = missing
        .iter()
        .map(|slot| format!("`{}`", slot.report.file))
        .take(FILES_NAMED)
        .collect();
    let more = missing.len() - wanted.len();
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    let message = format!(
        "expected links by {}, found {}; there is no usable {}{more}",
        keys(threshold),
        keys(found),
        wanted.join(" or "),
    );
    Finding::undecided(FindingCode::LinkMissing, message)
        .hint("record the step, or name the directory that holds its links")
}

/// So many missing files are named; a step may list hundreds of keys.
const FILES_NAMED: usize = 4;
