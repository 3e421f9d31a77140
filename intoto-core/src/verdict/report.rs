//! What every step, inspection, rule and artifact did: complete on a pass as well as on a failure.

use alloc::string::{String, ToString as _};
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::artifacts::Artifacts;
use crate::digest::DigestSet;
use crate::envelope::{Container, Envelope, Verified};
use crate::identity::{IdentityFacts, KeyFacts};
use crate::key::{FulcioIdentity, KeyKind};
use crate::layout::{ArtifactList, Rule};
use crate::link::Link;
use crate::name::{KeyId, StepName};
use crate::path::ArtifactPath;
use crate::rules::{RuleFailure, RuleTrace};
use crate::time::Timestamp;

use super::FindingCode;

/// One layout of the verification: the owner-signed one, or a sublayout.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LayerReport {
    /// The directories that lead to it, `["{step}.{keyid8}", …]`; empty for the owner-signed layout.
    pub path: Vec<String>,
    /// The container of the layout file.
    pub container: Container,
    /// SHA-256 of the bytes that the signatures are over, which identifies the layout whatever signatures stand around it.
    pub signed_sha256: [u8; 32],
    /// The keys whose signatures on it were demanded and verified: every owner key, or the one functionary of a sublayout.
    pub signed_by: Vec<KeyReport>,
    /// Until when it is valid.
    pub expires: Timestamp,
    /// The owner's words about it.
    pub readme: String,
    /// Its steps, in its order.
    pub steps: Vec<StepReport>,
    /// Its inspections, in its order.
    pub inspections: Vec<InspectionReport>,
}

/// A key that made a signature which was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyReport {
    /// The id under which the signature stands.
    pub key_id: KeyId,
    /// The kind of key.
    pub kind: KeyKind,
}

/// What was found about one step.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StepReport {
    /// The step's name.
    pub name: StepName,
    /// How many distinct keys must stand behind it.
    pub threshold: u32,
    /// How many distinct keys do.
    pub distinct_keys: usize,
    /// One entry for each link file that was asked for, in the order of the step's keys; then one for each that was found, by its name, where
    /// the step counts certificates.
    pub links: Vec<LinkReport>,
    /// The key id of the link that represents the step; `None` if the threshold is not met.
    pub represented_by: Option<KeyId>,
    /// The command that the layout expects.
    pub expected_command: Vec<String>,
    /// The representative's command.
    pub command: Vec<String>,
    /// What the material rules did.
    pub materials: ListReport,
    /// What the product rules did.
    pub products: ListReport,
}

/// What was found about one link file of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkReport {
    /// The key that the file was asked for: the id under which the layout lists it. Of a file that was found, the id of the key in its
    /// certificate, or what the file's name says of it.
    pub key_id: KeyId,
    /// The file's name below the layer's directory.
    pub file: String,
    /// The container, once the file could be read that far.
    pub container: Option<Container>,
    /// The kind of the key that signed it, if its signature verified.
    pub key_kind: Option<KeyKind>,
    /// Whether it is a link or a sublayout, once it could be read that far.
    pub evidence: Option<EvidenceKind>,
    /// The certificate of the key that signed it, where the step counts the key because of that.
    pub certificate: Option<CertificateReport>,
    /// Whom the step expects, and who was found to have signed, where that is an identity.
    pub identity: Option<IdentityReport>,
    /// When a key signed it, where it is a Sigstore bundle by that key.
    pub witness: Option<KeyFacts>,
    /// What became of it.
    pub state: LinkState,
    /// The commit that its environment names.
    pub commit: Option<String>,
    /// The run that its environment names.
    pub run: Option<String>,
}

/// A certificate that was traced to a root of the layout and is one that the step asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateReport {
    /// Its subject.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The subject's host names, mail addresses and URIs.
    pub names: Vec<String>,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// The id under which the layout lists the root that it leads to.
    pub root: KeyId,
}

/// An identity that a layout expects, and the one that was found, side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityReport {
    /// Whom the layout expects.
    pub expected: FulcioIdentity,
    /// What was found about whoever signed, whether it counts or not; `None` if there is no file, or nothing could be found.
    pub found: Option<IdentityFacts>,
}

