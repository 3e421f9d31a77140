//! Whether what lies here is what a link says was made.

use intoto_core::encoding::{Object, Value};

use super::Named;
use crate::collect::hash::hex;

/// How artifacts here and the products of a link differ; names in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Products that are not here.
    pub(crate) only_products: Vec<String>,
    /// Artifacts that are no products.
    pub(crate) not_in_products: Vec<String>,
    /// Names on both sides with other digests.
    pub(crate) differing: Vec<String>,
}

impl Difference {
    /// Compares as the reference implementation does: the digests of a product must be its sha256 and no other.
    pub(crate) fn between(products: &Object<'_>, here: &Named) -> Self {
        let mut difference = Self::default();
        for (name, digests) in products.iter() {
            match here.artifacts.get(name) {
                None => difference.only_products.push(name.to_owned()),
                Some(digest) => {
                    let is_same = digests.as_object().is_some_and(|digests| {
                        digests.len() == 1 && digests.get("sha256").and_then(Value::as_str) == Some(&hex(digest))
                    });
                    if !is_same {
                        difference.differing.push(name.to_owned());
                    }
                }
            }
        }
        let others = here.artifacts.keys().filter(|name| products.get(name).is_none());
        difference.not_in_products.extend(others.cloned());
        difference
    }

    /// Whether there is none.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// One line for each name, in the words of the reference implementation.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> {
        [
            ("Only in products", &self.only_products),
            ("Not in products", &self.not_in_products),
            ("Hashes differ", &self.differing),
        ]
        .into_iter()
        .flat_map(|(what, names)| names.iter().map(move |name| format!("{what}: {name}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_digests_are_compared() {
        let digests = |entries: &[(&'static str, String)]| {
            Value::Object(
                entries
                    .iter()
                    .map(|(name, hex)| (*name, Value::from(hex.clone())))
                    .collect(),
            )
        };
        let products: Object<'_> = [
            ("both", digests(&[("sha256", hex(&[1; 32]))])),
            ("gone", digests(&[("sha256", hex(&[1; 32]))])),
            ("other", digests(&[("sha256", hex(&[2; 32]))])),
            (
                "more",
                digests(&[("sha256", hex(&[1; 32])), ("sha512", "00".to_owned())]),
            ),
        ]
        .into_iter()
        .collect();
        let mut here = Named::default();
        for name in ["both", "other", "more", "new"] {
            here.artifacts.insert(name.to_owned(), [1; 32]);
        }
        let difference = Difference::between(&products, &here);
        let lines: Vec<_> = difference.lines().collect();
        assert_eq!(
            lines,
            [
                "Only in products: gone",
                "Not in products: new",
                "Hashes differ: more",
                "Hashes differ: other"
            ]
        );
        assert!(!difference.is_none() && Difference::default().is_none());
    }
}
