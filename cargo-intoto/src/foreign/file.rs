//! One file: opened if it is a regular one, read up to a limit.

use std::fmt;
use std::fs::{File, FileType, Metadata};
use std::io::{self, Read};

use camino::Utf8Path;

use crate::error::CliError;

/// Whether a symbolic link in the place of a file is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// The user named the file: where a link leads is the user's business.
    Followed,
    /// The file itself is meant.
    Refused,
}

/// A regular file that is open for reading.
#[derive(Debug)]
pub struct ForeignFile {
    file: File,
    metadata: Metadata,
}

impl ForeignFile {
    /// Opens `path`; anything but a regular file is refused at once.
    ///
    /// # Errors
    /// When it is missing, no regular file or cannot be opened.
    pub fn open(path: &Utf8Path, links: Links) -> Result<Self, Unread> {
        Self::regular(platform::open(path, links)?)
    }

    /// Takes a file that was opened without waiting, if it is a regular one.
    pub(super) fn regular(file: File) -> Result<Self, Unread> {
        let metadata = file.metadata()?;
        if metadata.is_file() {
            Ok(Self { file, metadata })
        } else {
            Err(Unread::NotRegular(kind(metadata.file_type())))
        }
    }

    /// What the system says about the file that is open, whatever its name leads to by now.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The file and what the system says about it, for callers that read it in pieces.
    pub fn into_parts(self) -> (File, Metadata) {
        (self.file, self.metadata)
    }

    /// All its bytes, never more than `limit`.
    ///
    /// # Errors
    /// When it is larger, or cannot be read.
    pub fn read(self, limit: u64) -> Result<Vec<u8>, Unread> {
        let mut bytes = Vec::new();
        self.read_into(&mut bytes, limit)?;
        Ok(bytes)
    }

    /// As [`read`](Self::read), into a buffer of the caller, which never moves unless the file grows meanwhile.
    ///
    /// # Errors
    /// When it is larger, or cannot be read.
    pub fn read_into(self, bytes: &mut Vec<u8>, limit: u64) -> Result<(), Unread> {
        let length = self.metadata.len();
        if length > limit {
            return Err(Unread::TooLarge { limit });
        }
        // The length is within the limit, so the memory is; one byte more shows a file that grows, or one that lies in /proc.
        bytes.reserve_exact(usize::try_from(length).unwrap_or(0).saturating_add(1));
        self.file.take(limit.saturating_add(1)).read_to_end(bytes)?;
        if bytes.len() as u64 > limit {
            return Err(Unread::TooLarge { limit });
        }
        Ok(())
    }
}

/// All bytes of a file that the user named, never more than `limit`; symbolic links are followed.
///
/// # Errors
/// When it is missing, not a regular file, larger than `limit` or unreadable.
pub fn read(path: &Utf8Path, limit: usize) -> Result<Vec<u8>, Unread> {
    ForeignFile::open(path, Links::Followed)?.read(u64::try_from(limit).unwrap_or(u64::MAX))
}

/// Why a file was not read; it displays as what to say after the file's name.
#[derive(Debug)]
pub enum Unread {
    /// There is no such file; for a link this is an ordinary outcome.
    Missing,
    /// It is something that reading could wait on for ever, or that leads elsewhere.
    NotRegular(&'static str),
    /// It is larger than the limit, in bytes.
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// The system refused.
    Io(io::Error),
}

impl Unread {
    /// As an error about `what`: the file with its role, as in "the layout `x`".
    pub fn about(self, what: impl fmt::Display) -> CliError {
        match self {
            Self::Io(error) => CliError::cannot_decide(format!("failed to read {what}")).because(error),
            other => CliError::cannot_decide(format!("{what} {other}")),
        }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::NotRegular(kind) => write!(f, "is {kind}, not a regular file"),
            Self::TooLarge { limit } => write!(f, "is larger than {limit} bytes"),
            Self::Io(error) => write!(f, "cannot be read: {error}"),
        }
    }
}

impl std::error::Error for Unread {}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[cfg(unix)]
fn kind(file_type: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    if file_type.is_dir() {
        "a directory"
    } else if file_type.is_fifo() {
        "a FIFO"
    } else if file_type.is_socket() {
        "a socket"
    } else if file_type.is_char_device() || file_type.is_block_device() {
        "a device"
    } else {
        "a special file"
    }
}

#[cfg(not(unix))]
fn kind(file_type: FileType) -> &'static str {
    if file_type.is_dir() {
        "a directory"
    } else {
        "a special file"
    }
}

#[cfg(unix)]
pub(super) mod platform {
    use std::fs::File;
    use std::os::fd::AsFd;

    use camino::Utf8Path;
    use rustix::fs::{CWD, Mode, OFlags, openat};
    use rustix::io::Errno;

    use super::{Links, Unread};

