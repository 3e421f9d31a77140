//! Git as a plain reader of its own files: no hooks, file system monitors, filters, aliases, replacement objects, pagers,
//! locks or network, and no configuration but what the object format needs.
//!
//! What a commit holds is read object by object, and each object is hashed here: a changed object database yields an error,
//! never other files under the commit's name.

use std::collections::BTreeMap;
use std::path::Path;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::exec::git_object::ObjectFormat;
use crate::exec::query::Query;

mod checkout;
mod objects;
mod repository;

use objects::Objects;
pub use objects::{Raw, tree_entries};
pub use repository::{Commit, Repository};

/// A git repository, seen from one directory in its work tree.
#[derive(Debug, Clone)]
pub struct Git {
    directory: Utf8PathBuf,
    /// From the work tree's top to `directory`, with a closing slash, or empty.
    prefix: String,
    format: ObjectFormat,
    index: Utf8PathBuf,
    head: Option<String>,
}

/// How a path stands in a commit or in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    Regular,
    /// An executable file.
    Executable,
    /// A symbolic link.
    Link,
    /// A commit of another repository.
    Submodule,
}

/// An object under a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// What it is.
    pub kind: EntryKind,
    /// The object's name.
    pub id: Vec<u8>,
}

impl Git {
    /// The repository that `directory` lies in, if any.
    ///
    /// # Errors
    /// When git is missing, or what it says cannot be understood.
    pub fn find(directory: &Utf8Path) -> Result<Option<Self>, CliError> {
        if !directory
            .ancestors()
            .any(|ancestor| ancestor.join(".git").symlink_metadata().is_ok())
        {
            return Ok(None);
        }
        let answer = query(directory)
            // One question, because starting git is most of what it costs. Before the first commit it leaves out the last line.
            .args(["rev-parse", "--show-object-format", "--show-toplevel", "--show-prefix"])
            .args(["--git-path", "index", "--revs-only", "HEAD^{commit}"])
            .run()
            .map_err(|error| error.hint("the workspace lies in a git repository, so git is needed to record it"))?;
        if !answer.success {
            return Err(
                CliError::cannot_decide(format!("git cannot read the repository of {directory}"))
                    .because(answer.stderr_text()),
            );
        }
        let text = answer.stdout_text("git rev-parse")?;
        let mut lines = text.split('\n');
        let (format, top, prefix) = (lines.next(), lines.next(), lines.next());
        let (index, head) = (lines.next(), lines.next().filter(|head| !head.is_empty()));
        let format = match format {
            Some("sha1") => ObjectFormat::Sha1,
            Some("sha256") => ObjectFormat::Sha256,
            _ => {
                return Err(CliError::cannot_decide(format!(
                    "the repository of {directory} has an unknown object format"
                )));
            }
        };
        let (Some(top), Some(prefix), Some(index)) = (top, prefix, index) else {
            return Err(CliError::cannot_decide(format!(
                "git does not name the work tree of {directory}"
            )));
        };
        let real = directory
            .canonicalize_utf8()
            .map_err(|error| CliError::failure(format!("failed to resolve {directory}")).because(error))?;
        if real != Utf8Path::new(top).join(prefix) {
            return Err(CliError::cannot_decide(format!(
                "git takes {top} for the work tree of {directory}: its configuration points elsewhere"
            )));
        }
        if let Some(head) = head.filter(|head| parse_id(head, format).is_none()) {
            return Err(CliError::cannot_decide(format!(
                "git names {head:?} as the commit of {directory}"
            )));
        }
        Ok(Some(Self {
            directory: directory.to_owned(),
            prefix: prefix.to_owned(),
            format,
            index: directory.join(index),
            head: head.map(str::to_owned),
        }))
    }

    /// The hash function of its object names.
    pub fn object_format(&self) -> ObjectFormat {
        self.format
    }

    /// Whether `directory` is the top of the work tree.
    pub fn is_top(&self) -> bool {
        self.prefix.is_empty()
    }

    /// The commit that was checked out when the repository was found; none before the first one.
    pub fn head(&self) -> Option<&str> {
        self.head.as_deref()
    }

    /// The file that holds the index.
    pub(crate) fn index_file(&self) -> &Utf8Path {
        &self.index
    }

    /// The paths in the index, relative to the directory, with their kind; whatever flags the entries carry.
    ///
    /// # Errors
    /// When git fails or a path is not UTF-8.
    pub fn index(&self) -> Result<BTreeMap<String, EntryKind>, CliError> {
        let answer = query(&self.directory).args(["ls-files", "-z", "--stage"]).run()?;
        if !answer.success {
            return Err(
                CliError::cannot_decide(format!("git cannot list the files of {}", self.directory))
                    .because(answer.stderr_text()),
            );
        }
        let mut index = BTreeMap::new();
        for record in answer
            .stdout
            .split(|byte| *byte == 0)
            .filter(|record| !record.is_empty())
        {
            let malformed = || CliError::cannot_decide("the output of git ls-files is malformed");
            let tab = record.iter().position(|byte| *byte == b'\t').ok_or_else(malformed)?;
            let mode = record.split(|byte| *byte == b' ').next().ok_or_else(malformed)?;
            let path = utf8_path(&record[tab + 1..], &self.directory)?;
            index.insert(path, kind_of(mode).ok_or_else(malformed)?);
        }
        Ok(index)
    }

