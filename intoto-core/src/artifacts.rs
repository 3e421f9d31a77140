//! Recorded artifacts: names and digests in the order of the names.
//!
//! ```
//! use intoto_core::artifacts::Artifacts;
//! use intoto_core::digest::DigestSet;
//!
//! let artifacts: Artifacts = [("src/main.rs".parse()?, DigestSet::from_sha256([1; 32]))].into_iter().collect();
//! assert!(artifacts.get("src/main.rs").is_some());
//! # Ok::<(), intoto_core::path::PathError>(())
//! ```

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use crate::digest::{DigestError, DigestSet};
use crate::encoding::{Object, Value};
use crate::limits::Limits;
use crate::path::{ArtifactPath, PathError};

/// The materials or the products of one step.
///
/// Sorted and flat: a name is found by bisection and the names below a directory are a range, so rules need no map of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifacts {
    /// Sorted by name, no name twice.
    entries: Vec<(ArtifactPath, DigestSet)>,
}

impl Artifacts {
    /// No artifacts.
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Reads a link's `materials` or `products`: an object of digest objects.
    pub fn from_value(value: &Value<'_>, limits: &Limits) -> Result<Self, ArtifactsError> {
        let object = value
            .as_object()
            .ok_or_else(|| ArtifactsError::Kind { found: value.kind() })?;
        if object.len() > limits.artifacts {
            return Err(ArtifactsError::TooMany {
                found: object.len(),
                limit: limits.artifacts,
            });
        }
        let mut entries = Vec::with_capacity(object.len());
        for (name, digests) in object.iter() {
            let path = ArtifactPath::try_from(name).map_err(|source| ArtifactsError::Name {
                name: name.to_owned(),
                source,
            })?;
            let digests = DigestSet::from_value(digests).map_err(|source| ArtifactsError::Digest {
                name: name.to_owned(),
                source,
            })?;
            if !digests.has_known() {
                return Err(ArtifactsError::Algorithm { name: name.to_owned() });
            }
            entries.push((path, digests));
        }
        Ok(Self::sorted(entries))
    }

    /// The object that a link holds.
    pub fn to_value(&self) -> Value<'static> {
        let mut object = Object::new();
        for (path, digests) in &self.entries {
            object.insert(path.as_str().to_owned(), digests.to_value());
        }
        Value::Object(object)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ArtifactPath, &DigestSet)> + DoubleEndedIterator {
        self.entries.iter().map(|(path, digests)| (path, digests))
    }

    /// The digests of the artifact of that name.
    pub fn get(&self, name: &str) -> Option<&DigestSet> {
        self.position(name)
            .and_then(|index| self.at(index))
            .map(|(_, digests)| digests)
    }

    /// The position of a name in the order of the names.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.entries.binary_search_by(|(path, _)| path.as_str().cmp(name)).ok()
    }

    /// The artifact at a position.
    pub fn at(&self, index: usize) -> Option<(&ArtifactPath, &DigestSet)> {
        self.entries.get(index).map(|(path, digests)| (path, digests))
    }

    /// The positions of the names that begin with `prefix`.
    pub fn with_prefix(&self, prefix: &str) -> Range<usize> {
        let start = self.entries.partition_point(|(path, _)| path.as_str() < prefix);
        let after = self.entries.get(start..).unwrap_or_default();
        start..start + after.partition_point(|(path, _)| path.as_str().starts_with(prefix))
    }

    /// Artifacts in any order; of two with one name the later stays.
    fn sorted(mut entries: Vec<(ArtifactPath, DigestSet)>) -> Self {
        if !entries.is_sorted_by(|(left, _), (right, _)| left < right) {
            // Stable, so of equal names the later one comes last and replaces the earlier.
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            entries.reverse();
            entries.dedup_by(|(left, _), (right, _)| left == right);
            entries.reverse();
        }
        Self { entries }
    }
}

impl FromIterator<(ArtifactPath, DigestSet)> for Artifacts {
    fn from_iter<I: IntoIterator<Item = (ArtifactPath, DigestSet)>>(artifacts: I) -> Self {
        Self::sorted(artifacts.into_iter().collect())
    }
}

impl From<BTreeMap<ArtifactPath, DigestSet>> for Artifacts {
    fn from(artifacts: BTreeMap<ArtifactPath, DigestSet>) -> Self {
        artifacts.into_iter().collect()
    }
}

