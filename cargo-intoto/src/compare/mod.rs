//! Is what was published what is in git? A `.crate`, file by file, against the commit that it says it was made from.
//!
//! The account itself is that of [`crate::explain`], with the commit's files in the place of a link's materials. What is added here: the
//! commit as cargo would read it, the files that are missing, and what the `.crate` says about itself.

use crate::collect::crate_file::CrateFile;
use crate::error::CliError;
use crate::finding::CargoFinding;
use intoto_core::verdict::Severity;

mod account;
mod expected;
mod filter;
pub mod locked;
mod manifests;
mod place;
mod source;
pub mod subject;

use camino::Utf8Path;

/// What to compare, and with what.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The name of the `.crate`, without directories.
    pub file_name: &'a str,
    /// What is in it.
    pub crate_file: &'a CrateFile,
    /// A directory in a clone of its repository.
    pub repository: &'a Utf8Path,
    /// A branch, tag or id of a commit of the user's; else the one that the `.crate` names.
    pub commit: Option<&'a str>,
    /// The package's directory in the repository, from the user; else the one that the `.crate` names.
    pub directory: Option<&'a str>,
    /// What is demanded of a `Cargo.lock` that is not from the commit.
    pub lock: ExactLock,
}

/// What is demanded of a `Cargo.lock` that is not from the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExactLock {
    /// It is a difference.
    Demanded,
    /// It is told.
    NotDemanded,
}

/// What came out.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// `NAME-VERSION`.
    pub package: String,
    /// The sha256 of the `.crate`.
    pub sha256: [u8; 32],
    /// The full id of the commit.
    pub commit: String,
    /// The package's directory in the repository, empty for its top.
    pub directory: String,
    /// The content digest of the `.crate`.
    pub content: [u8; 32],
    /// The same over the commit's files; none where one of them is not there.
    pub source_content: Option<[u8; 32]>,
    /// The files of both, sorted by path.
    pub files: Vec<FileComparison>,
    /// What was found against it, and what is worth telling.
    pub findings: Vec<CargoFinding>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileComparison {
    /// Its path in the `.crate`, below the top folder.
    pub path: String,
    /// How the two sides compare.
    pub class: Class,
    /// The sha256 in the `.crate`, if it is there.
    pub published: Option<[u8; 32]>,
    /// The sha256 in the commit, if it is there.
    pub source: Option<[u8; 32]>,
    /// Where it lies in the repository, if it is there.
    pub place: Option<String>,
    /// The fields that cargo rewrote, and how.
    pub changes: Vec<String>,
}

/// How a file of the `.crate` and the commit compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The same bytes.
    Equal,
    /// What cargo makes of the commit's file, in the documented ways.
    Normalised,
    /// Cargo makes it, from nothing that is in the commit.
    Generated,
    /// Other bytes.
    Changed,
    /// Only in the `.crate`, or in a place of the commit from which cargo packages nothing.
    Added,
    /// Only in the commit, from which cargo would have packaged it.
    Missing,
    /// The repository does not hold what it would have to be compared with, or what says whether cargo would have packaged it.
    Unavailable,
}

impl Class {
    /// Every class, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Equal,
        Self::Normalised,
        Self::Generated,
        Self::Changed,
        Self::Added,
        Self::Missing,
        Self::Unavailable,
    ];

    /// The stable lower-case text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Normalised => "normalised",
            Self::Generated => "generated",
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Missing => "missing",
            Self::Unavailable => "unavailable",
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            Self::Equal | Self::Normalised | Self::Generated => Outcome::Equal,
            Self::Changed | Self::Added | Self::Missing => Outcome::Differs,
            Self::Unavailable => Outcome::Undecided,
        }
    }
}

/// What a comparison comes to; the graver ones come later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Every file is the commit's, or cargo's.
    Equal,
    /// Something could not be compared.
    Undecided,
    /// Something is not the commit's.
    Differs,
}

impl Outcome {
    /// The stable lower-case text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Undecided => "undecided",
            Self::Differs => "differs",
        }
    }
}

impl Comparison {
    /// What it comes to: the gravest of all files and findings. No files at all are not equal to anything.
    pub fn outcome(&self) -> Outcome {
        let of_files = self.files.iter().map(|file| file.class.outcome());
        let of_findings = self.findings.iter().map(|finding| match finding.severity {
            Severity::Refusal => Outcome::Differs,
            Severity::Undecided => Outcome::Undecided,
            _ => Outcome::Equal,
        });
        let has_manifest = self.files.iter().any(|file| file.path == "Cargo.toml");
        let least = if has_manifest {
            Outcome::Equal
        } else {
            Outcome::Undecided
        };
        of_files
            .chain(of_findings)
            .max()
            .unwrap_or(Outcome::Undecided)
            .max(least)
    }

    /// The files of a class.
    pub fn of_class(&self, class: Class) -> impl Iterator<Item = &FileComparison> {
        self.files.iter().filter(move |file| file.class == class)
    }
}

/// Compares a `.crate` with the commit that it was made from.
///
/// # Errors
/// When nothing says what to compare it with, or that cannot be read. What differs stands in the result.
pub fn compare(request: &Request<'_>) -> Result<Comparison, CliError> {
    let mut place = place::find(request)?;
    let sources = manifests::Manifests::read(&mut place)?;
    account::make(request, place, &sources)
}
