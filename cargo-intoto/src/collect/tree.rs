//! The source tree: every file that git tracks or does not ignore, as it lies on disk, and how that differs from the commit.
//!
//! Clean or dirty is decided by comparing bytes with the commit's blobs. What `git status` says, index flags, filters and
//! replacement objects play no part.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use crate::collect::content::{self, Mode};
use crate::collect::hash;
use crate::collect::progress::Progress;
use crate::collect::walk::Walk;
use crate::error::CliError;
use crate::exec::git::Git;
use crate::exec::git_object::{ObjectFormat, object_name};
use crate::workspace::Workspace;

mod line_endings;
mod listing;

use listing::Listing;

/// The files of a workspace.
#[derive(Debug, Clone)]
pub struct Tree {
    root: Utf8PathBuf,
    files: BTreeMap<String, TreeFile>,
    commit: Option<String>,
    changes: Vec<Change>,
    by_git: Option<ByGit>,
}

/// What git said about a tree in a single repository, kept for a second look.
#[derive(Debug, Clone)]
struct ByGit {
    /// Every path of the commit and of the index.
    paths: BTreeSet<String>,
    index: Utf8PathBuf,
    /// The index file's digest while git was asked.
    index_digest: [u8; 32],
}

/// One file of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeFile {
    /// What it is.
    pub mode: Mode,
    /// The sha256 of its bytes; of a link, of the link's text.
    pub sha256: [u8; 32],
    /// Its length.
    pub size: u64,
}

/// A difference between the disk and the commit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The path below the workspace's root.
    pub path: String,
    /// What is different.
    pub kind: ChangeKind,
}

/// How a path differs from the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// Other bytes, or another mode.
    Modified,
    /// In the commit, not on disk.
    Missing,
    /// On disk, not in the commit, and not ignored.
    Added,
}

impl Tree {
    /// Reads the workspace's tree.
    ///
    /// # Errors
    /// When a file cannot be read, or git fails or is missing although the workspace is in a repository.
    pub fn read(workspace: &Workspace, progress: &Progress) -> Result<Self, CliError> {
        Self::read_directory(&workspace.root, &skipped(workspace), progress)
    }

    /// Reads the tree below `root`, without the untracked files in `skipped`.
    pub(crate) fn read_directory(
        root: &Utf8Path,
        skipped: &[Utf8PathBuf],
        progress: &Progress,
    ) -> Result<Self, CliError> {
        let git = match Git::find(root)? {
            // A scratch directory in an ignored corner of somebody's repository has no history of its own.
            Some(git) if git.ignores_directory()? && !git.index()?.contains_key("Cargo.toml") => None,
            git => git,
        };
        let mut listing = Listing::default();
        let (mut commit, mut by_git) = (None, None);
        if let Some(git) = &git {
            commit = git.head().map(str::to_owned);
            let index_digest = index_digest(git.index_file());
            listing.add_repository(root, "", git, commit.as_deref(), 0)?;
            by_git = index_digest
                .filter(|_| listing.is_one_repository())
                .map(|index_digest| ByGit {
                    paths: listing.on_disk.clone(),
                    index: git.index_file().to_owned(),
                    index_digest,
                });
        }
        listing.add_walk(root, skipped, git.is_some())?;
        let files = listing.hash(root, progress)?;
        let changes = if git.is_some() {
            // A lock file that git ignores is the usual state of a library.
            listing.changes(&files, &["Cargo.lock"])
        } else {
            Vec::new()
        };
        Ok(Self {
            root: root.to_owned(),
            files: files.into_iter().map(|(path, (file, _))| (path, file)).collect(),
            commit,
            changes,
            by_git,
        })
    }

    /// The files as they are now. Git is asked again only if its index has changed since: the paths of the commit that the tree was
    /// compared with are known.
    ///
    /// # Errors
    /// As [`Tree::read`].
    pub fn files_now(
        &self,
        workspace: &Workspace,
        progress: &Progress,
    ) -> Result<BTreeMap<String, TreeFile>, CliError> {
        let Some(by_git) = self
            .by_git
            .as_ref()
            .filter(|by_git| index_digest(&by_git.index) == Some(by_git.index_digest))
        else {
            return Ok(Self::read(workspace, progress)?.files);
        };
        let mut listing = Listing::default();
        listing.on_disk.clone_from(&by_git.paths);
        listing.add_walk(&self.root, &skipped(workspace), true)?;
        let files = listing.hash(&self.root, progress)?;
        Ok(files.into_iter().map(|(path, (file, _))| (path, file)).collect())
    }

    /// The files by their path below the root.
    pub fn files(&self) -> &BTreeMap<String, TreeFile> {
        &self.files
    }

    /// The commit that is checked out; none without git, or before the first commit.
    pub fn commit(&self) -> Option<&str> {
        self.commit.as_deref()
    }

    /// Whether the disk differs from the commit, or there is no commit to compare with.
    pub fn is_dirty(&self) -> bool {
        self.commit.is_none() || !self.changes.is_empty()
    }

