//! Asking for link files, and admitting them: the expensive part, and a pure one.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::envelope::{Bundle, Container, Envelope, Verified};
use crate::identity::{IdentityFacts, IdentityRefusal, IdentityVerifier, KeyFacts, TrustedTime};
use crate::key::{FulcioIdentity, KeyKind, PublicKey};
use crate::limits::Limits;
use crate::link::Link;
use crate::name::{KeyId, StepName};
use crate::payload::{Payload, PayloadError};
use crate::statement::{Statement, StatementError};
use crate::time::Timestamp;
use crate::verdict::{EvidenceKind, FindingCode};

use super::certificates::{Bearer, Judge};
use super::extent::Extent;
use super::problem::Problem;
use super::search::EvidenceSearch;
use super::trust::AuthenticLayout;

/// The link files that the session wants next. The caller reads those that exist, calls [`EvidenceFile::admit`] for each, on as
/// many threads as it likes, and supplies the results in any order.
#[derive(Debug)]
pub struct EvidenceRequest {
    pub(super) files: Vec<EvidenceFile>,
    pub(super) searches: Vec<EvidenceSearch>,
    /// What the session has taken in before.
    pub(super) taken: Extent,
    pub(super) limits: Arc<Limits>,
}

impl EvidenceRequest {
    /// The files, in the layout's order: these names and no others, but for what is [searched for](Self::searches). Where the policy has a verifier of
    /// Sigstore evidence, each key has two of which either will do: its link, and its bundle.
    pub fn files(&self) -> &[EvidenceFile] {
        &self.files
    }

    /// The steps that count certificates, whose links cannot be named beforehand. A caller that does not search brings less evidence, and
    /// nothing verifies by it.
    pub fn searches(&self) -> &[EvidenceSearch] {
        &self.searches
    }

    /// The first layout that wants something.
    pub(super) fn layer(&self) -> usize {
        let file = self.files.first().map(|file| file.layer);
        file.or_else(|| self.searches.first().map(|search| search.layer))
            .unwrap_or_default()
    }

    /// Whether the session takes so much in answer to this request. With more it takes nothing of it and does not verify, whatever else there is: a caller
    /// who adds up what was [admitted](Admitted::extent) may stop reading there, and supply what it has.
    pub fn has_room_for(&self, extent: Extent) -> bool {
        self.taken.plus(extent).beyond(&self.limits).is_none()
    }
}

/// One link file that the session wants.
#[derive(Debug, Clone)]
pub struct EvidenceFile {
    pub(super) wanted: Wanted,
    /// The layout that wants it.
    pub(super) layer: usize,
    /// The step that wants it.
    pub(super) step_index: usize,
    pub(super) step: StepName,
    pub(super) directory: Arc<[String]>,
    pub(super) name: String,
    pub(super) candidates: Vec<Candidate>,
    pub(super) times: Times,
    /// Whether it is a Sigstore bundle.
    pub(super) is_bundle: bool,
    /// What its signer's certificate is judged by, and how the signer's id begins, where no key of the step makes it a candidate.
    pub(super) judge: Option<(Arc<Judge>, String)>,
    /// What verifies it, if it is a Sigstore bundle.
    pub(super) verifier: Option<Arc<dyn IdentityVerifier>>,
    pub(super) limits: Arc<Limits>,
}

/// As of when evidence is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// When everything is judged, which matters to keys that end.
    pub(super) at: Timestamp,
    /// Before when it has to have been signed, by the word of somebody who is trusted with that.
    pub(super) signed_before: Option<Timestamp>,
}

/// How a file came to be wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// By its name: its place among the request's files.
    Named { file: usize },
    /// By a search: the search's place in the request.
    Found { search: usize },
}

/// A key of the step that may have signed the file. Two keys whose ids share their first eight characters share a file.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The place of the key in the step; none for the bundle of a key, which gets a place once it is there.
    pub(super) slot: Option<usize>,
    /// The id that names the file.
    pub(super) key_id: KeyId,
    /// The ids under which it may have signed: that one, and for an OpenPGP key any that the step authorises with it.
    pub(super) accepted: Arc<[KeyId]>,
    pub(super) signatory: Signatory,
}

/// Whom a step trusts: somebody with a key, or somebody whom an issuer vouches for. Links are by keys, Sigstore bundles by either.
#[derive(Debug, Clone)]
pub(super) enum Signatory {
    Key(Arc<PublicKey>),
    Identity(Arc<FulcioIdentity>),
}

impl Signatory {
    pub(super) fn key(&self) -> Option<&Arc<PublicKey>> {
        match self {
            Self::Key(key) => Some(key),
            Self::Identity(_) => None,
        }
    }

