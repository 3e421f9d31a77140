//! Lists the files that a path stands for, in either manner.

use std::fs;
use std::io::{self, ErrorKind};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::io::Errno;

use super::{DirectoryLinks, Manner, Oddities, Selection, path};
use crate::error::CliError;

/// As many artifacts as a link may hold; cycles of links would have no other end.
const MAX_FILES: usize = 1_000_000;
/// A path of the system is no longer, so a directory is never deeper.
const MAX_PATH: usize = 4096;

/// Refuses more files than a link may hold.
pub(super) fn check_count(count: usize) -> Result<(), CliError> {
    if count > MAX_FILES {
        return Err(CliError::cannot_decide(format!(
            "more than {MAX_FILES} files are to be recorded, which no link can hold"
        ))
        .hint("leave some out, or record a directory as one artifact (`dir:PATH`)"));
    }
    Ok(())
}

/// Hands every file that `path` stands for to `add`, by its name before prefixes are cut off and its path below the base.
pub(super) fn files(
    selection: &Selection<'_>,
    path: &str,
    add: &mut dyn FnMut(&str, &str) -> Result<(), CliError>,
    odd: &mut Oddities,
) -> Result<(), CliError> {
    let walk = &mut Walk {
        selection,
        add,
        odd,
        visited: 0,
    };
    let path = path::normal(path);
    let name = walk.name(&path)?;
    if selection.excludes.matches(&name) {
        return walk.leave_out(
            || format!("{path} is excluded"),
            || CliError::usage(format!("{path} is to be recorded, and a pattern excludes it")),
        );
    }
    let place = selection.base.join(&path);
    match fs::metadata(&place) {
        Err(error) => walk.leave_out(
            || format!("the path {path} does not exist"),
            || CliError::usage(format!("there is no file or directory {path} to be recorded")).because(error),
        ),
        Ok(metadata) if metadata.is_dir() => walk.below(path),
        Ok(metadata) if metadata.is_file() => walk.file(&path, &name),
        Ok(_) => walk.leave_out(
            || format!("{path} is neither a file nor a directory"),
            || CliError::cannot_decide(format!("{path} is neither a file nor a directory")),
        ),
    }
}

struct Walk<'w, 's> {
    selection: &'w Selection<'s>,
    add: &'w mut dyn FnMut(&str, &str) -> Result<(), CliError>,
    odd: &'w mut Oddities,
    visited: usize,
}

impl Walk<'_, '_> {
    fn name(&self, path: &str) -> Result<String, CliError> {
        let name = (self.selection.name)(path)?;
        Ok(if name.is_empty() { ".".to_owned() } else { name })
    }

    fn file(&mut self, path: &str, name: &str) -> Result<(), CliError> {
        match self.selection.manner {
            Manner::Strict => (self.add)(name, path),
            Manner::Python => {
                let replaced = name.replace('\\', "/");
                if cfg!(unix) && replaced != name {
                    let sentence = format!("{path} has a backslash in its name, and is called {replaced}");
                    self.odd.doubtful.push(sentence);
                }
                (self.add)(&replaced, path)
            }
        }
    }

    fn below(&mut self, top: String) -> Result<(), CliError> {
        let mut directories = vec![top];
        while let Some(directory) = directories.pop() {
            let place = self.selection.base.join(&directory);
            let entries = match fs::read_dir(&place) {
                Ok(entries) => entries,
                Err(error) => {
                    let sentence = format!("the directory {directory} cannot be read: {error}");
                    self.odd.doubtful.push(sentence);
                    self.leave_out(
                        || format!("the directory {directory} cannot be read"),
                        || CliError::failure(format!("failed to list the directory {directory}")).because(error),
                    )?;
                    continue;
                }
            };
            let mut below = Vec::new();
            for entry in entries {
                let entry = entry.map_err(|error| {
                    CliError::failure(format!("failed to list the directory {directory}")).because(error)
                })?;
                self.visited += 1;
                check_count(self.visited)?;
                let file_name = entry.file_name();
                let Some(file_name) = file_name.to_str() else {
                    let shown = path::join(&directory, &file_name.to_string_lossy());
                    if self.selection.excludes.matches(&self.name(&shown)?) {
                        continue;
                    }
                    return Err(CliError::cannot_decide(format!("the name of {shown:?} is not UTF-8")));
                };
                // Only what lies behind a link needs another look.
                let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
                let path = path::join(&directory, file_name);
                if let Some(directory) = self.entry(&place, path, file_name, is_file)? {
                    below.push(directory);
                }
            }
            // Sorted, so that errors are the same each time.
            below.sort_unstable_by(|a, b| b.cmp(a));
            directories.append(&mut below);
        }
        Ok(())
    }

