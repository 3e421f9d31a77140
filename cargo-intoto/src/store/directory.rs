//! Links as files in a directory: listed within bounds, written as a whole, never lost.

use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::store::{LinkStore, atomic};

/// A directory of links.
#[derive(Debug, Clone)]
pub struct LinkDirectory {
    root: Utf8PathBuf,
}

/// Below a run's or any other link directory: earlier links of a step that was recorded again.
pub const SUPERSEDED: &str = "superseded";
/// Files that are being written; what lies here after a crash is nobody's.
pub const SCRATCH: &str = "tmp";
/// More entries than this in one link directory are not listed: no chain within the limits of verification has them.
const MAX_ENTRIES: usize = 100_000;

impl LinkDirectory {
    /// The links in `root`, which need not exist yet.
    pub fn new(root: impl Into<Utf8PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory itself.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Moves the file `name` to `superseded/`, under a number that is free.
    ///
    /// # Errors
    /// When it cannot be moved; it is then still in place.
    pub fn supersede(&self, name: &str) -> Result<(), CliError> {
        if self.keep_aside(name)? {
            let path = self.root.join(name);
            fs::remove_file(&path)
                .map_err(|error| CliError::failure(format!("failed to remove {path}")).because(error))?;
        }
        Ok(())
    }

    /// Gives the file `name` a second name in `superseded/`; says whether there was such a file.
    fn keep_aside(&self, name: &str) -> Result<bool, CliError> {
        let path = self.root.join(name);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(CliError::failure(format!("failed to look at {path}")).because(error)),
            Ok(metadata) if !metadata.is_file() => {
                return Err(CliError::failure(format!(
                    "{path} is in the way: it is not a regular file"
                )));
            }
            Ok(_) => {}
        }
        let failed =
            |error| CliError::failure(format!("failed to keep the earlier {name} in {SUPERSEDED}/")).because(error);
        let superseded = self.root.join(SUPERSEDED);
        fs::create_dir_all(&superseded).map_err(failed)?;
        for number in 1_u32.. {
            match fs::hard_link(&path, superseded.join(format!("{name}.{number}"))) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(CliError::failure(format!("{superseded} is full")))
    }

    fn collect(&self, below: &Utf8Path, prefix: &str, names: &mut Vec<String>) -> Result<(), CliError> {
        let entries = match below.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound && prefix.is_empty() => {
                return Err(CliError::cannot_decide(format!("there is no link directory {below}")));
            }
            Err(error) => return Err(CliError::cannot_decide(format!("failed to list {below}")).because(error)),
        };
        for entry in entries {
            // A name that is not UTF-8 is no link of any step.
            let Ok(entry) = entry else { continue };
            let Ok(kind) = entry.file_type() else { continue };
            if names.len() >= MAX_ENTRIES {
                return Err(CliError::cannot_decide(format!(
                    "{} holds more than {MAX_ENTRIES} files",
                    self.root
                )));
            }
            let name = format!("{prefix}{}", entry.file_name());
            // Sublayouts nest, but a run's own directories are none; only names that can be a sublayout's are entered.
            if kind.is_dir()
                && !matches!(
                    entry.file_name(),
                    SUPERSEDED | SCRATCH | "build" | "package" | "publish" | "test"
                )
            {
                if prefix.matches('/').count() < 16 {
                    self.collect(entry.path(), &format!("{name}/"), names)?;
                }
            } else if !kind.is_dir() && (name.ends_with(".link") || name.ends_with(".sigstore.json")) {
                names.push(name);
            }
        }
        Ok(())
    }
}

impl LinkStore for LinkDirectory {
    fn names(&self) -> Result<Vec<String>, CliError> {
        let mut names = Vec::new();
        self.collect(&self.root, "", &mut names)?;
        names.sort();
        Ok(names)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), CliError> {
        let path = self.root.join(name);
        let parent = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(parent)
            .map_err(|error| CliError::failure(format!("failed to create {parent}")).because(error))?;
        self.keep_aside(name)?;
        atomic::write(&path, bytes, &self.root.join(SCRATCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> (tempfile::TempDir, LinkDirectory) {
        let directory = tempfile::tempdir().expect("temporary directory");
        let links = LinkDirectory::new(Utf8Path::from_path(directory.path()).expect("UTF-8"));
        (directory, links)
    }

    #[test]
    fn earlier_links_are_never_lost() {
        let (_guard, links) = directory();
        for text in ["one", "two", "three"] {
            links.write("build.0123abcd.link", text.as_bytes()).expect("written");
        }
        links.supersede("build.0123abcd.link").expect("moved");
        links.supersede("build.0123abcd.link").expect("nothing to move");
        assert!(!links.root().join("build.0123abcd.link").exists());
        for (number, text) in [(1, "one"), (2, "two"), (3, "three")] {
            let name = format!("superseded/build.0123abcd.link.{number}");
            assert_eq!(fs::read_to_string(links.root().join(name)).expect("read"), text);
        }
        assert_eq!(links.names().expect("listed"), Vec::<String>::new());
    }

    #[test]
    fn only_links_are_listed() {
        let (_guard, links) = directory();
        for name in ["b.link", "a.link", "sub.0123abcd/c.link", "notes.txt"] {
            links.write(name, b"x").expect("written");
        }
        links.write("a.link", b"y").expect("written again");
        assert_eq!(
            links.names().expect("listed"),
            ["a.link", "b.link", "sub.0123abcd/c.link"]
        );
    }
}
