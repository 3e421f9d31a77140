//! Where inspections work: a directory of its own that holds the artifacts in hand and nothing else.

use std::fs;
use std::io;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};
use ignore::{DirEntry, WalkBuilder};
use tempfile::TempDir;

use super::Undone;
use super::budget::Budget;
use crate::collect::hash;
use crate::collect::named::leads_nowhere;
use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::verification::Artifact;

/// More files than this before or after an inspection are not listed.
const MAX_FILES: usize = 200_000;

/// The place, and what is in it.
#[derive(Debug)]
pub(super) enum Scratch {
    /// Nothing will touch the artifacts: their names and digests are enough, and nothing is copied.
    Untouched(Vec<(String, [u8; 32])>),
    /// A directory with copies, which is removed in the end.
    Directory { guard: TempDir, path: Utf8PathBuf },
}

impl Scratch {
    /// A place for inspections that only look.
    pub(super) fn untouched(artifacts: &[Artifact]) -> Self {
        let listed = artifacts
            .iter()
            .map(|artifact| (artifact.name.clone(), artifact.sha256));
        Self::Untouched(listed.filter(|(name, _)| !is_excluded(name)).collect())
    }

    /// A place for inspections that do something to the artifacts.
    pub(super) fn directory(artifacts: &[Artifact]) -> Result<Self, CliError> {
        let failed = |error: io::Error| {
            CliError::failure("failed to set up the scratch directory of the inspections").because(error)
        };
        let guard = tempfile::Builder::new()
            .prefix("cargo-intoto-")
            .tempdir()
            .map_err(failed)?;
        let path = Utf8PathBuf::from_path_buf(guard.path().to_owned())
            .map_err(|path| CliError::failure(format!("the temporary directory {} is not UTF-8", path.display())))?;
        for artifact in artifacts {
            let copy = path.join(&artifact.name);
            let (mut from, _) = hash::open_regular(&artifact.path)?;
            let mut to = fs::File::create_new(&copy).map_err(failed)?;
            io::copy(&mut from, &mut to).map_err(failed)?;
            // What inspections say must be said of the file that the verdict is about.
            if hash::file(&copy, None, &Progress::hidden())?.sha256 != artifact.sha256 {
                return Err(CliError::failure(format!(
                    "{} changed while it was verified",
                    artifact.path
                )));
            }
        }
        Ok(Self::Directory { guard, path })
    }

    /// The directory, if there is one.
    pub(super) fn path(&self) -> Option<&Utf8Path> {
        match self {
            Self::Untouched(_) => None,
            Self::Directory { path, .. } => Some(path),
        }
    }

    /// What is there: names and digests, as the reference implementation records them. Or why it is more than the inspections may list.
    pub(super) fn list(&self, budget: &Budget) -> Result<Vec<(String, [u8; 32])>, Undone> {
        let path = match self {
            Self::Untouched(listed) => {
                budget.names(listed.len())?;
                return Ok(listed.clone());
            }
            Self::Directory { path, .. } => path,
        };
        let failed = |what: String| CliError::failure(format!("failed to list what an inspection left: {what}"));
        let mut names = Vec::new();
        let walk = WalkBuilder::new(path)
            .standard_filters(false)
            .follow_links(true)
            .filter_entry(|entry| {
                entry.depth() == 0 || entry.file_name().to_str().is_none_or(|name| !is_excluded(name))
            })
            .build();
        for entry in walk {
            // Directories are none of the names, and take as long to find.
            budget.names(1)?;
            let entry = match entry {
                Ok(entry) => entry,
                // A link that leads nowhere, or in a circle, is no artifact; the reference implementation skips it too.
                Err(error) if is_no_artifact(&error, None) => continue,
                // What is there and cannot be seen may be anything.
                Err(error) => return Err(Undone::NotRun(format!("what is there cannot be listed: {error}"))),
            };
            if !is_file(&entry) {
                continue;
            }
            let inside = entry.path().strip_prefix(path).unwrap_or(entry.path());
            let Some(name) = inside.to_str() else {
                return Err(failed(format!("the name {} is not UTF-8", inside.display())).into());
            };
            if names.len() >= MAX_FILES {
                return Err(Undone::Beyond(format!("there are more than {MAX_FILES} files")));
            }
            budget.bytes(entry.metadata().map_or(0, |metadata| metadata.len()))?;
            names.push(name.to_owned());
        }
        let paths: Vec<Utf8PathBuf> = names.iter().map(|name| path.join(name)).collect();
        let digests = hash::files(&paths, &Progress::hidden())?;
        let digests = digests.into_iter().map(|(_, sha256)| sha256);
        Ok(names.into_iter().zip(digests).collect())
    }

