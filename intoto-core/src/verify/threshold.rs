//! Whether enough distinct keys stand behind every step.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

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
    let mut admitted = slots
        .iter()
        .filter(|slot| slot.evidence.is_some())
        .filter_map(|slot| slot.key.as_ref());
    let Some(first) = admitted.next() else { return 0 };

    let others: BTreeSet<_> = admitted.filter(|key| *key != first).collect();
    1 + others.len()
}

/// Bad evidence is a refusal; evidence that is not there is no decision.
fn shortfall(step: &StepState, threshold: usize) -> Finding {
    let found = step.distinct_keys;
    let bad = step
        .slots
        .iter()
        .any(|slot| slot.problem.as_ref().is_some_and(|p| p.severity == Severity::Refusal));
    let every_key_counted = step.slots.iter().all(|slot| slot.evidence.is_some());
    let keys = |count: usize| {
        if count == 1 {
            "1 key".into()
        } else {
            format!("{count} distinct keys")
        }
    };
    if bad || every_key_counted {
        let message = format!("expected valid links by {}, found {}", keys(threshold), keys(found));
        return Finding::refusal(FindingCode::ThresholdUnmet, message);
    }
    let wanted: Vec<String> = step
        .slots
        .iter()
        .filter(|slot| slot.evidence.is_none())
        .map(|slot| format!("`{}`", slot.report.file))
        .take(FILES_NAMED)
        .collect();
    let more = step.slots.iter().filter(|slot| slot.evidence.is_none()).count() - wanted.len();
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
