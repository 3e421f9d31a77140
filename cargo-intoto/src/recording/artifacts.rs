//! The materials or the products of a step.

use std::collections::BTreeMap;

use intoto_core::digest::DigestSet;
use intoto_core::path::ArtifactPath;

use crate::error::CliError;

/// Artifacts by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Artifacts(BTreeMap<ArtifactPath, DigestSet>);

impl Artifacts {
    /// Adds an artifact.
    ///
    /// # Errors
    /// When the name cannot stand in a link, or is there already with another digest.
    pub fn insert(&mut self, name: &str, sha256: [u8; 32]) -> Result<(), CliError> {
        self.insert_set(name, DigestSet::from_sha256(sha256))
    }

    /// Adds an artifact that has more digests than one, or others.
    ///
    /// # Errors
    /// As [`Artifacts::insert`].
    pub fn insert_set(&mut self, name: &str, digest: DigestSet) -> Result<(), CliError> {
        let path: ArtifactPath = name.parse().map_err(|error| {
            CliError::cannot_decide(format!("{name:?} cannot be the name of an artifact in a link"))
                .because(error)
                .hint("rename the file: backslashes, control characters and the like are read differently by different tools")
        })?;
        match self.0.insert(path, digest.clone()) {
            Some(other) if other != digest => Err(CliError::cannot_decide(format!(
                "two different files have the name {name} in the link"
            ))),
            _ => Ok(()),
        }
    }

    /// The digest of an artifact.
    pub fn sha256(&self, name: &str) -> Option<[u8; 32]> {
        self.0.get(name).and_then(DigestSet::sha256)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ArtifactPath, &DigestSet)> {
        self.0.iter()
    }

    /// As the core wants them.
    pub fn into_map(self) -> BTreeMap<ArtifactPath, DigestSet> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_clean_and_mean_one_file() {
        let mut artifacts = Artifacts::default();
        artifacts.insert("src/lib.rs", [1; 32]).expect("clean");
        artifacts.insert("src/lib.rs", [1; 32]).expect("the same");
        assert_eq!(artifacts.sha256("src/lib.rs"), Some([1; 32]));
        for (name, digest) in [("src/lib.rs", 2), ("a\\b", 1), ("../x", 1), ("a\nb", 1), ("", 1)] {
            assert_eq!(artifacts.insert(name, [digest; 32]).expect_err(name).exit().code(), 3);
        }
        assert_eq!(artifacts.len(), 1);
    }
}
