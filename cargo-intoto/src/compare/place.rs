//! Which commit, and where in it: what the `.crate` says of itself is believed in no other way than that it says where to look.

use toml::Table;

use super::Request;
use super::source::{self, Source, clean_directory};
use crate::collect::crate_file::ORIGINAL_MANIFEST;
use crate::error::CliError;
use crate::exec::git::Repository;
use crate::explain::VcsInfo;
use crate::finding::{CargoCode, CargoFinding};

const VCS_INFO: &str = ".cargo_vcs_info.json";
const MANIFEST: &str = "Cargo.toml";
/// Manifests of one repository that are read to find a package by its name.
const MOST_MANIFESTS: usize = 5000;

/// A package in a commit.
pub(super) struct Place {
    /// The commit's full id.
    pub(super) commit: String,
    /// The package's directory, with a slash at the end unless it is the top.
    pub(super) directory: String,
    /// The files of the commit.
    pub(super) source: Source,
    /// What the `.crate` says of itself, if anything that can be understood.
    pub(super) claim: Option<VcsInfo>,
    /// What was found on the way.
    pub(super) findings: Vec<CargoFinding>,
}

/// Finds the package that the `.crate` was made from.
///
/// # Errors
/// When nothing says which commit it is, or it is not there.
pub(super) fn find(request: &Request<'_>) -> Result<Place, CliError> {
    let repository = Repository::open(request.repository)?;
    let mut findings = Vec::new();
    let claim = claim(request)?;
    let commit = match (request.commit, &claim) {
        (Some(revision), _) => repository.resolve(revision)?,
        (None, Some(claim)) => claimed_commit(&repository, claim)?,
        (None, None) => {
            return Err(unknown(format!(
                "{} does not say which commit it was made from",
                request.file_name
            ))
            .hint("it was packaged outside of git; name the commit by `--commit`"));
        }
    };
    if let Some(claim) = &claim {
        say_what_is_claimed(request, claim, &commit, &mut findings);
    }
    let source = Source::read(&repository, &commit)?;
    if !repository.leads_to(&commit)? {
        findings.push(
            CargoFinding::note(
                CargoCode::CommitUnreachable,
                format!(
                    "no branch or tag of {} leads to the commit {commit}",
                    repository.directory()
                ),
            )
            .hint(
                "anybody with a fork can make such a commit: look who made it, and whether the clone has all branches",
            ),
        );
    }
    let (directory, source) = directory(request, claim.as_ref(), source)?;
    say_where_else(claim.as_ref(), &directory, &mut findings);
    Ok(Place {
        commit,
        directory,
        source,
        claim,
        findings,
    })
}

/// What the `.crate` says of itself. What is no such file is a difference where the user says what to compare with.
fn claim(request: &Request<'_>) -> Result<Option<VcsInfo>, CliError> {
    let Some(entry) = request.crate_file.get(VCS_INFO) else {
        return Ok(None);
    };
    match VcsInfo::parse(entry.content.as_deref().unwrap_or_default()) {
        Ok(claim) => Ok(Some(claim)),
        Err(_) if request.commit.is_some() => Ok(None),
        Err(error) => {
            Err(unknown(format!("{VCS_INFO} in {} is not what cargo writes", request.file_name)).because(error))
        }
    }
}

fn claimed_commit(repository: &Repository, claim: &VcsInfo) -> Result<String, CliError> {
    let id = claim.commit();
    if repository.is_commit_id(id) {
        return Ok(id.to_owned());
    }
    let shown: String = id.chars().take(64).collect();
    Err(unknown(format!(
        "{VCS_INFO} names {shown:?}, which is no full commit id of the repository {}",
        repository.directory()
    ))
    .hint("name the commit by `--commit`"))
}

fn say_what_is_claimed(request: &Request<'_>, claim: &VcsInfo, commit: &str, findings: &mut Vec<CargoFinding>) {
    if claim.is_dirty() {
        let message = format!("{VCS_INFO} says that packaged files differed from the commit");
        let finding = if request.commit.is_some() {
            CargoFinding::note(CargoCode::CratePackagedDirty, message)
        } else {
            CargoFinding::undecided(CargoCode::CratePackagedDirty, message)
                .hint("say with `--commit` which commit it shall be compared with all the same")
        };
        findings.push(finding.about(VCS_INFO));
    }
    if claim.commit() != commit {
        let shown: String = claim.commit().chars().take(64).collect();
        findings.push(
            CargoFinding::note(
                CargoCode::CrateVcsInfoMismatch,
                format!("{VCS_INFO} says commit {shown:?}, and it is compared with {commit}"),
            )
            .about(VCS_INFO),
        );
    }
}

