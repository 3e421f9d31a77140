//! What several chores do with files.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::failure::{Context as _, Failure};

/// Copies what is in a directory into another one, which is made if it is not there.
pub(crate) fn copy_tree(from: &Utf8Path, to: &Utf8Path) -> Result<(), Failure> {
    fs::create_dir_all(to).context(format!("create {to}"))?;
    for entry in from.read_dir_utf8().context(format!("list {from}"))? {
        let entry = entry.context(format!("list {from}"))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_tree(entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).context(format!("copy {}", entry.path()))?;
        }
    }
    Ok(())
}

/// The user's own cargo home.
pub(crate) fn cargo_home() -> Result<Utf8PathBuf, Failure> {
    match std::env::var("CARGO_HOME") {
        Ok(home) => Ok(home.into()),
        Err(_) => Ok(Utf8PathBuf::from(std::env::var("HOME").context("find the home directory")?).join(".cargo")),
    }
}

/// The `.crate` that cargo fetched, from whichever registry: chores share a cargo home, and some have registries of their own.
pub(crate) fn fetched_crate(cargo_home: &Utf8Path, name: &str, version: &str) -> Result<Utf8PathBuf, Failure> {
    let caches = cargo_home.join("registry/cache");
    let file = format!("{name}-{version}.crate");
    let found = caches
        .read_dir_utf8()
        .context(format!("list {caches}"))?
        .flatten()
        .map(|registry| registry.path().join(&file))
        .find(|path| path.is_file());
    found.ok_or_else(|| Failure::new(format!("cargo fetched no {file}")))
}