    /// Whether git's ignore rules cover the whole directory, as its manifest shows.
    ///
    /// # Errors
    /// When git cannot be started.
    pub fn ignores_directory(&self) -> Result<bool, CliError> {
        Ok(!self.is_top()
            && query(&self.directory)
                .args(["check-ignore", "--quiet", "--no-index", "Cargo.toml"])
                .run()?
                .success)
    }

    /// When `commit` was made, in seconds since 1970.
    ///
    /// # Errors
    /// When the object is missing, is not what its name says, or has no time.
    pub fn commit_time(&self, commit: &str) -> Result<i64, CliError> {
        let no_time = || CliError::cannot_decide(format!("commit {commit} does not say when it was made"));
        let id = parse_id(commit, self.format).ok_or_else(no_time)?;
        let bytes = Objects::open(&self.directory, self.format)?.object(&id, "commit")?;
        committed(&bytes).ok_or_else(no_time)
    }

    /// Every path that `commit` holds below the directory.
    ///
    /// # Errors
    /// When an object is missing or is not what its name says.
    pub fn commit_files(&self, commit: &str) -> Result<BTreeMap<String, TreeEntry>, CliError> {
        let mut objects = Objects::open(&self.directory, self.format)?;
        let mut tree = objects.tree_of_commit(commit)?;
        for part in self.prefix.split('/').filter(|part| !part.is_empty()) {
            let found = objects
                .tree(&tree)?
                .into_iter()
                .find(|(name, kind, _)| name == part && *kind == Raw::Tree);
            match found {
                Some((_, _, id)) => tree = id,
                // The directory came after the commit.
                None => return Ok(BTreeMap::new()),
            }
        }
        objects.files_below(&tree)
    }
}

impl EntryKind {
    /// Whether the path holds content of this repository.
    pub fn is_file(self) -> bool {
        self != Self::Submodule
    }
}

/// The time in a commit object's line `committer NAME <MAIL> SECONDS ZONE`.
fn committed(commit: &[u8]) -> Option<i64> {
    let mut head = commit.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let line = head.find_map(|line| line.strip_prefix(b"committer "))?;
    let (_, rest) = std::str::from_utf8(line.rsplit(|byte| *byte == b'>').next()?)
        .ok()?
        .split_at_checked(1)?;
    rest.split(' ').next()?.parse().ok()
}

fn kind_of(mode: &[u8]) -> Option<EntryKind> {
    match mode {
        b"100644" | b"100664" => Some(EntryKind::Regular),
        b"100755" => Some(EntryKind::Executable),
        b"120000" => Some(EntryKind::Link),
        b"160000" => Some(EntryKind::Submodule),
        _ => None,
    }
}

fn parse_id(text: &str, format: ObjectFormat) -> Option<Vec<u8>> {
    if text.len() != 2 * format.length() || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|index| u8::from_str_radix(&text[index..index + 2], 16).ok())
        .collect()
}

fn utf8_path(bytes: &[u8], directory: &Utf8Path) -> Result<String, CliError> {
    String::from_utf8(bytes.to_vec()).map_err(|error| {
        CliError::cannot_decide(format!(
            "the repository of {directory} tracks a file whose name is not UTF-8: {:?}",
            String::from_utf8_lossy(error.as_bytes())
        ))
    })
}

/// A git command in `directory` with everything off that could run a program or change an answer.
fn query(directory: &Utf8Path) -> Query {
    let mut query = Query::new(Path::new("git")).current_dir(directory);
    for (name, _) in std::env::vars_os() {
        if let Some(name) = name.to_str().filter(|name| name.starts_with("GIT_")) {
            query = query.env_remove(name);
        }
    }
    for (name, value) in [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_SYSTEM", "/dev/null"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_GRAFT_FILE", "/dev/null"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_ALLOW_PROTOCOL", "none"),
        ("LC_ALL", "C"),
    ] {
        query = query.env(name, value);
    }
    let mut words: Vec<String> = ["--no-pager", "--no-replace-objects", "--no-optional-locks"]
        .map(Into::into)
        .into();
    for setting in [
        // A repository of another user is read like any other: nothing in it is run.
        "safe.directory=*",
        "core.fsmonitor=false",
        "core.untrackedCache=false",
        "core.hooksPath=/dev/null",
        "core.attributesFile=/dev/null",
        "core.sshCommand=false",
        "diff.external=",
        "protocol.allow=never",
    ] {
        words.extend(["-c".to_owned(), setting.to_owned()]);
    }
    query.args(words)
}

#[cfg(test)]
mod tests {
    use super::committed;

    #[test]
    fn the_time_of_a_commit_is_the_committers() {
        let commit =
            |committer: &str| format!("tree 0\nauthor A <a@b> 5 +0000\n{committer}\n\ncommitter X <x> 9 +0000\n");
        for (committer, expected) in [
            ("committer A <a@b> 1700000000 +0100", Some(1_700_000_000)),
            ("committer > A <a> 1 <a@b> 7 -0100", Some(7)),
            ("committer A <a@b>", None),
            ("committer A <a@b> soon +0000", None),
            ("", None),
        ] {
            assert_eq!(committed(commit(committer).as_bytes()), expected, "{committer}");
        }
    }
}
