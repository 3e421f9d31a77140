//! A directory of links, read as if its owner were hostile: only files that were asked for, only regular ones, never more
//! than the limit, and never waiting for a writer that does not come.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};

/// Links as the in-toto tools lay them out: `STEP.KEYID8.link`, with one directory `STEP.KEYID8` for each sublayout.
#[derive(Debug)]
pub struct LinkDirectory {
    path: Utf8PathBuf,
    root: File,
}

impl LinkDirectory {
    /// Opens a directory that the user named; a symbolic link to it is followed, those inside are not.
    ///
    /// # Errors
    /// When it is missing, unreadable or no directory.
    pub fn open(path: &Utf8Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            root: platform::open_root(path)?,
        })
    }

    /// The bytes of the file `name` in a (sub)layout's `directories`, never more than `limit`.
    ///
    /// # Errors
    /// When there is no such file, or it may not or cannot be read.
    pub fn read(&self, directories: &[&str], name: &str, limit: usize) -> Result<Vec<u8>, Unread> {
        if directories.iter().chain([&name]).any(|part| !is_one_component(part)) {
            return Err(Unread::Io(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a file name",
            )));
        }
        regular(platform::open_inside(&self.root, &self.path, directories, name)?, limit)
    }

    /// The directory itself.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }
}

/// Why a file was not read.
#[derive(Debug)]
pub enum Unread {
    /// There is no such file; for a link this is an ordinary outcome.
    Missing,
    /// It is something that reading could wait on for ever, or that leads elsewhere.
    NotRegular(&'static str),
    /// It is larger than the limit, in bytes.
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The system refused.
    Io(io::Error),
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

/// Reads a file that the user named (a layout, a key); symbolic links are followed.
///
/// # Errors
/// When it is missing, not a regular file, larger than `limit` or unreadable.
pub fn read_named(path: &Utf8Path, limit: usize) -> Result<Vec<u8>, Unread> {
    regular(platform::open_named(path)?, limit)
}

/// The bytes of an open file, if it is a regular one of at most `limit` bytes.
fn regular(file: File, limit: usize) -> Result<Vec<u8>, Unread> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Unread::NotRegular(kind(metadata.file_type())));
    }
    let limit_u64 = u64::try_from(limit).unwrap_or(u64::MAX);
    if metadata.len() > limit_u64 {
        return Err(Unread::TooLarge { limit });
    }
    // The length was checked against the limit, so it fits; a file that grows meanwhile is cut at the limit.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.take(limit_u64.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(Unread::TooLarge { limit });
    }
    Ok(bytes)
}

fn is_one_component(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

#[cfg(unix)]
fn kind(file_type: std::fs::FileType) -> &'static str {
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
fn kind(file_type: std::fs::FileType) -> &'static str {
    if file_type.is_dir() {
        "a directory"
    } else {
        "a special file"
    }
}

#[cfg(unix)]
mod platform {
    use std::fs::File;
    use std::io;

    use camino::Utf8Path;
    use rustix::fs::{CWD, Mode, OFlags, openat};
    use rustix::io::Errno;

    use super::Unread;

    // Without NONBLOCK, opening a FIFO waits for a writer for ever; NOCTTY keeps a terminal device from becoming ours.
    const READ: OFlags = OFlags::RDONLY
        .union(OFlags::NONBLOCK)
        .union(OFlags::NOCTTY)
        .union(OFlags::CLOEXEC);

    pub(super) fn open_root(path: &Utf8Path) -> io::Result<File> {
        Ok(openat(CWD, path.as_std_path(), READ | OFlags::DIRECTORY, Mode::empty())?.into())
    }

    pub(super) fn open_named(path: &Utf8Path) -> Result<File, Unread> {
        openat(CWD, path.as_std_path(), READ, Mode::empty())
            .map(File::from)
            .map_err(unread)
    }

