//! Files that are the user's own business: private keys, which nobody else may read, and the trust store, which nobody else may write.

use std::fs::{self, File};
use std::io::{self, Write};

use camino::Utf8Path;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::finding::CargoCode;
use crate::foreign::{ForeignFile, Links, Unread};

/// Far above any key file or trust store; a larger file is something else.
const MAX_BYTES: u64 = 4 << 20;

/// What other users of the machine must not be able to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// Nobody else may read or write it: private keys.
    Secret,
    /// Nobody else may write or replace it: the trust store.
    Trusted,
    /// Whatever they can do: private keys under the reference implementation's command names, which look at no mode.
    Unchecked,
}

/// Reads the whole of the regular file `path`, which errors call `what`, after checking who else may touch it.
///
/// # Errors
/// `Ok(None)` stands for "there is no such file"; everything else that is not a safe, readable, regular file is an error.
pub fn read(path: &Utf8Path, what: &str, exposure: Exposure) -> Result<Option<Zeroizing<Vec<u8>>>, CliError> {
    let unread = |unread: Unread| match unread {
        Unread::TooLarge { limit } => CliError::cannot_decide(format!(
            "the {what} `{path}` is larger than {limit} bytes; no {what} is"
        )),
        other => other.about(format_args!("the {what} `{path}`")),
    };
    let file = match ForeignFile::open(path, Links::Followed) {
        Ok(file) => file,
        Err(Unread::Missing) => return Ok(None),
        Err(error) => return Err(unread(error)),
    };
    check_exposure(path, what, exposure, file.metadata())?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.read_into(&mut bytes, MAX_BYTES).map_err(unread)?;
    Ok(Some(bytes))
}

/// Refuses a private key file that others may read; for callers that must not open the secret yet.
pub fn check_secret(path: &Utf8Path, what: &str) -> Result<(), CliError> {
    let metadata = fs::metadata(path)
        .map_err(|error| CliError::cannot_decide(format!("failed to find the {what} `{path}`")).because(error))?;
    if !metadata.is_file() {
        return Err(CliError::cannot_decide(format!(
            "the {what} `{path}` is not a regular file"
        )));
    }
    check_exposure(path, what, Exposure::Secret, &metadata)
}

/// Creates the directory `path` and its parents; the directory itself is for the user alone.
pub fn create_directory(path: &Utf8Path) -> Result<(), CliError> {
    let failed =
        |error: io::Error| CliError::failure(format!("failed to create the directory `{path}`")).because(error);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(failed(error)),
        Ok(()) => Ok(()),
    }
}

/// Writes the new file `path` with mode `mode`; a file that is already there stays as it is and is an error.
pub fn create_new(path: &Utf8Path, bytes: &[u8], mode: u32) -> Result<(), CliError> {
    let staged = stage(path, bytes, mode)?;
    staged.persist_noclobber(path).map_err(|error| {
        if error.error.kind() == io::ErrorKind::AlreadyExists {
            CliError::usage(format!("`{path}` exists already and is not overwritten"))
        } else {
            CliError::failure(format!("failed to write `{path}`")).because(error.error)
        }
    })?;
    Ok(())
}

/// Puts a file with these bytes and mode at `path` in one step; whoever reads it sees the old file or the new one.
pub fn replace(path: &Utf8Path, bytes: &[u8], mode: u32) -> Result<(), CliError> {
    stage(path, bytes, mode)?
        .persist(path)
        .map_err(|error| CliError::failure(format!("failed to write `{path}`")).because(error.error))?;
    Ok(())
}

/// A temporary file beside `path`, complete and on disk; it removes itself unless it is persisted.
fn stage(path: &Utf8Path, bytes: &[u8], mode: u32) -> Result<tempfile::NamedTempFile, CliError> {
    let failed = |error: io::Error| CliError::failure(format!("failed to write `{path}`")).because(error);
    let directory = match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".cargo-intoto-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    let mut staged = builder.tempfile_in(directory).map_err(failed)?;
    staged.write_all(bytes).map_err(failed)?;
    sync(staged.as_file()).map_err(failed)?;
    Ok(staged)
}

fn sync(file: &File) -> io::Result<()> {
    file.sync_all()
}

