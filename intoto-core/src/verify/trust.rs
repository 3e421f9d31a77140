//! Whether every key that must have signed a layout did.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::digest::sha256;
use crate::envelope::{Bundle, Container, Envelope, Verified};
use crate::identity::{CheckedFacts, Subject};
use crate::key::{FulcioIdentity, KeyIdStyle, PublicKey};
use crate::layout::Layout;
use crate::limits::Limits;
use crate::payload::Payload;
use crate::verdict::{Finding, FindingCode, KeyReport};

use super::policy::Policy;
use super::problem::Problem;

/// A layout that every demanded key signed: all owner keys, or the functionary of a sublayout.
#[derive(Debug, Clone)]
pub(super) struct AuthenticLayout {
    pub(super) layout: Arc<Layout>,
    pub(super) container: Container,
    /// Identifies the layout whatever signatures stand around it.
    pub(super) signed_sha256: [u8; 32],
    pub(super) signed_by: Vec<KeyReport>,
}

impl AuthenticLayout {
    /// A layout read from an envelope after a signature on it was verified: there is no other way to make one.
    pub(super) fn new(layout: Layout, verified: &Verified<&Envelope<'_>>) -> Self {
        Self {
            layout: Arc::new(layout),
            container: verified.content().container(),
            signed_sha256: sha256(verified.signed_bytes()),
            signed_by: alloc::vec![KeyReport::new(verified)],
        }
    }
}

/// Verifies the signatures of **all** owner keys, each under any of its key ids in the layout's file or in a bundle beside it, and of all owner identities
/// in such bundles, and reads the layout only then.
pub(super) fn owner_signed(bytes: &[u8], bundles: &[&[u8]], policy: &Policy) -> Result<AuthenticLayout, Vec<Finding>> {
    let (at, limits) = (policy.reference_time, &policy.limits);
    if policy.owner_keys.is_empty() && policy.owner_identities.is_empty() {
        let finding = Finding::undecided(
            FindingCode::NoOwnerKey,
            "no owner key was given, so no layout is trusted",
        )
        .hint("name the layout owner's public key, or add it to the trust store");
        return Err(alloc::vec![finding]);
    }
    if let Some(finding) = in_one_hand(&policy.owner_keys) {
        return Err(alloc::vec![finding]);
    }
    let one = |problem: Problem| alloc::vec![problem.into_finding()];
    let envelope = Envelope::parse(bytes, limits).map_err(|error| one(Problem::from(&error)))?;
    let mut verified = Vec::new();
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for key in policy.owner_keys.iter().filter(|key| seen.insert(*key)) {
        let signed = envelope
            .verify_at(key, &key.key_ids(), at)
            .map_err(|error| Problem::of_owner_signature(&error, &envelope, key));
        match signed.or_else(|problem| by_key_beside((bytes, &envelope), bundles, key, policy).unwrap_or(Err(problem)))
        {
            Ok(signed) => verified.push(signed),
            Err(problem) => findings.push(problem.into_finding()),
        }
    }
    if !policy.owner_identities.is_empty() {
        let mut beside = Beside::of(bytes, bundles, policy);
        let mut seen = BTreeSet::new();
        // Those first that one person alone can be.
        let exact = policy
            .owner_identities
            .iter()
            .filter(|identity| identity.identity().is_some());
        let others = policy
            .owner_identities
            .iter()
            .filter(|identity| identity.identity().is_none());
        for identity in exact.chain(others).filter(|identity| seen.insert(*identity)) {
            match beside.by(&envelope, identity) {
                Ok(signed) => verified.push(signed),
                Err(problem) => findings.push(problem.into_finding()),
            }
        }
    }
    // One signature that does not hold is enough, however many others do.
    let Some(signed) = verified.first().filter(|_| findings.is_empty()) else {
        return Err(findings);
    };
    let value = signed.value().map_err(|error| one(Problem::from(&error)))?;
    match Payload::from_value(&value, limits).map_err(|error| one(Problem::from(&error)))? {
        Payload::Layout(layout) => {
            let signed_by = verified.iter().map(KeyReport::new).collect();
            Ok(AuthenticLayout {
                signed_by,
                ..AuthenticLayout::new(layout, signed)
            })
        }
        Payload::Link(link) | Payload::Statement(link) => {
            let message = format!("expected a layout, found the link of step `{}`", link.name);
            Err(one(Problem::refusal(FindingCode::MetadataInvalid, message)))
        }
    }
}

/// Two owners are two people: different keys that one holder has would be one signature demanded twice.
fn in_one_hand(keys: &[PublicKey]) -> Option<Finding> {
    let pairs = keys.iter().enumerate().flat_map(|(index, key)| {
        let earlier = keys.get(..index).unwrap_or_default();
        earlier.iter().map(move |other| (other, key))
    });
    let (one, other) = pairs
        .filter(|(one, other)| one != other)
        .find(|(one, other)| one.shares_holder(other))?;
    let id = |key: &PublicKey| key.key_id(KeyIdStyle::Legacy);
    let finding = Finding::refusal(
        FindingCode::ThresholdUnmet,
        format!(
            "the owner keys `{}` and `{}` are in one hand: they share key material",
            id(one),
            id(other)
        ),
    );
    Some(finding.hint("name one key for each owner"))
}

