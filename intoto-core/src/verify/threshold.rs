//! Whether enough distinct keys stand behind every step.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::key::{Identity, PublicKey};
use crate::layout::Step;
use crate::verdict::{Finding, FindingCode, Location, Severity};

use super::certificates::Bearer;
use super::layer::{Slot, StepState};

/// Counts the distinct keys behind a step, chooses its representative, and says what is missing. Returns whether the threshold
/// is met.
pub(super) fn judge(state: &mut StepState, step: &Step, at: &Location, findings: &mut Vec<Finding>) -> bool {
    let threshold = step.threshold.get() as usize;
    state.distinct_keys = distinct_keys(&state.slots);
    let met = threshold > 0 && state.distinct_keys >= threshold;
    if met {
        state.representative = state.slots.iter().position(|slot| slot.evidence.is_some());
    }
    for slot in &state.slots {
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
        let certificates = !step.certificates.is_empty();
        findings.push(shortfall(state, threshold, certificates).at(at.clone()));
    }
    met
}

/// Distinct public keys, not key ids: one key that the layout lists under two ids is one functionary. And distinct holders of
/// certificates: who can have two issued is one functionary as well.
fn distinct_keys(slots: &[Slot]) -> usize {
    // A key has a place for each of its subkeys.
    let mut keys: BTreeMap<*const PublicKey, Holder<'_>> = BTreeMap::new();
    for slot in slots {
        let (Some(key), bearer) = (slot.key(), slot.bearer.as_ref()) else {
            continue;
        };
        let counts = slot.evidence.is_some();
        // That two keys are in one hand may be said by a third that signed nothing. It is listed by the layout; a certificate is brought by
        // whoever has it, and without a link that counts it says nothing about others.
        if bearer.is_some() && !counts {
            continue;
        }
        let holder = keys.entry(Arc::as_ptr(key)).or_insert_with(|| Holder {
            identities: key.identities().collect(),
            bearers: Vec::new(),
            counts: false,
            is_known: false,
        });
        holder.is_known |= !bearer.is_some_and(Bearer::is_nameless);
        holder.bearers.extend(bearer);
        holder.counts |= counts;
    }
    let people = slots.iter().filter_map(Holder::of_person);
    let mut holders: Vec<Holder<'_>> = Vec::new();
    for mut merged in keys.into_values().chain(people) {
        holders.retain_mut(|holder| {
            let same = holder.is_same(&merged);
            if same {
                merged.identities.append(&mut holder.identities);
                merged.bearers.append(&mut holder.bearers);
                merged.counts |= holder.counts;
                merged.is_known |= holder.is_known;
            }
            !same
        });
        holders.push(merged);
    }
    // Whoever is known by a certificate without a name may be one of the others.
    holders.retain(|holder| holder.counts);
    let known = holders.iter().filter(|holder| holder.is_known).count();
    known.max(usize::from(!holders.is_empty()))
}

/// Somebody with all keys and certificates that are in one hand.
struct Holder<'a> {
    identities: BTreeSet<Identity>,
    bearers: Vec<&'a Bearer>,
    /// Whether one of them signed a link that counts.
    counts: bool,
    /// Whether one of them says who it is: the layout lists the key, or the certificate has a name.
    is_known: bool,
}

impl Holder<'_> {
    /// Whoever signed, where an issuer says who it is: one person, whichever of the layout's identities they fit.
    fn of_person(slot: &Slot) -> Option<Self> {
        let facts = slot.report.identity.as_ref()?.found.as_ref()?;
        let person = Identity::of_person(&facts.issuer, facts.subject.kind(), facts.subject.as_str());
        slot.evidence.is_some().then(|| Self {
            identities: BTreeSet::from([person]),
            bearers: Vec::new(),
            counts: true,
            is_known: true,
        })
    }

    /// Keys that share key material are in one hand: an OpenPGP key and its subkeys, a key within an OpenPGP key and by itself, a key and
    /// its certificate. So are certificates of one name.
    fn is_same(&self, other: &Self) -> bool {
        let same_bearer = |bearer: &&Bearer| other.bearers.iter().any(|theirs| theirs.is_same_as(bearer));
        !self.identities.is_disjoint(&other.identities) || self.bearers.iter().any(same_bearer)
    }
}

