//! The files of a commit as cargo would read them: symbolic links resolved, submodules that are checked out included, nothing from
//! outside of the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use camino::Utf8Path;
use intoto_core::digest::to_hex;
use sha2::{Digest, Sha256};

use crate::error::CliError;
use crate::exec::git::{Commit, EntryKind, Repository, TreeEntry};
use crate::exec::git_object::{ObjectFormat, object_name};

/// Links that lead to links, at most: what systems allow.
const MOST_LINKS: usize = 40;
/// No path is longer on any system that cargo runs on.
const LONGEST_LINK: usize = 4096;
/// Submodules within submodules, at most.
const DEEPEST: usize = 8;
/// Bytes that are read of one commit: four times what a `.crate` may unpack to. A hostile repository has larger files in the places of
/// the `.crate`'s small ones.
const MOST_BYTES: u64 = 2 << 30;

/// The files of one commit.
pub(super) struct Source {
    /// The commit itself, then those of submodules.
    stores: Vec<(Commit, ObjectFormat)>,
    entries: BTreeMap<String, (TreeEntry, usize)>,
    /// The directories of the repository and of submodules, each with a slash at its end unless it is the top.
    tops: BTreeSet<String>,
    /// Targets of links that were read already, by place.
    links: BTreeMap<String, String>,
    read: u64,
}

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A file, under its own path.
    File { path: String, executable: bool },
    /// A directory, under its own path.
    Directory(String),
    /// Nothing.
    Nothing,
    /// Something that the repository does not hold, and why.
    Unavailable(String),
}

/// A file of the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceFile {
    /// Its own path from the repository's top.
    pub(super) path: String,
    /// Whether git has it as executable.
    pub(super) executable: bool,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

impl SourceFile {
    pub(super) fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

impl Source {
    /// Reads the names of all files of the commit with this full id.
    ///
    /// # Errors
    /// When the repository does not hold it as a whole.
    pub(super) fn read(repository: &Repository, commit: &str) -> Result<Self, CliError> {
        let mut source = Self {
            stores: Vec::new(),
            entries: BTreeMap::new(),
            tops: BTreeSet::new(),
            links: BTreeMap::new(),
            read: 0,
        };
        source.add(repository, commit, "", 0)?;
        Ok(source)
    }

    fn add(&mut self, repository: &Repository, commit: &str, prefix: &str, depth: usize) -> Result<(), CliError> {
        let commit = repository.commit(commit)?;
        let store = self.stores.len();
        let mut submodules = Vec::new();
        for (path, entry) in commit.files() {
            if entry.kind == EntryKind::Submodule {
                submodules.push((path.clone(), to_hex(&entry.id)));
            }
            self.entries.insert(format!("{prefix}{path}"), (entry.clone(), store));
        }
        self.stores.push((commit, repository.object_format()));
        self.tops.insert(prefix.to_owned());
        for (path, id) in submodules {
            let below = repository.directory().join(&path);
            // Else git would take the outer repository for it.
            let is_checked_out = depth < DEEPEST && below.join(".git").symlink_metadata().is_ok();
            if !is_checked_out {
                continue;
            }
            let Ok(inner) = Repository::open(&below) else { continue };
            // A submodule at another commit is as good as none.
            if inner.commit(&id).is_ok() {
                self.add(&inner, &id, &format!("{prefix}{path}/"), depth + 1)?;
                self.entries.remove(&format!("{prefix}{path}"));
            }
        }
        Ok(())
    }

