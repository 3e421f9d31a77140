//! Reads commits and trees from the object database, and checks that each has the bytes that its name says.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::to_hex;

use crate::error::CliError;
use crate::exec::git::{EntryKind, TreeEntry, kind_of, parse_id, query};
use crate::exec::git_object::{ObjectFormat, object_name};
use crate::exec::query::cannot_start;

/// Trees nested deeper than this are nobody's sources.
const DEEPEST: usize = 128;
/// No commit or tree object is larger, nor is a file in a `.crate` that anybody compares with a blob: registries stop at a sixth of it.
const LARGEST_OBJECT: u64 = 64 << 20;
/// Files and folders of one commit: more than the largest public repositories have. A few small trees that name each other often enough
/// would never end.
const MOST_ENTRIES: usize = 1_000_000;
/// Bytes of the paths of one commit, for the same reason.
const MOST_PATH_BYTES: usize = 256 << 20;

/// Whether this is an object of git's, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raw {
    /// A folder.
    Tree,
    /// Something else.
    Entry(EntryKind),
}

/// What was found below a tree so far.
#[derive(Default)]
struct Walked {
    files: BTreeMap<String, TreeEntry>,
    entries: usize,
    most_entries: usize,
    path_bytes: usize,
}

/// A running `git cat-file --batch`.
pub(super) struct Objects {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    format: ObjectFormat,
    directory: Utf8PathBuf,
}

impl Objects {
    pub(super) fn open(directory: &Utf8Path, format: ObjectFormat) -> Result<Self, CliError> {
        let mut child = query(directory)
            .args(["cat-file", "--batch"])
            .into_command()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| cannot_start(Path::new("git"), error))?;
        let requests = child.stdin.take();
        let answers = child.stdout.take().expect("stdout was asked for as a pipe");
        Ok(Self {
            child,
            requests,
            answers: BufReader::new(answers),
            format,
            directory: directory.to_owned(),
        })
    }

    pub(super) fn tree_of_commit(&mut self, commit: &str) -> Result<Vec<u8>, CliError> {
        let id = parse_id(commit, self.format)
            .ok_or_else(|| CliError::cannot_decide(format!("{commit:?} is no full commit id")))?;
        let bytes = self.object(&id, "commit")?;
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        first
            .strip_prefix(b"tree ")
            .and_then(|id| std::str::from_utf8(id).ok())
            .and_then(|id| parse_id(id, self.format))
            .ok_or_else(|| CliError::cannot_decide(format!("commit {commit} names no tree")))
    }

    /// Every file below a tree, by its path.
    pub(super) fn files_below(&mut self, tree: &[u8]) -> Result<BTreeMap<String, TreeEntry>, CliError> {
        self.files_within(tree, MOST_ENTRIES)
    }

    fn files_within(&mut self, tree: &[u8], most_entries: usize) -> Result<BTreeMap<String, TreeEntry>, CliError> {
        let mut found = Walked {
            most_entries,
            ..Walked::default()
        };
        self.walk(tree, "", 0, &mut found)?;
        Ok(found.files)
    }

    fn walk(&mut self, tree: &[u8], prefix: &str, depth: usize, found: &mut Walked) -> Result<(), CliError> {
        if depth > DEEPEST {
            return Err(CliError::cannot_decide(format!(
                "the commit's folders are nested deeper than {DEEPEST}"
            )));
        }
        for (name, raw, id) in self.tree(tree)? {
            let path = format!("{prefix}{name}");
            found.entries += 1;
            found.path_bytes += path.len();
            if found.entries > found.most_entries || found.path_bytes > MOST_PATH_BYTES {
                return Err(CliError::cannot_decide(format!(
                    "the commit in the repository of {} has more than {} files, or {MOST_PATH_BYTES} bytes of their names",
                    self.directory, found.most_entries
                )));
            }
            match raw {
                Raw::Tree => self.walk(&id, &format!("{path}/"), depth + 1, found)?,
                Raw::Entry(kind) => {
                    found.files.insert(path, TreeEntry { kind, id });
                }
            }
        }
        Ok(())
    }

    /// The entries of a tree object.
    pub(super) fn tree(&mut self, id: &[u8]) -> Result<Vec<(String, Raw, Vec<u8>)>, CliError> {
        let bytes = self.object(id, "tree")?;
        let malformed = |message| CliError::cannot_decide(format!("git tree {} {message}", to_hex(id)));
        tree_entries(&bytes, self.format).map_err(malformed)
    }

    /// The bytes of an object, which must hash to its name.
    pub(super) fn object(&mut self, id: &[u8], kind: &str) -> Result<Vec<u8>, CliError> {
        let name = to_hex(id);
        let mut head = String::new();
        let requests = self.requests.as_mut().expect("the pipe is closed on drop only");
        let asked = requests
            .write_all(format!("{name}\n").as_bytes())
            .and_then(|()| requests.flush())
            .and_then(|()| Read::take(&mut self.answers, 256).read_line(&mut head));
        match asked {
            Ok(0) => return Err(self.ended(&name, None)),
            Ok(_) => {}
            Err(error) => return Err(self.ended(&name, Some(error))),
        }
        let mut words = head.split_ascii_whitespace();
        let size = match (words.next(), words.next(), words.next()) {
            (Some(_), Some(found), Some(size)) if found == kind => size.parse::<u64>().ok(),
            _ => None,
        };
        let Some(size) = size.filter(|size| *size <= LARGEST_OBJECT) else {
            return Err(CliError::cannot_decide(format!(
                "git has no {kind} {name} of a readable size in the repository of {}",
                self.directory
            )));
        };
        let mut bytes = vec![0; size as usize];
        let mut newline = [0; 1];
        let read = self.answers.read_exact(&mut bytes);
        if let Err(error) = read.and_then(|()| self.answers.read_exact(&mut newline)) {
            return Err(self.ended(&name, Some(error)));
        }
        if object_name(kind, &bytes, self.format) != id {
            return Err(CliError::cannot_decide(format!(
                "git {kind} {name} in the repository of {} has other bytes than its name says",
                self.directory
            ))
            .hint("the object database is damaged or was changed: clone the repository again"));
        }
        Ok(bytes)
    }
}

