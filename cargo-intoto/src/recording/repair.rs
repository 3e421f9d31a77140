//! `--repair`: what differs in cargo's cache is removed, so that cargo makes it anew.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::cache;
use crate::collect::dependencies::{self, PackageKind, PackageReport, Report};
use crate::collect::progress::Progress;
use crate::error::{CliError, ErrorKind};
use crate::exec::cargo::Cargo;
use crate::finding::CargoCode;
use crate::recording::Context;
use crate::ui::Ui;
use crate::workspace::package_cache::PackageCache;
use crate::workspace::{Workspace, WorkspaceArgs, cargo_home};

/// Finds out whether cargo could not read the workspace because of what lies in its cache, and removes that when `repair` says so:
/// `Ok` means that cargo may try again.
///
/// # Errors
/// With the refusal of what is damaged, or else with `error` itself.
pub(crate) fn of_unread(
    ui: &Ui,
    error: CliError,
    manifest_path: Option<&Utf8Path>,
    repair: bool,
) -> Result<(), CliError> {
    if error.kind() != ErrorKind::CannotDecide {
        return Err(error);
    }
    let args = WorkspaceArgs {
        manifest_path: manifest_path.map(Utf8Path::to_owned),
        ..WorkspaceArgs::default()
    };
    let (Ok(lock), Ok(cargo_home)) = (Workspace::lock_alone(&args, Cargo::locate(ui).program()), cargo_home()) else {
        return Err(error);
    };
    let damaged = cache::damaged(&lock, &cargo_home, &Progress::new(ui, "Checking"))?;
    let named = |path: &Utf8Path| path.strip_prefix(&cargo_home).unwrap_or(path).to_string();
    let Some(first) = damaged.first() else {
        return Err(error);
    };
    if repair {
        let cache = PackageCache::lock(&cargo_home)?;
        for damaged in &damaged {
            ui.status("Removing", named(&damaged.path));
            cache.remove(&damaged.path)?;
        }
        return Ok(());
    }
    let names: Vec<String> = damaged.iter().map(|damaged| named(&damaged.path)).collect();
    Err(CliError::refused(
        first.code,
        format!(
            "cargo cannot read the workspace, and packages in its cache are not what Cargo.lock binds them to: {}",
            dependencies::list(&names)
        ),
    )
    .because(error)
    .hint("`cargo intoto fetch --repair` removes them, so that cargo makes them anew"))
}

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
