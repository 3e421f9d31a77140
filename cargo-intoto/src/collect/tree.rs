//! The source tree: every file that git tracks or does not ignore, as it lies on disk, and how that differs from the commit.
//!
//! Clean or dirty is decided by comparing bytes with the commit's blobs. What `git status` says, index flags, filters and
//! replacement objects play no part.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::collect::content::{self, Mode};
use crate::collect::hash;
use crate::collect::progress::Progress;
use crate::collect::walk::Walk;
use crate::error::CliError;
use crate::exec::git::{EntryKind, Git, TreeEntry};
use crate::exec::git_object::{ObjectFormat, object_name};
use crate::workspace::Workspace;

/// Submodules within submodules, at most.
const DEEPEST: usize = 8;

/// The files of a workspace.
#[derive(Debug, Clone)]
pub struct Tree {
    root: Utf8PathBuf,
    files: BTreeMap<String, TreeFile>,
    commit: Option<String>,
    changes: Vec<Change>,
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
        let skipped = [workspace.target_directory.clone(), workspace.build_directory.clone()];
        Self::read_directory(&workspace.root, &skipped, progress)
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
        let mut commit = None;
        if let Some(git) = &git {
            commit = git.head()?;
            listing.add_repository(root, "", git, commit.as_deref(), 0)?;
        }
        let walk = Walk::below(root).skipping(skipped).within_repository(git.is_some());
        for path in walk.files()? {
            listing.on_disk.insert(path);
        }
        // The lock file binds the dependencies, ignored or not.
        listing.on_disk.insert("Cargo.lock".to_owned());
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
        })
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

/// What was found on disk, with the blob name where one was asked for.
type Found = BTreeMap<String, (TreeFile, Option<Vec<u8>>)>;

/// Compares every file below `root`, ignored or not, with what `commit` of the repository there holds. `tolerated` files may be
/// there besides, and are left out of the result.
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
        if !listing.is_of_git(&path) && !tolerated.contains(&path.as_str()) {
            listing.on_disk.insert(path);
        }
    }
    let files = listing.hash(root, progress)?;
    let changes = listing.changes(&files, &[]);
    Ok((
        files.into_iter().map(|(path, (file, _))| (path, file)).collect(),
        changes,
    ))
}

/// What is known of each path before its bytes are read.
#[derive(Debug, Default)]
struct Listing {
    /// Paths to look at on disk.
    on_disk: BTreeSet<String>,
    /// What the commits hold, and in which object format.
    committed: BTreeMap<String, (TreeEntry, ObjectFormat)>,
    /// The top of each repository, as a prefix of paths.
    repositories: Vec<String>,
    /// Paths whose index or submodule state alone is a change.
    conflicting: Vec<Change>,
}

impl Listing {
    /// Adds what the repository at `directory` tracks, and the submodules in it.
    fn add_repository(
        &mut self,
        directory: &Utf8Path,
        prefix: &str,
        git: &Git,
        commit: Option<&str>,
        depth: usize,
    ) -> Result<(), CliError> {
        if depth > DEEPEST {
            return Err(CliError::cannot_decide(format!(
                "{directory}: submodules are nested deeper than {DEEPEST}"
            )));
        }
        self.repositories.push(prefix.to_owned());
        let committed = commit
            .map(|commit| git.commit_files(commit))
            .transpose()?
            .unwrap_or_default();
        let index = git.index()?;
        let submodules: BTreeSet<&String> = committed
            .iter()
            .filter(|(_, entry)| entry.kind == EntryKind::Submodule)
            .map(|(path, _)| path)
            .chain(
                index
                    .iter()
                    .filter(|(_, kind)| **kind == EntryKind::Submodule)
                    .map(|(path, _)| path),
            )
            .collect();
        for path in submodules {
            self.add_submodule(directory, prefix, path, committed.get(path), depth)?;
        }
        for (path, entry) in &committed {
            if entry.kind.is_file() {
                let path = format!("{prefix}{path}");
                self.on_disk.insert(path.clone());
                self.committed.insert(path, (entry.clone(), git.object_format()));
            }
        }
        self.on_disk.extend(
            index
                .iter()
                .filter(|(_, kind)| kind.is_file())
                .map(|(path, _)| format!("{prefix}{path}")),
        );
        Ok(())
    }

