//! Targets that say `harness = false`. Cargo's metadata does not tell them, so the manifests are asked.

use camino::Utf8PathBuf;

use crate::error::CliError;
use crate::workspace::{Member, Workspace};

/// The kinds of targets that a manifest has tables for.
const KINDS: &[&str] = &["lib", "bin", "test", "example", "bench"];

/// A target with a test harness of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OwnHarness {
    manifest: Utf8PathBuf,
    kind: &'static str,
    /// The target's name; of the library there is only one, whatever it is called.
    name: Option<String>,
}

impl OwnHarness {
    /// Whether it is the target `name` of that kind in `member`.
    pub(super) fn is(&self, member: &Member, kind: &str, name: &str) -> bool {
        self.manifest == member.package.manifest_path
            && self.kind == kind
            && self.name.as_ref().is_none_or(|own| own == name)
    }
}

/// All of a workspace.
///
/// # Errors
/// When a manifest cannot be read.
pub(super) fn find(workspace: &Workspace) -> Result<Vec<OwnHarness>, CliError> {
    let mut found = Vec::new();
    for member in &workspace.members {
        let path = &member.package.manifest_path;
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::failure(format!("failed to read {path}")).because(error))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            CliError::cannot_decide(format!("failed to parse {path}")).because(error)
        })?;
        let own = of_manifest(&table).into_iter();
        found.extend(own.map(|(kind, name)| OwnHarness {
            manifest: path.clone(),
            kind,
            name,
        }));
    }
    Ok(found)
}

fn of_manifest(manifest: &toml::Table) -> Vec<(&'static str, Option<String>)> {
    let mut found = Vec::new();
    for kind in KINDS {
        let targets: Vec<&toml::Value> = match manifest.get(*kind) {
            Some(toml::Value::Array(targets)) => targets.iter().collect(),
            Some(target) => vec![target],
            None => Vec::new(),
        };
        for target in targets {
            if target.get("harness").and_then(toml::Value::as_bool) == Some(false) {
                let name = target.get("name").and_then(toml::Value::as_str).map(str::to_owned);
                found.push((*kind, name.filter(|_| *kind != "lib")));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_without_libtest_are_found() {
        let manifest = "[lib]\nname = 'x'\nharness = false\n[[test]]\nname = 'a'\nharness = false\n\
                        [[test]]\nname = 'b'\n[[bench]]\nname = 'c'\nharness = true";
        let found = of_manifest(&manifest.parse().expect("TOML"));
        assert_eq!(found, [("lib", None), ("test", Some("a".to_owned()))]);
    }
}