    pub(super) fn identity(&self) -> Option<&Arc<FulcioIdentity>> {
        match self {
            Self::Key(_) => None,
            Self::Identity(identity) => Some(identity),
        }
    }
}

impl EvidenceFile {
    /// The directories below the one with the owner-signed layout's links; empty but for the links of sublayouts.
    pub fn directory(&self) -> &[String] {
        &self.directory
    }

    /// The file's name: `{step}.{first eight characters of the key id}.link`, or for a Sigstore bundle `.sigstore.json` in the place of `.link`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The step that it is evidence for.
    pub fn step(&self) -> &StepName {
        &self.step
    }

    /// The ids of the keys that may have signed it: one, unless ids share their first eight characters; none for a file that was searched for.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.candidates.iter().map(|candidate| &candidate.key_id)
    }

    /// Reads the file's bytes and verifies the signatures of the keys that the step names. Depends on nothing but its arguments,
    /// so any thread may do it; a file that is no good is remembered as such and harms no other.
    pub fn admit(&self, bytes: &[u8]) -> Admitted {
        if self.is_bundle {
            let examined = self.examine_bundle(bytes).map(|examined| self.in_time(examined));
            return self.answer(examined.is_ok().then_some(Container::Dsse), examined, bytes.len());
        }
        let (container, examined) = match Envelope::parse(bytes, &self.limits) {
            Ok(envelope) => (Some(envelope.container()), self.examine(&envelope)),
            Err(error) => (None, Err(Problem::from(&error))),
        };
        self.answer(container, examined.map(|examined| self.in_time(examined)), bytes.len())
    }

    /// Says that the file is there and could not be read, and why.
    pub fn unreadable(&self, reason: impl Into<String>) -> Admitted {
        self.answer(None, Err(Problem::undecided(FindingCode::LinkUnreadable, reason)), 0)
    }

    pub(super) fn is_answered_by(&self, answer: &Admitted) -> bool {
        self.wanted == answer.wanted && self.directory == answer.directory && self.name == answer.name
    }

    fn answer(&self, container: Option<Container>, examined: Result<Examined, Problem>, bytes: usize) -> Admitted {
        // Of a file that says nothing for anybody nothing is kept, so that it takes no room from others.
        let content = examined
            .as_ref()
            .ok()
            .and_then(|examined| examined.content.as_ref().ok());
        let extent = content.map_or_else(Extent::default, |content| Extent::of(content, bytes));
        Admitted {
            wanted: self.wanted,
            directory: self.directory.clone(),
            name: self.name.clone(),
            container,
            examined,
            extent,
        }
    }

    /// The same, or that it was signed too late for the evidence that is asked for.
    fn in_time(&self, mut examined: Examined) -> Examined {
        let Some(before) = self.times.signed_before else {
            return examined;
        };
        let latest = examined.times().iter().max();
        let message = match latest {
            Some(latest) if latest.time < before => return examined,
            Some(latest) => format!(
                "the {} has it signed at {}, and only what was signed before {before} counts",
                latest.source, latest.time
            ),
            None => format!(
                "nobody who is trusted says when it was signed, and only what was signed before {before} counts"
            ),
        };
        let problem = Problem::refusal(FindingCode::SignedTooLate, message);
        for signature in examined.signatures.iter_mut().filter(|signature| signature.is_ok()) {
            *signature = Err(problem.clone());
        }
        examined.content = Err(problem);
        examined
    }

    fn examine_bundle(&self, bytes: &[u8]) -> Result<Examined, Problem> {
        let bundle = Bundle::parse(bytes, &self.limits).map_err(|error| Problem::from(&error))?;
        let verifier = self.verifier.as_deref().ok_or_else(Problem::no_verifier)?;
        let not_a_statement = || {
            let message = "expected a Sigstore bundle with an envelope, found one that signs a file";
            Problem::refusal(FindingCode::SignedContentDiffers, message)
        };
        if bundle.is_by_key() && self.keys().next().is_some() {
            return self.examine_by_key(&bundle, verifier, not_a_statement);
        }
        if self
            .candidates
            .iter()
            .all(|candidate| candidate.signatory.key().is_some())
        {
            let refusal = IdentityRefusal::OtherSigner {
                expected: "a key",
                found: "an identity",
            };
            return Err(Problem::from(&refusal));
        }
        let checked = bundle.check(verifier, self.times.at).ok_or_else(not_a_statement)?;
        let checked = match checked {
            Ok(checked) => checked,
            Err((refusal, facts)) => {
                let problem = Problem::from(&refusal);
                return Ok(Examined {
                    signatures: self.candidates.iter().map(|_| Err(problem.clone())).collect(),
                    content: Err(problem),
                    bearer: None,
                    facts: facts.map(|facts| Arc::new(*facts)),
                    witness: None,
                });
            }
        };
        let mut signatures = Vec::with_capacity(self.candidates.len());
        let mut verified = None;
        let mut predicates = BTreeSet::new();
        for candidate in &self.candidates {
            let signed = match &candidate.signatory {
                Signatory::Identity(identity) => checked.by(identity).map_err(|refusal| Problem::from(&refusal)),
                Signatory::Key(_) => Err(Problem::from(&IdentityRefusal::OtherSigner {
                    expected: "a key",
                    found: "an identity",
                })),
            };
            signatures.push(signed.map(|signed| {
                let kind = signed.kind();
                let identity = candidate.signatory.identity();
                predicates.insert(identity.and_then(|identity| identity.constraints().predicate_type()));
                verified = Some(signed);
                kind
            }));
        }
        let content = match verified {
            Some(signed) => match (predicates.pop_first(), predicates.is_empty()) {
                (Some(predicate), true) => self.read_bundled(&signed, predicate),
                _ => Err(Problem::refusal(
                    FindingCode::PredicateUnexpected,
                    "identities whose ids begin alike expect different predicates in one file",
                )),
            },
            None => Err(Problem::refusal(
                FindingCode::KeyNotAuthorised,
                "no identity of the step signed the file",
            )),
        };
        Ok(Examined {
            content,
            signatures,
            bearer: None,
            facts: Some(Arc::new(checked.facts().clone())),
            witness: None,
        })
    }

    fn keys(&self) -> impl Iterator<Item = &Arc<PublicKey>> {
        self.candidates.iter().filter_map(|candidate| candidate.signatory.key())
    }

    fn examine_by_key(
        &self,
        bundle: &Bundle<'_>,
        verifier: &dyn IdentityVerifier,
        not_a_statement: impl Fn() -> Problem,
    ) -> Result<Examined, Problem> {
        let mut signatures = Vec::with_capacity(self.candidates.len());
        let mut found = None;
        for candidate in &self.candidates {
            let Signatory::Key(key) = &candidate.signatory else {
                signatures.push(Err(Problem::from(&IdentityRefusal::OtherSigner {
                    expected: "an identity",
                    found: "a key",
                })));
                continue;
            };
            let checked = bundle.check_by_key(key, verifier, self.times.at);
            signatures.push(match checked.ok_or_else(&not_a_statement)? {
                Ok(witnessed) => {
                    found = Some(witnessed);
                    Ok(key.kind())
                }
                Err(refusal) => Err(Problem::of_bundle_by_key(&refusal, &candidate.key_id)),
            });
        }
        let (content, witness) = match found {
            Some((verified, facts)) => (self.read_bundled(&verified, None), Some(Arc::new(facts))),
            // Nobody sees this: each key has its own reason already.
            None => {
                let message = "no key of the step signed the Sigstore bundle";
                (Err(Problem::refusal(FindingCode::KeyNotAuthorised, message)), None)
            }
        };
        Ok(Examined {
            content,
            signatures,
            bearer: None,
            facts: None,
            witness,
        })
    }

    /// Tools that make Sigstore bundles put statements into them and nothing else, so nothing else is looked for: statements with a link predicate,
    /// or, where the layout names another predicate for this identity, with that one and no other.
    fn read_bundled(
        &self,
        verified: &Verified<&Envelope<'_>>,
        predicate_type: Option<&str>,
    ) -> Result<Content, Problem> {
        let value = verified.value().map_err(|error| Problem::from(&error))?;
        if let Some(predicate_type) = predicate_type {
            let link = Statement::attesting(&value, predicate_type, &self.step, &self.limits);
            let link = link.map_err(|error| match &error {
                StatementError::NotALink { predicate_type: found } => {
                    let message = format!("a statement with the predicate `{found}`, expected `{predicate_type}`");
                    Problem::refusal(FindingCode::PredicateUnexpected, message)
                }
                _ => Problem::from(&PayloadError::from(error)),
            })?;
            return self.link(link, EvidenceKind::Statement);
        }
        match Payload::from_value(&value, &self.limits).map_err(|error| Problem::of_bundled_payload(&error))? {
            Payload::Statement(link) => self.link(link, EvidenceKind::Statement),
            Payload::Link(_) | Payload::Layout(_) => Err(Problem::refusal(
                FindingCode::PredicateUnexpected,
                "expected a statement with a link predicate in the Sigstore bundle, found a link or layout by itself",
            )),
        }
    }

    fn examine(&self, envelope: &Envelope<'_>) -> Result<Examined, Problem> {
        if let Some((judge, short)) = &self.judge {
            let (bearer, kind, verified) = judge.examine(envelope, short)?;
            return Ok(Examined {
                content: self.read(&verified),
                signatures: alloc::vec![Ok(kind)],
                bearer: Some(bearer),
                facts: None,
                witness: None,
            });
        }
        let mut signatures = Vec::with_capacity(self.candidates.len());
        let mut verified = None;
        for candidate in &self.candidates {
            let Signatory::Key(key) = &candidate.signatory else {
                signatures.push(Err(Problem::no_verifier()));
                continue;
            };
            match envelope.verify_at(key, &candidate.accepted, self.times.at) {
                Ok(payload) => {
                    signatures.push(Ok(key.kind()));
                    verified = Some(payload);
                }
                Err(error) => signatures.push(Err(Problem::of_link_signature(&error, envelope, &candidate.key_id))),
            }
        }
        let content = match verified {
            Some(payload) => self.read(&payload),
            // Nobody sees this: each key has its own reason already. What no key of the step signed is never looked at.
            None => Err(Problem::refusal(
                FindingCode::KeyNotAuthorised,
                "no key of the step signed the file",
            )),
        };
        Ok(Examined {
            content,
            signatures,
            bearer: None,
            facts: None,
            witness: None,
        })
    }

    fn read(&self, verified: &Verified<&Envelope<'_>>) -> Result<Content, Problem> {
        let value = verified.value().map_err(|error| Problem::from(&error))?;
        match Payload::from_value(&value, &self.limits).map_err(|error| Problem::from(&error))? {
            Payload::Link(link) => self.link(link, EvidenceKind::Link),
            Payload::Statement(_) if verified.content().container() != Container::Dsse => Err(Problem::refusal(
                FindingCode::FeatureUnsupported,
                "a statement in a Metablock, where the attestation framework has DSSE only",
            )),
            Payload::Statement(link) => self.link(link, EvidenceKind::Statement),
            Payload::Layout(layout) => Ok(Content::Layout {
                layout: AuthenticLayout::new(layout, verified),
                values: value.count(),
            }),
        }
    }

    fn link(&self, link: Link, kind: EvidenceKind) -> Result<Content, Problem> {
        if link.name == self.step {
            return Ok(Content::Link(kind, Arc::new(link)));
        }
        let message = format!(
            "expected the link of step `{}`, found the link of step `{}`",
            self.step, link.name
        );
        Err(Problem::refusal(FindingCode::LinkNameMismatch, message))
    }
}

