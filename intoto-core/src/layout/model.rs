//! The layout as a whole.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::certificate::{Authorities, CertificateConstraint};
use super::error::{LayoutError, LayoutLocation, LayoutProblem};
use super::inspection::Inspection;
use super::key::LayoutKey;
use super::rule::Rule;
use super::step::Step;
use crate::artifacts::ArtifactList;
use crate::name::{KeyId, StepName};
use crate::time::Timestamp;

/// A layout (specification 4.3).
///
/// ```
/// use intoto_core::layout::{Inspection, Layout};
/// use intoto_core::time::Timestamp;
///
/// let inspection = Inspection {
///     name: "artifact".parse()?,
///     run: vec!["true".into()],
///     expected_materials: vec![],
///     expected_products: vec![],
/// };
/// let layout = Layout::new(vec![], vec![inspection], Default::default(), Timestamp::from_unix(0), "").unwrap();
/// assert!(layout.is_expired_at(Timestamp::from_unix(0)));
/// # Ok::<(), intoto_core::name::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    steps: Vec<Step>,
    inspections: Vec<Inspection>,
    keys: BTreeMap<KeyId, LayoutKey>,
    /// Which key each OpenPGP subkey belongs to.
    subkeys: BTreeMap<KeyId, KeyId>,
    roots: Authorities,
    intermediates: Authorities,
    expires: Timestamp,
    readme: String,
}

impl Layout {
    /// The text in `_type`.
    pub const TYPE: &'static str = "layout";

    /// Puts a layout together.
    ///
    /// Refused are a layout without steps and inspections, a name used twice, a step that names an undefined key, and an OpenPGP subkey that would belong
    /// to two keys.
    pub fn new(
        steps: Vec<Step>,
        inspections: Vec<Inspection>,
        keys: BTreeMap<KeyId, LayoutKey>,
        expires: Timestamp,
        readme: impl Into<String>,
    ) -> Result<Self, LayoutError> {
        let subkeys = owners_of_subkeys(&keys)?;
        let layout = Self {
            steps,
            inspections,
            keys,
            subkeys,
            roots: Authorities::new(),
            intermediates: Authorities::new(),
            expires,
            readme: readme.into(),
        };
        if layout.items().next().is_none() {
            return Err(LayoutError::new(LayoutLocation::Layout, LayoutProblem::Empty));
        }
        let mut names: Vec<_> = layout.items().map(Item::name).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            let mut names = BTreeSet::new();
            if let Some(second) = layout.items().find(|item| !names.insert(item.name())) {
                return Err(LayoutError::new(second.location(), LayoutProblem::DuplicateName));
            }
        }
        for (index, step) in layout.steps.iter().enumerate() {
            if let Some(key_id) = step.pubkeys.iter().find(|id| layout.authorising_key(id).is_none()) {
                let location = Item::Step { index, step }.location();
                return Err(LayoutError::new(
                    location,
                    LayoutProblem::UndefinedKey { key_id: key_id.clone() },
                ));
            }
        }
        Ok(layout)
    }

    /// The same layout with these certificate authorities: roots, and those that may stand between a root and a functionary.
    ///
    /// Refused is a step that names an undefined root; a layout without roots trusts no certificate, whatever its steps say.
    pub fn with_authorities(mut self, roots: Authorities, intermediates: Authorities) -> Result<Self, LayoutError> {
        for (index, step) in self.steps.iter().enumerate() {
            let named = step.certificates.iter().flat_map(|constraint| &constraint.roots);
            let is_known =
                |root: &str| root.is_empty() || root == CertificateConstraint::ANYTHING || roots.contains_key(root);
            if let Some(root) = named.into_iter().find(|root| !is_known(root)) {
                let location = Item::Step { index, step }.location();
                return Err(LayoutError::new(
                    location,
                    LayoutProblem::UndefinedRoot { root: root.clone() },
                ));
            }
        }
        self.roots = roots;
        self.intermediates = intermediates;
        Ok(self)
    }

    /// The certificate authorities that are trusted, by the ids under which the layout defines them.
    pub fn roots(&self) -> &Authorities {
        &self.roots
    }

    /// The certificate authorities that may stand between a root and a functionary.
    pub fn intermediates(&self) -> &Authorities {
        &self.intermediates
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The inspections, in order.
    pub fn inspections(&self) -> &[Inspection] {
        &self.inspections
    }

    /// The steps and then the inspections.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let steps = self
            .steps
            .iter()
            .enumerate()
            .map(|(index, step)| Item::Step { index, step });
        let inspections = self.inspections.iter().enumerate();
        steps.chain(inspections.map(|(index, inspection)| Item::Inspection { index, inspection }))
    }

    /// The keys, by the ids under which the layout defines them.
    pub fn keys(&self) -> &BTreeMap<KeyId, LayoutKey> {
        &self.keys
    }

    /// The key of an id.
    pub fn key(&self, id: &KeyId) -> Option<&LayoutKey> {
        self.keys.get(id)
    }

    /// The key that stands behind an id: the one that the layout defines under it, or the OpenPGP key that has a subkey of this id.
    pub fn authorising_key(&self, id: &KeyId) -> Option<&LayoutKey> {
        self.keys.get(id).or_else(|| self.keys.get(self.subkeys.get(id)?))
    }

    /// The ids under which links count for an id that a step names: the id itself, and, when it is an OpenPGP key's, those of its subkeys.
    pub fn authorised_ids<'a>(&'a self, id: &'a KeyId) -> impl Iterator<Item = KeyId> + 'a {
        let subkeys = self.keys.get(id).map(LayoutKey::subkey_ids).unwrap_or_default();
        core::iter::once(id.clone()).chain(subkeys)
    }

    /// The step of a name.
    pub fn step(&self, name: &StepName) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == *name)
    }

    /// From when on the layout is void.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Says whether the layout is void at a time; it is at `expires` itself.
    pub fn is_expired_at(&self, time: Timestamp) -> bool {
        self.expires <= time
    }

    /// The description for people.
    pub fn readme(&self) -> &str {
        &self.readme
    }

    /// The same layout with other steps and inspections of the same names and keys.
    pub(super) fn with_items(&self, steps: Vec<Step>, inspections: Vec<Inspection>) -> Self {
        Self {
            steps,
            inspections,
            keys: self.keys.clone(),
            subkeys: self.subkeys.clone(),
            roots: self.roots.clone(),
            intermediates: self.intermediates.clone(),
            expires: self.expires,
            readme: self.readme.clone(),
        }
    }
}