impl IdentityReport {
    /// Somebody who is expected, and of whom nothing is known.
    pub(crate) fn expected(expected: FulcioIdentity) -> Self {
        Self { expected, found: None }
    }
}

/// What a link file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EvidenceKind {
    /// A link.
    Link,
    /// A statement with a link predicate.
    Statement,
    /// A layout that stands for the step; its report is the [`LayerReport`] with this step's directory at the end of its path.
    Sublayout,
}

/// What became of a link file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LinkState {
    /// It counts for the step.
    Admitted,
    /// It does not count, for this reason.
    Refused {
        /// The reason.
        code: FindingCode,
        /// The reason in words.
        message: String,
    },
    /// There is no such file.
    Absent,
}

/// What was found about one inspection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InspectionReport {
    /// The inspection's name.
    pub name: StepName,
    /// Its command, parameters filled in.
    pub run: Vec<String>,
    /// What became of it.
    pub state: InspectionState,
    /// What the material rules did.
    pub materials: ListReport,
    /// What the product rules did.
    pub products: ListReport,
}

/// What became of an inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InspectionState {
    /// It was run, and ended with this exit code.
    Done {
        /// The exit code.
        return_value: i64,
    },
    /// It was not run.
    NotRun {
        /// Why not.
        reason: String,
    },
}

/// What one list of rules did with one list of artifacts.
#[derive(Debug, Clone)]
pub struct ListReport {
    list: ArtifactList,
    rules: Vec<RuleReport>,
    /// What the rules were applied to, and what they did. The link is shared, because twenty thousand artifacts are not copied
    /// for a report.
    applied: Option<(Arc<Link>, RuleTrace)>,
}

/// What one rule did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleReport {
    /// The rule as the layout writes it, parameters filled in.
    pub text: String,
    /// How many artifacts it consumed.
    pub consumed: usize,
    /// Whether it was applied, held or failed.
    pub state: RuleState,
}

/// Whether a rule held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RuleState {
    /// It was applied and holds.
    Held,
    /// It was applied and failed.
    Failed,
    /// It was not applied: there was no evidence, or a rule before it failed.
    NotApplied,
}

/// What became of one artifact in a list of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// The rule with this index consumed it.
    Consumed(usize),
    /// The rule with this index refused it.
    Disallowed(usize),
    /// No rule took it, and the list ended: it is allowed, as the specification has it.
    Left,
    /// A rule failed before its fate was settled.
    Unsettled,
}

/// One artifact of a list, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArtifactReport<'a> {
    /// Its name.
    pub path: &'a ArtifactPath,
    /// Its digests.
    pub digests: &'a DigestSet,
    /// What became of it.
    pub fate: Fate,
}

impl ListReport {
    /// Rules that were not applied, because there is no evidence to apply them to.
    pub(crate) fn not_applied(list: ArtifactList, rules: &[Rule]) -> Self {
        let rules = rules.iter().map(|rule| RuleReport {
            text: rule.to_string(),
            consumed: 0,
            state: RuleState::NotApplied,
        });
        Self {
            list,
            rules: rules.collect(),
            applied: None,
        }
    }

    /// Rules that were applied to a list of the link.
    pub(crate) fn applied(list: ArtifactList, rules: &[Rule], link: Arc<Link>, trace: RuleTrace) -> Self {
        let failed = trace.failure().map(RuleFailure::rule);
        let rules = rules.iter().enumerate().map(|(index, rule)| RuleReport {
            text: rule.to_string(),
            consumed: trace.consumed_by(index).len(),
            state: match failed {
                Some(failed) if index == failed => RuleState::Failed,
                Some(failed) if index > failed => RuleState::NotApplied,
                _ => RuleState::Held,
            },
        });
        Self {
            list,
            rules: rules.collect(),
            applied: Some((link, trace)),
        }
    }

    /// Which list it is.
    pub fn list(&self) -> ArtifactList {
        self.list
    }

    /// What each rule did, in the layout's order.
    pub fn rules(&self) -> &[RuleReport] {
        &self.rules
    }

    /// Whether every rule was applied and holds.
    pub fn holds(&self) -> bool {
        self.applied.as_ref().is_some_and(|(_, trace)| trace.passed())
    }

