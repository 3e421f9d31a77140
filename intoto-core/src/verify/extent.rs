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

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use super::*;
    use crate::encoding::strict_json;
    use crate::link::Link;
    use crate::verdict::EvidenceKind;

    #[test]
    fn all_that_is_kept_of_a_link_is_counted() {
        let digest = "0".repeat(64);
        let text = alloc::format!(
            r#"{{"_type":"link","name":"a","materials":{{"m":{{"sha256":"{digest}"}}}},
                "products":{{"p":{{"sha256":"{digest}"}},"q":{{"sha256":"{digest}"}}}},
                "command":["a","b","c","d","e"],"byproducts":{{"x":1,"y":2}},"environment":{{"z":[1,2,3,4,5]}}}}"#
        );
        let limits = Limits::default();
        let value = strict_json::parse(text.as_bytes(), &limits).expect("JSON");
        let link = Link::from_value(&value, &limits).expect("a link");
        let content = Content::Link(EvidenceKind::Link, Arc::new(link));
        // Three by-products with their object, seven values of the environment, five words.
        let expected = Extent {
            bytes: 9,
            artifacts: 3,
            values: 3 + 7 + 5,
        };
        assert_eq!(Extent::of(&content, 9), expected);
    }
}
