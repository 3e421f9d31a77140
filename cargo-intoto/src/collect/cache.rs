//! Cargo's cache, checked by the lock file alone: for when cargo cannot read the workspace because of what lies there.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::crate_file::{CrateFile, CrateLimits};
use crate::collect::progress::Progress;
use crate::collect::registry_source::{Layout, compare};
use crate::collect::{git_source, hash};
use crate::error::{CliError, ErrorKind};
use crate::finding::CargoCode;
use crate::workspace::Source;
use crate::workspace::lock::Lock;

/// Cargo names the directory of a checkout by at least so many digits of the commit.
const SHORT_COMMIT: usize = 7;

/// Something in cargo's cache that is not what the lock file binds it to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damaged {
    /// What to remove, so that cargo makes it anew.
    pub path: Utf8PathBuf,
    /// What is wrong with it.
    pub code: CargoCode,
}

/// What lies in cargo's cache for the packages of `lock`, and is damaged. What is not there is not.
///
/// Which directory belongs to which registry only cargo knows. So an unpacked tree is held against the `.crate` of the same directory's
/// name, and that against every checksum that the lock file has for a package of this name and version.
///
/// # Errors
/// When something cannot be read.
pub fn damaged(lock: &Lock, cargo_home: &Utf8Path, progress: &Progress) -> Result<BTreeSet<Damaged>, CliError> {
    let mut checksums: BTreeMap<String, Vec<[u8; 32]>> = BTreeMap::new();
    let mut commits: BTreeSet<&str> = BTreeSet::new();
    for locked in lock.iter() {
        match (&locked.source, locked.checksum) {
            (Source::Registry { .. }, Some(checksum)) => checksums
                .entry(format!("{}-{}", locked.name, locked.version))
                .or_default()
                .push(checksum),
            (Source::Git { commit, .. }, _) => {
                commits.insert(commit);
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    let registries = directories(&cargo_home.join("registry/src"));
    for (stem, checksums) in &checksums {
        of_package(stem, checksums, &registries, cargo_home, progress, &mut found)?;
    }
    for checkout in directories(&cargo_home.join("git/checkouts"))
        .iter()
        .flat_map(|repository| directories(repository))
    {
        let name = checkout.file_name().unwrap_or_default();
        let is_of = |commit: &&&str| name.len() >= SHORT_COMMIT && commit.starts_with(name);
        if let Some(commit) = commits.iter().find(is_of) {
            let is_sound = match git_source::check(&checkout, commit, progress) {
                Ok(found) => found.differences.is_empty(),
                // A repository that git cannot read is no better than one with other files.
                Err(error) if error.kind() == ErrorKind::CannotDecide => false,
                // That git is missing, or a disk fails, says nothing about the checkout.
                Err(error) => return Err(error),
            };
            if !is_sound {
                found.insert(Damaged {
                    path: checkout,
                    code: CargoCode::GitCheckoutModified,
                });
            }
        }
    }
    Ok(found)
}

fn of_package(
    stem: &str,
    checksums: &[[u8; 32]],
    registries: &[Utf8PathBuf],
    cargo_home: &Utf8Path,
    progress: &Progress,
    found: &mut BTreeSet<Damaged>,
) -> Result<(), CliError> {
    let mut unmet: BTreeSet<&[u8; 32]> = checksums.iter().collect();
    let mut others = Vec::new();
    for registry in registries {
        let tree = registry.join(stem);
        if !tree.is_dir() {
            continue;
        }
        let archive = cargo_home
            .join("registry/cache")
            .join(registry.file_name().unwrap_or_default())
            .join(format!("{stem}.crate"));
        if !archive.is_file() {
            others.push((tree, CargoCode::CrateMissing));
            continue;
        }
        let sha256 = hash::file(&archive, None, progress)?.sha256;
        if !checksums.contains(&sha256) {
            others.push((archive, CargoCode::CrateChecksumMismatch));
            others.push((tree, CargoCode::CrateChecksumMismatch));
            continue;
        }
        unmet.remove(&sha256);
        // A `.crate` that we refuse to understand is refused again when the packages are checked.
        let original = CrateFile::read(&archive, Some(stem), &CrateLimits::default()).ok();
        let Some(original) = original.filter(|original| original.sha256() == sha256) else {
            continue;
        };
        if !compare(&tree, &original, Layout::Unpacked, progress)?.1.is_empty() {
            found.insert(Damaged {
                path: tree,
                code: CargoCode::RegistrySourceModified,
            });
        }
    }
    // Where every checksum has its `.crate`, the others belong to registries that this workspace does not use.
    if !unmet.is_empty() {
        found.extend(others.into_iter().map(|(path, code)| Damaged { path, code }));
    }
    Ok(())
}

fn directories(parent: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found: Vec<Utf8PathBuf> = parent
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        // Not through symbolic links: what is found is removed.
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path().to_owned())
        .collect();
    found.sort();
    found
}
