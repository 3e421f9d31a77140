//! Every package of a lock file that comes from a registry: its `.crate` against the lock file, its unpacked files against the `.crate`,
//! and the `.crate` against its repository, where a clone of that is at hand.

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::place::parse;
use super::{Comparison, ExactLock, Outcome, Request, compare};
use crate::collect::crate_file::{CrateFile, CrateLimits};
use crate::collect::dependencies::{self, PackageKind, PackageReport, Selection};
use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::workspace::{Purl, Workspace};

/// Where clones are, and what is demanded.
#[derive(Debug, Clone, Copy)]
pub struct LockedArgs<'a> {
    /// A directory with clones, named after crates or repositories.
    pub clones: Option<&'a Utf8Path>,
    /// What is demanded of a `Cargo.lock` that is not from the commit.
    pub lock: ExactLock,
}

/// One package of the lock file.
#[derive(Debug)]
pub struct Row {
    /// Its name in links.
    pub purl: Purl,
    /// `NAME VERSION`.
    pub package: String,
    /// What is wrong with its `.crate` and the files that cargo compiles, by code.
    pub problems: Vec<(CargoCode, String)>,
    /// What came of its source.
    pub source: SourceState,
}

/// What came of a package's source.
#[derive(Debug)]
pub enum SourceState {
    /// No clone of its repository is at hand.
    None,
    /// It was compared with this clone.
    Compared(Utf8PathBuf, Box<Comparison>),
    /// It could not be compared with this clone.
    Undecided(Utf8PathBuf, CliError),
    /// Its `.crate` is not at hand, or not the locked one, so there is nothing to compare.
    NoCrate,
}

impl Row {
    /// What the row comes to. Without a source nothing is equal.
    pub fn outcome(&self) -> Outcome {
        let of_problems = self.problems.iter().map(|(code, _)| match code {
            CargoCode::CrateMissing | CargoCode::VendoredUnverified => Outcome::Undecided,
            _ => Outcome::Differs,
        });
        let of_source = match &self.source {
            SourceState::None | SourceState::Undecided(..) | SourceState::NoCrate => Outcome::Undecided,
            SourceState::Compared(_, comparison) => comparison.outcome(),
        };
        of_problems.fold(of_source, Outcome::max)
    }
}

/// Compares every package of a registry that the workspace's lock file has; sorted by package.
///
/// # Errors
/// When cargo's cache cannot be read.
pub fn compare_all(workspace: &Workspace, args: LockedArgs<'_>, progress: &Progress) -> Result<Vec<Row>, CliError> {
    let report = dependencies::check(workspace, Selection::All, progress)?;
    let mut rows: Vec<Row> = report
        .packages
        .par_iter()
        .filter(|package| package.kind != PackageKind::Git)
        .map(|package| row(workspace, package, args))
        .collect();
    rows.sort_by(|a, b| a.purl.cmp(&b.purl));
    Ok(rows)
}

fn row(workspace: &Workspace, report: &PackageReport, args: LockedArgs<'_>) -> Row {
    let package = workspace.package(&report.id);
    let stem = package.map(crate::workspace::Package::stem).unwrap_or_default();
    let problems: Vec<(CargoCode, String)> = report
        .problems
        .iter()
        .map(|problem| (problem.code, problem.message.clone()))
        .collect();
    // The `.crate` is the locked one; what differs from it on disk is told beside.
    let is_locked = report.digest.is_some();
    let archive = report.archive.as_ref().filter(|_| is_locked);
    let crate_file = archive.and_then(|path| CrateFile::read(path, Some(&stem), &CrateLimits::default()).ok());
    let locked = package
        .and_then(|package| workspace.lock.get(package))
        .and_then(|locked| locked.checksum);
    let source = match crate_file.filter(|file| Some(file.sha256()) == locked) {
        None => SourceState::NoCrate,
        Some(crate_file) => source(&stem, package.map_or("", |package| &package.name), &crate_file, args),
    };
    Row {
        purl: report.purl.clone(),
        package: package.map_or_else(String::new, |package| format!("{} {}", package.name, package.version)),
        problems,
        source,
    }
}

fn source(stem: &str, name: &str, crate_file: &CrateFile, args: LockedArgs<'_>) -> SourceState {
    let Some(clone) = args.clones.and_then(|clones| clone_of(clones, name, crate_file)) else {
        return SourceState::None;
    };
    let request = Request {
        file_name: &format!("{stem}.crate"),
        crate_file,
        repository: &clone,
        commit: None,
        directory: None,
        lock: args.lock,
    };
    match compare(&request) {
        Ok(comparison) => SourceState::Compared(clone, Box::new(comparison)),
        Err(error) => SourceState::Undecided(clone, error),
    }
}

/// The clone that is named after the crate, or after the repository that its manifest names. Whichever it is, only its commits count.
fn clone_of(clones: &Utf8Path, name: &str, crate_file: &CrateFile) -> Option<Utf8PathBuf> {
    let manifest = crate_file
        .get("Cargo.toml")
        .and_then(|entry| parse(entry.content.as_deref()?));
    let repository = manifest
        .as_ref()
        .and_then(|manifest| manifest.get("package")?.get("repository")?.as_str());
    [Some(name), repository.and_then(repository_name)]
        .into_iter()
        .flatten()
        .flat_map(|name| [clones.join(name), clones.join(format!("{name}.git"))])
        .find(|path| path.is_dir())
}

/// The last part of a repository's address: `https://host/owner/NAME.git`, and what stands behind it on some hosts.
fn repository_name(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let mut parts = rest.split(['/', '?', '#']).filter(|part| !part.is_empty());
    let (_host, owner) = (parts.next()?, parts.next()?);
    let name = parts.next().unwrap_or(owner);
    let name = name.strip_suffix(".git").unwrap_or(name);
    let is_plain = !name.is_empty()
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    is_plain.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_found_by_the_name_of_their_repository() {
        for (address, expected) in [
            ("https://host.example/owner/name", Some("name")),
            ("https://host.example/owner/name.git", Some("name")),
            ("https://host.example/owner/name/tree/main/crates/x", Some("name")),
            ("https://host.example/name", Some("name")),
            ("https://host.example/owner/..", None),
            ("https://host.example/owner/../../etc", None),
            ("https://host.example/owner/a%2fb", None),
            ("https://host.example", None),
            ("owner/name", None),
        ] {
            assert_eq!(repository_name(address), expected, "{address}");
        }
    }

    #[test]
    fn a_package_without_a_source_is_not_equal() {
        let row = |problems: Vec<(CargoCode, String)>, source| Row {
            purl: Purl::new("a", "1.0.0", &crate::workspace::Source::Path),
            package: "a 1.0.0".to_owned(),
            problems,
            source,
        };
        assert_eq!(row(Vec::new(), SourceState::None).outcome(), Outcome::Undecided);
        assert_eq!(row(Vec::new(), SourceState::NoCrate).outcome(), Outcome::Undecided);
        let modified = (CargoCode::RegistrySourceModified, String::new());
        assert_eq!(row(vec![modified], SourceState::None).outcome(), Outcome::Differs);
    }
}
