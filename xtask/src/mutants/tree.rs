//! A workspace with nothing but `intoto-core` and the vectors, for faults to be put into.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::{sha256, to_hex};

use crate::failure::{Context as _, Failure};
use crate::files::copy_tree;
use crate::root::Root;

/// The workspace.
#[derive(Debug)]
pub(super) struct Tree(Utf8PathBuf);

/// How fast the tests are built and run: core anew for every fault, what it depends on once.
const PROFILE: &str = r#"
[profile.dev]
opt-level = 0
debug = false
incremental = true

[profile.dev.package."*"]
opt-level = 3
debug = false
"#;

impl Tree {
    /// Copies it anew, so that no fault of an interrupted run is left in it.
    pub(super) fn write(root: &Root, to: &Utf8Path) -> Result<Self, Failure> {
        if to.exists() {
            fs::remove_dir_all(to).context(format!("remove {to}"))?;
        }
        for directory in ["intoto-core", "tests/vectors"] {
            copy_tree(&root.join(directory), &to.join(directory))?;
        }
        let lock = root.join("Cargo.lock");
        fs::copy(&lock, to.join("Cargo.lock")).context(format!("copy {lock}"))?;
        let path = root.join("Cargo.toml");
        let text = fs::read_to_string(&path).context(format!("read {path}"))?;
        fs::write(to.join("Cargo.toml"), manifest(&text)?).context(format!("write Cargo.toml in {to}"))?;
        Ok(Self(to.to_owned()))
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.0
    }

    /// The digest of each source file of core, by its path from here.
    pub(super) fn digests(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut digests = BTreeMap::new();
        let mut directories = vec![self.0.join("intoto-core/src")];
        while let Some(directory) = directories.pop() {
            for entry in directory.read_dir_utf8().context(format!("list {directory}"))? {
                let path = entry.context(format!("list {directory}"))?.into_path();
                if path.is_dir() {
                    directories.push(path);
                    continue;
                }
                let bytes = fs::read(&path).context(format!("read {path}"))?;
                let name = path.strip_prefix(&self.0).unwrap_or(&path);
                digests.insert(name.to_string(), to_hex(&sha256(&bytes)));
            }
        }
        Ok(digests)
    }
}

/// The repository's manifest with one member and other profiles.
fn manifest(text: &str) -> Result<String, Failure> {
    let mut manifest: toml::Table = text.parse().context("parse Cargo.toml")?;
    let profile: toml::Table = PROFILE.parse().context("parse the profile")?;
    let workspace = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut);
    let workspace = workspace.ok_or_else(|| Failure::new("Cargo.toml has no workspace"))?;
    workspace.insert("members".into(), vec!["intoto-core"].into());
    workspace.remove("default-members");
    workspace.remove("exclude");
    manifest.extend(profile);
    Ok(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_workspace_has_one_member() {
        let manifest: toml::Table = manifest(include_str!("../../../Cargo.toml")).unwrap().parse().unwrap();
        assert_eq!(manifest["workspace"]["members"], vec!["intoto-core"].into());
        assert!(manifest["workspace"]["dependencies"]["sha2"].is_table());
        assert_eq!(manifest["profile"]["dev"]["package"]["*"]["opt-level"], 3.into());
    }
}
