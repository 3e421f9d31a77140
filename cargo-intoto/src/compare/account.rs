//! The account of the files, from the commit's bytes.

use std::collections::BTreeMap;

use intoto_core::verdict::Severity;

use super::expected::{self, Filter};
use super::manifests::Manifests;
use super::place::Place;
use super::source::{self, SourceFile};
use super::{Class, Comparison, ExactLock, FileComparison, Request};
use crate::collect::content::{self, Mode};
use crate::collect::crate_file::{CrateFile, GENERATED, ORIGINAL_MANIFEST};
use crate::error::CliError;
use crate::explain::{self, Demand, Facts, FileAccount, LockDemand, Origin};
use crate::finding::{CargoCode, CargoFinding};
use crate::ui::count;

const MANIFEST: &str = "Cargo.toml";
const LOCK: &str = "Cargo.lock";
const VCS_INFO: &str = ".cargo_vcs_info.json";

/// A file of the commit, as far as it is needed.
#[derive(Debug, Clone)]
struct Known {
    path: String,
    sha256: [u8; 32],
    executable: bool,
}

/// What the commit has for the files of the `.crate`, by their path in it.
#[derive(Debug, Default)]
struct Gathered {
    known: BTreeMap<String, Known>,
    /// Why something that would have to be there is not in the repository.
    unavailable: BTreeMap<String, String>,
    materials: BTreeMap<String, [u8; 32]>,
    taken_from: BTreeMap<String, String>,
}