    /// The link that the rules were applied to; `None` if they were not.
    pub fn link(&self) -> Option<&Link> {
        self.applied.as_ref().map(|(link, _)| &**link)
    }

    /// How many artifacts there are; 0 if the rules were not applied.
    pub fn artifact_count(&self) -> usize {
        self.recorded().map_or(0, Artifacts::len)
    }

    /// Every artifact of the list, sorted by name, and what became of it; none if the rules were not applied.
    pub fn artifacts(&self) -> impl Iterator<Item = ArtifactReport<'_>> {
        let artifacts = self.recorded().map(Artifacts::iter).into_iter().flatten();
        artifacts
            .zip(self.fates())
            .map(|((path, digests), fate)| ArtifactReport { path, digests, fate })
    }

    /// The artifact of that name.
    pub fn artifact(&self, name: &str) -> Option<ArtifactReport<'_>> {
        let (_, trace) = self.applied.as_ref()?;
        let artifacts = self.recorded()?;
        let position = artifacts.position(name)?;
        let (path, digests) = artifacts.at(position)?;
        let fate = match (trace.consumer_of(position), trace.failure()) {
            (Some(rule), _) => Fate::Consumed(rule),
            (None, None) => Fate::Left,
            (None, Some(RuleFailure::Disallowed { rule, artifacts })) if artifacts.contains(&position) => {
                Fate::Disallowed(*rule)
            }
            (None, Some(_)) => Fate::Unsettled,
        };
        Some(ArtifactReport { path, digests, fate })
    }

    fn recorded(&self) -> Option<&Artifacts> {
        self.applied.as_ref().map(|(link, _)| link.artifacts().list(self.list))
    }

    fn fates(&self) -> Vec<Fate> {
        let Some((_, trace)) = &self.applied else {
            return Vec::new();
        };
        let left = if trace.passed() { Fate::Left } else { Fate::Unsettled };
        let consumers = trace.consumers(self.artifact_count()).into_iter();
        let mut fates: Vec<Fate> = consumers.map(|rule| rule.map_or(left, Fate::Consumed)).collect();
        if let Some(RuleFailure::Disallowed { rule, artifacts }) = trace.failure() {
            for artifact in artifacts {
                if let Some(fate) = fates.get_mut(*artifact) {
                    *fate = Fate::Disallowed(*rule);
                }
            }
        }
        fates
    }
}

impl KeyReport {
    pub(crate) fn new(verified: &Verified<&Envelope<'_>>) -> Self {
        Self {
            key_id: verified.key_id().clone(),
            kind: verified.kind(),
        }
    }
}

impl SubjectReport {
    /// An artifact that nothing is known to bind.
    pub(crate) fn unbound(name: String, digests: DigestSet) -> Self {
        Self {
            name,
            digests,
            bindings: Vec::new(),
        }
    }
}

impl LinkReport {
    /// A file that has not been seen.
    pub(crate) fn absent(key_id: KeyId, file: String) -> Self {
        Self {
            key_id,
            file,
            container: None,
            key_kind: None,
            evidence: None,
            state: LinkState::Absent,
            certificate: None,
            identity: None,
            witness: None,
            commit: None,
            run: None,
        }
    }
}

/// What was found about one artifact that the caller has in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubjectReport {
    /// Its base name.
    pub name: String,
    /// Its digests.
    pub digests: DigestSet,
    /// What binds it to the chain; empty if nothing does, or if verification ended before.
    pub bindings: Vec<Binding>,
}

/// What binds an artifact in hand to the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Binding {
    /// A `MATCH … FROM` rule of an inspection of the owner-signed layout consumed it.
    InspectionRule {
        /// The inspection.
        inspection: StepName,
        /// The list that the rule stands in.
        list: ArtifactList,
        /// The rule's index in that list, from 0.
        rule: usize,
        /// The rule as the layout writes it.
        text: String,
        /// The step whose artifacts it was compared with.
        step: StepName,
    },
    /// It is, by base name and digest, a product of the layout's last step.
    LastProduct {
        /// The last step.
        step: StepName,
        /// The product's full name.
        path: ArtifactPath,
    },
}