/// What became of one file: the result of [`EvidenceFile::admit`], to be supplied to the session.
#[derive(Debug, Clone)]
pub struct Admitted {
    pub(super) wanted: Wanted,
    pub(super) directory: Arc<[String]>,
    pub(super) name: String,
    pub(super) container: Option<Container>,
    pub(super) examined: Result<Examined, Problem>,
    pub(super) extent: Extent,
}

impl Admitted {
    /// Whether at least one key of the step signed it and it is readable evidence for the step. The session may still refuse it.
    pub fn is_usable(&self) -> bool {
        self.examined
            .as_ref()
            .is_ok_and(|examined| examined.content.is_ok() && examined.signatures.iter().any(Result::is_ok))
    }

    /// What of it the session counts: nothing, if nothing of it is kept.
    pub fn extent(&self) -> Extent {
        self.extent
    }
}

#[derive(Debug, Clone)]
pub(super) struct Examined {
    pub(super) content: Result<Content, Problem>,
    /// One for each candidate, in their order.
    pub(super) signatures: Vec<Result<KeyKind, Problem>>,
    /// Who signed a file that was searched for; then there is one signature, and it holds.
    pub(super) bearer: Option<Bearer>,
    /// What a verifier found about a Sigstore bundle, whether it counts or not.
    pub(super) facts: Option<Arc<IdentityFacts>>,
    /// What a verifier found about a Sigstore bundle by a key.
    pub(super) witness: Option<Arc<KeyFacts>>,
}

impl Examined {
    /// When it was signed, by the word of those who are trusted with that.
    fn times(&self) -> &[TrustedTime] {
        let of_key = self.witness.as_ref().map(|facts| facts.times.as_slice());
        let of_identity = self.facts.as_ref().map(|facts| facts.times.as_slice());
        of_key.or(of_identity).unwrap_or_default()
    }
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A link, in which form it was signed, and what it says.
    Link(EvidenceKind, Arc<Link>),
    /// A sublayout, and how many JSON values it was.
    Layout { layout: AuthenticLayout, values: usize },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn admission_is_fit_for_a_thread_pool() {
        fn shared<T: Send + Sync>() {}
        shared::<EvidenceRequest>();
        shared::<EvidenceFile>();
        shared::<Admitted>();
    }
}