    pub(super) fn open_inside(root: &File, _path: &Utf8Path, directories: &[&str], name: &str) -> Result<File, Unread> {
        let mut directory: Option<File> = None;
        for component in directories {
            let parent = directory.as_ref().unwrap_or(root);
            let flags = READ | OFlags::DIRECTORY | OFlags::NOFOLLOW;
            directory = Some(openat(parent, *component, flags, Mode::empty()).map_err(unread)?.into());
        }
        openat(
            directory.as_ref().unwrap_or(root),
            name,
            READ | OFlags::NOFOLLOW,
            Mode::empty(),
        )
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
mod platform {
    use std::fs::{self, File};
    use std::io;

    use camino::Utf8Path;

    use super::Unread;

    pub(super) fn open_root(path: &Utf8Path) -> io::Result<File> {
        // Directories cannot be opened here; the handle is never read, and the file names are checked one by one.
        if !fs::metadata(path)?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "not a directory"));
        }
        tempfile::tempfile()
    }

    pub(super) fn open_named(path: &Utf8Path) -> Result<File, Unread> {
        match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Unread::Missing),
            opened => Ok(opened?),
        }
    }

    pub(super) fn open_inside(_root: &File, path: &Utf8Path, directories: &[&str], name: &str) -> Result<File, Unread> {
        let mut path = path.to_owned();
        for component in directories.iter().chain([&name]) {
            path.push(component);
            match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unread::Missing),
                metadata if metadata?.is_symlink() => return Err(Unread::NotRegular("a symbolic link")),
                _ => {}
            }
        }
        open_named(&path)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::time::{Duration, Instant};

    use camino::Utf8Path;

    use super::{LinkDirectory, Unread, read_named};

    const LIMIT: usize = 1000;

    fn with_directory(test: impl FnOnce(&Utf8Path, &LinkDirectory)) {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let path = Utf8Path::from_path(scratch.path()).expect("a UTF-8 temporary directory");
        let directory = LinkDirectory::open(path).expect("the directory is there");
        test(path, &directory);
    }

    #[test]
    fn only_regular_files_of_bounded_size() {
        with_directory(|path, directory| {
            fs::write(path.join("good.link"), b"{}").expect("written");
            fs::create_dir(path.join("directory.link")).expect("created");
            symlink("good.link", path.join("symlink.link")).expect("linked");
            symlink("/dev/zero", path.join("zero.link")).expect("linked");
            let _socket = UnixListener::bind(path.join("s.link")).expect("bound");
            rustix::fs::mkfifoat(
                rustix::fs::CWD,
                path.join("fifo.link").as_std_path(),
                rustix::fs::Mode::RUSR,
            )
            .expect("a FIFO");
            // A sparse file: a gigabyte to read, nothing on the disk.
            fs::File::create(path.join("huge.link"))
                .and_then(|file| file.set_len(1 << 30))
                .expect("a sparse file");
            fs::write(path.join("exact.link"), vec![b' '; LIMIT]).expect("written");
            fs::write(path.join("over.link"), vec![b' '; LIMIT + 1]).expect("written");

            let started = Instant::now();
            let describe = |name| match directory.read(&[], name, LIMIT) {
                Ok(bytes) => format!("{} bytes", bytes.len()),
                Err(unread) => unread.to_string(),
            };
            let cases = [
                ("good.link", "2 bytes"),
                ("exact.link", "1000 bytes"),
                ("missing.link", "is missing"),
                ("directory.link", "is a directory, not a regular file"),
                ("symlink.link", "is a symbolic link, not a regular file"),
                ("zero.link", "is a symbolic link, not a regular file"),
                ("s.link", "is a socket, not a regular file"),
                ("fifo.link", "is a FIFO, not a regular file"),
                ("huge.link", "is larger than 1000 bytes"),
                ("over.link", "is larger than 1000 bytes"),
                ("../good.link", "cannot be read: not a file name"),
                ("..", "cannot be read: not a file name"),
                ("", "cannot be read: not a file name"),
            ];
            for (name, expected) in cases {
                assert_eq!(describe(name), expected, "{name}");
            }
            assert!(
                started.elapsed() < Duration::from_secs(5),
                "no file may make the reader wait"
            );
        });
    }

    #[test]
    fn sublayout_directories_are_not_left() {
        with_directory(|path, directory| {
            let outside = tempfile::tempdir().expect("another directory");
            fs::write(outside.path().join("a.link"), b"secret").expect("written");
            fs::create_dir(path.join("sub.12345678")).expect("created");
            fs::write(path.join("sub.12345678/a.link"), b"inside").expect("written");
            symlink(outside.path(), path.join("evil.12345678")).expect("linked");

            let inside = directory.read(&["sub.12345678"], "a.link", LIMIT).expect("readable");
            assert_eq!(inside, b"inside");
            for directories in [&["evil.12345678"][..], &[".."], &["sub.12345678", ".."]] {
                assert!(directory.read(directories, "a.link", LIMIT).is_err(), "{directories:?}");
            }
            assert!(matches!(
                directory.read(&["none.12345678"], "a.link", LIMIT),
                Err(Unread::Missing)
            ));
        });
    }

    #[test]
    fn named_files_follow_symbolic_links_to_regular_files_only() {
        with_directory(|path, _| {
            fs::write(path.join("layout"), b"{}").expect("written");
            symlink("layout", path.join("alias")).expect("linked");
            assert_eq!(read_named(&path.join("alias"), LIMIT).expect("followed"), b"{}");
            assert!(matches!(
                read_named(Utf8Path::new("/dev/zero"), LIMIT),
                Err(Unread::NotRegular("a device"))
            ));
        });
    }
}