    // Without NONBLOCK, opening a FIFO waits for a writer for ever; NOCTTY keeps a terminal device from becoming ours.
    const READ: OFlags = OFlags::RDONLY
        .union(OFlags::NONBLOCK)
        .union(OFlags::NOCTTY)
        .union(OFlags::CLOEXEC);

    pub(super) fn open(path: &Utf8Path, links: Links) -> Result<File, Unread> {
        open_at(CWD, path.as_str(), links, OFlags::empty())
    }

    /// Opens `name` below an open directory.
    pub(in crate::foreign) fn open_at(
        directory: impl AsFd,
        name: &str,
        links: Links,
        more: OFlags,
    ) -> Result<File, Unread> {
        let mut flags = READ | more;
        flags.set(OFlags::NOFOLLOW, links == Links::Refused);
        openat(directory, name, flags, Mode::empty())
            .map(File::from)
            .map_err(unread)
    }

    fn unread(error: Errno) -> Unread {
        match error {
            Errno::NOENT => Unread::Missing,
            Errno::LOOP => Unread::NotRegular("a symbolic link"),
            Errno::NXIO => Unread::NotRegular("a socket"),
            Errno::NOTDIR => Unread::NotRegular("below something that is no directory"),
            error => Unread::Io(error.into()),
        }
    }
}

#[cfg(not(unix))]
pub(super) mod platform {
    use std::fs::{self, File};
    use std::io;

    use camino::Utf8Path;

    use super::{Links, Unread};

    pub(in crate::foreign) fn open(path: &Utf8Path, links: Links) -> Result<File, Unread> {
        let missing = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Unread::Missing,
            _ => Unread::Io(error),
        };
        if links == Links::Refused && fs::symlink_metadata(path).map_err(missing)?.is_symlink() {
            return Err(Unread::NotRegular("a symbolic link"));
        }
        File::open(path).map_err(missing)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::time::{Duration, Instant};

    use super::*;

    const LIMIT: u64 = 1000;

    #[test]
    fn only_regular_files_of_bounded_size_are_read_and_nothing_is_waited_for() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let path = Utf8Path::from_path(scratch.path()).expect("a UTF-8 temporary directory");
        fs::write(path.join("good"), b"{}").expect("written");
        fs::create_dir(path.join("directory")).expect("created");
        symlink("good", path.join("symlink")).expect("linked");
        symlink("loop", path.join("loop")).expect("linked");
        symlink("/dev/zero", path.join("zero")).expect("linked");
        let _socket = UnixListener::bind(path.join("socket")).expect("bound");
        rustix::fs::mkfifoat(rustix::fs::CWD, path.join("fifo").as_std_path(), rustix::fs::Mode::RUSR).expect("a FIFO");
        // A sparse file: a gigabyte to read, nothing on the disk.
        File::create(path.join("huge"))
            .and_then(|file| file.set_len(1 << 30))
            .expect("a sparse file");
        fs::write(path.join("exact"), vec![b' '; 1000]).expect("written");
        fs::write(path.join("over"), vec![b' '; 1001]).expect("written");

        let started = Instant::now();
        let outcome =
            |name: &str, links| match ForeignFile::open(&path.join(name), links).and_then(|file| file.read(LIMIT)) {
                Ok(bytes) => format!("{} bytes", bytes.len()),
                Err(unread) => unread.to_string(),
            };
        let symbolic = "is a symbolic link, not a regular file";
        for (name, followed, refused) in [
            ("good", "2 bytes", "2 bytes"),
            ("exact", "1000 bytes", "1000 bytes"),
            ("missing", "is missing", "is missing"),
            ("symlink", "2 bytes", symbolic),
            ("loop", symbolic, symbolic),
            ("zero", "is a device, not a regular file", symbolic),
            (
                "directory",
                "is a directory, not a regular file",
                "is a directory, not a regular file",
            ),
            (
                "socket",
                "is a socket, not a regular file",
                "is a socket, not a regular file",
            ),
            ("fifo", "is a FIFO, not a regular file", "is a FIFO, not a regular file"),
            ("huge", "is larger than 1000 bytes", "is larger than 1000 bytes"),
            ("over", "is larger than 1000 bytes", "is larger than 1000 bytes"),
        ] {
            assert_eq!(outcome(name, Links::Followed), followed, "{name}");
            assert_eq!(outcome(name, Links::Refused), refused, "{name}");
        }
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "no file may make the reader wait"
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_length_that_the_system_understates_is_not_believed() {
        let path = Utf8Path::new("/proc/self/maps");
        let outcome = ForeignFile::open(path, Links::Followed).and_then(|file| {
            assert_eq!(file.metadata().len(), 0);
            file.read(10)
        });
        assert!(matches!(outcome, Err(Unread::TooLarge { limit: 10 })), "{outcome:?}");
    }
}
