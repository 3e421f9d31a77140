//! The registry that cargo talks to: known by its index, and only called by its name.

use crate::collect::configuration;
use crate::workspace::{Purl, lock};

/// Cargo's name for its default registry.
pub(super) const DEFAULT: &str = "crates-io";

/// A registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    url: String,
    is_sparse: bool,
    name: Option<String>,
}

impl Registry {
    /// The registry with this index, as cargo writes it, and what cargo's configuration calls it.
    pub fn new(index: &str, name: Option<&str>) -> Self {
        let url = index
            .strip_prefix("sparse+")
            .or_else(|| index.strip_prefix("registry+"));
        Self {
            url: url.unwrap_or(index).to_owned(),
            is_sparse: index.starts_with("sparse+"),
            name: name.map(str::to_owned),
        }
    }

    /// The index, without what cargo writes before it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the index is read by HTTP.
    pub fn is_sparse(&self) -> bool {
        self.is_sparse
    }

    /// What the configuration calls it, if it has a name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it is cargo's default one, whatever it is called.
    pub fn is_default(&self) -> bool {
        matches!(
            lock::registry(&self.url),
            crate::workspace::Source::Registry { is_default: true, .. }
        )
    }

    /// A crate of this registry.
    pub fn purl(&self, name: &str, version: &str) -> Purl {
        Purl::new(name, version, &lock::registry(&self.url))
    }

    /// The variable in which a token for it would stand. The one of the default registry is never handed to another, whatever it
    /// says its name is.
    pub fn token_variable(&self) -> Option<String> {
        if self.is_default() {
            return Some("CARGO_REGISTRY_TOKEN".to_owned());
        }
        let name = self.name.as_deref().filter(|name| *name != DEFAULT)?;
        Some(configuration::variable(&["registries", name, "token"]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_what_its_index_is() {
        let ours = "sparse+https://r.example/index/";
        for (index, name, purl, variable) in [
            (
                "https://github.com/rust-lang/crates.io-index",
                Some("crates-io"),
                "pkg:cargo/a@1.0.0",
                Some("CARGO_REGISTRY_TOKEN"),
            ),
            (
                "sparse+https://index.crates.io/",
                None,
                "pkg:cargo/a@1.0.0",
                Some("CARGO_REGISTRY_TOKEN"),
            ),
            (
                ours,
                Some("my-corp"),
                "pkg:cargo/a@1.0.0?repository_url=https:%2F%2Fr.example%2Findex%2F",
                Some("CARGO_REGISTRIES_MY_CORP_TOKEN"),
            ),
            // A registry that poses as the default one gets neither its scope nor its token.
            (
                ours,
                Some("crates-io"),
                "pkg:cargo/a@1.0.0?repository_url=https:%2F%2Fr.example%2Findex%2F",
                None,
            ),
            (
                ours,
                None,
                "pkg:cargo/a@1.0.0?repository_url=https:%2F%2Fr.example%2Findex%2F",
                None,
            ),
        ] {
            let registry = Registry::new(index, name);
            assert_eq!(registry.purl("a", "1.0.0").as_str(), purl, "{index}");
            assert_eq!(registry.token_variable().as_deref(), variable, "{index} {name:?}");
        }
    }
}
