//! The artifacts that a user names: files, directories with all that lies below them, and by their scheme (ITE-4) single files
//! (`file:`), directories as one artifact (`dir:`) and commits of OSTree repositories (`ostree:`).
//!
//! There are two manners. Ours refuses what is ambiguous: a path that does not exist, a broken link, two files under one name. The
//! reference implementation's, for its own command names, skips or overwrites as that does.

mod compare;
mod content;
mod excludes;
mod listing;
mod path;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

pub(crate) use compare::Difference;
pub use content::LineEnds;
pub(crate) use excludes::DEFAULT as DEFAULT_EXCLUDES;
pub use excludes::Excludes;
pub(crate) use listing::leads_nowhere;
pub use path::Prefixes;

use crate::collect::progress::Progress;
use crate::error::CliError;

/// Who decides what is ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// What is ambiguous is refused.
    Strict,
    /// What the reference implementation skips is skipped.
    Python,
}

/// What becomes of a symbolic link to a directory; one to a file always stands for the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectoryLinks {
    /// An error: whoever names a tree should say whether what lies elsewhere belongs to it.
    Refused,
    /// As if the directory stood there.
    Followed,
    /// As if it were not there.
    Skipped,
}

/// How named artifacts are found, named and hashed.
pub struct Selection<'s> {
    /// What is left out.
    pub excludes: &'s Excludes,
    /// Where relative paths begin; the current directory when it is empty.
    pub base: &'s Utf8Path,
    /// What is cut off names.
    pub prefixes: &'s Prefixes,
    /// What becomes of line ends.
    pub line_ends: LineEnds,
    /// What becomes of links to directories.
    pub directory_links: DirectoryLinks,
    /// Who decides what is ambiguous.
    pub manner: Manner,
    /// Directories that are never entered: the recorder's own.
    pub skipped: &'s [Utf8PathBuf],
    /// The name of a file before prefixes are cut off, given its normal path below the base. Excludes are compared with it.
    pub name: &'s (dyn Fn(&str) -> Result<String, CliError> + Sync),
}

/// What was found.
#[derive(Debug, Default)]
pub struct Named {
    /// Digests by name.
    pub artifacts: BTreeMap<String, [u8; 32]>,
    /// What is not among them.
    pub odd: Oddities,
}

/// What the reference implementation leaves out or calls something else without a word, one sentence each.
#[derive(Debug, Default)]
pub struct Oddities {
    /// What it skips.
    pub skipped: Vec<String>,
    /// Why the artifacts do not say what is there: something could not be read, or has the name of something else. Whoever draws a conclusion from
    /// what is not among them must not do so.
    pub doubtful: Vec<String>,
}