/// The layout as that key signed it in a bundle beside it; nothing if no bundle beside it is by a key. Otherwise the gravest reason why not.
fn by_key_beside<'e, 'a>(
    (layout, envelope): (&[u8], &'e Envelope<'a>),
    bundles: &[&[u8]],
    key: &PublicKey,
    policy: &Policy,
) -> Option<Result<Verified<&'e Envelope<'a>>, Problem>> {
    let limits = &policy.limits;
    if bundles.len() > limits.signatures {
        return Some(Err(too_many_bundles(bundles.len(), limits)));
    }
    let mut problem: Option<Problem> = None;
    // What is no bundle may be anybody's, and is told to those whose bundles are looked for here alone.
    let bundles = bundles.iter().filter_map(|bundle| Bundle::parse(bundle, limits).ok());
    for bundle in bundles.filter(Bundle::is_by_key) {
        let Some(verifier) = policy.identity_verifier.as_deref() else {
            return Some(Err(Problem::no_verifier()));
        };
        let signed = match bundle.check_file_by_key(layout, key, verifier, policy.reference_time) {
            Some(checked) => checked.and_then(|facts| envelope.signed_beside_by_key(&facts)),
            None => continue,
        };
        match signed {
            Ok(signed) => return Some(Ok(signed)),
            Err(refusal) => {
                let found = Problem::from(&refusal);
                if problem.as_ref().is_none_or(|problem| problem.severity < found.severity) {
                    problem = Some(found);
                }
            }
        }
    }
    let mut problem = problem?;
    let id = key.key_id(KeyIdStyle::Legacy);
    problem.message = format!("owner key `{id}`: {}", problem.message);
    Some(Err(problem))
}

fn too_many_bundles(found: usize, limits: &Limits) -> Problem {
    let message = format!(
        "{found} Sigstore bundles beside the layout, at most {} are allowed",
        limits.signatures
    );
    Problem::undecided(FindingCode::LimitExceeded, message)
}

/// The Sigstore bundles beside a layout, each verified once.
struct Beside {
    bundles: Vec<Result<CheckedFacts, Problem>>,
    /// Who has signed for an owner already: two owners are two people.
    counted: Vec<(String, Subject)>,
}

impl Beside {
    fn of(layout: &[u8], bundles: &[&[u8]], policy: &Policy) -> Self {
        let limits = &policy.limits;
        if bundles.len() > limits.signatures {
            return Self {
                bundles: alloc::vec![Err(too_many_bundles(bundles.len(), limits))],
                counted: Vec::new(),
            };
        }
        let check = |bundle: &&[u8]| {
            let verifier = policy.identity_verifier.as_deref().ok_or_else(Problem::no_verifier)?;
            let bundle = Bundle::parse(bundle, limits).map_err(|error| Problem::from(&error))?;
            let checked = bundle.check_file(layout, verifier, policy.reference_time).ok_or_else(|| {
                let message = "the Sigstore bundle beside the layout signs an envelope of its own, expected the layout's file";
                Problem::refusal(FindingCode::SignedContentDiffers, message)
            })?;
            checked.map_err(|refusal| Problem::from(&refusal))
        };
        Self {
            bundles: bundles.iter().map(check).collect(),
            counted: Vec::new(),
        }
    }

    /// The layout as signed by that identity, if one of the bundles is by it. Otherwise the gravest reason why not.
    fn by<'e, 'a>(
        &mut self,
        envelope: &'e Envelope<'a>,
        identity: &FulcioIdentity,
    ) -> Result<Verified<&'e Envelope<'a>>, Problem> {
        let mut problem: Option<Problem> = None;
        for bundle in &self.bundles {
            let signed = match bundle {
                Ok(facts) => (envelope.signed_beside(facts, identity))
                    .map_err(|refusal| Problem::from(&refusal))
                    .and_then(|signed| {
                        let person = (facts.facts().issuer.clone(), facts.facts().subject.clone());
                        match self.counted.contains(&person) {
                            true => Err(Problem::refusal(
                                FindingCode::ThresholdUnmet,
                                format!("`{}` has signed for another owner already", person.1),
                            )),
                            false => Ok((signed, person)),
                        }
                    }),
                Err(problem) => Err(problem.clone()),
            };
            match signed {
                Ok((signed, person)) => {
                    self.counted.push(person);
                    return Ok(signed);
                }
                Err(found) => {
                    if problem.as_ref().is_none_or(|problem| problem.severity < found.severity) {
                        problem = Some(found);
                    }
                }
            }
        }
        let who = identity.identity().unwrap_or("with constraints");
        let mut problem = problem.unwrap_or_else(|| {
            Problem::refusal(
                FindingCode::SignatureMissing,
                "there is no Sigstore bundle beside the layout",
            )
        });
        problem.message = format!("owner identity `{who}` of `{}`: {}", identity.issuer(), problem.message);
        Err(problem)
    }
}
