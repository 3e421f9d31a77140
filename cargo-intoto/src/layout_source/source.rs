//! A layout source that was read without mistakes, and the core layout it means.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::key::{KeyIdStyle, PublicKey};
use intoto_core::layout::{Authority, CertificateConstraint, Inspection, Layout, LayoutKey, Rule, Step};
use intoto_core::name::{KeyId, StepName};
use intoto_core::time::Timestamp;
use intoto_core::x509::Certificate;

use crate::layout_source::identities::SourceIdentity;
use crate::layout_source::table::At;

/// A layout source.
#[derive(Debug, Clone)]
pub struct LayoutSource {
    pub(super) path: Utf8PathBuf,
    pub(super) text: Rc<str>,
    pub(super) expires: At<Timestamp>,
    pub(super) readme: String,
    pub(super) exact_commands: bool,
    pub(super) crates: Option<At<Vec<At<String>>>>,
    pub(super) keys: BTreeMap<String, SourceKey>,
    pub(super) identities: BTreeMap<String, SourceIdentity>,
    pub(super) roots: BTreeMap<String, SourceAuthority>,
    pub(super) intermediates: BTreeMap<String, SourceAuthority>,
    pub(super) steps: Vec<StepSource>,
    pub(super) inspections: Vec<InspectionSource>,
}

/// A functionary's key.
#[derive(Debug, Clone)]
pub struct SourceKey {
    /// The file as written, relative to the layout source.
    pub file: String,
    pub public: PublicKey,
    /// Under which of its ids the layout lists it.
    pub style: KeyIdStyle,
    pub span: std::ops::Range<usize>,
}

/// A certificate authority.
#[derive(Debug, Clone)]
pub struct SourceAuthority {
    /// The file as written, relative to the layout source.
    pub file: String,
    pub certificate: Certificate,
    pub span: std::ops::Range<usize>,
}

/// One element of a step's `certificates`.
#[derive(Debug, Clone)]
pub struct CertificateSource {
    pub common_name: String,
    pub dns_names: Vec<String>,
    pub emails: Vec<String>,
    pub organizations: Vec<String>,
    pub uris: Vec<String>,
    /// Names of roots; with none, any root will do.
    pub roots: Vec<At<String>>,
    pub span: std::ops::Range<usize>,
}

impl SourceKey {
    /// The id under which the layout lists the key.
    pub fn id(&self) -> KeyId {
        self.public.key_id(self.style)
    }

    /// The ids under which a step lists it: its own or, if it is an OpenPGP key whose primary key is not for signing, those of its subkeys, because
    /// a layout cannot say so otherwise.
    fn step_ids(&self) -> Vec<KeyId> {
        match &self.public {
            PublicKey::OpenPgp(key) if key.signing_ids().all(|id| id != key.fingerprint()) => {
                key.signing_ids().cloned().collect()
            }
            _ => vec![self.id()],
        }
    }
}

/// One `[[step]]`.
#[derive(Debug, Clone)]
pub struct StepSource {
    pub name: At<StepName>,
    /// Names of keys.
    pub by: Vec<At<String>>,
    /// What certificates must have so that their keys count as well.
    pub certificates: Vec<CertificateSource>,
    pub threshold: At<NonZeroU32>,
    pub command: Vec<String>,
    pub materials: Vec<RuleSource>,
    pub products: Vec<RuleSource>,
}

/// One `[[inspection]]`.
#[derive(Debug, Clone)]
pub struct InspectionSource {
    pub name: At<StepName>,
    pub run: Vec<String>,
    pub materials: Vec<RuleSource>,
    pub products: Vec<RuleSource>,
}

/// One rule and where it stands.
#[derive(Debug, Clone)]
pub struct RuleSource {
    pub rule: Rule,
    pub span: std::ops::Range<usize>,
}

impl LayoutSource {
    /// The file, as messages call it.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The text as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// When the layout ends.
    pub fn expires(&self) -> Timestamp {
        self.expires.value
    }

    /// Whether a command that is not the expected one is a refusal, which no signed layout can say (decision 0010).
    pub fn exact_commands(&self) -> bool {
        self.exact_commands
    }

    /// The crates it speaks for, when it says so.
    pub fn crates(&self) -> Option<&At<Vec<At<String>>>> {
        self.crates.as_ref()
    }

    /// The keys, by the name the source gives them.
    pub fn keys(&self) -> &BTreeMap<String, SourceKey> {
        &self.keys
    }

    /// The functionaries who are identities, by the name the source gives them. No name is both a key's and an identity's.
    pub fn identities(&self) -> &BTreeMap<String, SourceIdentity> {
        &self.identities
    }

    /// The certificate authorities that are trusted, by the name the source gives them.
    pub fn roots(&self) -> &BTreeMap<String, SourceAuthority> {
        &self.roots
    }