/// One of the two lists of artifacts that every step records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArtifactList {
    /// What the step found before its command ran.
    Materials,
    /// What the step left after its command ran.
    Products,
}

impl ArtifactList {
    /// Both, in the order in which verification looks at them.
    pub const ALL: [Self; 2] = [Self::Materials, Self::Products];

    /// The word in lower case, as in a link's member.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Materials => "materials",
            Self::Products => "products",
        }
    }

    /// The word in upper case, as in a `MATCH` rule.
    pub(crate) fn keyword(self) -> &'static str {
        match self {
            Self::Materials => "MATERIALS",
            Self::Products => "PRODUCTS",
        }
    }
}

impl fmt::Display for ArtifactList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The artifacts that a step or inspection recorded.
#[derive(Clone, Copy, Debug)]
pub struct ItemArtifacts<'a> {
    /// What was there before.
    pub materials: &'a Artifacts,
    /// What was there after.
    pub products: &'a Artifacts,
}

impl<'a> ItemArtifacts<'a> {
    /// One of the two lists.
    pub fn list(self, list: ArtifactList) -> &'a Artifacts {
        match list {
            ArtifactList::Materials => self.materials,
            ArtifactList::Products => self.products,
        }
    }

    /// The list that rules for `list` compare with.
    pub(crate) fn other(self, list: ArtifactList) -> &'a Artifacts {
        match list {
            ArtifactList::Materials => self.products,
            ArtifactList::Products => self.materials,
        }
    }
}

/// Materials or products that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactsError {
    /// The list is no object.
    #[error("expected an object of artifacts, found {found}")]
    Kind {
        /// What the value is.
        found: &'static str,
    },
    /// There are more artifacts than the limits allow.
    #[error("{found} artifacts are more than the limit of {limit}")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// A name that could mean another file than it says.
    #[error("artifact name `{name}` is refused: {source}")]
    Name {
        /// The name as found.
        name: String,
        /// What is wrong with it.
        source: PathError,
    },
    /// Digests that cannot be read.
    #[error("digests of artifact `{name}` are refused: {source}")]
    Digest {
        /// The artifact's name.
        name: String,
        /// What is wrong with them.
        source: DigestError,
    },
    /// No digest of an artifact is of an algorithm that is known, and so none says that two files are equal.
    #[error("artifact `{name}` has digests of unknown algorithms only, expected sha256 or sha512")]
    Algorithm {
        /// The artifact's name.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifacts(names: &[(&str, u8)]) -> Artifacts {
        names
            .iter()
            .map(|(name, digest)| (name.parse().expect("a path"), DigestSet::from_sha256([*digest; 32])))
            .collect()
    }

    fn names(artifacts: &Artifacts) -> Vec<&str> {
        artifacts.iter().map(|(path, _)| path.as_str()).collect()
    }

    #[test]
    fn sorts_by_name() {
        let sorted = artifacts(&[("b", 1), ("a/x", 2), ("a", 3), ("a-b", 4)]);
        assert_eq!(["a", "a-b", "a/x", "b"].as_slice(), names(&sorted));
        assert_eq!(Some(2), sorted.position("a/x"));
        assert_eq!(None, sorted.position("a/y"));
    }

    #[test]
    fn the_later_of_two_stays() {
        let sorted = artifacts(&[("b", 1), ("a", 2), ("b", 3), ("b", 4)]);
        assert_eq!(["a", "b"].as_slice(), names(&sorted));
        assert_eq!(Some(&DigestSet::from_sha256([4; 32])), sorted.get("b"));
    }

    #[test]
    fn finds_ranges() {
        let sorted = artifacts(&[("a", 1), ("a/b", 1), ("a/c", 1), ("a0", 1), ("b", 1)]);
        let cases = [
            ("", 0..5),
            ("a", 0..4),
            ("a/", 1..3),
            ("a/c", 2..3),
            ("a/d", 3..3),
            ("z", 5..5),
        ];
        for (prefix, expected) in cases {
            assert_eq!(expected, sorted.with_prefix(prefix), "{prefix}");
        }
    }

    #[test]
    fn values_read_back() {
        let sorted = artifacts(&[("a", 1), ("pkg:cargo/serde@1.0.0", 2), ("é", 3)]);
        assert_eq!(
            Ok(sorted.clone()),
            Artifacts::from_value(&sorted.to_value(), &Limits::default())
        );
    }
}