    /// A submodule is judged by the commit that the outer commit names.
    fn add_submodule(
        &mut self,
        directory: &Utf8Path,
        prefix: &str,
        path: &str,
        entry: Option<&TreeEntry>,
        depth: usize,
    ) -> Result<(), CliError> {
        let below = directory.join(path);
        let full = format!("{prefix}{path}");
        if !below.join(".git").exists() {
            // Not checked out: nothing of it can be used. What lies there instead is found by the walk.
            return Ok(());
        }
        let Some(git) = Git::find(&below)?.filter(Git::is_top) else {
            return Err(
                CliError::cannot_decide(format!("the submodule {full} has no readable repository"))
                    .hint("run `git submodule update --init --recursive`"),
            );
        };
        let commit = match entry {
            Some(entry) if entry.kind == EntryKind::Submodule => Some(hash::hex(&entry.id)),
            _ => {
                self.conflicting.push(Change {
                    path: full.clone(),
                    kind: ChangeKind::Added,
                });
                None
            }
        };
        self.add_repository(&below, &format!("{full}/"), &git, commit.as_deref(), depth + 1)
    }

    /// Whether this is a file of git itself.
    fn is_of_git(&self, path: &str) -> bool {
        self.repositories.iter().any(|prefix| {
            let rest = path
                .strip_prefix(prefix.as_str())
                .and_then(|rest| rest.strip_prefix(".git"));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Reads what is there. Paths that are gone, or are directories now, are left out.
    fn hash(&self, root: &Utf8Path, progress: &Progress) -> Result<Found, CliError> {
        let linked = linked_folders(root, self.on_disk.iter());
        let hashed: Vec<_> = self
            .on_disk
            .par_iter()
            .filter(|path| !leads_through(path, &linked))
            .map(|path| {
                let blob = self.committed.get(path).map(|(_, format)| *format);
                Ok(read(root, path, blob, progress)?.map(|found| (path.clone(), found)))
            })
            .collect::<Result<_, CliError>>()?;
        Ok(hashed.into_iter().flatten().collect())
    }

    fn changes(&self, files: &Found, tolerated: &[&str]) -> Vec<Change> {
        let mut changes = self.conflicting.clone();
        let mut change = |path: &String, kind| {
            changes.push(Change {
                path: path.clone(),
                kind,
            });
        };
        for (path, (entry, _)) in &self.committed {
            match files.get(path) {
                None => change(path, ChangeKind::Missing),
                Some((file, blob)) if mode_of(entry.kind) != Some(file.mode) || blob.as_ref() != Some(&entry.id) => {
                    change(path, ChangeKind::Modified);
                }
                Some(_) => {}
            }
        }
        for path in files.keys().filter(|path| !self.committed.contains_key(*path)) {
            if !tolerated.contains(&path.as_str()) {
                change(path, ChangeKind::Added);
            }
        }
        changes.sort();
        changes
    }
}

fn mode_of(kind: EntryKind) -> Option<Mode> {
    match kind {
        EntryKind::Regular => Some(Mode::Regular),
        EntryKind::Executable => Some(Mode::Executable),
        EntryKind::Link => Some(Mode::Link),
        EntryKind::Submodule => None,
    }
}

/// Reads one path without following it; none when nothing or a directory is there.
pub(crate) fn read(
    root: &Utf8Path,
    path: &str,
    blob: Option<ObjectFormat>,
    progress: &Progress,
) -> Result<Option<(TreeFile, Option<Vec<u8>>)>, CliError> {
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

/// The folders of these paths that are links: a path through one names a file that is somebody else's.
fn linked_folders<'a>(root: &Utf8Path, paths: impl Iterator<Item = &'a String>) -> BTreeSet<&'a str> {
    let folders: BTreeSet<&str> = paths
        .flat_map(|path| path.match_indices('/').map(|(index, _)| &path[..index]))
        .collect();
    folders
        .into_iter()
        .filter(|folder| root.join(folder).is_symlink())
        .collect()
}

fn leads_through(path: &str, linked: &BTreeSet<&str>) -> bool {
    !linked.is_empty()
        && path
            .match_indices('/')
            .any(|(index, _)| linked.contains(&path[..index]))
}

#[cfg(test)]
mod tests;
