//! What the manifests and the lock file of the commit say about a package's making.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use toml::{Table, Value};

use super::place::{Place, parse};
use super::source::{self, cleaned, joined};
use crate::collect::crate_file::{GENERATED, ORIGINAL_MANIFEST};
use crate::error::CliError;
use crate::workspace::Purl;
use crate::workspace::lock::Lock;

const MANIFEST: &str = "Cargo.toml";
const LOCK: &str = "Cargo.lock";
/// Where cargo looks for a readme that no manifest names.
const READMES: [&str; 3] = ["README.md", "README.txt", "README"];

/// The manifests around a package in a commit.
pub(super) struct Manifests {
    /// The package's own; empty where it is no TOML.
    pub(super) own: Table,
    /// That of the workspace's root, which may be the same.
    pub(super) workspace: Option<Table>,
    /// The readme and the licence where they lie in the package: cargo packages them whatever `include` and `exclude` say.
    pub(super) named: BTreeSet<String>,
    /// Where they lie outside of it, by the names that cargo gives them at its top.
    pub(super) elsewhere: BTreeMap<String, String>,
    /// Where cargo keeps `Cargo.lock`: the directory of the workspace's root.
    pub(super) lock_directory: String,
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
        let (mut inside, mut elsewhere) = (BTreeSet::new(), BTreeMap::new());
        for key in ["readme", "license-file"] {
            let Some((directory, path)) = named(place, &own, key, root.as_ref())? else {
                continue;
            };
            let real = cleaned(&directory, &path);
            if let Some(path) = real.as_ref().and_then(|real| real.strip_prefix(&place.directory)) {
                inside.insert(path.to_owned());
                continue;
            }
            // Cargo puts it at the top under the name that it has where it lies, unless it has such a file.
            let name = path.rsplit('/').next().unwrap_or_default();
            let is_cargos = GENERATED.contains(&name) || name == ORIGINAL_MANIFEST;
            if !name.is_empty() && !is_cargos && !path.starts_with('/') {
                elsewhere.insert(name.to_owned(), real.unwrap_or_else(|| joined(&directory, &path)));
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
            named: inside,
            elsewhere,
            lock_directory,
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
        if let Some(table) = table(place, &directory)?.filter(is_root)
            && !excludes(&table, &place.directory[directory.len()..])
        {
            return Ok(Some((directory, table)));
        }
    }
    Ok(None)
}

/// Whether a workspace leaves a directory below its root alone, as cargo reads that: its text, without patterns.
fn excludes(root: &Table, directory: &str) -> bool {
    let lists = |key| {
        let list = root
            .get("workspace")
            .and_then(|workspace| workspace.get(key)?.as_array());
        let mut paths = list.into_iter().flatten().filter_map(Value::as_str);
        paths.any(|path| Utf8Path::new(directory).starts_with(path))
    };
    lists("exclude") && !lists("members")
}

/// The path that a field names, and the directory that it is relative to. A readme need not be named.
fn named(
    place: &mut Place,
    own: &Table,
    key: &str,
    root: Option<&(String, Table)>,
) -> Result<Option<(String, String)>, CliError> {
    let Some(package) = own.get("package").or_else(|| own.get("project")) else {
        return Ok(None);
    };
    let inherits = |value: &Value| value.get("workspace").and_then(Value::as_bool) == Some(true);
    let (directory, value) = match (package.get(key), root) {
        (Some(value), Some((directory, root))) if inherits(value) => {
            let shared = root.get("workspace").and_then(|workspace| workspace.get("package"));
            (directory.clone(), shared.and_then(|package| package.get(key)))
        }
        (value, _) => (place.directory.clone(), value),
    };
    Ok(match value {
        Some(Value::String(path)) => Some((directory, path.clone())),
        Some(Value::Boolean(true)) if key == "readme" => Some((directory, READMES[0].to_owned())),
        None if key == "readme" => usual_readme(place, &directory)?.map(|name| (directory, name)),
        _ => None,
    })
}

/// The first of the usual names that a file has.
fn usual_readme(place: &mut Place, directory: &str) -> Result<Option<String>, CliError> {
    for name in READMES {
        if let source::Place::File { .. } = place.source.locate(&format!("{directory}{name}"))? {
            return Ok(Some(name.to_owned()));
        }
    }
    Ok(None)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_leaves_out_what_it_excludes_and_does_not_name() {
        for (lists, directory, is_out) in [
            ("exclude = ['fuzz']", "fuzz/", true),
            ("exclude = ['fuzz']", "fuzz/inner/", true),
            ("exclude = ['fuzz']", "fuzzy/", false),
            ("exclude = ['tests/x']", "tests/", false),
            ("exclude = ['a*']", "abc/", false),
            ("exclude = ['a']\nmembers = ['a/b']", "a/b/", false),
            ("exclude = ['a']\nmembers = ['a/*']", "a/b/", true),
            ("members = ['a']", "b/", false),
        ] {
            let root: Table = format!("[workspace]\n{lists}\n").parse().unwrap();
            assert_eq!(excludes(&root, directory), is_out, "{lists}: {directory}");
        }
    }
}
