//! Removes damaged packages from cargo's cache, under cargo's own locks, so that cargo makes them anew.

use std::fs::{self, File, OpenOptions};

use camino::Utf8Path;
use rustix::fs::{FlockOperation, flock};

use crate::error::CliError;

/// Cargo's locks on its package cache; given back when this is dropped.
#[derive(Debug)]
pub struct PackageCache<'a> {
    cargo_home: &'a Utf8Path,
    _locks: [File; 2],
}

impl<'a> PackageCache<'a> {
    /// Waits until no cargo uses the cache, then keeps it.
    ///
    /// # Errors
    /// When the lock files cannot be made or locked.
    pub fn lock(cargo_home: &'a Utf8Path) -> Result<Self, CliError> {
        // In the order in which cargo takes them when it cleans up.
        let [mutate, download] = [".package-cache-mutate", ".package-cache"];
        Ok(Self {
            cargo_home,
            _locks: [lock(&cargo_home.join(mutate))?, lock(&cargo_home.join(download))?],
        })
    }

    /// Removes a file or a directory of the cache, which must lie where cargo keeps what it can make again.
    ///
    /// # Errors
    /// When it lies elsewhere or cannot be removed.
    pub fn remove(&self, path: &Utf8Path) -> Result<(), CliError> {
        let replaceable = ["registry/src", "registry/cache", "git/checkouts"].iter().any(|part| {
            path.strip_prefix(self.cargo_home.join(part))
                .is_ok_and(|rest| rest.components().count() == 2)
        });
        if !replaceable || path.components().any(|part| part.as_str() == "..") {
            return Err(
                CliError::cannot_decide(format!("{path} is not in cargo's cache, so it is not removed"))
                    .hint("restore it by hand"),
            );
        }
        let removed = match path.symlink_metadata() {
            Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        };
        removed.map_err(|error| CliError::failure(format!("failed to remove {path}")).because(error))
    }
}

fn lock(path: &Utf8Path) -> Result<File, CliError> {
    let open = || {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok::<_, std::io::Error>(file)
    };
    open().map_err(|error| CliError::failure(format!("failed to lock cargo's package cache by {path}")).because(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn only_what_cargo_makes_again_is_removed() {
        let home = Scratch::new();
        home.write("registry/src/r/a-1.0.0/x", "");
        home.write("registry/cache/r/a-1.0.0.crate", "");
        home.write("config.toml", "");
        let cache = PackageCache::lock(home.path()).unwrap();
        for path in [
            "registry/src/r/a-1.0.0",
            "registry/cache/r/a-1.0.0.crate",
            "registry/cache/r/gone.crate",
        ] {
            cache.remove(&home.path().join(path)).unwrap();
            assert!(!home.path().join(path).exists());
        }
        for path in [
            "config.toml",
            "registry/src/r",
            "registry/src",
            "registry/src/r/../../..",
            "../x",
            "registry/src/r/a/b",
        ] {
            assert!(cache.remove(&home.path().join(path)).is_err(), "{path}");
        }
        assert!(home.path().join("config.toml").exists());
    }

    #[test]
    fn the_lock_is_cargos() {
        let home = Scratch::new();
        let cache = PackageCache::lock(home.path()).unwrap();
        let again = File::open(home.path().join(".package-cache")).unwrap();
        assert!(flock(&again, FlockOperation::NonBlockingLockShared).is_err());
        drop(cache);
        flock(&again, FlockOperation::NonBlockingLockShared).unwrap();
    }
}
