//! Starter layouts and CI pipelines as data, in a crate of their own so that `cargo package` takes them along.
//!
//! To add a starter, put its TOML beside the others and add a row to [`TEMPLATES`]. `release.toml` is no starter: it is the release policy of
//! this repository. To add a pipeline, put its text into `ci/` and add a row to [`PIPELINES`].

/// A layout source to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// The name, as `cargo intoto layout new --template` takes it.
    pub name: &'static str,
    /// What it is for, in half a line.
    pub summary: &'static str,
    /// The TOML.
    pub text: &'static str,
}

/// Every starter, the simplest first.
pub const TEMPLATES: &[Template] = &[
    Template {
        name: "library",
        summary: "one library crate, one person who does every step",
        text: include_str!("../library.toml"),
    },
    Template {
        name: "library-with-deny",
        summary: "one library crate that is packaged only after cargo-deny passed",
        text: include_str!("../library-with-deny.toml"),
    },
    Template {
        name: "binary",
        summary: "one crate whose executable is handed out beside the .crate",
        text: include_str!("../binary.toml"),
    },
    Template {
        name: "workspace-with-ci",
        summary: "several crates; CI records the steps, CI and a maintainer both package, and must get the same bytes",
        text: include_str!("../workspace-with-ci.toml"),
    },
];

/// The starter called `name`.
pub fn template(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}

/// A release pipeline of a CI service, with places that `cargo intoto init --ci` fills in: `@NAME@` stands for words, or for lines where it
/// stands alone, and what stands between `#@if NAME`, `#@else` and `#@end` is kept or left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pipeline {
    /// The service, as `--ci` takes it.
    pub service: &'static str,
    /// Where the service looks for it, below the root of the repository.
    pub file: &'static str,
    /// The text with its places.
    pub text: &'static str,
}

/// Every pipeline.
pub const PIPELINES: &[Pipeline] = &[
    Pipeline {
        service: "github",
        file: ".github/workflows/intoto-release.yml",
        text: include_str!("../ci/github.yml"),
    },
    Pipeline {
        service: "gitlab",
        file: ".gitlab-ci.yml",
        text: include_str!("../ci/gitlab.yml"),
    },
    Pipeline {
        service: "jenkins",
        file: "Jenkinsfile",
        text: include_str!("../ci/Jenkinsfile"),
    },
];

/// The pipeline for `service`.
pub fn pipeline(service: &str) -> Option<&'static Pipeline> {
    PIPELINES.iter().find(|pipeline| pipeline.service == service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_starter_is_found_by_its_own_name() {
        for (index, row) in TEMPLATES.iter().enumerate() {
            assert_eq!(template(row.name), Some(&TEMPLATES[index]), "{}", row.name);
            assert!(
                row.text.starts_with("# "),
                "{} begins by saying what it is for",
                row.name
            );
        }
        assert_eq!(template("none"), None);
    }
}
