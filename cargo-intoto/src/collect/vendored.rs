//! Vendored packages: the checksums that `cargo vendor` writes are only compared with the lock, never derived from the files, so
//! the files are compared with the `.crate` instead.

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::crate_file::{CrateFile, CrateLimits};
use crate::error::CliError;
use crate::workspace::{Package, Workspace};

/// Where `.crate`s may lie that cargo itself does not use here.
#[derive(Debug, Clone)]
pub(crate) struct Originals {
    directories: Vec<Utf8PathBuf>,
}

impl Originals {
    /// Looks in cargo's cache, and in the private one that `fetch` fills.
    pub(crate) fn of(workspace: &Workspace) -> Self {
        let homes = [workspace.cargo_home.clone(), private_home(workspace)];
        let mut directories: Vec<_> = homes
            .iter()
            .flat_map(|home| subdirectories(&home.join("registry/cache")))
            .collect();
        directories.sort();
        Self { directories }
    }

    /// The `.crate` of `package` with this checksum. Here searching is safe, because the lock's checksum names the bytes: it does
    /// not matter in which registry's cache they lie.
    pub(crate) fn find(&self, package: &Package, checksum: [u8; 32]) -> Option<CrateFile> {
        let stem = package.stem();
        self.directories
            .iter()
            .map(|directory| directory.join(format!("{stem}.crate")))
            .filter(|path| path.is_file())
            .filter_map(|path| CrateFile::read(&path, Some(&stem), &CrateLimits::default()).ok())
            .find(|file| file.sha256() == checksum)
    }
}

/// A cargo home of our own, without source replacement.
pub(crate) fn private_home(workspace: &Workspace) -> Utf8PathBuf {
    workspace.target_directory.join("intoto").join("originals")
}

fn subdirectories(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = directory.read_dir_utf8() else {
        return Vec::new();
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| entry.path().to_owned())
        .filter(|path| path.is_dir())
        .collect()
}

/// The error for packages that nothing can be compared with.
pub(crate) fn unverified(packages: &[String]) -> CliError {
    CliError::cannot_decide(format!(
        "no .crate to compare the vendored sources of {} with",
        crate::collect::dependencies::list(packages)
    ))
    .with_code(crate::finding::CargoCode::VendoredUnverified)
    .hint("run `cargo intoto fetch` online once; it keeps the .crates for later")
    .hint("pass `--vendored-as-source` to record the vendored files as sources of this workspace instead")
}