    /// The certificate authorities that may stand between a root and a functionary.
    pub fn intermediates(&self) -> &BTreeMap<String, SourceAuthority> {
        &self.intermediates
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[StepSource] {
        &self.steps
    }

    /// The inspections, in order.
    pub fn inspections(&self) -> &[InspectionSource] {
        &self.inspections
    }

    /// The step called `name`.
    pub fn step(&self, name: &str) -> Option<&StepSource> {
        self.steps.iter().find(|step| step.name.value.as_str() == name)
    }

    /// The keys that may sign the step called `name`; `None` when there is no such step.
    pub fn functionaries(&self, name: &str) -> Option<Vec<&PublicKey>> {
        let step = self.step(name)?;
        Some(
            step.by
                .iter()
                .filter_map(|by| self.keys.get(&by.value))
                .map(|key| &key.public)
                .collect(),
        )
    }

    /// Every key and the id under which the layout lists it.
    pub fn listed_keys(&self) -> Vec<(PublicKey, KeyId)> {
        self.keys.values().map(|key| (key.public.clone(), key.id())).collect()
    }

    /// The same layout with other keys in the place of its own keys and identities, by name: the throw-away keys of `try`.
    #[must_use]
    pub fn with_keys(mut self, keys: &BTreeMap<String, PublicKey>) -> Self {
        for (name, key) in &mut self.keys {
            if let Some(public) = keys.get(name) {
                key.public = public.clone();
            }
        }
        for (name, public) in keys {
            if let Some(identity) = self.identities.remove(name) {
                let key = SourceKey {
                    file: String::new(),
                    public: public.clone(),
                    style: KeyIdStyle::default(),
                    span: identity.span,
                };
                self.keys.insert(name.clone(), key);
            }
        }
        self
    }

    /// The same layout without the steps called `names`, for what there was nothing to do for in a trial.
    #[must_use]
    pub fn without_steps(mut self, names: &[String]) -> Self {
        self.steps
            .retain(|step| names.iter().all(|name| name != step.name.value.as_str()));
        self
    }

    /// The same layout with other commands for the steps of these names: those that a trial ran.
    #[must_use]
    pub fn with_commands<'c>(mut self, commands: impl IntoIterator<Item = (&'c str, &'c [String])>) -> Self {
        for (name, command) in commands {
            for step in self.steps.iter_mut().filter(|step| step.name.value.as_str() == name) {
                step.command = command.to_vec();
            }
        }
        self
    }

    /// The layout that this source means.
    ///
    /// Keys are listed under their legacy ids, unless the source says otherwise: the form in which the other implementations all read them.
    pub fn to_layout(&self) -> Layout {
        let keys = self
            .listed_keys()
            .into_iter()
            .map(|(key, id)| (id, LayoutKey::Supported(key)))
            .chain((self.identities.values()).map(|source| (source.id(), LayoutKey::Identity(source.identity.clone()))))
            .collect();
        let steps = self.steps.iter().map(|step| self.to_step(step)).collect();
        let inspections = self.inspections.iter().map(InspectionSource::to_inspection).collect();
        let authorities = |authorities: &BTreeMap<String, SourceAuthority>| {
            (authorities.values())
                .map(|authority| Authority::of(authority.certificate.clone()))
                .collect()
        };
        Layout::new(steps, inspections, keys, self.expires.value, self.readme.clone())
            .and_then(|layout| layout.with_authorities(authorities(&self.roots), authorities(&self.intermediates)))
            .expect("reading the source refused names and keys that a layout cannot have")
    }

    fn to_step(&self, step: &StepSource) -> Step {
        let mut pubkeys: Vec<KeyId> = Vec::new();
        let ids = |name: &String| match self.identities.get(name) {
            Some(identity) => vec![identity.id()],
            None => self.keys.get(name).map(SourceKey::step_ids).unwrap_or_default(),
        };
        for id in step.by.iter().flat_map(|by| ids(&by.value)) {
            if !pubkeys.contains(&id) {
                pubkeys.push(id);
            }
        }
        Step {
            name: step.name.value.clone(),
            pubkeys,
            certificates: (step.certificates.iter())
                .map(|certificate| self.to_constraint(certificate))
                .collect(),
            threshold: step.threshold.value,
            expected_command: step.command.clone(),
            expected_materials: rules(&step.materials),
            expected_products: rules(&step.products),
        }
    }
}

impl LayoutSource {
    fn to_constraint(&self, source: &CertificateSource) -> CertificateConstraint {
        let named = source.roots.iter().filter_map(|root| self.roots.get(&root.value));
        let mut roots: Vec<String> = named
            .map(|root| Authority::of(root.certificate.clone()).0.as_str().to_owned())
            .collect();
        if source.roots.is_empty() {
            roots.push(CertificateConstraint::ANYTHING.to_owned());
        }
        CertificateConstraint {
            common_name: source.common_name.clone(),
            dns_names: source.dns_names.clone(),
            emails: source.emails.clone(),
            organizations: source.organizations.clone(),
            roots,
            uris: source.uris.clone(),
        }
    }
}

impl InspectionSource {
    fn to_inspection(&self) -> Inspection {
        Inspection {
            name: self.name.value.clone(),
            run: self.run.clone(),
            expected_materials: rules(&self.materials),
            expected_products: rules(&self.products),
        }
    }
}

fn rules(rules: &[RuleSource]) -> Vec<Rule> {
    rules.iter().map(|rule| rule.rule.clone()).collect()
}