    /// The paths below a directory, which ends with a slash unless it is the top, with what git has there.
    pub(super) fn below<'s>(&'s self, directory: &str) -> impl Iterator<Item = (&'s str, EntryKind)> + use<'s> {
        let directory = directory.to_owned();
        self.entries
            .range::<str, _>((Bound::Included(directory.as_str()), Bound::Unbounded))
            .map(|(path, (entry, _))| (path.as_str(), entry.kind))
            .take_while(move |(path, _)| path.starts_with(&directory))
    }

    /// Whether a directory, written as in [`Source::below`], is the top of the repository or of a submodule.
    pub(super) fn is_top(&self, directory: &str) -> bool {
        self.tops.contains(directory)
    }

    /// The paths of the files that are, byte for byte, this one, by their names as git objects.
    pub(super) fn paths_of(&self, bytes: &[u8]) -> Vec<&str> {
        let names: Vec<Vec<u8>> = self
            .stores
            .iter()
            .map(|(_, format)| object_name("blob", bytes, *format))
            .collect();
        self.entries
            .iter()
            .filter(|(_, (entry, store))| is_content(entry.kind) && entry.id == names[*store])
            .map(|(path, _)| path.as_str())
            .collect()
    }

    /// What lies at `path`, which may lead through links.
    ///
    /// # Errors
    /// When a link cannot be read.
    pub(super) fn locate(&mut self, path: &str) -> Result<Place, CliError> {
        let mut rest: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut at: Vec<String> = Vec::new();
        let mut links = 0;
        while let Some(part) = rest.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." if at.pop().is_some() => continue,
                ".." => return Ok(Place::Unavailable("it lies outside of the repository".to_owned())),
                _ => at.push(part),
            }
            let here = at.join("/");
            let Some(kind) = self.entries.get(&here).map(|(entry, _)| entry.kind) else {
                continue;
            };
            match kind {
                EntryKind::Link => {
                    links += 1;
                    let target = self.target(&here)?;
                    if links > MOST_LINKS {
                        return Ok(Place::Unavailable("symbolic links lead in a circle".to_owned()));
                    }
                    let Some(target) = target.filter(|target| !target.starts_with('/')) else {
                        return Ok(Place::Unavailable(format!(
                            "the symbolic link {here} leads out of the repository"
                        )));
                    };
                    at.pop();
                    rest.extend(target.split('/').rev().map(str::to_owned));
                }
                EntryKind::Submodule => {
                    return Ok(Place::Unavailable(format!(
                        "the submodule {here} is not checked out in the clone at the commit that is wanted"
                    )));
                }
                EntryKind::Regular | EntryKind::Executable
                    if rest.iter().all(|part| matches!(part.as_str(), "" | ".")) =>
                {
                    return Ok(Place::File {
                        path: here,
                        executable: kind == EntryKind::Executable,
                    });
                }
                EntryKind::Regular | EntryKind::Executable => return Ok(Place::Nothing),
            }
        }
        let here = at.join("/");
        let prefix = if here.is_empty() {
            String::new()
        } else {
            format!("{here}/")
        };
        let is_directory = self.below(&prefix).next().is_some();
        Ok(if is_directory {
            Place::Directory(here)
        } else {
            Place::Nothing
        })
    }

    /// The file at `path`, read; none where no file is.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn file(&mut self, path: &str) -> Result<Option<SourceFile>, CliError> {
        match self.locate(path)? {
            Place::File { path, executable } => self.open(path, executable).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads a file that was located.
    pub(super) fn open(&mut self, path: String, executable: bool) -> Result<SourceFile, CliError> {
        let bytes = self.blob(&path)?;
        Ok(SourceFile {
            path,
            executable,
            bytes,
        })
    }

    fn target(&mut self, link: &str) -> Result<Option<String>, CliError> {
        if let Some(target) = self.links.get(link) {
            return Ok(Some(target.clone()));
        }
        let bytes = self.blob(link)?;
        let target = String::from_utf8(bytes)
            .ok()
            .filter(|target| target.len() <= LONGEST_LINK && !target.contains('\0'));
        if let Some(target) = &target {
            self.links.insert(link.to_owned(), target.clone());
        }
        Ok(target)
    }

    fn blob(&mut self, path: &str) -> Result<Vec<u8>, CliError> {
        let (entry, store) = self.entries.get(path).expect("the path was found in the commit");
        let bytes = self.stores[*store].0.read(&entry.id)?;
        self.read += bytes.len() as u64;
        if self.read > MOST_BYTES {
            return Err(CliError::cannot_decide(format!(
                "the files to compare with have more than {MOST_BYTES} bytes"
            )));
        }
        Ok(bytes)
    }
}

fn is_content(kind: EntryKind) -> bool {
    matches!(kind, EntryKind::Regular | EntryKind::Executable)
}

/// A directory as a file names it, checked: relative, without `.` and `..`, with a slash at the end unless it is the top.
pub(super) fn clean_directory(text: &str) -> Option<String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.is_empty() {
        return Some(String::new());
    }
    let is_clean = text.len() <= LONGEST_LINK
        && !text
            .chars()
            .any(|character| character.is_control() || character == '\\')
        && text.split('/').all(|part| !matches!(part, "" | "." | ".."));
    is_clean.then(|| format!("{text}/"))
}

