//! Which paths make up a tree, and how what lies there differs from the commits.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::to_hex;
use rayon::prelude::*;

use crate::collect::content::Mode;
use crate::collect::progress::Progress;
use crate::collect::tree::{Change, ChangeKind, FoundFile, read};
use crate::collect::walk::Walk;
use crate::error::CliError;
use crate::exec::git::{EntryKind, Git, TreeEntry};
use crate::exec::git_object::ObjectFormat;

/// Submodules within submodules, at most.
const DEEPEST: usize = 8;

/// What was found on disk, by path.
pub(super) type Found = BTreeMap<String, FoundFile>;

/// What is known of each path before its bytes are read.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Paths to look at on disk.
    pub(super) on_disk: BTreeSet<String>,
    /// What the commits hold, and in which object format.
    pub(super) committed: BTreeMap<String, (TreeEntry, ObjectFormat)>,
    /// The top of each repository, as a prefix of paths.
    repositories: Vec<String>,
    /// Paths whose index or submodule state alone is a change.
    conflicting: Vec<Change>,
}

impl Listing {
    /// Adds what the repository at `directory` tracks, and the submodules in it.
    pub(super) fn add_repository(
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
            Some(entry) if entry.kind == EntryKind::Submodule => Some(to_hex(&entry.id)),
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

    /// Whether there are no submodules.
    pub(super) fn is_one_repository(&self) -> bool {
        self.repositories.len() == 1
    }

    /// Adds what lies on disk and is not ignored, and the lock file, which binds the dependencies, ignored or not.
    pub(super) fn add_walk(
        &mut self,
        root: &Utf8Path,
        skipped: &[Utf8PathBuf],
        in_repository: bool,
    ) -> Result<(), CliError> {
        let walk = Walk::below(root).skipping(skipped).within_repository(in_repository);
        self.on_disk.extend(walk.files()?);
        self.on_disk.insert("Cargo.lock".to_owned());
        Ok(())
    }

    /// Whether this is a file of git itself.
    pub(super) fn is_of_git(&self, path: &str) -> bool {
        self.repositories.iter().any(|prefix| {
            let rest = path
                .strip_prefix(prefix.as_str())
                .and_then(|rest| rest.strip_prefix(".git"));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Whether this is one of `names` at the top of a repository or of a submodule in it.
    pub(super) fn is_at_a_top(&self, path: &str, names: &[&str]) -> bool {
        self.repositories.iter().any(|prefix| {
            path.strip_prefix(prefix.as_str())
                .is_some_and(|rest| names.contains(&rest))
        })
    }

    /// Reads what is there. Paths that are gone, or are directories now, are left out.
    pub(super) fn hash(&self, root: &Utf8Path, progress: &Progress) -> Result<Found, CliError> {
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

    pub(super) fn changes(&self, files: &Found, tolerated: &[&str]) -> Vec<Change> {
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