fn owners_of_subkeys(keys: &BTreeMap<KeyId, LayoutKey>) -> Result<BTreeMap<KeyId, KeyId>, LayoutError> {
    let mut owners = BTreeMap::new();
    for (key_id, key) in keys {
        for subkey in key.subkey_ids() {
            // Which of the two keys had signed would be a matter of taste.
            let taken = keys.contains_key(&subkey) || owners.insert(subkey.clone(), key_id.clone()).is_some();
            if taken {
                let location = LayoutLocation::Key {
                    key_id: key_id.as_str().to_owned(),
                };
                return Err(LayoutError::new(
                    location,
                    LayoutProblem::SharedSubkey { key_id: subkey },
                ));
            }
        }
    }
    Ok(owners)
}

/// A step or an inspection: what has a name and rules.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A step.
    Step {
        /// Its position.
        index: usize,
        /// The step.
        step: &'a Step,
    },
    /// An inspection.
    Inspection {
        /// Its position.
        index: usize,
        /// The inspection.
        inspection: &'a Inspection,
    },
}

impl<'a> Item<'a> {
    /// The name.
    pub fn name(self) -> &'a StepName {
        match self {
            Self::Step { step, .. } => &step.name,
            Self::Inspection { inspection, .. } => &inspection.name,
        }
    }

    /// Which of the two it is.
    pub fn kind(self) -> ItemKind {
        match self {
            Self::Step { .. } => ItemKind::Step,
            Self::Inspection { .. } => ItemKind::Inspection,
        }
    }

    /// Its position among its kind.
    pub fn index(self) -> usize {
        match self {
            Self::Step { index, .. } | Self::Inspection { index, .. } => index,
        }
    }

    /// The rules for one of the lists.
    pub fn rules(self, list: ArtifactList) -> &'a [Rule] {
        match self {
            Self::Step { step, .. } => step.rules(list),
            Self::Inspection { inspection, .. } => inspection.rules(list),
        }
    }

    /// Its place in the layout.
    pub fn location(self) -> LayoutLocation {
        let name = Some(self.name().as_str().to_owned());
        LayoutLocation::Item {
            kind: self.kind(),
            index: self.index(),
            name,
        }
    }

    /// The place of one of its rules.
    pub fn rule_location(self, list: ArtifactList, rule: usize) -> LayoutLocation {
        let name = self.name().as_str().to_owned();
        LayoutLocation::Rule {
            kind: self.kind(),
            index: self.index(),
            name,
            list,
            rule,
        }
    }
}

/// The two kinds of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A step.
    Step,
    /// An inspection.
    Inspection,
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Step => "step",
            Self::Inspection => "inspection",
        })
    }
}
