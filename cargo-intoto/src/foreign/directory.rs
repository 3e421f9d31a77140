//! A directory, read as if its owner were hostile: only files that were asked for, and none outside of it.

#[cfg(unix)]
use std::fs::File;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::file::{ForeignFile, Links, Unread, platform};

/// A directory of files and of directories of files, such as a link directory.
#[derive(Debug)]
pub struct ForeignDirectory {
    path: Utf8PathBuf,
    #[cfg(unix)]
    root: File,
}

impl ForeignDirectory {
    /// Opens a directory that the user named; a symbolic link to it is followed, those inside are not.
    ///
    /// # Errors
    /// When it is missing, unreadable or no directory.
    pub fn open(path: &Utf8Path) -> io::Result<Self> {
        #[cfg(unix)]
        return Ok(Self {
            path: path.to_owned(),
            root: {
                use rustix::fs::{CWD, Mode, OFlags, openat};
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
                openat(CWD, path.as_std_path(), flags, Mode::empty())?.into()
            },
        });
        // Directories cannot be opened here; the names of their files are checked one by one.
        #[cfg(not(unix))]
        if std::fs::metadata(path)?.is_dir() {
            Ok(Self { path: path.to_owned() })
        } else {
            Err(io::Error::new(io::ErrorKind::NotADirectory, "not a directory"))
        }
    }

    /// The bytes of the file `name`, below `directories` one in the other, never more than `limit`.
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
        self.inside(directories, name)?
            .read(u64::try_from(limit).unwrap_or(u64::MAX))
    }

    /// The names, sorted, of what lies below `directories` and is `wanted`: no more than `limit` and one, so that a caller sees that there
    /// are too many. Nothing is opened, and names that are not UTF-8 are nobody's.
    ///
    /// # Errors
    /// When there is no such directory, or it may not or cannot be read.
    pub fn names(
        &self,
        directories: &[&str],
        wanted: impl Fn(&str) -> bool,
        limit: usize,
    ) -> Result<Vec<String>, Unread> {
        if directories.iter().any(|part| !is_one_component(part)) {
            return Err(Unread::Io(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not a file name",
            )));
        }
        let mut names: Vec<String> = Vec::new();
        self.each_name(directories, |name| {
            if wanted(name) && names.len() <= limit {
                names.push(name.to_owned());
            }
        })?;
        names.sort_unstable();
        Ok(names)
    }

    #[cfg(unix)]
    fn each_name(&self, directories: &[&str], mut take: impl FnMut(&str)) -> Result<(), Unread> {
        use rustix::fs::{Dir, OFlags};

        // `.` again, because reading a directory moves its handle, and the root's is shared.
        let mut directory = platform::open_at(&self.root, ".", Links::Refused, OFlags::DIRECTORY)?;
        for component in directories {
            directory = platform::open_at(&directory, component, Links::Refused, OFlags::DIRECTORY)?;
        }
        let entries = Dir::new(directory).map_err(|error| Unread::Io(error.into()))?;
        for entry in entries {
            let entry = entry.map_err(|error| Unread::Io(error.into()))?;
            if let Ok(name) = entry.file_name().to_str() {
                take(name);
            }
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn each_name(&self, directories: &[&str], mut take: impl FnMut(&str)) -> Result<(), Unread> {
        let path = self.below(directories)?;
        for entry in std::fs::read_dir(&path)? {
            if let Ok(name) = entry?.file_name().into_string() {
                take(&name);
            }
        }
        Ok(())
    }

    /// The directory itself.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    #[cfg(unix)]
    fn inside(&self, directories: &[&str], name: &str) -> Result<ForeignFile, Unread> {
        use rustix::fs::OFlags;

        let mut directory: Option<File> = None;
        for component in directories {
            let parent = directory.as_ref().unwrap_or(&self.root);
            directory = Some(platform::open_at(parent, component, Links::Refused, OFlags::DIRECTORY)?);
        }
        let parent = directory.as_ref().unwrap_or(&self.root);
        ForeignFile::regular(platform::open_at(parent, name, Links::Refused, OFlags::empty())?)
    }

    #[cfg(not(unix))]
    fn inside(&self, directories: &[&str], name: &str) -> Result<ForeignFile, Unread> {
        let path = self.below(directories)?;
        ForeignFile::open(&path.join(name), Links::Refused)
    }

    /// The path of a directory below this one, none of whose components is a link.
    #[cfg(not(unix))]
    fn below(&self, directories: &[&str]) -> Result<Utf8PathBuf, Unread> {
        let mut path = self.path.clone();
        for component in directories {
            path.push(component);
            match std::fs::symlink_metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unread::Missing),
                metadata if metadata?.is_symlink() => return Err(Unread::NotRegular("a symbolic link")),
                _ => {}
            }
        }
        Ok(path)
    }
}

fn is_one_component(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', '\0'])
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const LIMIT: usize = 1000;

    #[test]
    fn the_directory_is_not_left() {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let path = Utf8Path::from_path(scratch.path()).expect("a UTF-8 temporary directory");
        let outside = tempfile::tempdir().expect("another directory");
        fs::write(outside.path().join("a.link"), b"secret").expect("written");
        fs::write(path.join("good.link"), b"{}").expect("written");
        symlink("good.link", path.join("symlink.link")).expect("linked");
        fs::create_dir(path.join("sub.12345678")).expect("created");
        fs::write(path.join("sub.12345678/a.link"), b"inside").expect("written");
        symlink(outside.path(), path.join("evil.12345678")).expect("linked");

        let directory = ForeignDirectory::open(path).expect("the directory is there");
        let names = |directories: &[&str], limit| {
            let found = directory.names(directories, |name| name.ends_with(".link"), limit);
            found.map_or_else(|unread| unread.to_string(), |names| names.join(" "))
        };
        assert_eq!(names(&[], 9), "good.link symlink.link");
        assert_eq!(names(&[], 9), "good.link symlink.link", "a second time");
        assert_eq!(names(&[], 0).split(' ').count(), 1, "one more than the limit");
        assert_eq!(names(&["sub.12345678"], 9), "a.link");
        assert_eq!(names(&["none.12345678"], 9), "is missing");
        assert_ne!(names(&["evil.12345678"], 9), "a.link");
        assert_eq!(names(&[".."], 9), "cannot be read: not a file name");
        let describe = |directories: &[&str], name| match directory.read(directories, name, LIMIT) {
            Ok(bytes) => format!("{} bytes", bytes.len()),
            Err(unread) => unread.to_string(),
        };
        let below: &[&str] = &["sub.12345678"];
        for (directories, name, expected) in [
            (&[][..], "good.link", "2 bytes"),
            (below, "a.link", "6 bytes"),
            (&[], "missing.link", "is missing"),
            (&["none.12345678"], "a.link", "is missing"),
            (&[], "symlink.link", "is a symbolic link, not a regular file"),
            (&[], "sub.12345678", "is a directory, not a regular file"),
            (&[], "../good.link", "cannot be read: not a file name"),
            (&[], "..", "cannot be read: not a file name"),
            (&[], "", "cannot be read: not a file name"),
            (&[".."], "a.link", "cannot be read: not a file name"),
            (&["sub.12345678", ".."], "good.link", "cannot be read: not a file name"),
            (
                &["good.link"],
                "a.link",
                "is below something that is no directory, not a regular file",
            ),
        ] {
            assert_eq!(describe(directories, name), expected, "{directories:?} {name}");
        }
        assert!(directory.read(&["evil.12345678"], "a.link", LIMIT).is_err());
        assert!(ForeignDirectory::open(&path.join("good.link")).is_err());
    }
}
