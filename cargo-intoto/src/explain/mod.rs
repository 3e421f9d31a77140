//! The account of a `.crate`, file by file: what came from the recorded source, what cargo rewrote or generated, and what
//! nothing explains.
//!
//! A build script can swap the archive that cargo has staged, and cargo then uploads it with a matching checksum; a signature
//! over the archive alone would only say who was fooled. So `package` makes this account before it signs, and `verify` makes it
//! again from the link. `docs/crate-explained.md` is the specification.

use std::collections::{BTreeMap, BTreeSet};

use toml::Table;

use crate::collect::crate_file::{CrateFile, ORIGINAL_MANIFEST};
use crate::error::CliError;
use crate::finding::{CargoCode, CargoFinding};

mod lock;
mod manifest;
mod source;
mod vcs;

pub use vcs::VcsInfo;

const MANIFEST: &str = "Cargo.toml";
const LOCK: &str = "Cargo.lock";
const VCS_INFO: &str = ".cargo_vcs_info.json";

/// What the evidence says about the making of one `.crate`.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The name under which the `.crate` is at hand, without directories.
    pub file_name: String,
    /// How much the evidence must account for.
    pub demand: Demand,
    /// The materials of the step that made it: names and sha256.
    pub materials: BTreeMap<String, [u8; 32]>,
    /// For files that do not lie at their own place in the source (resolved symbolic links): path in the `.crate` to material.
    pub taken_from: BTreeMap<String, String>,
    /// The commit it was made from.
    pub commit: Option<String>,
    /// Whether that tree differed from the commit.
    pub dirty: Option<bool>,
    /// The directory of the crate among the materials, with a slash at the end unless it is empty, where it is known beforehand.
    pub directory: Option<String>,
    /// The sha256 of the `.crate`s of the locked packages, by package URL.
    pub dependencies: BTreeMap<String, [u8; 32]>,
    /// What is demanded of a `Cargo.lock` that is not from source.
    pub lock: LockDemand,
    /// The `.crate`s that the same step made, by `NAME-VERSION`: workspace members that depend on each other.
    pub siblings: BTreeMap<String, [u8; 32]>,
    /// The manifest of the workspace root, where it is at hand.
    pub workspace_manifest: Option<Table>,
}

/// How much the evidence must account for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Demand {
    /// Every file: the link was made by this program, which records what the account needs.
    #[default]
    Everything,
    /// Every file, once the link's materials have a manifest and sources: the link was made by another tool, which may not have
    /// recorded any.
    IfSourcesRecorded,
}

/// What is demanded of a `Cargo.lock` in a `.crate` that is not from source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LockDemand {
    /// Every package in it is one of [`Facts::dependencies`]: what a step used was recorded.
    #[default]
    Recorded,
    /// Every package in it is some registry's; those that are not among [`Facts::dependencies`] are told. What cargo resolved on the day
    /// on which it packaged stands in no commit.
    Resolved,
}

/// The account of one `.crate`.
#[derive(Debug, Clone)]
pub struct Account {
    /// `NAME-VERSION`.
    pub package: String,
    /// Whether the evidence could account for files at all.
    pub explained: bool,
    /// The files, sorted by path.
    pub files: Vec<FileAccount>,
    /// What was found against it, and what is worth telling.
    pub findings: Vec<CargoFinding>,
}

/// The account of one file of a `.crate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAccount {
    /// Its path below the top folder.
    pub path: String,
    /// Its sha256.
    pub sha256: [u8; 32],
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a file of a `.crate` comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is this material, byte for byte.
    Source {
        /// The name of the material.
        material: String,
    },
    /// It is this material, rewritten by cargo in the documented ways.
    Normalised {
        /// The name of the material.
        material: String,
        /// The fields that were rewritten, and how.
        changes: Vec<String>,
    },
    /// Cargo generated it, and what it says agrees with the evidence.
    Generated,
    /// Nothing explains it.
    Unexplained,
}

impl Origin {
    /// The stable lower-case text.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Source { .. } => "source",
            Self::Normalised { .. } => "normalised",
            Self::Generated => "generated",
            Self::Unexplained => "unexplained",
        }
    }
}

impl Account {
    /// How many files have an origin that `is` accepts.
    pub fn count(&self, is: impl Fn(&Origin) -> bool) -> usize {
        self.files.iter().filter(|file| is(&file.origin)).count()
    }

    /// The first refusal as an error of a command.
    ///
    /// # Errors
    /// When anything was found against the `.crate`.
    pub fn check(&self) -> Result<(), CliError> {
        let mut refusals = self.findings.iter().filter(|finding| finding.is_refusal());
        let Some(first) = refusals.next() else {
            return Ok(());
        };
        let more = refusals.count();
        let mut error = CliError::refused(first.code, format!("{}.crate: {}", self.package, first.message));
        if let Some(hint) = &first.hint {
            error = error.hint(hint);
        }
        if more > 0 {
            error = error.hint(format!("{more} more of its files are not explained either"));
        }
        Err(error)
    }
}