fn admitted(slots: &[Slot]) -> impl Iterator<Item = &Slot> {
    slots.iter().filter(|slot| slot.evidence.is_some())
}

/// Bad evidence is a refusal; evidence that is not there is no decision.
fn shortfall(step: &StepState, threshold: usize, certificates: bool) -> Finding {
    let found = step.distinct_keys;
    let bad = step
        .slots
        .iter()
        .any(|slot| slot.problem.as_ref().is_some_and(|p| p.severity == Severity::Refusal));
    // Another link of a key that counts, by a subkey of it, would not count again.
    let counted: BTreeSet<&PublicKey> = admitted(&step.slots).filter_map(Slot::key).map(|key| &**key).collect();
    let missing: Vec<&Slot> = step
        .slots
        .iter()
        .filter(|slot| slot.evidence.is_none() && !slot.key().is_some_and(|key| counted.contains(&**key)))
        .collect();
    let keys = |count: usize| {
        if count == 1 {
            "1 key".into()
        } else {
            format!("{count} distinct keys")
        }
    };
    // There may always be one more certificate; but links enough by too few functionaries are not too few links.
    let nothing_missing = match certificates {
        true => admitted(&step.slots).count() >= threshold,
        false => missing.is_empty(),
    };
    if bad || nothing_missing {
        let message = format!("expected valid links by {}, found {}", keys(threshold), keys(found));
        return Finding::refusal(FindingCode::ThresholdUnmet, message);
    }
    let mut wanted: Vec<String> = missing
        .iter()
        .map(|slot| format!("`{}`", slot.report.file))
        .take(FILES_NAMED)
        .collect();
    let more = match missing.len() - wanted.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    if certificates {
        wanted.push("link with a certificate that the step asks for".into());
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyIdStyle, SecretKey, Signer as _};
    use crate::link::Link;
    use crate::verdict::LinkReport;
    use crate::verify::evidence::Signatory;
    use crate::verify::layer::Evidence;

    /// A place of a key, under either style of its id, with or without a link.
    fn slot(seed: u8, style: KeyIdStyle, signed: bool) -> Slot {
        let secret = SecretKey::ed25519_from_seed([seed; 32]);
        let key = secret.public_key().clone();
        let link = Arc::new(Link::summary("s".parse().expect("a name"), []));
        Slot {
            report: LinkReport::absent(key.key_id(style), String::new()),
            signatory: Some(Signatory::Key(Arc::new(key))),
            accepted: Arc::from([]),
            evidence: signed.then(|| Evidence {
                first: link.clone(),
                last: link,
            }),
            problem: None,
            bearer: None,
        }
    }

    #[test]
    fn one_key_counts_once_whichever_of_its_places_is_filled() {
        use KeyIdStyle::{Legacy, Python};
        type Case<'a> = (&'a [(u8, KeyIdStyle, bool)], usize);
        let cases: [Case<'_>; 6] = [
            (&[(1, Legacy, false), (2, Legacy, false)], 0),
            (&[(1, Legacy, true), (2, Legacy, true)], 2),
            (&[(1, Legacy, true), (1, Python, true)], 1),
            (&[(1, Legacy, true), (1, Python, false)], 1),
            (&[(1, Legacy, false), (1, Python, true), (2, Legacy, true)], 2),
            (
                &[
                    (1, Legacy, true),
                    (2, Legacy, true),
                    (1, Python, true),
                    (2, Python, false),
                ],
                2,
            ),
        ];
        for (places, expected) in cases {
            let slots: Vec<Slot> = places
                .iter()
                .map(|(seed, style, signed)| slot(*seed, *style, *signed))
                .collect();
            assert_eq!(distinct_keys(&slots), expected, "{places:?}");
        }
    }
}
