//! A database of advisories: a git work tree, which is evidence only as far as it is its commit.

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::git_source;
use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::exec::git::Git;
use crate::finding::CargoCode;

/// A database that is, file by file, what its commit holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AdvisoryDb {
    /// The commit.
    pub commit: String,
    /// One digest over the files of the commit, as for git dependencies.
    pub content: [u8; 32],
    /// How many files it has.
    pub files: usize,
}

impl AdvisoryDb {
    /// Reads the database in `directory`.
    ///
    /// # Errors
    /// When it is no git work tree with a commit, or differs from the commit: an advisory that somebody took out would be missing.
    pub fn read(directory: &Utf8Path, progress: &Progress) -> Result<Self, CliError> {
        let real: Utf8PathBuf = directory.canonicalize_utf8().map_err(|error| {
            CliError::cannot_decide(format!("there is no advisory database in {directory}")).because(error)
        })?;
        let commit = Git::find(&real)?
            .filter(Git::is_top)
            .and_then(|git| git.head().map(str::to_owned))
            .ok_or_else(|| {
                CliError::cannot_decide(format!(
                    "the advisory database in {directory} is no git repository with a commit, so nothing says which one it is"
                ))
                .hint("let the tool fetch it, or clone it with git")
            })?;
        let checkout = git_source::check(&real, &commit, progress)?;
        if let Some(first) = checkout.differences.first() {
            return Err(CliError::refused(
                CargoCode::AdvisoryDatabaseModified,
                format!(
                    "the advisory database in {directory} differs from its commit {commit} in {} files, such as {}",
                    checkout.differences.len(),
                    first.path
                ),
            )
            .hint("remove the directory and let the tool fetch the database again"));
        }
        Ok(Self {
            commit,
            content: checkout.content,
            files: checkout.verified,
        })
    }

    /// Its name in links: the commit, because that is what anybody can look up.
    pub fn purl(&self) -> String {
        format!("pkg:generic/advisory-db@{}", self.commit)
    }
}
