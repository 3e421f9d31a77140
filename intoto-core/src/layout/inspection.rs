//! Inspections: what the verifier has to carry out.

use alloc::string::String;
use alloc::vec::Vec;

use super::rule::Rule;
use crate::artifacts::ArtifactList;
use crate::name::StepName;

/// An inspection of a layout (specification 4.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The name, unique among steps and inspections.
    pub name: StepName,
    /// The command, word by word; no shell reads it.
    pub run: Vec<String>,
    /// The rules for what is there before the command.
    pub expected_materials: Vec<Rule>,
    /// The rules for what is there after the command.
    pub expected_products: Vec<Rule>,
}

impl Inspection {
    /// The text in `_type`.
    pub const TYPE: &'static str = "inspection";

    /// The rules for one of the lists.
    pub fn rules(&self, list: ArtifactList) -> &[Rule] {
        match list {
            ArtifactList::Materials => &self.expected_materials,
            ArtifactList::Products => &self.expected_products,
        }
    }
}
