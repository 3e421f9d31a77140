//! What the check of the dependencies found, and what follows from it.

use camino::Utf8PathBuf;
use intoto_core::digest::DigestSet;

use crate::collect::registry_source::{Difference, DifferenceKind};
use crate::collect::vendored;
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::workspace::Purl;

/// What was found, by package.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// In the order of the packages' URLs.
    pub packages: Vec<PackageReport>,
}

/// What was found of one package.
#[derive(Debug, Clone)]
pub struct PackageReport {
    /// Cargo's package id.
    pub id: String,
    /// Its name in links.
    pub purl: Purl,
    /// Where cargo takes it from.
    pub kind: PackageKind,
    /// The directory that cargo compiles.
    pub directory: Utf8PathBuf,
    /// The `.crate` in cargo's cache, for a registry's package.
    pub archive: Option<Utf8PathBuf>,
    /// The top of the checkout, for a git dependency.
    pub checkout: Option<Utf8PathBuf>,
    /// What it is bound to: the sha256 of its `.crate`, or of the content of its commit. None when that was not established.
    pub digest: Option<DigestSet>,
    /// Files found equal.
    pub verified: usize,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Where cargo takes a package from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageKind {
    /// Unpacked from a `.crate`.
    Registry,
    /// A checkout of a git repository.
    Git,
    /// A directory that replaces a registry or a repository.
    Vendored,
}

/// Something wrong with a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable code.
    pub code: CargoCode,
    /// The file, relative to the package's directory, and how it differs; none when the package as a whole is meant.
    pub difference: Option<Difference>,
    /// What was found, for people.
    pub message: String,
}

/// Numbers of a report, for a link's byproducts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packages checked.
    pub packages: usize,
    /// Files equal to what they should be.
    pub verified: usize,
    /// Files that differ.
    pub modified: usize,
    /// Files that are not there.
    pub missing: usize,
    /// Files too many.
    pub extra: usize,
}

impl Report {
    /// The package with this id.
    pub fn package(&self, id: &str) -> Option<&PackageReport> {
        self.packages.iter().find(|package| package.id == id)
    }

    /// The packages whose bytes were established, by their names in links.
    pub fn established(&self) -> impl Iterator<Item = (&Purl, &DigestSet)> {
        self.packages
            .iter()
            .filter(|package| package.problems.is_empty())
            .filter_map(|package| Some((&package.purl, package.digest.as_ref()?)))
    }

    /// The numbers.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            packages: self.packages.len(),
            ..Counts::default()
        };
        for package in &self.packages {
            counts.verified += package.verified;
            for difference in package
                .problems
                .iter()
                .filter_map(|problem| problem.difference.as_ref())
            {
                match difference.kind {
                    DifferenceKind::Modified => counts.modified += 1,
                    DifferenceKind::Missing => counts.missing += 1,
                    DifferenceKind::Extra => counts.extra += 1,
                }
            }
        }
        counts
    }

    /// The vendored packages that there is nothing to compare with.
    pub fn unverified(&self) -> impl Iterator<Item = &PackageReport> {
        self.packages.iter().filter(|package| {
            package
                .problems
                .iter()
                .any(|problem| problem.code == CargoCode::VendoredUnverified)
        })
    }

    /// Drops the packages that [`Report::unverified`] names: their files are recorded as sources of the workspace.
    pub fn take_vendored_as_source(&mut self) {
        self.packages.retain(|package| {
            package
                .problems
                .iter()
                .all(|problem| problem.code != CargoCode::VendoredUnverified)
        });
    }

    /// Everything wrong, with the package it is wrong with.
    pub fn problems(&self) -> impl Iterator<Item = (&PackageReport, &Problem)> {
        self.packages
            .iter()
            .flat_map(|package| package.problems.iter().map(move |problem| (package, problem)))
    }

    /// Nothing when every package is what it should be.
    ///
    /// # Errors
    /// With the gravest problem's code: what is wrong before what could not be decided.
    pub fn require_sound(&self) -> Result<(), CliError> {
        let decided = |problem: &Problem| !is_undecided(problem.code);
        let Some((package, first)) = self.problems().find(|(_, problem)| decided(problem)) else {
            return self.require_decided();
        };
        let count = self.problems().filter(|(_, problem)| decided(problem)).count();
        let others = match count - 1 {
            0 => String::new(),
            1 => ", and 1 more problem".to_owned(),
            more => format!(", and {more} more problems"),
        };
        let error = CliError::refused(first.code, format!("{}: {}{others}", package.purl, first.message));
        Err(match (first.code, package.kind) {
            (CargoCode::LockChecksumMissing | CargoCode::LockPackageMissing, _) => error.hint(
                "restore Cargo.lock from version control, or make it anew with `cargo generate-lockfile` and review it",
            ),
            (_, PackageKind::Vendored) => {
                error.hint("restore the vendored files, or make them anew with `cargo vendor`")
            }
            _ => error.hint("`cargo intoto fetch --repair` removes what differs and lets cargo unpack it again"),
        })
    }

    fn require_decided(&self) -> Result<(), CliError> {
        let of = |code| -> Vec<String> {
            self.problems()
                .filter(|(_, problem)| problem.code == code)
                .map(|(package, _)| package.purl.to_string())
                .collect()
        };
        let (missing, unverified) = (of(CargoCode::CrateMissing), of(CargoCode::VendoredUnverified));
        if !missing.is_empty() {
            return Err(
                CliError::cannot_decide(format!("cargo's cache lacks the .crate of {}", list(&missing)))
                    .with_code(CargoCode::CrateMissing)
                    .hint("run `cargo intoto fetch --repair`, which lets cargo download it again"),
            );
        }
        if !unverified.is_empty() {
            return Err(vendored::unverified(&unverified));
        }
        Ok(())
    }
}

/// Names for people: the first few, and how many more.
pub(crate) fn list(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn is_undecided(code: CargoCode) -> bool {
    matches!(code, CargoCode::CrateMissing | CargoCode::VendoredUnverified)
}

impl Problem {
    pub(super) fn new(code: CargoCode, message: impl Into<String>) -> Self {
        Self {
            code,
            difference: None,
            message: message.into(),
        }
    }

    pub(super) fn of_difference(difference: Difference, kind: PackageKind) -> Self {
        let (code, origin) = match (kind, difference.kind) {
            (PackageKind::Registry, DifferenceKind::Modified) => (CargoCode::RegistrySourceModified, "the .crate"),
            (PackageKind::Registry, DifferenceKind::Missing) => (CargoCode::RegistrySourceMissing, "the .crate"),
            (PackageKind::Registry, DifferenceKind::Extra) => (CargoCode::RegistrySourceExtra, "the .crate"),
            (PackageKind::Vendored, _) => (CargoCode::VendoredModified, "the .crate"),
            (PackageKind::Git, _) => (CargoCode::GitCheckoutModified, "the commit"),
        };
        let message = match difference.kind {
            DifferenceKind::Modified => format!("{} on disk differs from {origin}", difference.path),
            DifferenceKind::Missing => format!("{} of {origin} is missing on disk", difference.path),
            DifferenceKind::Extra => format!("{} on disk is not in {origin}", difference.path),
        };
        Self {
            code,
            message,
            difference: Some(difference),
        }
    }
}
