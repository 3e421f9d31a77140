//! Runs: all evidence of one state of the tree, in `target/intoto/<run>/`.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use crate::error::CliError;
use crate::foreign;
use crate::store::directory::SCRATCH;
use crate::store::{LinkDirectory, atomic};

/// What identifies the state of a tree: its commit, what differs from it, and its lock file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunId(String);

impl RunId {
    /// The first 12 hex digits of sha256 over the three parts; each is told apart from its absence and from the next.
    pub fn of(commit: Option<&str>, dirty: Option<&[u8; 32]>, lock: &[u8; 32]) -> Self {
        let mut hasher = Sha256::new();
        for part in [
            commit.map(str::as_bytes),
            dirty.map(|digest| &digest[..]),
            Some(&lock[..]),
        ] {
            match part {
                None => hasher.update([0]),
                Some(bytes) => {
                    hasher.update([1]);
                    hasher.update((bytes.len() as u64).to_be_bytes());
                    hasher.update(bytes);
                }
            }
        }
        let digest = hasher.finalize();
        Self(digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The name that a directory of a run has; anything else is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == 12 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_id.then(|| Self(text.to_owned()))
    }

    /// The 12 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One run's directory: links, the private build directory, what was packaged.
#[derive(Debug, Clone)]
pub struct Run {
    id: RunId,
    runs: Utf8PathBuf,
    directory: Utf8PathBuf,
}

/// The directory of all runs below the workspace's target directory.
pub fn runs_directory(target_directory: &Utf8Path) -> Utf8PathBuf {
    target_directory.join("intoto")
}

impl Run {
    /// The run `id` below `runs`, whether it was started or not.
    pub fn of(runs: &Utf8Path, id: RunId) -> Self {
        Self {
            directory: runs.join(id.as_str()),
            runs: runs.to_owned(),
            id,
        }
    }

    /// Starts the run (or takes it up again) and makes `latest` name it.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn start(&self) -> Result<(), CliError> {
        fs::create_dir_all(&self.directory)
            .map_err(|error| CliError::failure(format!("failed to create {}", self.directory)).because(error))?;
        // What a killed process left half-written is nobody's.
        let _ = fs::remove_dir_all(self.scratch());
        self.point()
    }

    fn point(&self) -> Result<(), CliError> {
        atomic::point(&self.runs.join("latest"), self.id.as_str(), &self.runs.join(SCRATCH))
    }

    /// Checks that `fetch` started the run, and makes `latest` name it: the tree may have come back to it.
    ///
    /// # Errors
    /// When it did not: the tree changed since, or nothing was fetched.
    pub fn join(&self) -> Result<(), CliError> {
        if self.directory.is_dir() {
            return self.point();
        }
        let message = match Self::latest(&self.runs)? {
            Some(latest) => format!(
                "the tree is no longer the one of run {}: its commit, its changes or Cargo.lock differ (it would be run {})",
                latest.id, self.id
            ),
            None => format!("this tree has no run yet (it would be run {})", self.id),
        };
        Err(CliError::cannot_decide(message)
            .hint("run `cargo intoto fetch`, which starts the run that later steps join"))
    }

    /// Keeps other recorders out of the run until the result is dropped.
    ///
    /// # Errors
    /// When another recording is at work in it, or the lock cannot be taken.
    pub fn lock(&self) -> Result<File, CliError> {
        let path = self.directory.join("lock");
        let failed = |error: std::io::Error| CliError::failure(format!("failed to lock {path}")).because(error);
        let file = File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(CliError::failure(format!(
                "another recording is at work in run {}",
                self.id
            ))
            .hint("steps of one run share its build directory: let the other one finish")),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The run that `latest` names, if any.
    ///
    /// # Errors
    /// When `latest` is there but names no run.
    pub fn latest(runs: &Utf8Path) -> Result<Option<Self>, CliError> {
        let path = runs.join("latest");
        let named = match fs::read_link(&path) {
            Ok(target) => target.to_str().map(str::to_owned),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            // Not a link: where there are none, a file holds the name.
            Err(_) => {
                let bytes = foreign::read(&path, 64).map_err(|unread| unread.about(&path))?;
                String::from_utf8(bytes).ok()
            }
        };
        let run = named.as_deref().and_then(RunId::parse).map(|id| Self::of(runs, id));
        match run {
            Some(run) if run.directory.is_dir() => Ok(Some(run)),
            _ => Err(CliError::cannot_decide(format!("{path} names no run"))
                .hint("run `cargo intoto fetch`, which starts one")),
        }
    }

    /// This run and all others beside it, at most `limit` of them.
    ///
    /// # Errors
    /// When they cannot be listed, or there are more.
    pub fn all(&self, limit: usize) -> Result<Vec<Self>, CliError> {
        let failed =
            |error| CliError::cannot_decide(format!("failed to list the runs in {}", self.runs)).because(error);
        let mut runs = Vec::new();
        let entries = match self.runs.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(runs),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            if let Some(id) = RunId::parse(entry.file_name()) {
                runs.push(Self::of(&self.runs, id));
            }
            if runs.len() > limit {
                return Err(CliError::cannot_decide(format!(
                    "there are more than {limit} runs in {}",
                    self.runs
                )));
            }
        }
        runs.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
        Ok(runs)
    }

    /// Which run it is.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// Its directory, in which its links lie.
    pub fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// Its links.
    pub fn links(&self) -> LinkDirectory {
        LinkDirectory::new(&self.directory)
    }

    /// Cargo's build directory for this run alone.
    pub fn build_directory(&self) -> Utf8PathBuf {
        self.directory.join("build")
    }

    /// The target directory for `cargo package`, whose verify build must not overwrite the binaries that `build` recorded.
    pub fn package_directory(&self) -> Utf8PathBuf {
        self.directory.join("package")
    }

    /// The target directory for `cargo test`, for the same reason.
    pub fn test_directory(&self) -> Utf8PathBuf {
        self.directory.join("test")
    }

    /// Where the units that this run compiled are remembered.
    pub fn units_file(&self) -> Utf8PathBuf {
        self.directory.join("units.json")
    }

    /// For files that are being written.
    pub fn scratch(&self) -> Utf8PathBuf {
        self.directory.join(SCRATCH)
    }

    /// Empties the private build directory and forgets the units in it, as `build` does before it starts.
    ///
    /// # Errors
    /// When it cannot be emptied.
    pub fn empty_build_directory(&self) -> Result<(), CliError> {
        for path in [self.build_directory(), self.units_file()] {
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            match removed {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(CliError::failure(format!("failed to empty {path}")).because(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_tell_apart_what_differs() {
        let (zero, one) = ([0; 32], [1; 32]);
        let ids = [
            RunId::of(None, None, &zero),
            RunId::of(Some(""), None, &zero),
            RunId::of(Some("abc"), None, &zero),
            RunId::of(Some("abc"), Some(&zero), &zero),
            RunId::of(Some("abc"), Some(&one), &zero),
            RunId::of(Some("abc"), Some(&zero), &one),
        ];
        for (index, id) in ids.iter().enumerate() {
            assert_eq!(RunId::parse(id.as_str()).as_ref(), Some(id));
            assert!(!ids[index + 1..].contains(id), "{index}");
        }
        for text in [
            "",
            "latest",
            "0123456789ag",
            "0123456789AB",
            "0123456789abc",
            "../456789abc",
        ] {
            assert_eq!(RunId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn later_steps_join_the_run_of_the_tree_as_it_is() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let runs = Utf8Path::from_path(directory.path()).expect("UTF-8").join("intoto");
        let (first, second) = (
            RunId::of(Some("a"), None, &[0; 32]),
            RunId::of(Some("b"), None, &[0; 32]),
        );
        assert_eq!(Run::latest(&runs).expect("none yet").map(|run| run.id), None);
        let refused = Run::of(&runs, first.clone()).join().expect_err("nothing fetched");
        assert_eq!(refused.exit().code(), 3);
        Run::of(&runs, first.clone()).start().expect("started");
        Run::of(&runs, first.clone()).join().expect("joined");
        assert!(Run::of(&runs, second.clone()).join().is_err());
        Run::of(&runs, second.clone()).start().expect("started");
        assert_eq!(
            Run::latest(&runs).expect("named").map(|run| run.id),
            Some(second.clone())
        );
        let run = Run::of(&runs, second);
        let held = run.lock().expect("free");
        assert_eq!(run.lock().expect_err("taken").exit().code(), 4);
        drop(held);
        // A child that another test is starting has the descriptor until it becomes another program.
        let is_free = || {
            run.lock().is_ok() || {
                std::thread::park_timeout(std::time::Duration::from_millis(10));
                false
            }
        };
        assert!((0..1000).any(|_| is_free()), "free again");
        Run::of(&runs, first.clone()).join().expect("joined again");
        assert_eq!(Run::latest(&runs).expect("named").map(|run| run.id), Some(first));
        fs::remove_file(runs.join("latest")).expect("removed");
        fs::write(runs.join("latest"), "elsewhere").expect("written");
        assert_eq!(Run::latest(&runs).expect_err("names no run").exit().code(), 3);
    }
}
