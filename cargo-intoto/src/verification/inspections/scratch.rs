//! Where inspections work: a directory of its own that holds the artifacts in hand and nothing else.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use ignore::{DirEntry, WalkBuilder};
use tempfile::TempDir;

use crate::collect::hash;
use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::verification::Artifact;

/// More files than this after an inspection are no longer listed.
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
            fs::copy(&artifact.path, path.join(&artifact.name)).map_err(failed)?;
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

    /// What is there: names and digests, as the reference implementation records them.
    pub(super) fn list(&self) -> Result<Vec<(String, [u8; 32])>, CliError> {
        let path = match self {
            Self::Untouched(listed) => return Ok(listed.clone()),
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
            // A link that leads nowhere, or in a circle, is no artifact; the reference implementation skips it too.
            let Ok(entry) = entry else { continue };
            if !is_file(&entry) {
                continue;
            }
            let inside = entry.path().strip_prefix(path).unwrap_or(entry.path());
            let Some(name) = inside.to_str() else {
                return Err(failed(format!("the name {} is not UTF-8", inside.display())));
            };
            if names.len() >= MAX_FILES {
                return Err(failed(format!("more than {MAX_FILES} files")));
            }
            names.push(name.to_owned());
        }
        let paths: Vec<Utf8PathBuf> = names.iter().map(|name| path.join(name)).collect();
        let digests = hash::files(&paths, &Progress::hidden())?;
        Ok(names
            .into_iter()
            .zip(digests)
            .map(|(name, (_, sha256))| (name, sha256))
            .collect())
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

fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file())
}

/// What the reference implementation leaves out when it records around an inspection: `*.link*`, `.git`, `*.pyc`, `*~`.
fn is_excluded(name: &str) -> bool {
    name.contains(".link") || name == ".git" || name.ends_with(".pyc") || name.ends_with('~')
}
