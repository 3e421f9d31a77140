//! Checks every locked package on disk: what cargo would compile is what the lock file binds it to.
//!
//! Cargo checks a `.crate` when it downloads it, and never again; this is that check, made each time it matters.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::DigestSet;
use rayon::prelude::*;

use crate::collect::crate_file::{CrateFile, CrateLimits};
use crate::collect::git_source;
use crate::collect::hash::hex;
use crate::collect::progress::Progress;
use crate::collect::registry_source::{Layout, Location, compare};
use crate::collect::vendored::Originals;
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::workspace::{Package, Source, Workspace};

mod report;

pub use crate::collect::registry_source::DifferenceKind;
pub(crate) use report::list;
pub use report::{Counts, PackageKind, PackageReport, Problem, Report};

/// Which packages to check.
#[derive(Debug, Clone, Copy)]
pub enum Selection<'a> {
    /// Every package of the graph.
    All,
    /// Those with these package ids; ids of members and other directories are passed over.
    Ids(&'a BTreeSet<String>),
}

/// Checks the selected packages of registries and git repositories. Members and path dependencies are files of the tree.
///
/// # Errors
/// When something cannot be read; what is read and found wrong stands in the report.
pub fn check(workspace: &Workspace, selection: Selection<'_>, progress: &Progress) -> Result<Report, CliError> {
    let selected: Vec<&Package> = workspace
        .packages
        .iter()
        .filter(|package| package.source != Source::Path)
        .filter(|package| match selection {
            Selection::All => true,
            Selection::Ids(ids) => ids.contains(&package.id),
        })
        .collect();
    let checkouts = checkouts(&selected, progress)?;
    let originals = Originals::of(workspace);
    let mut packages: Vec<PackageReport> = selected
        .par_iter()
        .map(|package| match &package.source {
            Source::Git { commit, .. } => Ok(git_package(workspace, package, commit, &checkouts)),
            _ => registry_package(workspace, package, &originals, progress),
        })
        .collect::<Result<_, CliError>>()?;
    packages.sort_by(|a, b| a.purl.cmp(&b.purl));
    Ok(Report { packages })
}

fn report(package: &Package, kind: PackageKind) -> PackageReport {
    PackageReport {
        id: package.id.clone(),
        purl: package.purl.clone(),
        kind,
        directory: package.directory().to_owned(),
        archive: None,
        checkout: None,
        digest: None,
        verified: 0,
        problems: Vec::new(),
    }
}

fn registry_package(
    workspace: &Workspace,
    package: &Package,
    originals: &Originals,
    progress: &Progress,
) -> Result<PackageReport, CliError> {
    let location = Location::of(package);
    let kind = match location {
        Location::Unpacked { .. } => PackageKind::Registry,
        Location::Vendored => PackageKind::Vendored,
    };
    let mut report = report(package, kind);
    if let Location::Unpacked { crate_file } = &location {
        report.archive = Some(crate_file.clone());
    }
    let Some(locked) = workspace.lock.get(package) else {
        report.problems.push(not_locked());
        return Ok(report);
    };
    let Some(checksum) = locked.checksum else {
        let message = "Cargo.lock has no checksum for this package of a registry";
        report
            .problems
            .push(Problem::new(CargoCode::LockChecksumMissing, message));
        return Ok(report);
    };
    let original = match &location {
        Location::Unpacked { crate_file } => cached(package, crate_file, checksum)?,
        Location::Vendored => originals.find(package, checksum).ok_or_else(|| {
            Problem::new(
                CargoCode::VendoredUnverified,
                "no .crate to compare the vendored files with",
            )
        }),
    };
    let original = match original {
        Ok(original) => original,
        Err(problem) => {
            report.problems.push(problem);
            return Ok(report);
        }
    };
    report.digest = Some(DigestSet::from_sha256(checksum));
    let layout = match kind {
        PackageKind::Vendored => Layout::Vendored,
        _ => Layout::Unpacked,
    };
    let (verified, differences) = compare(&report.directory, &original, layout, progress)?;
    report.verified = verified;
    report.problems.extend(
        differences
            .into_iter()
            .map(|difference| Problem::of_difference(difference, kind)),
    );
    Ok(report)
}

/// The `.crate` in cargo's cache, if it is the one that the lock names.
fn cached(package: &Package, path: &Utf8Path, checksum: [u8; 32]) -> Result<Result<CrateFile, Problem>, CliError> {
    if !path.exists() {
        return Ok(Err(Problem::new(
            CargoCode::CrateMissing,
            "its .crate is not in cargo's cache",
        )));
    }
    // First the digest alone: an archive that is not the locked one is nobody's to understand.
    let found = crate::collect::hash::file(path, None, &Progress::hidden())?.sha256;
    let mismatch = |found: [u8; 32]| {
        Problem::new(
            CargoCode::CrateChecksumMismatch,
            format!(
                "the cached .crate has sha256 {}, Cargo.lock says {}",
                hex(&found),
                hex(&checksum)
            ),
        )
    };
    if found != checksum {
        return Ok(Err(mismatch(found)));
    }
    let file = match CrateFile::read(path, Some(&package.stem()), &CrateLimits::default()) {
        Ok(file) => file,
        Err(error) => match error.code() {
            Some(code) if code != CargoCode::CrateUnreadable => {
                let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
                return Ok(Err(Problem::new(code, format!("the cached .crate is refused: {why}"))));
            }
            _ => return Err(error),
        },
    };
    // It was read twice; the second reading is the one that counts.
    Ok(if file.sha256() == checksum {
        Ok(file)
    } else {
        Err(mismatch(file.sha256()))
    })
}

fn git_package(
    workspace: &Workspace,
    package: &Package,
    commit: &str,
    checkouts: &BTreeMap<(Utf8PathBuf, String), git_source::Checkout>,
) -> PackageReport {
    let root = git_source::checkout_root(package);
    let checkout = root
        .as_ref()
        .and_then(|root| checkouts.get(&(root.clone(), commit.to_owned())));
    let kind = if checkout.is_some() {
        PackageKind::Git
    } else {
        PackageKind::Vendored
    };
    let mut report = report(package, kind);
    report.checkout = root;
    if workspace.lock.get(package).is_none() {
        report.problems.push(not_locked());
        return report;
    }
    match checkout {
        Some(checkout) => {
            report.digest = Some(DigestSet::from_sha256(checkout.content));
            report.verified = checkout.verified;
            let problems = checkout.differences.iter().cloned();
            report
                .problems
                .extend(problems.map(|difference| Problem::of_difference(difference, kind)));
        }
        None => report.problems.push(Problem::new(
            CargoCode::VendoredUnverified,
            "a vendored git dependency cannot be compared with its commit",
        )),
    }
    report
}

fn not_locked() -> Problem {
    Problem::new(
        CargoCode::LockPackageMissing,
        "Cargo.lock does not list it with this version and source",
    )
}

/// Each checkout once, however many packages lie in it.
fn checkouts(
    packages: &[&Package],
    progress: &Progress,
) -> Result<BTreeMap<(Utf8PathBuf, String), git_source::Checkout>, CliError> {
    let wanted: BTreeSet<(Utf8PathBuf, String)> = packages
        .iter()
        .filter_map(|package| match &package.source {
            Source::Git { commit, .. } => Some((git_source::checkout_root(package)?, commit.clone())),
            _ => None,
        })
        .collect();
    wanted
        .into_iter()
        .map(|(root, commit)| {
            let checkout = git_source::check(&root, &commit, progress)?;
            Ok(((root, commit), checkout))
        })
        .collect()
}

#[cfg(test)]
mod tests;