/// The entries of a tree object with these bytes: name, what it is, and the object's name.
///
/// # Errors
/// Says what is wrong with the tree, as in "is malformed".
pub fn tree_entries(bytes: &[u8], format: ObjectFormat) -> Result<Vec<(String, Raw, Vec<u8>)>, String> {
    let malformed = || "is malformed".to_owned();
    let mut entries = Vec::new();
    let mut names = BTreeSet::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let blank = rest.iter().position(|byte| *byte == b' ').ok_or_else(malformed)?;
        let nul = rest
            .iter()
            .position(|byte| *byte == 0)
            .filter(|nul| *nul > blank)
            .ok_or_else(malformed)?;
        let name = str::from_utf8(&rest[blank + 1..nul]).map_err(|_| {
            let name = String::from_utf8_lossy(&rest[blank + 1..nul]);
            format!("has a file whose name is not UTF-8: {name:?}")
        })?;
        if name.is_empty() || name.contains('/') || name == "." || name == ".." || name.eq_ignore_ascii_case(".git") {
            return Err(malformed());
        }
        // Git writes none with two of a name; which of them counts would depend on who reads.
        if !names.insert(name) {
            return Err(format!("names {name:?} twice"));
        }
        let raw = match &rest[..blank] {
            b"40000" => Raw::Tree,
            mode => Raw::Entry(kind_of(mode).ok_or_else(malformed)?),
        };
        let id = rest.get(nul + 1..nul + 1 + format.length()).ok_or_else(malformed)?;
        entries.push((name.to_owned(), raw, id.to_vec()));
        rest = &rest[nul + 1 + format.length()..];
    }
    Ok(entries)
}

