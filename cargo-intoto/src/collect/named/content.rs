//! Digests that are not those of a file's bytes: with line ends made equal, of a whole directory, of an OSTree commit.

use std::collections::BTreeMap;
use std::io::{self, Read};

use camino::Utf8Path;
use sha2::{Digest, Sha256};

use crate::collect::hash::{self, hex};
use crate::collect::progress::Progress;
use crate::error::CliError;

const BUFFER: usize = 64 * 1024;
/// A branch of an OSTree repository holds the 64 digits of a commit and a line end.
const REF_BYTES: u64 = 256;

/// What becomes of line ends before a file is hashed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LineEnds {
    /// Nothing.
    #[default]
    Kept,
    /// CRLF and CR become LF, so that a checkout on Windows has the digests of one on Unix.
    Normal,
}

/// The sha256 of a regular file.
pub(super) fn file(path: &Utf8Path, line_ends: LineEnds, progress: &Progress) -> Result<[u8; 32], CliError> {
    match line_ends {
        LineEnds::Kept => Ok(hash::file(path, None, progress)?.sha256),
        LineEnds::Normal => {
            let (file, metadata) = hash::open_regular(path)?;
            progress.expect(metadata.len());
            normalised(file, progress)
                .map_err(|error| CliError::failure(format!("failed to read {path}")).because(error))
        }
    }
}

fn normalised(mut reader: impl Read, progress: &Progress) -> io::Result<[u8; 32]> {
    let mut sha256 = Sha256::new();
    let mut buffer = vec![0; BUFFER];
    let mut normal = Vec::with_capacity(BUFFER);
    let mut after_return = false;
    loop {
        let length = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        normal.clear();
        for &byte in &buffer[..length] {
            match byte {
                b'\r' => normal.push(b'\n'),
                b'\n' if after_return => {}
                byte => normal.push(byte),
            }
            after_return = byte == b'\r';
        }
        sha256.update(&normal);
        progress.advance(length as u64);
    }
    Ok(sha256.finalize().into())
}

/// The digest of a directory (`dir:`): of a line `<digest>  <path>` for each file, by the bytes of the paths.
///
/// # Errors
/// When a path holds a line end: what stands behind it could pass for the line of another file.
pub(super) fn directory(files: &BTreeMap<String, [u8; 32]>) -> Result<[u8; 32], CliError> {
    let mut sha256 = Sha256::new();
    for (path, digest) in files {
        if path.contains('\n') {
            return Err(CliError::cannot_decide(format!(
                "the name of {path:?} holds a line end, so a directory with it cannot be one artifact"
            ))
            .hint("name the directory without `dir:`, or leave the file out with `--exclude`"));
        }
        sha256.update(format!("{}  {path}\n", hex(digest)));
    }
    Ok(sha256.finalize().into())
}

/// The digest of the commit that the branch `name` of the OSTree repository `repository` points at (`ostree:`).
///
/// # Errors
/// When there is no such branch or commit, or the name is not one of a branch.
pub(super) fn ostree(repository: &Utf8Path, name: &str, progress: &Progress) -> Result<[u8; 32], CliError> {
    let failed = |why: String| CliError::cannot_decide(format!("failed to find the OSTree branch `{name}`: {why}"));
    if name.split('/').any(|component| matches!(component, "" | "." | "..")) {
        return Err(failed("it is not the name of a branch".to_owned()));
    }
    let path = repository.join("refs/heads").join(name);
    let mut text = String::new();
    hash::open_regular(&path)?
        .0
        .take(REF_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| failed(error.to_string()))?;
    let commit = text.trim_matches('\n');
    if commit.len() < 3 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(failed(format!("{path} does not hold a commit")));
    }
    let (directory, rest) = commit.split_at(2);
    let object = repository
        .join("objects")
        .join(directory)
        .join(format!("{rest}.commit"));
    Ok(hash::file(&object, None, progress)?.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha256(bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    /// A reader that gives one byte at a time, so that each pair is cut once.
    struct Drip<'b>(&'b [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else {
                return Ok(0);
            };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn line_ends_become_equal() {
        for (bytes, normal) in [
            (&b"a\r\nb\rc\n"[..], &b"a\nb\nc\n"[..]),
            (b"\r", b"\n"),
            (b"\r\r\n\n", b"\n\n\n"),
            (b"plain", b"plain"),
            (b"", b""),
        ] {
            assert_eq!(normalised(bytes, &Progress::hidden()).unwrap(), sha256(normal));
            assert_eq!(normalised(Drip(bytes), &Progress::hidden()).unwrap(), sha256(normal));
        }
    }

    #[test]
    fn a_directory_is_the_list_of_its_files() {
        let files = BTreeMap::from([("b".to_owned(), sha256(b"x")), ("a/c".to_owned(), sha256(b"y"))]);
        let list = format!("{}  a/c\n{}  b\n", hex(&sha256(b"y")), hex(&sha256(b"x")));
        assert_eq!(directory(&files).unwrap(), sha256(list.as_bytes()));
        assert_eq!(directory(&BTreeMap::new()).unwrap(), sha256(b""));
    }

    #[test]
    fn one_file_does_not_pass_for_two() {
        let name = format!("a\n{}  b", hex(&sha256(b"y")));
        let error = directory(&BTreeMap::from([(name, sha256(b"x"))])).unwrap_err();
        assert!(error.to_string().contains("line end"), "{error}");
    }

    #[test]
    fn an_ostree_branch_is_its_commit() {
        let root = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(root.path()).unwrap();
        std::fs::create_dir_all(root.join("refs/heads/os")).unwrap();
        std::fs::create_dir_all(root.join("objects/ab")).unwrap();
        std::fs::write(root.join("refs/heads/os/main"), "abcdef\n").unwrap();
        std::fs::write(root.join("refs/heads/os/bad"), "../../x\n").unwrap();
        std::fs::write(root.join("objects/ab/cdef.commit"), "commit").unwrap();
        assert_eq!(ostree(root, "os/main", &Progress::hidden()).unwrap(), sha256(b"commit"));
        for name in ["os/none", "os/bad", "../heads/os/main", ""] {
            assert!(ostree(root, name, &Progress::hidden()).is_err(), "{name}");
        }
    }
}
