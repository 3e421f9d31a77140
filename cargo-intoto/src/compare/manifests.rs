//! What the manifests and the lock file of the commit say about a package's making.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::place::{Place, parse};
use super::source::joined;
use crate::error::CliError;
use crate::workspace::Purl;
use crate::workspace::lock::Lock;

const MANIFEST: &str = "Cargo.toml";
const LOCK: &str = "Cargo.lock";

/// The manifests around a package in a commit.
pub(super) struct Manifests {
    /// The package's own; empty where it is no TOML.
    pub(super) own: Table,
    /// That of the workspace's root, which may be the same.
    pub(super) workspace: Option<Table>,
    /// The files that the manifest takes from elsewhere, by the names that cargo gives them: the readme and the licence.
    pub(super) elsewhere: BTreeMap<String, String>,
    /// The sha256 of the `.crate`s of locked packages, by package URL.
    pub(super) dependencies: BTreeMap<String, [u8; 32]>,
}

impl Manifests {
    /// Reads them from the commit.
    ///
    /// # Errors
    /// When an object cannot be read. A manifest that is none shows when the files are compared.
    pub(super) fn read(place: &mut Place) -> Result<Self, CliError> {
        let own = table(place, &place.directory.clone())?.unwrap_or_default();
        let root = root(place, &own)?;
        let mut elsewhere = BTreeMap::new();
        for key in ["readme", "license-file"] {
            let Some((directory, path)) = named(&own, key, &place.directory, root.as_ref()) else {
                continue;
            };
            // Cargo puts it at the top under the name that it has where it lies.
            if let Some(name) = path.rsplit('/').next().filter(|name| !name.is_empty()) {
                elsewhere.insert(name.to_owned(), joined(&directory, &path));
            }
        }
        let lock_directory = root
            .as_ref()
            .map_or(&place.directory, |(directory, _)| directory)
            .clone();
        let dependencies = dependencies(place, &lock_directory)?;
        Ok(Self {
            own,
            workspace: root.map(|(_, table)| table),
            elsewhere,
            dependencies,
        })
    }
}

fn table(place: &mut Place, directory: &str) -> Result<Option<Table>, CliError> {
    let file = place.source.file(&format!("{directory}{MANIFEST}"))?;
    Ok(file.and_then(|file| parse(&file.bytes)))
}

/// The workspace's root: what `package.workspace` names, else the nearest manifest upwards with a workspace in it.
fn root(place: &mut Place, own: &Table) -> Result<Option<(String, Table)>, CliError> {
    let is_root = |table: &Table| table.get("workspace").is_some_and(Value::is_table);
    if is_root(own) {
        return Ok(Some((place.directory.clone(), own.clone())));
    }
    if let Some(path) = own
        .get("package")
        .and_then(|package| package.get("workspace")?.as_str())
    {
        let manifest = format!("{}/{MANIFEST}", joined(&place.directory, path));
        let Some(file) = place.source.file(&manifest)? else {
            return Ok(None);
        };
        let directory = file.path.strip_suffix(MANIFEST).unwrap_or_default().to_owned();
        return Ok(parse(&file.bytes).filter(is_root).map(|table| (directory, table)));
    }
    let mut directory = place.directory.clone();
    while !directory.is_empty() {
        let above = directory.trim_end_matches('/');
        directory = above.rfind('/').map_or_else(String::new, |at| above[..=at].to_owned());
        if let Some(table) = table(place, &directory)?.filter(is_root) {
            return Ok(Some((directory, table)));
        }
    }
    Ok(None)
}

/// The path that a field names, and the directory that it is relative to.
fn named(own: &Table, key: &str, directory: &str, root: Option<&(String, Table)>) -> Option<(String, String)> {
    let package = own.get("package").or_else(|| own.get("project"))?;
    let value = package.get(key)?;
    if let Some(path) = value.as_str() {
        return Some((directory.to_owned(), path.to_owned()));
    }
    if value.get("workspace").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    let (directory, root) = root?;
    let path = root.get("workspace")?.get("package")?.get(key)?.as_str()?;
    Some((directory.clone(), path.to_owned()))
}

/// What the commit's lock file says. Without one, or with one that is none, it says nothing.
fn dependencies(place: &mut Place, directory: &str) -> Result<BTreeMap<String, [u8; 32]>, CliError> {
    let file = place.source.file(&format!("{directory}{LOCK}"))?;
    let Some(lock) = file.and_then(|file| Lock::parse(&file.bytes).ok()) else {
        return Ok(BTreeMap::new());
    };
    Ok(lock
        .iter()
        .filter_map(|locked| {
            let purl = Purl::new(&locked.name, &locked.version, &locked.source);
            Some((purl.as_str().to_owned(), locked.checksum?))
        })
        .collect())
}