impl Objects {
    /// Why there is no answer: git ends itself over an object that it cannot read, and anything else that ends it says nothing about the object.
    fn ended(&mut self, name: &str, error: Option<std::io::Error>) -> CliError {
        /// What git ends with when it gives up.
        const FATAL: i32 = 128;
        let is_at_end = error.as_ref().is_none_or(|error| {
            matches!(
                error.kind(),
                std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::BrokenPipe
            )
        });
        // It has closed its output, so it ends.
        let code = is_at_end.then(|| self.child.wait().ok()?.code()).flatten();
        if code == Some(FATAL) {
            return CliError::cannot_decide(format!(
                "git cannot read object {name} in the repository of {}",
                self.directory
            ))
            .hint("the object database is damaged or was changed: clone the repository again");
        }
        let failure = CliError::failure(format!(
            "failed to read git object {name} in the repository of {}",
            self.directory
        ));
        match error {
            Some(error) => failure.because(error),
            None => failure.because("git ended before it answered"),
        }
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // The end of its input ends git; what it then says no longer matters.
        drop(self.requests.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::testing::Scratch;

    #[test]
    fn trees_that_multiply_are_given_up() {
        let scratch = Scratch::new();
        scratch.write("0", "x");
        scratch.commit_all();
        let mut tree = scratch.git(&["rev-parse", "HEAD^{tree}"]).trim().to_owned();
        // Ten levels of eight equal folders: a thousand million paths in ten objects.
        for _ in 0..10 {
            let lines: String = (0..8).map(|index| format!("040000 tree {tree}\td{index}\n")).collect();
            tree = scratch.tree(&lines);
        }
        let mut objects = Objects::open(scratch.path(), ObjectFormat::Sha1).unwrap();
        let id = parse_id(&tree, ObjectFormat::Sha1).unwrap();
        let error = objects.files_within(&id, 2000).unwrap_err();
        assert!(error.to_string().contains("more than 2000 files"), "{error}");
    }

    #[test]
    fn a_name_stands_for_one_thing() {
        let entry = |mode: &str, name: &str, id: u8| [format!("{mode} {name}\0").as_bytes(), &[id; 20]].concat();
        let read = |entries: &[Vec<u8>]| tree_entries(&entries.concat(), ObjectFormat::Sha1);
        assert_eq!(
            read(&[entry("100644", "a", 1), entry("100644", "A", 2)]).unwrap().len(),
            2
        );
        for second in [entry("100644", "a", 1), entry("100644", "a", 2), entry("40000", "a", 2)] {
            let refused = read(&[entry("100644", "a", 1), entry("100644", "b", 1), second]).unwrap_err();
            assert_eq!(refused, "names \"a\" twice");
        }
    }

    /// Only the first says something about the repository.
    #[test]
    fn a_damaged_object_is_told_from_a_git_that_ended() {
        let scratch = Scratch::new();
        scratch.write("0", "x");
        scratch.commit_all();
        let id = scratch.git(&["rev-parse", "HEAD:0"]).trim().to_owned();
        let parsed = parse_id(&id, ObjectFormat::Sha1).unwrap();
        let open = || Objects::open(scratch.path(), ObjectFormat::Sha1).unwrap();
        assert_eq!(open().object(&parsed, "blob").unwrap(), b"x");
        let mut killed = open();
        killed.child.kill().unwrap();
        killed.child.wait().unwrap();
        assert_eq!(killed.object(&parsed, "blob").unwrap_err().kind(), ErrorKind::Failure);
        let path = scratch.path().join(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "no object").unwrap();
        assert_eq!(
            open().object(&parsed, "blob").unwrap_err().kind(),
            ErrorKind::CannotDecide
        );
        std::fs::remove_file(&path).unwrap();
        assert_eq!(
            open().object(&parsed, "blob").unwrap_err().kind(),
            ErrorKind::CannotDecide
        );
    }
}