#[cfg(unix)]
fn check_exposure(path: &Utf8Path, what: &str, exposure: Exposure, metadata: &fs::Metadata) -> Result<(), CliError> {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o777;
    match exposure {
        Exposure::Secret if mode & 0o077 != 0 => Err(CliError::usage(format!(
            "the {what} `{path}` can be read or written by others (mode {mode:04o})"
        ))
        .with_code(CargoCode::KeyFileExposed)
        .hint(format!(
            "run `chmod 600 {path}`; if others have been on this machine, make a new key"
        ))),
        Exposure::Trusted if mode & 0o022 != 0 => Err(exposed_store(format!(
            "the {what} `{path}` can be written by others (mode {mode:04o})"
        ))
        .hint(format!(
            "look through `cargo intoto trust list`'s file, then run `chmod 600 {path}`"
        ))),
        Exposure::Trusted => {
            let me = rustix::process::geteuid().as_raw();
            if metadata.uid() != me && metadata.uid() != 0 {
                return Err(exposed_store(format!(
                    "the {what} `{path}` belongs to another user (uid {})",
                    metadata.uid()
                )));
            }
            check_parent(path, what, me)
        }
        Exposure::Secret | Exposure::Unchecked => Ok(()),
    }
}

/// A file is as safe as the directory it can be replaced in.
#[cfg(unix)]
fn check_parent(path: &Utf8Path, what: &str, me: u32) -> Result<(), CliError> {
    use std::os::unix::fs::MetadataExt;
    let directory = match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    };
    let Ok(metadata) = fs::metadata(directory) else {
        return Ok(());
    };
    let mode = metadata.mode() & 0o7777;
    let replaceable = mode & 0o022 != 0 && mode & 0o1000 == 0;
    if replaceable || (metadata.uid() != me && metadata.uid() != 0) {
        return Err(exposed_store(format!(
            "the directory of the {what} `{path}` lets others replace it (mode {mode:04o}, uid {})",
            metadata.uid()
        ))
        .hint(format!(
            "run `chmod 700 {directory}`, or keep the file in a directory of your own"
        )));
    }
    Ok(())
}

#[cfg(unix)]
fn exposed_store(message: String) -> CliError {
    CliError::cannot_decide(message).with_code(CargoCode::TrustStoreUnsafe)
}

#[cfg(not(unix))]
fn check_exposure(_: &Utf8Path, _: &str, _: Exposure, _: &fs::Metadata) -> Result<(), CliError> {
    Ok(())
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use camino::Utf8PathBuf;

    fn directory() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(directory.path().to_owned()).unwrap();
        (directory, path)
    }

    #[test]
    fn exposure_is_judged_by_mode() {
        let (_guard, directory) = directory();
        for (mode, secret, trusted) in [
            (0o600, true, true),
            (0o400, true, true),
            (0o640, false, true),
            (0o644, false, true),
            (0o620, false, false),
            (0o602, false, false),
        ] {
            let path = directory.join(format!("{mode:o}"));
            fs::write(&path, "x").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(&path, "file", Exposure::Secret).is_ok(), secret, "{mode:o}");
            assert_eq!(check_secret(&path, "file").is_ok(), secret, "{mode:o}");
            assert_eq!(read(&path, "file", Exposure::Trusted).is_ok(), trusted, "{mode:o}");
        }
    }

    #[test]
    fn a_store_in_a_directory_of_everyone_is_refused() {
        let (_guard, directory) = directory();
        let path = directory.join("trust.toml");
        create_new(&path, b"x", 0o600).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
        let error = read(&path, "trust store", Exposure::Trusted).unwrap_err();
        assert_eq!(error.code(), Some(CargoCode::TrustStoreUnsafe));
    }

    #[test]
    fn new_files_never_replace_and_replaced_files_keep_their_mode() {
        let (_guard, directory) = directory();
        let path = directory.join("owner.key");
        create_new(&path, b"one", 0o600).unwrap();
        assert!(create_new(&path, b"two", 0o600).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"one");
        replace(&path, b"three", 0o600).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
        let (_guard, directory) = directory();
        assert!(read(&directory, "file", Exposure::Secret).is_err());
        assert!(
            read(&directory.join("none"), "file", Exposure::Secret)
                .unwrap()
                .is_none()
        );
        let private = directory.join("private/keys");
        create_directory(&private).unwrap();
        create_directory(&private).unwrap();
        assert_eq!(fs::metadata(&private).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
