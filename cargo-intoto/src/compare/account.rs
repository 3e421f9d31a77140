//! The account of the files, from the commit's bytes.

use std::collections::BTreeMap;

use intoto_core::verdict::Severity;

use super::expected::{Answer, Expected};
use super::filter::Filter;
use super::manifests::Manifests;
use super::place::Place;
use super::source::{self, SourceFile};
use super::{Class, Comparison, ExactLock, FileComparison, Request};
use crate::collect::content::{self, Mode};
use crate::collect::crate_file::{CrateFile, GENERATED, ORIGINAL_MANIFEST};
use crate::error::CliError;
use crate::explain::{self, Demand, Facts, FileAccount, LockDemand, Origin, VcsInfo};
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
    /// Why it is not said that cargo would have packaged what the commit has there.
    left_out: BTreeMap<String, Answer>,
    materials: BTreeMap<String, [u8; 32]>,
    taken_from: BTreeMap<String, String>,
}

/// Makes the comparison.
///
/// # Errors
/// When the commit cannot be read as a whole.
pub(super) fn make(request: &Request<'_>, mut place: Place, manifests: &Manifests) -> Result<Comparison, CliError> {
    let crate_file = request.crate_file;
    let filter = Filter::of(&manifests.own, manifests.workspace.as_ref())?;
    let expected = Expected::of(&mut place.source, &place.directory, filter)?;
    let mut gathered = gather(&mut place, crate_file, manifests, &expected)?;
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
    for file in files.iter_mut().filter(|file| file.class == Class::Equal) {
        let answer = is_packaged(&file.path, &place, manifests, &expected);
        file.class = match answer {
            Answer::Packaged => continue,
            Answer::LeftOut(_) | Answer::LeftOutByPattern(_) => Class::Added,
            Answer::Unknown(_) => Class::Unavailable,
        };
        gathered.left_out.insert(file.path.clone(), answer);
    }
    settle_lock(request.lock, &mut files, &mut findings);
    let mut all = gathered.known.clone();
    for (path, own) in packaged(&mut place, manifests, &expected)? {
        if crate_file.get(&path).is_none() {
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
fn gather(
    place: &mut Place,
    crate_file: &CrateFile,
    manifests: &Manifests,
    expected: &Expected,
) -> Result<Gathered, CliError> {
    let mut gathered = Gathered::default();
    for path in crate_file.entries().keys() {
        let is_made = match path.as_str() {
            // What cargo made of it is compared with `Cargo.toml.orig`, and that with the commit's.
            MANIFEST => crate_file.get(ORIGINAL_MANIFEST).is_some(),
            // Cargo takes that of the workspace's root, whatever a member has beside its manifest.
            LOCK => place.directory != manifests.lock_directory,
            path => path == VCS_INFO,
        };
        if is_made {
            continue;
        }
        // A file of the package is in the way of one from elsewhere only if cargo packages it.
        let elsewhere = manifests.elsewhere.get(path);
        let elsewhere = elsewhere.filter(|_| expected.answer(path) != Answer::Packaged);
        let wanted = elsewhere.cloned().unwrap_or_else(|| own_place(&place.directory, path));
        match place.source.locate(&wanted)? {
            source::Place::File { path: real, executable } => {
                let known = Known::of(&place.source.open(real, executable)?);
                if elsewhere.is_some() {
                    gathered.materials.insert(known.path.clone(), known.sha256);
                    gathered.taken_from.insert(path.clone(), known.path.clone());
                } else {
                    gathered.materials.insert(wanted, known.sha256);
                }
                gathered.known.insert(path.clone(), known);
            }
            source::Place::Unavailable(why) => {
                gathered.unavailable.insert(path.clone(), why);
            }
            source::Place::Nothing | source::Place::Directory(_) => {}
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

/// Whether cargo would have packaged what the commit has for a file of the `.crate`.
fn is_packaged(path: &str, place: &Place, manifests: &Manifests, expected: &Expected) -> Answer {
    let is_named = manifests.named.contains(path) || manifests.elsewhere.contains_key(path);
    if is_named || matches!(path, ORIGINAL_MANIFEST | LOCK) {
        return Answer::Packaged;
    }
    match expected.answer(path) {
        // Cargo has read patterns as gitignore does since 1.36, and has written the directory since 1.57.
        Answer::LeftOutByPattern(_) if place.claim.as_ref().and_then(VcsInfo::directory).is_none() => Answer::Unknown(
            "`include` or `exclude` leaves it out, and did not with every version of cargo that may have packaged it",
        ),
        answer => answer,
    }
}

/// What cargo would have packaged, and the places of it: the files of the package, and the readme and the licence from outside of it.
fn packaged(
    place: &mut Place,
    manifests: &Manifests,
    expected: &Expected,
) -> Result<BTreeMap<String, String>, CliError> {
    let own = |path: &str| (path.to_owned(), own_place(&place.directory, path));
    let mut places: BTreeMap<String, String> = expected.files().map(own).collect();
    // Every cargo that writes the one writes the other.
    places.extend(place.claim.is_some().then(|| own(ORIGINAL_MANIFEST)));
    for (name, elsewhere) in &manifests.elsewhere {
        if let source::Place::File { .. } = place.source.locate(elsewhere)? {
            places.entry(name.clone()).or_insert_with(|| elsewhere.clone());
        }
    }
    Ok(places)
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
        Origin::Source { .. } if known.is_some_and(|known| known.sha256 == file.sha256) => Class::Equal,
        Origin::Normalised { .. } => Class::Normalised,
        Origin::Generated => Class::Generated,
        _ if gathered.unavailable.contains_key(&file.path) => Class::Unavailable,
        _ if known.is_some() || matches!(file.path.as_str(), MANIFEST | LOCK | VCS_INFO) => Class::Changed,
        _ => Class::Added,
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
    if let Some(answer) = gathered.left_out.get(path) {
        return left_out(file, answer);
    }
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

/// The bytes are the commit's, and that is not enough: nobody who reads the manifest expects them to be published.
fn left_out(file: &FileComparison, answer: &Answer) -> Option<CargoFinding> {
    let path = &file.path;
    let place = file.place.as_deref().unwrap_or(path);
    let code = CargoCode::CrateFileLeftOut;
    let finding = match answer {
        Answer::Unknown(why) => CargoFinding::undecided(
            code,
            format!(
                "{path} has the bytes of {place} in the commit, and it cannot be told whether cargo would have packaged it: {why}"
            ),
        ),
        Answer::LeftOut(why) | Answer::LeftOutByPattern(why) => CargoFinding::refusal(
            code,
            format!("{path} has the bytes of {place} in the commit, but cargo would not have packaged it: {why}"),
        ),
        Answer::Packaged => return None,
    };
    let hint = "look at what the file does where it is published; `cargo package --list` in the commit names what belongs there";
    Some(finding.about(path).hint(hint))
}

fn missing(path: &str) -> CargoFinding {
    let message = match path {
        ORIGINAL_MANIFEST => {
            format!(
                "{path} is not in the .crate, and every cargo that writes {VCS_INFO} puts the author's manifest there"
            )
        }
        _ => format!("{path} is in the commit, and cargo would have packaged it, but it is not in the .crate"),
    };
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
            (_, Class::Added) => continue,
            (Some(known), _) => known,
            (None, _) => return None,
        };
        rows.push((file.path.as_str(), Mode::of(known.executable), known.sha256));
    }
    Some(content::digest(rows))
}
