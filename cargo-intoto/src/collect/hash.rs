//! Hashes files: in parallel, in constant memory, regular files only.

use std::fs::{File, Metadata};
use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};
pub use intoto_core::digest::to_hex as hex;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::exec::git_object::{ObjectFormat, ObjectHasher};
use crate::foreign::{ForeignFile, Links, Unread};

/// Large enough that system calls do not show.
const BUFFER: usize = 64 * 1024;

/// What one reading of a file yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    /// Its length.
    pub size: u64,
    /// Its sha256.
    pub sha256: [u8; 32],
    /// Its name as a git blob, when one was asked for.
    pub blob: Option<Vec<u8>>,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// Hashes every file with sha256; the result is in the order of `paths`.
///
/// # Errors
/// When one of them is no readable regular file.
pub fn files(paths: &[Utf8PathBuf], progress: &Progress) -> Result<Vec<(Utf8PathBuf, [u8; 32])>, CliError> {
    paths
        .par_iter()
        .map(|path| Ok((path.clone(), file(path, None, progress)?.sha256)))
        .collect()
}

/// Hashes one file, and names it as git would when `blob` says how.
///
/// # Errors
/// When it is no readable regular file, or changed while it was read.
pub fn file(path: &Utf8Path, blob: Option<ObjectFormat>, progress: &Progress) -> Result<FileDigest, CliError> {
    file_of(path, open_regular(path)?, blob, progress)
}

/// As [`file()`], but a symbolic link is no regular file.
pub(crate) fn file_itself(
    path: &Utf8Path,
    blob: Option<ObjectFormat>,
    progress: &Progress,
) -> Result<FileDigest, CliError> {
    file_of(path, open(path, Links::Refused)?, blob, progress)
}

fn file_of(
    path: &Utf8Path,
    (file, metadata): (File, Metadata),
    blob: Option<ObjectFormat>,
    progress: &Progress,
) -> Result<FileDigest, CliError> {
    progress.expect(metadata.len());
    read(file, metadata.len(), blob, progress)
        .map(|digest| FileDigest {
            executable: is_executable(&metadata),
            ..digest
        })
        .map_err(|error| CliError::failure(format!("failed to read {path}")).because(error))
}

/// Opens a regular file; anything else (a directory, a FIFO that would block, a device without end) is an error.
///
/// # Errors
/// When it is no readable regular file.
pub fn open_regular(path: &Utf8Path) -> Result<(File, Metadata), CliError> {
    open(path, Links::Followed)
}

fn open(path: &Utf8Path, links: Links) -> Result<(File, Metadata), CliError> {
    ForeignFile::open(path, links)
        .map(ForeignFile::into_parts)
        .map_err(|unread| match unread {
            Unread::Io(error) => CliError::failure(format!("failed to open {path}")).because(error),
            Unread::Missing => CliError::failure(format!("{path} {unread}")),
            _ => unread.about(path),
        })
}

/// Whether the owner's execute bit is set: the one bit that git and `.crate`s keep.
pub(crate) fn is_executable(metadata: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        metadata.permissions().mode() & 0o100 != 0
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

fn read(mut file: File, size: u64, blob: Option<ObjectFormat>, progress: &Progress) -> io::Result<FileDigest> {
    let mut sha256 = Sha256::new();
    let mut blob = blob.map(|format| ObjectHasher::new(format, "blob", size));
    // One byte more than a small file has, to see whether it grew; clearing a large buffer for each would cost more than hashing.
    let mut buffer = vec![0; usize::try_from(size).unwrap_or(BUFFER).saturating_add(1).min(BUFFER)];
    let mut count = 0;
    loop {
        let length = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        count += length as u64;
        if count > size {
            break;
        }
        sha256.update(&buffer[..length]);
        if let Some(blob) = &mut blob {
            blob.update(&buffer[..length]);
        }
        progress.advance(length as u64);
        // A regular file gives less than there is room for at its end only, so asking once more would tell nothing new.
        if count == size && length < buffer.len() {
            break;
        }
    }
    if count != size {
        return Err(io::Error::other("the file changed while it was read"));
    }
    Ok(FileDigest {
        size,
        sha256: sha256.finalize().into(),
        blob: blob.map(ObjectHasher::finish),
        executable: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
        (directory, path)
    }

    #[test]
    fn digests_are_those_of_the_standard_and_of_git() {
        let (_guard, directory) = scratch();
        let path = directory.join("f");
        std::fs::write(&path, "hello\n").unwrap();
        let digest = file(&path, Some(ObjectFormat::Sha1), &Progress::hidden()).unwrap();
        assert_eq!(
            hex(&digest.sha256),
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
        );
        assert_eq!(hex(&digest.blob.unwrap()), "ce013625030ba8dba906f756967f9e9ca394464a");
    }

    #[test]
    fn files_keep_their_order() {
        let (_guard, directory) = scratch();
        let paths: Vec<_> = (0..50).rev().map(|index| directory.join(format!("{index}"))).collect();
        for path in &paths {
            std::fs::write(path, path.as_str()).unwrap();
        }
        let hashed = files(&paths, &Progress::hidden()).unwrap();
        assert!(hashed.iter().map(|(path, _)| path).eq(&paths));
        assert_eq!(hashed[3].1, <[u8; 32]>::from(Sha256::digest(paths[3].as_str())));
    }

    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        let (_guard, directory) = scratch();
        let missing = file(&directory.join("missing"), None, &Progress::hidden()).unwrap_err();
        assert!(missing.to_string().contains("missing"), "{missing}");
        for path in [directory.clone(), "/dev/zero".into()] {
            let error = file(&path, None, &Progress::hidden()).unwrap_err();
            assert!(error.to_string().contains("not a regular file"), "{error}");
        }
    }
}
