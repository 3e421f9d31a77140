//! How much evidence a verification keeps, in what its limits count.

use crate::limits::Limits;

use super::evidence::Content;

/// How much evidence there is: what the [`Limits`] of a whole verification count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Of the files as they were read.
    bytes: usize,
    artifacts: usize,
    /// JSON values that are kept besides the artifacts.
    values: usize,
}

impl Extent {
    /// What is kept of a file of so many bytes.
    pub(super) fn of(content: &Content, bytes: usize) -> Self {
        match content {
            Content::Link(_, link) => Self {
                bytes,
                artifacts: link.materials.len() + link.products.len(),
                values: link.byproducts.count() + link.environment.count() + link.command.len(),
            },
            Content::Layout { values, .. } => Self {
                bytes,
                artifacts: 0,
                values: *values,
            },
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            artifacts: self.artifacts.saturating_add(other.artifacts),
            values: self.values.saturating_add(other.values),
        }
    }

    /// Of what there is more than is taken, and how much would be.
    pub(super) fn beyond(self, limits: &Limits) -> Option<(&'static str, usize)> {
        let counts = [
            ("artifacts", self.artifacts, limits.total_artifacts),
            (
                "values in by-products, environments and sublayouts",
                self.values,
                limits.total_values,
            ),
            ("bytes of evidence", self.bytes, limits.total_bytes),
        ];
        let beyond = counts.into_iter().find(|(_, count, limit)| count > limit);
        beyond.map(|(what, _, limit)| (what, limit))
    }
}