/// The artifact that a word names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Artifact<'u> {
    /// A file or the files below a directory, and what stands before their names.
    Files { path: &'u str, scheme: &'static str },
    /// A directory as one artifact.
    Directory(&'u str),
    /// A branch of an OSTree repository.
    Commit(&'u str),
}

impl<'u> Artifact<'u> {
    /// An unknown scheme is part of a file's name.
    fn parse(uri: &'u str) -> Self {
        match uri.split_once(':') {
            Some(("file", path)) => Self::Files { path, scheme: "file:" },
            Some(("dir", path)) => Self::Directory(path),
            Some(("ostree", name)) => Self::Commit(name),
            _ => Self::Files { path: uri, scheme: "" },
        }
    }
}

impl Selection<'_> {
    /// The path of the file or directory that a word names; none for what is no path.
    pub fn path_of(uri: &str) -> Option<&str> {
        match Artifact::parse(uri) {
            Artifact::Files { path, .. } | Artifact::Directory(path) => Some(path),
            Artifact::Commit(_) => None,
        }
    }

    /// Finds and hashes what the words name.
    ///
    /// # Errors
    /// When a file cannot be read or named, and when something is ambiguous in this manner.
    pub fn record(&self, uris: &[String], progress: &Progress) -> Result<Named, CliError> {
        let mut named = Named::default();
        if uris.is_empty() {
            return Ok(named);
        }
        if !self.base.as_str().is_empty() && !self.base.is_dir() {
            return Err(CliError::cannot_decide(format!("there is no directory {}", self.base)));
        }
        let mut files: BTreeMap<String, String> = BTreeMap::new();
        for uri in uris {
            match Artifact::parse(uri) {
                Artifact::Files { path, scheme } => {
                    let mut add = |name: &str, path: &str| self.add(&mut files, scheme, name, path);
                    listing::files(self, path, &mut add, &mut named.odd)?;
                }
                Artifact::Directory(path) => {
                    let (name, digest) = self.directory(path, &mut named.odd, progress)?;
                    // As below for files.
                    if self.manner == Manner::Python && !self.prefixes.is_empty() && named.artifacts.contains_key(&name)
                    {
                        return Err(CliError::usage(format!("{name:?} would be in the link twice")));
                    }
                    self.put(&mut named.artifacts, name, digest)?;
                }
                Artifact::Commit(name) => {
                    let digest = content::ostree(self.base, name, progress)?;
                    self.put(&mut named.artifacts, format!("ostree:{name}"), digest)?;
                }
            }
        }
        let hashed = self.hash(files, progress)?;
        if named.artifacts.is_empty() {
            named.artifacts = hashed;
        } else {
            for (name, digest) in hashed {
                self.put(&mut named.artifacts, name, digest)?;
            }
        }
        Ok(named)
    }

    /// Gives the file at `path` its name.
    fn add(&self, files: &mut BTreeMap<String, String>, scheme: &str, name: &str, path: &str) -> Result<(), CliError> {
        let stripped = self.prefixes.strip(name);
        let name = format!("{scheme}{stripped}");
        let is_named_twice = |other: &str| {
            CliError::usage(format!(
                "the files {other} and {path} would both be called {name:?} in the link"
            ))
            .hint("name the files, or the prefixes that are cut off their names, so that each name is one file's")
        };
        // Python refuses even the same file twice once prefixes are cut off, and then leaves schemes out of account.
        if self.manner == Manner::Python
            && !self.prefixes.is_empty()
            && let Some(other) = files.get(stripped)
        {
            return Err(is_named_twice(other));
        }
        match files.get(&name) {
            Some(other) if other != path => Err(is_named_twice(other)),
            Some(_) => Ok(()),
            None => {
                listing::check_count(files.len() + 1)?;
                files.insert(name, path.to_owned());
                Ok(())
            }
        }
    }

    /// A directory as one artifact. Its files are compared with the excludes by their paths below it.
    fn directory(&self, path: &str, odd: &mut Oddities, progress: &Progress) -> Result<(String, [u8; 32]), CliError> {
        let (base, name) = match self.manner {
            // There the base is that of files alone, and the name stays as it was given.
            Manner::Python => (Utf8PathBuf::from(path), path.replace('\\', "/")),
            Manner::Strict => {
                let normal = path::normal(path);
                (self.base.join(&normal), (self.name)(&normal)?)
            }
        };
        if !base.is_dir() {
            return Err(CliError::cannot_decide(format!(
                "there is no directory {base} to be an artifact"
            )));
        }
        let inner = Selection {
            base: &base,
            prefixes: &Prefixes::default(),
            name: &|path| Ok(path.to_owned()),
            ..*self
        };
        let mut files = BTreeMap::new();
        listing::files(
            &inner,
            ".",
            &mut |name, path| inner.add(&mut files, "", name, path),
            odd,
        )?;
        let digest = content::directory(&inner.hash(files, progress)?)?;
        Ok((format!("dir:{}", self.prefixes.strip(&name)), digest))
    }

    fn hash(
        &self,
        files: BTreeMap<String, String>,
        progress: &Progress,
    ) -> Result<BTreeMap<String, [u8; 32]>, CliError> {
        files
            .into_par_iter()
            .map(|(name, path)| {
                let digest = content::file(&self.base.join(path), self.line_ends, progress)?;
                Ok((name, digest))
            })
            .collect()
    }

    fn put(&self, artifacts: &mut BTreeMap<String, [u8; 32]>, name: String, digest: [u8; 32]) -> Result<(), CliError> {
        if artifacts.get(&name).is_some_and(|other| *other != digest) {
            return Err(CliError::usage(format!(
                "two artifacts would be called {name:?} in the link"
            )));
        }
        artifacts.insert(name, digest);
        Ok(())
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests;