/// The `.crate` names one directory, and the user another one.
fn say_where_else(claim: Option<&VcsInfo>, directory: &str, findings: &mut Vec<CargoFinding>) {
    let Some(claimed) = claim.and_then(VcsInfo::directory) else {
        return;
    };
    if clean_directory(claimed).as_deref() != Some(directory) {
        let shown: String = claimed.chars().take(200).collect();
        let message =
            format!("{VCS_INFO} says that the package lies in {shown:?}, and it is compared with {directory:?}");
        findings.push(CargoFinding::note(CargoCode::CrateVcsInfoMismatch, message).about(VCS_INFO));
    }
}

/// The package's directory: the user's, the `.crate`'s, else the one whose manifest it was made from.
fn directory(request: &Request<'_>, claim: Option<&VcsInfo>, mut source: Source) -> Result<(String, Source), CliError> {
    if let Some(given) = request.directory {
        let directory = clean_directory(given)
            .ok_or_else(|| CliError::usage(format!("`--path {given}` is no directory of a repository")))?;
        return holding_a_package(directory, source, "`--path`");
    }
    if let Some(claimed) = claim.and_then(VcsInfo::directory) {
        let shown: String = claimed.chars().take(200).collect();
        let directory = clean_directory(claimed).ok_or_else(|| {
            unknown(format!(
                "{VCS_INFO} names {shown:?}, which is no directory of a repository"
            ))
        })?;
        return holding_a_package(directory, source, VCS_INFO);
    }
    let found = by_manifest(request, &mut source)?;
    match found.as_slice() {
        [only] => Ok((only.clone(), source)),
        [] => Err(
            unknown(format!("the commit has no package {}", request.crate_file.stem()))
                .hint("name its directory by `--path`, or another commit by `--commit`"),
        ),
        several => Err(unknown(format!(
            "the commit has several packages that {} may have been made from: {}",
            request.file_name,
            several
                .iter()
                .take(5)
                .map(|path| format!("{path:?}"))
                .collect::<Vec<_>>()
                .join(", ")
        ))
        .hint("name its directory by `--path`")),
    }
}

fn holding_a_package(directory: String, mut source: Source, who: &str) -> Result<(String, Source), CliError> {
    if source.file(&format!("{directory}{MANIFEST}"))?.is_some()
        && let source::Place::Directory(real) = source.locate(&directory)?
    {
        // Where a link leads to it: git lists files in their own places only, and none would be missing.
        let real = if real.is_empty() { real } else { format!("{real}/") };
        return Ok((real, source));
    }
    Err(unknown(format!(
        "the commit has no {directory}{MANIFEST}, where {who} says that the package lies"
    ))
    .hint("name the package's directory by `--path`, or another commit by `--commit`"))
}

/// Cargo wrote no directory before 1.57: the manifest tells, byte for byte, else by the package's name.
fn by_manifest(request: &Request<'_>, source: &mut Source) -> Result<Vec<String>, CliError> {
    let crate_file = request.crate_file;
    let original = crate_file.get(ORIGINAL_MANIFEST).or_else(|| crate_file.get(MANIFEST));
    let Some(original) = original.and_then(|entry| entry.content.as_deref()) else {
        return Ok(Vec::new());
    };
    let directory = |path: &str| {
        path.strip_suffix(MANIFEST)
            .filter(|directory| directory.is_empty() || directory.ends_with('/'))
            .map(str::to_owned)
    };
    let same: Vec<String> = source.paths_of(original).into_iter().filter_map(directory).collect();
    if !same.is_empty() {
        return Ok(same);
    }
    let name = parse(original).and_then(|table| package_name(&table));
    let Some(name) = name else { return Ok(Vec::new()) };
    let manifests: Vec<String> = source
        .below("")
        .filter_map(|(path, _)| directory(path))
        .take(MOST_MANIFESTS)
        .collect();
    let mut found = Vec::new();
    for directory in manifests {
        let Some(file) = source.file(&format!("{directory}{MANIFEST}"))? else {
            continue;
        };
        if parse(&file.bytes).and_then(|table| package_name(&table)).as_deref() == Some(&name) {
            found.push(directory);
        }
    }
    Ok(found)
}

/// A manifest as a table, if it is one.
pub(super) fn parse(bytes: &[u8]) -> Option<Table> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn package_name(manifest: &Table) -> Option<String> {
    let package = manifest.get("package").or_else(|| manifest.get("project"))?;
    package.get("name")?.as_str().map(str::to_owned)
}

fn unknown(message: String) -> CliError {
    CliError::cannot_decide(message).with_code(CargoCode::CrateSourceUnknown)
}
