//! Steps: what a functionary has to carry out and to sign.

use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::certificate::CertificateConstraint;
use super::rule::Rule;
use crate::artifacts::ArtifactList;
use crate::name::{KeyId, StepName};

/// A step of a layout (specification 4.3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The name, unique among steps and inspections.
    pub name: StepName,
    /// The keys whose links count, each once, in the layout's order.
    pub pubkeys: Vec<KeyId>,
    /// What a certificate must have in its names, so that a link by its key counts as if the key stood among `pubkeys`: one of these is
    /// enough (ITE-7). Certificates must lead to a root of the layout.
    pub certificates: Vec<CertificateConstraint>,
    /// How many distinct keys have to have signed agreeing links.
    pub threshold: NonZeroU32,
    /// The command that is expected; a difference is reported and decides nothing.
    pub expected_command: Vec<String>,
    /// The rules for the materials.
    pub expected_materials: Vec<Rule>,
    /// The rules for the products.
    pub expected_products: Vec<Rule>,
}

impl Step {
    /// The text in `_type`.
    pub const TYPE: &'static str = "step";

    /// The rules for one of the lists.
    pub fn rules(&self, list: ArtifactList) -> &[Rule] {
        match list {
            ArtifactList::Materials => &self.expected_materials,
            ArtifactList::Products => &self.expected_products,
        }
    }
}
