//! Files that are not of the tree, because git ignores them or they lie outside, and that a package takes all the same.
//!
//! The check that the tree is what it was does not see them, and which files git ignores is for a build script to say: it can write
//! `.git/info/exclude`. So what lies there is noted before anything runs.

use std::collections::BTreeMap;
use std::fs::Metadata;

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::walk::Walk;
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::recording::Context;

/// How every file below some directories was before a step.
#[derive(Debug, Default)]
pub(super) struct Before(BTreeMap<Utf8PathBuf, Stamp>);

impl Before {
    /// Notes the files below the directories, but for git's and what is built, and the single files.
    ///
    /// # Errors
    /// When a directory cannot be listed.
    pub(super) fn note<'p>(
        context: &Context<'_>,
        directories: impl IntoIterator<Item = &'p Utf8Path>,
        files: impl IntoIterator<Item = Utf8PathBuf>,
    ) -> Result<Self, CliError> {
        let workspace = &context.workspace;
        let skipped = [
            workspace.target_directory.clone(),
            workspace.build_directory.clone(),
            workspace.root.join(".git"),
        ];
        let mut noted = BTreeMap::new();
        let mut paths: Vec<Utf8PathBuf> = files.into_iter().collect();
        for directory in directories {
            let below = Walk::everything_below(directory).skipping(&skipped).files()?;
            paths.extend(below.into_iter().map(|path| directory.join(path)));
        }
        for path in paths {
            if let Some(stamp) = Stamp::of(&path) {
                noted.insert(path, stamp);
            }
        }
        Ok(Self(noted))
    }

    /// Refuses a file that was not there before or was written since.
    ///
    /// # Errors
    /// When it is another one now.
    pub(super) fn check(&self, path: &Utf8Path) -> Result<(), CliError> {
        if self
            .0
            .get(path)
            .is_some_and(|before| Stamp::of(path).as_ref() == Some(before))
        {
            return Ok(());
        }
        Err(CliError::refused(
            CargoCode::SourceChangedDuringStep,
            format!("{path}, which is not part of the tree, was written while `package` ran, and the package has it"),
        )
        .hint("a build script or procedural macro writes into the package: look at what it does"))
    }
}

/// Which file it is and when it was last written. The time of change is the system's own: no program sets it back.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<std::time::SystemTime>,
    /// Device, inode, seconds and nanoseconds.
    identity: [i128; 4],
}

impl Stamp {
    fn of(path: &Utf8Path) -> Option<Self> {
        let metadata = path.metadata().ok().filter(Metadata::is_file)?;
        Some(Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            identity: identity(&metadata),
        })
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> [i128; 4] {
    use std::os::unix::fs::MetadataExt;
    [
        metadata.dev().into(),
        metadata.ino().into(),
        metadata.ctime().into(),
        metadata.ctime_nsec().into(),
    ]
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> [i128; 4] {
    [0; 4]
}
