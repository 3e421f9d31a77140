//! `--repair`: what differs in cargo's cache is removed, so that cargo makes it anew.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use crate::collect::dependencies::{PackageKind, PackageReport, Report};
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::recording::Context;
use crate::workspace::Workspace;
use crate::workspace::package_cache::PackageCache;

/// Removes what the report says is wrong; whether there was anything to remove.
///
/// # Errors
/// When the cache cannot be locked or something not be removed.
pub(super) fn repair(context: &Context<'_>, workspace: &Workspace, report: &Report) -> Result<bool, CliError> {
    let damaged: BTreeSet<Utf8PathBuf> = report
        .packages
        .iter()
        .filter(|package| !package.problems.is_empty())
        .flat_map(damaged_paths)
        .collect();
    if damaged.is_empty() {
        return Ok(false);
    }
    let cache = PackageCache::lock(&workspace.cargo_home)?;
    for path in &damaged {
        context.ui.status("Removing", context.naming.word(path.as_str()));
        cache.remove(path)?;
    }
    Ok(true)
}

/// The unpacked tree or checkout, and the `.crate` when that is what is wrong. A lock file and vendored sources are the user's.
fn damaged_paths(package: &PackageReport) -> Vec<Utf8PathBuf> {
    let is_users = |code| matches!(code, CargoCode::LockChecksumMissing | CargoCode::LockPackageMissing);
    if package.problems.iter().all(|problem| is_users(problem.code)) {
        return Vec::new();
    }
    match package.kind {
        PackageKind::Vendored => Vec::new(),
        PackageKind::Git => package.checkout.iter().cloned().collect(),
        PackageKind::Registry => {
            let archive = package
                .archive
                .iter()
                .filter(|_| package.problems.iter().any(|problem| problem.difference.is_none()));
            [package.directory.clone()]
                .into_iter()
                .chain(archive.cloned())
                .collect()
        }
    }
}