    /// Removes the directory.
    pub(super) fn close(self) -> Result<(), CliError> {
        match self {
            Self::Untouched(_) => Ok(()),
            Self::Directory { guard, path } => guard.close().map_err(|error| {
                CliError::failure(format!("failed to remove the scratch directory {path}")).because(error)
            }),
        }
    }
}

/// Whether all that an error says is that a link leads nowhere or in a circle.
fn is_no_artifact(error: &ignore::Error, at: Option<&Path>) -> bool {
    match error {
        ignore::Error::Loop { .. } => true,
        ignore::Error::WithDepth { err, .. } => is_no_artifact(err, at),
        ignore::Error::WithPath { path, err } => is_no_artifact(err, Some(path)),
        // What it wraps does not say why.
        ignore::Error::Io(_) => at
            .and_then(Utf8Path::from_path)
            .is_some_and(|place| fs::metadata(place).is_err_and(|error| leads_nowhere(place, &error))),
        _ => false,
    }
}

fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file())
}

/// What the reference implementation leaves out when it records around an inspection: `*.link*`, `.git`, `*.pyc`, `*~`.
fn is_excluded(name: &str) -> bool {
    name.contains(".link") || name == ".git" || name.ends_with(".pyc") || name.ends_with('~')
}

#[cfg(test)]
mod tests {
    use super::{Budget, Scratch, Undone};
    use crate::verification::Artifact;

    /// A file that is there and cannot be listed must not be missed by `DISALLOW *`.
    #[cfg(unix)]
    #[test]
    fn what_cannot_be_listed_is_not_left_out() {
        use std::os::unix::fs::symlink;

        let scratch = Scratch::directory(&[]).expect("a directory");
        let path = scratch.path().expect("a directory").to_owned();
        let listed = |scratch: &Scratch| match scratch.list(&Budget::default()) {
            Ok(listed) => Ok(listed.len()),
            Err(Undone::NotRun(reason)) => Err(reason),
            Err(_) => panic!("another reason"),
        };
        // Links to nothing and in circles are no artifacts.
        symlink("nowhere", path.join("dangling")).expect("linked");
        symlink("circle", path.join("circle")).expect("linked");
        symlink(".", path.join("above")).expect("linked");
        std::fs::write(path.join("file"), "").expect("written");
        assert_eq!(listed(&scratch), Ok(1));
        // Each of these directories has a name of 200 letters: the last ones lie deeper than any path can say.
        let name = "d".repeat(200);
        let mut deep = path.clone();
        for _ in 0..15 {
            deep = deep.join(&name);
            std::fs::create_dir(&deep).expect("created");
        }
        symlink(&deep, path.join("e")).expect("linked");
        let mut far = path.join("e");
        for _ in 0..15 {
            far = far.join(&name);
            std::fs::create_dir(&far).expect("created");
        }
        std::fs::write(far.join("evil"), "").expect("written");
        std::fs::remove_file(path.join("e")).expect("it was just linked");
        let reason = listed(&scratch).expect_err("not all of it");
        assert!(reason.contains("cannot be listed"), "{reason}");
        scratch.close().expect("removed");
    }

    #[test]
    fn a_file_that_is_another_one_by_now_is_not_inspected() {
        let directory = tempfile::tempdir().expect("a scratch directory");
        let path = camino::Utf8PathBuf::try_from(directory.path().join("a")).expect("UTF-8");
        std::fs::write(&path, b"good").expect("written");
        let artifact = |sha256| Artifact {
            path: path.clone(),
            name: "a".into(),
            sha256,
        };
        let of_good = intoto_core::digest::sha256(b"good");
        let scratch = Scratch::directory(&[artifact(of_good)]).expect("copied");
        let listed = scratch.list(&Budget::default()).ok();
        assert_eq!(listed, Some(vec![("a".to_owned(), of_good)]));
        let error = Scratch::directory(&[artifact([0; 32])]).expect_err("another file");
        assert!(error.to_string().contains("changed while it was verified"), "{error}");
    }

    /// What is listed is paid for by the entry, directories too, and by the byte.
    #[test]
    fn listing_takes_from_the_budget() {
        let scratch = Scratch::directory(&[]).expect("made");
        let path = scratch.path().expect("a directory");
        std::fs::create_dir_all(path.join("a/b")).expect("made");
        std::fs::write(path.join("a/b/c"), b"good").expect("written");
        let is_beyond = |names, bytes| matches!(scratch.list(&Budget::of(names, bytes)), Err(Undone::Beyond(_)));
        // The directory itself is one.
        assert!(!is_beyond(4, 4));
        assert!(is_beyond(3, 4));
        assert!(is_beyond(4, 3));
    }
}
