//! Lists files below a directory, never through a link.

use camino::{Utf8Path, Utf8PathBuf};
use ignore::{DirEntry, WalkBuilder};

use crate::error::CliError;

/// What to list.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    root: &'a Utf8Path,
    skipped: Vec<Utf8PathBuf>,
    /// Whether git's ignore rules hold.
    ignoring: bool,
    in_repository: bool,
}

impl<'a> Walk<'a> {
    /// Every file below `root` that git's ignore rules leave, without git's own.
    pub(crate) fn below(root: &'a Utf8Path) -> Self {
        Self {
            root,
            skipped: Vec::new(),
            ignoring: true,
            in_repository: false,
        }
    }

    /// Every file below `root` without exception.
    pub(crate) fn everything_below(root: &'a Utf8Path) -> Self {
        Self {
            ignoring: false,
            ..Self::below(root)
        }
    }

    /// Leaves these directories out.
    pub(crate) fn skipping(mut self, skipped: &[Utf8PathBuf]) -> Self {
        self.skipped = skipped.to_vec();
        self
    }

    /// Whether ignore files above the root count too.
    pub(crate) fn within_repository(mut self, is_within: bool) -> Self {
        self.in_repository = is_within;
        self
    }

    /// The paths of all files and links below the root, relative to it.
    pub(crate) fn files(self) -> Result<Vec<String>, CliError> {
        let mut builder = WalkBuilder::new(self.root);
        let (skipped, without_git) = (self.skipped, self.ignoring);
        builder
            .standard_filters(false)
            .follow_links(false)
            .filter_entry(move |entry| !is_left_out(entry, &skipped, without_git));
        if self.ignoring {
            builder
                .git_ignore(true)
                .git_exclude(self.in_repository)
                .git_global(self.in_repository)
                .parents(self.in_repository)
                .require_git(false);
        }
        let mut files = Vec::new();
        for entry in builder.build() {
            let entry = entry.map_err(|error| {
                CliError::failure(format!("failed to list the files of {}", self.root)).because(error)
            })?;
            if entry.depth() == 0 || entry.file_type().is_some_and(|kind| kind.is_dir()) {
                continue;
            }
            files.push(relative(self.root, &entry)?);
        }
        Ok(files)
    }
}

/// `.git` is a directory, or a file in a submodule or a linked work tree.
fn is_left_out(entry: &DirEntry, skipped: &[Utf8PathBuf], without_git: bool) -> bool {
    entry.depth() > 0
        && ((without_git && entry.file_name() == ".git") || skipped.iter().any(|directory| entry.path() == directory))
}

fn relative(root: &Utf8Path, entry: &DirEntry) -> Result<String, CliError> {
    entry
        .path()
        .strip_prefix(root)
        .ok()
        .and_then(|path| path.to_str())
        .map(str::to_owned)
        .ok_or_else(|| CliError::cannot_decide(format!("the name of {:?} is not UTF-8", entry.path())))
}