/// The path that `relative` of a manifest in `directory` means, not yet resolved.
pub(super) fn joined(directory: &str, relative: &str) -> String {
    Utf8Path::new(directory).join(relative).into_string()
}

/// The same with `.` and `..` taken out of the text, as cargo does before it looks at any link; none where that leads out of the
/// repository.
pub(super) fn cleaned(directory: &str, relative: &str) -> Option<String> {
    let whole = joined(directory, relative);
    let mut parts = Vec::new();
    for part in whole.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::testing::Scratch;

    fn source(scratch: &Scratch) -> Source {
        let id = scratch.git(&["rev-parse", "HEAD"]).trim().to_owned();
        let repository = Repository::open(scratch.path()).expect("a repository");
        Source::read(&repository, &id).expect("a commit")
    }

    fn shown(place: Place) -> String {
        match place {
            Place::File { path, .. } => path,
            Place::Directory(path) => format!("{path}/"),
            Place::Nothing => "nothing".to_owned(),
            Place::Unavailable(why) => why,
        }
    }

    #[test]
    fn paths_lead_where_links_lead_and_never_out() {
        let scratch = Scratch::new();
        scratch.write("a/file", "x");
        scratch.write("a/b/deep", "y");
        for (link, target) in [
            ("to-file", "a/file"),
            ("a/up", "../to-file"),
            ("to-dir", "a/b"),
            ("out", "../../etc/passwd"),
            ("root", "/etc/passwd"),
            ("circle", "circle"),
            ("broken", "a/none"),
            ("a/b/around", ".."),
        ] {
            symlink(target, scratch.path().join(link)).unwrap();
        }
        scratch.commit_all();
        let mut source = source(&scratch);
        for (path, expected) in [
            ("a/file", "a/file"),
            ("./a//file", "a/file"),
            ("a/b/../file", "a/file"),
            ("to-file", "a/file"),
            ("a/up", "a/file"),
            ("to-dir", "a/b/"),
            ("to-dir/deep", "a/b/deep"),
            ("to-dir/around/file", "a/file"),
            ("", "/"),
            ("none", "nothing"),
            ("a/file/x", "nothing"),
            ("broken", "nothing"),
            ("../x", "it lies outside of the repository"),
            ("out", "it lies outside of the repository"),
            ("root", "the symbolic link root leads out of the repository"),
            ("circle", "symbolic links lead in a circle"),
        ] {
            assert_eq!(shown(source.locate(path).unwrap()), expected, "{path}");
        }
        assert_eq!(source.file("to-dir/deep").unwrap().unwrap().bytes, b"y");
        assert_eq!(source.paths_of(b"y"), ["a/b/deep"]);
    }

    #[test]
    fn submodules_count_where_they_are_checked_out() {
        let inner = Scratch::new();
        inner.write("x.rs", "inner");
        inner.commit_all();
        let outer = Scratch::new();
        outer.write("file", "outer");
        outer.commit_all();
        outer.git(&["submodule", "--quiet", "add", inner.path().as_str(), "sub"]);
        outer.git(&["commit", "--quiet", "--message", "sub"]);
        assert_eq!(source(&outer).file("sub/x.rs").unwrap().unwrap().bytes, b"inner");
        std::fs::remove_dir_all(outer.path().join("sub")).unwrap();
        let place = shown(source(&outer).locate("sub/x.rs").unwrap());
        assert!(place.contains("not checked out"), "{place}");
    }

    #[test]
    fn paths_of_manifests_are_cleaned_as_text() {
        for (directory, path, expected) in [
            ("", "README.md", Some("README.md")),
            ("a/b/", "./docs//x/../README.md", Some("a/b/docs/README.md")),
            ("a/b/", "../../README.md", Some("README.md")),
            ("a/b/", "../../../repo/README.md", None),
        ] {
            assert_eq!(cleaned(directory, path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn directories_of_files_are_clean_or_none() {
        for (text, expected) in [
            ("", Some("")),
            ("a", Some("a/")),
            ("a/b/", Some("a/b/")),
            ("..", None),
            ("a/../b", None),
            ("/a", None),
            ("a//b", None),
            ("./a", None),
            ("a\\b", None),
            ("a\nb", None),
        ] {
            assert_eq!(clean_directory(text).as_deref(), expected, "{text:?}");
        }
    }
}
