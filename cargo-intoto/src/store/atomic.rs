//! Files that are there as a whole or not at all, whenever we are stopped.

use std::fs::{self, File};
use std::io::{self, Write};

use camino::Utf8Path;

use crate::error::CliError;

/// Writes `bytes` to `path`: into a temporary file in `scratch` (on the same file system), to the disk, then into place.
///
/// # Errors
/// When any of it fails; `path` is then as it was.
pub fn write(path: &Utf8Path, bytes: &[u8], scratch: &Utf8Path) -> Result<(), CliError> {
    replace(path, scratch, |file| file.write_all(bytes))
}

/// Copies the file `from` to `path` as [`write()`] does, with the permissions of `from`.
///
/// # Errors
/// When any of it fails; `path` is then as it was.
pub fn copy(from: &Utf8Path, path: &Utf8Path, scratch: &Utf8Path) -> Result<(), CliError> {
    replace(path, scratch, |file| {
        let mut source = File::open(from)?;
        file.set_permissions(source.metadata()?.permissions())?;
        io::copy(&mut source, file).map(|_| ())
    })
}

fn replace(
    path: &Utf8Path,
    scratch: &Utf8Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), CliError> {
    let failed = |error: io::Error| CliError::failure(format!("failed to write {path}")).because(error);
    fs::create_dir_all(scratch).map_err(failed)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(scratch).map_err(failed)?;
    fill(file.as_file_mut()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    sync_directory(path).map_err(failed)
}

/// Makes `latest` (a symbolic link, or where there are none a small file) name `target`, in one step.
///
/// # Errors
/// When it cannot be made; it is then as it was.
pub fn point(latest: &Utf8Path, target: &str, scratch: &Utf8Path) -> Result<(), CliError> {
    #[cfg(unix)]
    {
        let failed = |error: io::Error| CliError::failure(format!("failed to write {latest}")).because(error);
        fs::create_dir_all(scratch).map_err(failed)?;
        let fresh = tempfile::Builder::new().make_in(scratch, |path| std::os::unix::fs::symlink(target, path));
        let fresh = fresh.map_err(failed)?.into_temp_path();
        fresh.persist(latest).map_err(|error| failed(error.error))?;
        sync_directory(latest).map_err(failed)
    }
    #[cfg(not(unix))]
    write(latest, target.as_bytes(), scratch)
}

/// Makes the new name of `path` last through a power cut.
fn sync_directory(path: &Utf8Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        File::open(parent)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_nothing_is_left_behind() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let root = Utf8Path::from_path(directory.path()).expect("UTF-8");
        let (file, scratch) = (root.join("a.link"), root.join("tmp"));
        for bytes in [&b"first"[..], b"second"] {
            write(&file, bytes, &scratch).expect("written");
            assert_eq!(fs::read(&file).expect("read"), bytes);
        }
        assert_eq!(fs::read_dir(&scratch).expect("listed").count(), 0);
        let failing = replace(&file, &scratch, |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failing.is_err());
        assert_eq!(fs::read(&file).expect("read"), b"second");
        assert_eq!(fs::read_dir(&scratch).expect("listed").count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn latest_is_moved_in_one_step() {
        let directory = tempfile::tempdir().expect("temporary directory");
        let root = Utf8Path::from_path(directory.path()).expect("UTF-8");
        for target in ["one", "two"] {
            point(&root.join("latest"), target, &root.join("tmp")).expect("pointed");
            assert_eq!(fs::read_link(root.join("latest")).expect("link").to_str(), Some(target));
        }
    }
}