/// Makes the account of a `.crate` from what the evidence says about it.
pub fn explain(crate_file: &CrateFile, facts: &Facts) -> Account {
    let mut findings = Vec::new();
    let names: BTreeSet<&str> = crate_file.entries().keys().map(String::as_str).collect();
    let manifests = Manifests::parse(crate_file, &mut findings);
    check_identity(crate_file, facts, &manifests, &mut findings);

    let sources = match &facts.directory {
        Some(directory) => Some(source::Sources::at(directory)),
        None => source::Sources::locate(crate_file, facts),
    };
    if sources.is_none() && facts.demand == Demand::IfSourcesRecorded && !source::are_recorded(facts) {
        return not_explained(crate_file, findings);
    }
    let sources = sources.unwrap_or_default();
    let files = crate_file
        .entries()
        .iter()
        .map(|(path, entry)| {
            let origin = match path.as_str() {
                MANIFEST => account_manifest(entry.sha256, &sources, facts, &manifests, &names, &mut findings),
                VCS_INFO => match sources.find(path, entry.sha256, facts, &[]) {
                    Ok(origin) => Some(origin),
                    Err(_) => vcs::account(entry, facts, sources.directory(), &mut findings),
                },
                LOCK => match sources.find(path, entry.sha256, facts, &[]) {
                    Ok(origin) => Some(origin),
                    Err(_) => lock::account(entry, crate_file.stem(), facts, &mut findings),
                },
                _ => sources
                    .find(path, entry.sha256, facts, &manifests.elsewhere())
                    .map_err(|finding| findings.push(*finding))
                    .ok(),
            };
            FileAccount {
                path: path.clone(),
                sha256: entry.sha256,
                origin: origin.unwrap_or(Origin::Unexplained),
            }
        })
        .collect();
    Account {
        package: crate_file.stem().to_owned(),
        explained: true,
        files,
        findings,
    }
}

/// The manifest as cargo wrote it and as the author did, parsed.
struct Manifests {
    published: Option<Table>,
    original: Option<Table>,
}

impl Manifests {
    fn parse(crate_file: &CrateFile, findings: &mut Vec<CargoFinding>) -> Self {
        let mut parse = |name: &str| {
            let bytes = crate_file.get(name)?.content.as_deref()?;
            let parsed = std::str::from_utf8(bytes)
                .map_err(|error| error.to_string())
                .and_then(|text| text.parse::<Table>().map_err(|error| error.message().to_owned()));
            parsed
                .map_err(|why| {
                    let message = format!("{name} is no manifest: {why}");
                    findings.push(CargoFinding::refusal(CargoCode::CrateManifestChanged, message).about(name));
                })
                .ok()
        };
        Self {
            published: parse(MANIFEST),
            original: parse(ORIGINAL_MANIFEST),
        }
    }

    /// The files that cargo copies to the top of the package from elsewhere, because the manifest names them.
    fn elsewhere(&self) -> Vec<&str> {
        let package = self.published.as_ref().and_then(|table| table.get("package"));
        ["readme", "license-file"]
            .into_iter()
            .filter_map(|key| package?.get(key)?.as_str())
            .collect()
    }
}

/// File name, top folder, and the name and version of the manifest are of one crate.
fn check_identity(crate_file: &CrateFile, facts: &Facts, manifests: &Manifests, findings: &mut Vec<CargoFinding>) {
    let mut refuse = |message: String| {
        findings.push(CargoFinding::refusal(CargoCode::CrateNameMismatch, message));
    };
    let stem = crate_file.stem();
    if facts.file_name != format!("{stem}.crate") {
        refuse(format!(
            "the file is named {}, and its top folder {stem}",
            facts.file_name
        ));
    }
    let Some(published) = &manifests.published else {
        if crate_file.get(MANIFEST).is_none() {
            refuse("there is no Cargo.toml in it, so nothing says which crate it is".to_owned());
        }
        return;
    };
    let field = |key: &str| {
        let value = published.get("package").and_then(|package| package.get(key));
        value.and_then(toml::Value::as_str).unwrap_or_default().to_owned()
    };
    let (name, version) = (field("name"), field("version"));
    if format!("{name}-{version}") != stem {
        refuse(format!(
            "its top folder is {stem}, and its Cargo.toml says {name} {version}"
        ));
    }
}

/// The manifest is from source as it is, or the rewritten form of `Cargo.toml.orig`, which is from source.
fn account_manifest(
    sha256: [u8; 32],
    sources: &source::Sources,
    facts: &Facts,
    manifests: &Manifests,
    files: &BTreeSet<&str>,
    findings: &mut Vec<CargoFinding>,
) -> Option<Origin> {
    let (Some(published), Some(original)) = (&manifests.published, &manifests.original) else {
        return sources
            .find(MANIFEST, sha256, facts, &[])
            .map_err(|finding| findings.push(*finding))
            .ok();
    };
    let surroundings = manifest::Surroundings {
        files,
        workspace: facts.workspace_manifest.as_ref(),
        dependencies: &facts.dependencies,
    };
    let comparison = manifest::compare(original, published, &surroundings);
    for difference in &comparison.differences {
        let message = format!(
            "{} of Cargo.toml is {}, and Cargo.toml.orig leads to {}",
            difference.field, difference.found, difference.expected
        );
        findings.push(CargoFinding::refusal(CargoCode::CrateManifestChanged, message).about(MANIFEST));
    }
    // That Cargo.toml.orig itself is from source is its own row of the account.
    (comparison.differences.is_empty()).then(|| Origin::Normalised {
        material: sources.manifest().to_owned(),
        changes: comparison.changes,
    })
}

fn not_explained(crate_file: &CrateFile, mut findings: Vec<CargoFinding>) -> Account {
    let finding = CargoFinding::note(
        CargoCode::CrateNotExplained,
        "the step that made it did not record the crate's sources, so its files are not accounted for",
    );
    findings.push(finding.hint("record the step with `cargo intoto package`, or with the crate's files as materials"));
    Account {
        package: crate_file.stem().to_owned(),
        explained: false,
        files: Vec::new(),
        findings,
    }
}

#[cfg(test)]
mod tests;