    /// Takes one entry of the directory at `place`; gives it back when it is a directory to go into.
    fn entry(
        &mut self,
        place: &Utf8Path,
        path: String,
        file_name: &str,
        is_file: bool,
    ) -> Result<Option<String>, CliError> {
        let name = self.name(&path)?;
        if self.selection.excludes.matches(&name) {
            return Ok(None);
        }
        if is_file {
            self.file(&path, &name)?;
            return Ok(None);
        }
        let place: Utf8PathBuf = place.join(file_name);
        let metadata = match fs::metadata(&place) {
            Ok(metadata) => metadata,
            Err(error) => {
                if !leads_nowhere(&place, &error) {
                    self.odd.doubtful.push(format!("{path} cannot be read: {error}"));
                }
                self.leave_out(
                    || format!("{path} is a broken link"),
                    || {
                        CliError::cannot_decide(format!("{path} leads nowhere, so it cannot be recorded"))
                            .because(error)
                            .hint("remove the link, or leave it out with `--exclude`")
                    },
                )?;
                return Ok(None);
            }
        };
        if metadata.is_file() {
            self.file(&path, &name)?;
        } else if !metadata.is_dir() {
            self.leave_out(
                || format!("{path} is no regular file"),
                || CliError::cannot_decide(format!("{path} is no regular file, so it cannot be recorded")),
            )?;
        } else if self.enters(&path, &place)? {
            return Ok(Some(path));
        }
        Ok(None)
    }

    /// Whether to go into a directory that was not excluded.
    fn enters(&self, path: &str, place: &Utf8Path) -> Result<bool, CliError> {
        let is_skipped = || {
            // Through a link it would be left out without a word, and so would whatever lies there.
            if place.is_symlink() {
                return false;
            }
            let real = place.canonicalize_utf8().ok();
            self.selection
                .skipped
                .iter()
                .any(|skipped| skipped == place || (real.is_some() && skipped.canonicalize_utf8().ok() == real))
        };
        if !self.selection.skipped.is_empty() && is_skipped() {
            return Ok(false);
        }
        if path.len() > MAX_PATH {
            return Err(CliError::cannot_decide(format!("the path {path} is too long")));
        }
        if !place.is_symlink() {
            return Ok(true);
        }
        match self.selection.directory_links {
            DirectoryLinks::Skipped => Ok(false),
            DirectoryLinks::Refused => Err(CliError::cannot_decide(format!("{path} is a link to a directory"))
                .hint("`--follow-links` records what lies there; `--exclude` leaves it out")),
            DirectoryLinks::Followed if self.selection.manner == Manner::Python => Ok(true),
            DirectoryLinks::Followed => match self.is_cycle(place) {
                false => Ok(true),
                true => Err(
                    CliError::cannot_decide(format!("the link {path} leads to a directory above it"))
                        .hint("leave it out with `--exclude`"),
                ),
            },
        }
    }

    /// Whether the directory at `place` lies above itself.
    fn is_cycle(&self, place: &Utf8Path) -> bool {
        let Ok(real) = place.canonicalize_utf8() else {
            return true;
        };
        place
            .ancestors()
            .skip(1)
            .map(|above| {
                if above.as_str().is_empty() {
                    Utf8Path::new(".")
                } else {
                    above
                }
            })
            .any(|above| above.canonicalize_utf8().is_ok_and(|above| above == real))
    }

    fn leave_out(
        &mut self,
        sentence: impl FnOnce() -> String,
        error: impl FnOnce() -> CliError,
    ) -> Result<(), CliError> {
        match self.selection.manner {
            Manner::Strict => Err(error()),
            Manner::Python => {
                self.odd.skipped.push(sentence());
                Ok(())
            }
        }
    }
}

/// Whether what could not be looked at for that reason is a link to nothing, or lies behind a circle of links: what is there has another name, too.
pub(crate) fn leads_nowhere(place: &Utf8Path, reason: &io::Error) -> bool {
    let is_circle = Errno::from_io_error(reason) == Some(Errno::LOOP);
    is_circle || reason.kind() == ErrorKind::NotFound && place.is_symlink()
}
