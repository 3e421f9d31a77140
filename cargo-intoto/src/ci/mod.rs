//! Release pipelines for CI services: the text, and what is left to do by hand. One file per service; the texts with their places are data
//! of the package `cargo-intoto-layouts`.

mod facts;
mod github;
mod gitlab;
mod jenkins;
mod template;

use std::fmt::Write as _;

use cargo_intoto_layouts::Pipeline;
use clap::ValueEnum;

use crate::error::CliError;

use facts::check_word;
pub use facts::{CI_KEY, Facts};
use template::Filling;

/// Where jobs run that come in containers: the image tagged rust:1.95.0-bookworm, by its digest.
const IMAGE: &str = "rust:1.95.0-bookworm@sha256:6258907abe69656e41cd992e0b705cdcfabcbbe3db374f92ed2d47121282d4a1";

/// The private key of the service, where it stands in a variable.
const KEY_IN_VARIABLE: &str = "env:INTOTO_KEY";

/// The identity that the service vouches for.
const IDENTITY: &str = "sigstore:ambient";

/// A CI service, as `--ci` takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Service {
    /// GitHub Actions
    Github,
    /// GitLab CI/CD
    Gitlab,
    /// Jenkins
    Jenkins,
}

/// Where a pipeline gets cargo-intoto from, as `--ci-tool` takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// The version that writes the pipeline, from the package registry.
    Published,
    /// A commit of a git repository.
    Git { url: String, commit: String },
    /// A package of the tree itself.
    Path(String),
}

impl std::str::FromStr for Tool {
    type Err = CliError;

    fn from_str(text: &str) -> Result<Self, CliError> {
        if text == "published" {
            return Ok(Self::Published);
        }
        if let Some(path) = text.strip_prefix("path:") {
            check_word(path, "`--ci-tool`")?;
            if path.starts_with(['/', '-']) || path.split('/').any(|part| part == "..") {
                return Err(CliError::usage(format!("`{path}` does not lie in the tree"))
                    .hint("write the directory of the package below the root, as in path:cargo-intoto"));
            }
            return Ok(Self::Path(path.to_owned()));
        }
        if let Some((url, commit)) = text.strip_prefix("git:").and_then(|rest| rest.rsplit_once('#')) {
            check_word(url, "`--ci-tool`")?;
            if !url.starts_with("https://") {
                return Err(CliError::usage(format!("`{url}` does not begin with https://")));
            }
            // A branch or tag would be another program tomorrow.
            if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(
                    CliError::usage(format!("`{}` is no full commit id", commit.escape_debug()))
                        .hint("it has 40 hexadecimal digits, as `git rev-parse` prints them"),
                );
            }
            return Ok(Self::Git {
                url: url.to_owned(),
                commit: commit.to_owned(),
            });
        }
        Err(
            CliError::usage(format!("`{}` says not where cargo-intoto is from", text.escape_debug()))
                .hint("write `published`, `git:URL#COMMIT` or `path:DIRECTORY`"),
        )
    }
}

impl Tool {
    /// What follows `cargo install --locked`.
    fn install(&self, feature: &str) -> String {
        match self {
            Self::Published => format!("--features {feature} cargo-intoto@{}", env!("CARGO_PKG_VERSION")),
            Self::Git { url, commit } => format!("--features {feature} --git {url} --rev {commit} cargo-intoto"),
            Self::Path(path) => format!("--features {feature} --path {path}"),
        }
    }
}

impl Service {
    /// The issuer that vouches for what runs there, if there is one that everybody can ask.
    pub fn issuer(self) -> Option<&'static str> {
        match self {
            Self::Github => Some("https://token.actions.githubusercontent.com"),
            Self::Gitlab => Some("https://gitlab.com"),
            Self::Jenkins => None,
        }
    }

    /// Its pipeline with the places.
    fn pipeline(self) -> &'static Pipeline {
        let name = self.to_possible_value().map(|value| value.get_name().to_owned());
        name.and_then(|name| cargo_intoto_layouts::pipeline(&name))
            .expect("every service has a pipeline: the tests render all")
    }

    /// Where it looks for its pipeline, below the root of the repository.
    pub fn file(self) -> &'static str {
        self.pipeline().file
    }

    /// The pipeline.
    pub fn render(self, facts: &Facts, tool: &Tool) -> String {
        let mut filling = Filling::default();
        filling
            .value("source-steps", facts.listed(true))
            .value("record-steps", facts.listed(false))
            .lines("record-source", facts.commands(true))
            .lines("record-rest", facts.commands(false))
            .value("artifacts", facts.artifacts.join(" "))
            .value(
                "install",
                tool.install(if facts.by_identity { "sigstore" } else { "online" }),
            )
            // An identity signs no statements of releases.
            .value(
                "statement",
                if facts.by_identity {
                    "--unsigned".to_owned()
                } else {
                    format!("--key {KEY_IN_VARIABLE}")
                },
            )
            .value("image", IMAGE)
            .value("target", &facts.target);
        if matches!(tool, Tool::Path(_)) {
            filling.flag("tool-from-tree");
        }
        if facts.by_identity {
            filling.flag("identity");
        }
        if let Some(words) = &facts.publish {
            filling.flag("publish").value("publish-words", words.join(" "));
        }
        match self {
            Self::Github => github::fill(&mut filling, facts),
            Self::Gitlab => gitlab::fill(&mut filling, facts),
            Self::Jenkins => jenkins::fill(&mut filling, facts),
        }
        template::fill(self.pipeline().text, &filling)
    }

    /// What puts the private key `key`, unless an identity signs, and the owner's public key, each a file, where the pipeline finds them: shell, with
    /// comments.
    pub fn secrets(self, key: Option<&str>, owner: &str) -> String {
        match self {
            Self::Github => github::secrets(key, owner),
            Self::Gitlab => gitlab::secrets(key, owner),
            Self::Jenkins => jenkins::secrets(key, owner),
        }
    }
}

/// The commands that copy the records of a kind of steps to a directory.
fn copy_commands(facts: &Facts, is_source: bool, to: &str) -> Vec<String> {
    let copy = |name: String| format!("cp {}/intoto/latest/{name}.unsigned.link \"{to}\"", facts.target);
    facts.names(is_source).into_iter().map(copy).collect()
}

/// The commands that put the records into the directory `links` and sign them there; those of the sources lie in `source`, the others and
/// the artifacts in `record`. `key` is the shell word for the key.
fn sign_commands(facts: &Facts, key: &str, layout: &str, links: &str, source: &str, record: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for step in &facts.steps {
        let name = &step.name;
        let from = match step.is_source {
            true => source.to_owned(),
            false => format!("{record}/links"),
        };
        lines.push(format!("cp \"{from}/{name}.unsigned.link\" \"{links}/\""));
        let mut command = format!("cargo-intoto sign --key {key} --layout {layout} --step {name}");
        if step.makes_artifacts {
            let _ = write!(command, " --artifact-dir \"{record}/artifacts\"");
        }
        let _ = write!(command, " \"{links}/{name}.unsigned.link\"");
        lines.push(command);
    }
    lines.push(format!("rm \"{links}\"/*.unsigned.link"));
    lines
}

#[cfg(test)]
mod tests;