/// Makes the comparison.
///
/// # Errors
/// When the commit cannot be read as a whole.
pub(super) fn make(request: &Request<'_>, mut place: Place, manifests: &Manifests) -> Result<Comparison, CliError> {
    let crate_file = request.crate_file;
    let gathered = gather(&mut place, crate_file, manifests)?;
    let facts = Facts {
        file_name: request.file_name.to_owned(),
        demand: Demand::Everything,
        materials: gathered.materials.clone(),
        taken_from: gathered.taken_from.clone(),
        commit: place.claim.as_ref().map(|claim| claim.commit().to_owned()),
        dirty: place.claim.as_ref().map(|claim| claim.is_dirty()),
        directory: Some(place.directory.clone()),
        dependencies: manifests.dependencies.clone(),
        lock: LockDemand::Resolved,
        siblings: BTreeMap::new(),
        workspace_manifest: manifests.workspace.clone(),
    };
    let account = explain::explain(crate_file, &facts);
    let mut findings = std::mem::take(&mut place.findings);
    findings.extend(
        account
            .findings
            .into_iter()
            // Said below, in words about a commit.
            .filter(|finding| {
                !matches!(
                    finding.code,
                    CargoCode::CrateFileChanged | CargoCode::CrateFileUnexplained
                )
            }),
    );
    let mut files: Vec<FileComparison> = account.files.iter().map(|file| judge(file, &gathered)).collect();
    settle_lock(request.lock, &mut files, &mut findings);
    let filter = Filter::of(&manifests.own, manifests.workspace.as_ref())?;
    let mut all = gathered.known.clone();
    let mut expected = expected::packaged(&mut place.source, &place.directory, &filter)?;
    expected.extend(copied(&mut place, manifests)?);
    for path in expected {
        if crate_file.get(&path).is_none() {
            let own = match manifests.elsewhere.get(&path) {
                Some(elsewhere) if !gathered.known.contains_key(&path) => elsewhere.clone(),
                _ => own_place(&place.directory, &path),
            };
            let known = place.source.file(&own)?.as_ref().map(Known::of);
            files.push(FileComparison {
                class: Class::Missing,
                published: None,
                source: known.as_ref().map(|known| known.sha256),
                place: known.as_ref().map(|known| known.path.clone()),
                changes: Vec::new(),
                path: path.clone(),
            });
            all.extend(known.map(|known| (path, known)));
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    findings.extend(files.iter().filter_map(|file| finding(file, &gathered)));
    findings.extend(modes(crate_file, &files, &gathered));
    Ok(Comparison {
        package: crate_file.stem().to_owned(),
        sha256: crate_file.sha256(),
        content: crate_file.content_digest(),
        source_content: source_content(&all, &files),
        directory: place.directory.trim_end_matches('/').to_owned(),
        commit: place.commit,
        files,
        findings,
    })
}

/// Reads what the commit has in the places that the files of the `.crate` come from.
fn gather(place: &mut Place, crate_file: &CrateFile, manifests: &Manifests) -> Result<Gathered, CliError> {
    let mut gathered = Gathered::default();
    for path in crate_file.entries().keys() {
        // What cargo made of it is compared with `Cargo.toml.orig`, and that with the commit's.
        if path == MANIFEST && crate_file.get(ORIGINAL_MANIFEST).is_some() {
            continue;
        }
        let own = own_place(&place.directory, path);
        match place.source.locate(&own)? {
            source::Place::File { path: real, executable } => {
                let known = Known::of(&place.source.open(real, executable)?);
                gathered.materials.insert(own, known.sha256);
                gathered.known.insert(path.clone(), known);
            }
            source::Place::Unavailable(why) => {
                gathered.unavailable.insert(path.clone(), why);
            }
            source::Place::Nothing | source::Place::Directory(_) => {
                let Some(elsewhere) = manifests.elsewhere.get(path) else {
                    continue;
                };
                match place.source.locate(elsewhere)? {
                    source::Place::File { path: real, executable } => {
                        let known = Known::of(&place.source.open(real, executable)?);
                        gathered.materials.insert(known.path.clone(), known.sha256);
                        gathered.taken_from.insert(path.clone(), known.path.clone());
                        gathered.known.insert(path.clone(), known);
                    }
                    source::Place::Unavailable(why) => {
                        gathered.unavailable.insert(path.clone(), why);
                    }
                    source::Place::Nothing | source::Place::Directory(_) => {}
                }
            }
        }
    }
    Ok(gathered)
}

impl Known {
    fn of(file: &SourceFile) -> Self {
        Self {
            path: file.path.clone(),
            sha256: file.sha256(),
            executable: file.executable,
        }
    }
}

/// The names under which cargo copies the readme and the licence to the top: those that lie outside of the package.
fn copied(place: &mut Place, manifests: &Manifests) -> Result<Vec<String>, CliError> {
    let mut names = Vec::new();
    for (name, path) in &manifests.elsewhere {
        if let source::Place::File { path, .. } = place.source.locate(path)?
            && !path.starts_with(&place.directory)
        {
            names.push(name.clone());
        }
    }
    Ok(names)
}

fn own_place(directory: &str, path: &str) -> String {
    match path {
        ORIGINAL_MANIFEST => format!("{directory}{MANIFEST}"),
        path => format!("{directory}{path}"),
    }
}

fn judge(file: &FileAccount, gathered: &Gathered) -> FileComparison {
    let known = gathered.known.get(&file.path);
    let class = match &file.origin {
        Origin::Source { .. } => Class::Equal,
        Origin::Normalised { .. } => Class::Normalised,
        Origin::Generated => Class::Generated,
        Origin::Unexplained if gathered.unavailable.contains_key(&file.path) => Class::Unavailable,
        Origin::Unexplained if known.is_some() || matches!(file.path.as_str(), MANIFEST | LOCK | VCS_INFO) => {
            Class::Changed
        }
        Origin::Unexplained => Class::Added,
    };
    let (mut place, mut changes) = (known.map(|known| known.path.clone()), Vec::new());
    if let Origin::Normalised {
        material,
        changes: rewritten,
    } = &file.origin
    {
        place = Some(material.clone());
        changes.clone_from(rewritten);
    }
    FileComparison {
        path: file.path.clone(),
        class,
        published: Some(file.sha256),
        source: known.map(|known| known.sha256),
        place,
        changes,
    }
}

fn settle_lock(exact: ExactLock, files: &mut [FileComparison], findings: &mut [CargoFinding]) {
    if exact == ExactLock::NotDemanded {
        return;
    }
    let resolved = findings
        .iter_mut()
        .find(|finding| finding.code == CargoCode::CrateLockResolved);
    if let Some(finding) = resolved {
        finding.severity = Severity::Refusal;
        for file in files.iter_mut().filter(|file| file.path == LOCK) {
            file.class = Class::Changed;
        }
    }
}

/// What a file's class comes to in words. The files that cargo makes have findings of their own.
fn finding(file: &FileComparison, gathered: &Gathered) -> Option<CargoFinding> {
    let path = &file.path;
    if matches!(path.as_str(), LOCK | VCS_INFO) || (path == MANIFEST && !gathered.known.contains_key(MANIFEST)) {
        return (file.class == Class::Missing).then(|| missing(path));
    }
    let finding = match file.class {
        Class::Equal | Class::Normalised | Class::Generated => return None,
        Class::Changed => {
            let place = file.place.as_deref().unwrap_or(path);
            let message = format!("{path} has other bytes than {place} in the commit");
            CargoFinding::refusal(CargoCode::CrateFileChanged, message)
        }
        Class::Added => CargoFinding::refusal(
            CargoCode::CrateFileUnexplained,
            format!("{path} is in the .crate, and cargo would take no file of the commit for it"),
        ),
        Class::Missing => missing(path),
        Class::Unavailable => {
            let why = gathered.unavailable.get(path).map(String::as_str).unwrap_or_default();
            CargoFinding::undecided(
                CargoCode::CrateSourceMissing,
                format!("{path} cannot be compared: {why}"),
            )
        }
    };
    Some(finding.about(path))
}

fn missing(path: &str) -> CargoFinding {
    let message = format!("{path} is in the commit, and cargo would have packaged it, but it is not in the .crate");
    CargoFinding::refusal(CargoCode::CrateFileMissing, message).about(path)
}

/// Execute bits are lost where a file system has none, and harm nobody: told once.
fn modes(crate_file: &CrateFile, files: &[FileComparison], gathered: &Gathered) -> Option<CargoFinding> {
    let differing: Vec<&str> = files
        .iter()
        .filter(|file| file.class == Class::Equal)
        .filter(|file| {
            let published = crate_file.get(&file.path).map(|entry| entry.is_executable());
            let source = gathered.known.get(&file.path).map(|known| known.executable);
            published != source
        })
        .map(|file| file.path.as_str())
        .collect();
    let first = differing.first()?;
    let message = format!(
        "{} another execute bit than the commit has, first {first}",
        match differing.len() {
            1 => "1 file has".to_owned(),
            number => format!("{} have", count(number, "file")),
        }
    );
    Some(CargoFinding::note(CargoCode::CrateModeDiffers, message).about(*first))
}

/// The content digest of what the commit has for the same files.
fn source_content(all: &BTreeMap<String, Known>, files: &[FileComparison]) -> Option<[u8; 32]> {
    let mut rows = Vec::new();
    for file in files.iter().filter(|file| !GENERATED.contains(&file.path.as_str())) {
        let known = match (all.get(&file.path), file.class) {
            (Some(known), _) => known,
            (None, Class::Added) => continue,
            (None, _) => return None,
        };
        rows.push((file.path.as_str(), Mode::of(known.executable), known.sha256));
    }
    Some(content::digest(rows))
}