    /// What differs from the commit; empty without git.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// One digest over path, mode and content of every file.
    pub fn digest(&self) -> [u8; 32] {
        content::digest(
            self.files
                .iter()
                .map(|(path, file)| (path.as_str(), file.mode, file.sha256)),
        )
    }

    /// What each path yields to a reader, as a link records it.
    ///
    /// A symbolic link to a file of the workspace yields that file's bytes. One to a directory yields nothing of its own: the files
    /// in there have names of their own. One that leads nowhere or out of the workspace is not followed and yields its text.
    ///
    /// # Errors
    /// When the file behind a link cannot be read.
    pub fn materials(&self) -> Result<BTreeMap<&str, [u8; 32]>, CliError> {
        let mut materials = BTreeMap::new();
        for (path, file) in &self.files {
            let sha256 = match file.mode {
                Mode::Regular | Mode::Executable => Some(file.sha256),
                Mode::Link => self.behind_link(path, file)?,
            };
            if let Some(sha256) = sha256 {
                materials.insert(path.as_str(), sha256);
            }
        }
        Ok(materials)
    }

    fn behind_link(&self, path: &str, link: &TreeFile) -> Result<Option<[u8; 32]>, CliError> {
        let real_root = self
            .root
            .canonicalize_utf8()
            .map_err(|error| CliError::failure(format!("failed to resolve {}", self.root)).because(error))?;
        let inside = self
            .root
            .join(path)
            .canonicalize_utf8()
            .ok()
            .filter(|target| target.starts_with(&real_root));
        match inside {
            Some(target) if target.is_dir() => Ok(None),
            Some(target) => Ok(Some(hash::file(&target, None, &Progress::hidden())?.sha256)),
            None => Ok(Some(link.sha256)),
        }
    }
}

/// Compares every file below `root`, ignored or not, with what `commit` of the repository there holds. `tolerated` files may be
/// there besides, at the top or at that of a submodule, and are left out of the result. Files whose line endings alone were converted are equal, and stand in the result
/// with the commit's bytes.
///
/// # Errors
/// When the repository cannot be read, or holds other objects than their names say.
pub(crate) fn compare_with_commit(
    root: &Utf8Path,
    commit: &str,
    tolerated: &[&str],
    progress: &Progress,
) -> Result<(BTreeMap<String, TreeFile>, Vec<Change>), CliError> {
    let git = Git::find(root)?
        .filter(Git::is_top)
        .ok_or_else(|| CliError::cannot_decide(format!("{root} is not the top of a git work tree")))?;
    let mut listing = Listing::default();
    listing.add_repository(root, "", &git, Some(commit), 0)?;
    for path in Walk::everything_below(root).files()? {
        if !listing.is_of_git(&path) && !listing.is_at_a_top(&path, tolerated) {
            listing.on_disk.insert(path);
        }
    }
    let mut files = listing.hash(root, progress)?;
    line_endings::undo(root, &listing, &mut files)?;
    let changes = listing.changes(&files, &[]);
    Ok((
        files.into_iter().map(|(path, (file, _))| (path, file)).collect(),
        changes,
    ))
}

/// The directories that belong to cargo.
fn skipped(workspace: &Workspace) -> [Utf8PathBuf; 2] {
    [workspace.target_directory.clone(), workspace.build_directory.clone()]
}

fn index_digest(index: &Utf8Path) -> Option<[u8; 32]> {
    hash::file(index, None, &Progress::hidden())
        .ok()
        .map(|digest| digest.sha256)
}

/// A file on disk, with its name as a git blob where one was asked for.
pub(crate) type FoundFile = (TreeFile, Option<Vec<u8>>);

/// Reads one path without following it; none when nothing or a directory is there.
pub(crate) fn read(
    root: &Utf8Path,
    path: &str,
    blob: Option<ObjectFormat>,
    progress: &Progress,
) -> Result<Option<FoundFile>, CliError> {
    let full = root.join(path);
    let metadata = match full.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(CliError::failure(format!("failed to look at {full}")).because(error)),
    };
    if metadata.is_dir() {
        return Ok(None);
    }
    if metadata.is_symlink() {
        let text = full
            .read_link_utf8()
            .map_err(|error| CliError::failure(format!("failed to read the link {full}")).because(error))?;
        let bytes = text.as_str().as_bytes();
        let file = TreeFile {
            mode: Mode::Link,
            sha256: Sha256::digest(bytes).into(),
            size: bytes.len() as u64,
        };
        return Ok(Some((file, blob.map(|format| object_name("blob", bytes, format)))));
    }
    let digest = hash::file_itself(&full, blob, progress)?;
    let file = TreeFile {
        mode: Mode::of(digest.executable),
        sha256: digest.sha256,
        size: digest.size,
    };
    Ok(Some((file, digest.blob)))
}

#[cfg(test)]
mod tests;
