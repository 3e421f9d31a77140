//! What a registry serves as a version of a crate, fetched by cargo itself into a home of its own.
//!
//! In an empty home cargo has nothing cached: it asks the index, downloads the `.crate` and compares the two. What then lies in the home is what
//! everybody else gets, with the checksum of the index.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::{sha256, to_hex};
use tempfile::TempDir;

use crate::collect::configuration::Configuration;
use crate::collect::crate_file::{CrateFile, CrateLimits};
use crate::collect::originals;
use crate::error::CliError;
use crate::exec::cargo::Cargo;
use crate::exec::environment::Exchanged;
use crate::publish::Registry;

/// A registry that is asked, at one time: what it said before is not remembered.
#[derive(Debug)]
pub struct Asked<'a> {
    cargo: &'a Cargo,
    registry: &'a Registry,
    provider: &'a str,
    exchanged: Exchanged<'a>,
    home: Utf8PathBuf,
    // Kept for its `Drop`.
    _directory: TempDir,
}

/// What a registry has of one version of a crate.
#[derive(Debug)]
pub enum Served {
    /// It has no such version.
    Nothing,
    /// It serves this, and its index has the same checksum.
    Crate(Box<CrateFile>),
    /// It serves something that its own index contradicts, or that is no sound `.crate`.
    Unsound(String),
    /// It did not answer, or cargo did not understand it.
    Unknown(String),
}

impl<'a> Asked<'a> {
    /// Prepares to ask `registry`, which gets its token, if reading takes one, from the credential provider that `provider` sets, of `exchanged`.
    ///
    /// # Errors
    /// When no directory can be made.
    pub fn new(
        cargo: &'a Cargo,
        registry: &'a Registry,
        (provider, exchanged): (&'a str, Exchanged<'a>),
        configuration: &[Configuration],
    ) -> Result<Self, CliError> {
        let failed = || CliError::failure("failed to prepare a place to fetch from the registry");
        let directory = TempDir::with_prefix("cargo-intoto-").map_err(|error| failed().because(error))?;
        let home = Utf8PathBuf::try_from(directory.path().join("home")).map_err(|error| failed().because(error))?;
        originals::write_home(&home, configuration).map_err(|error| failed().because(error))?;
        // Cargo reads configuration above the directory that it runs in.
        fs::create_dir(directory.path().join("empty")).map_err(|error| failed().because(error))?;
        Ok(Self {
            cargo,
            registry,
            provider,
            exchanged,
            home,
            _directory: directory,
        })
    }

    /// Fetches `name` in `version`.
    ///
    /// # Errors
    /// When cargo cannot be started.
    pub fn fetch(&self, name: &str, version: &str) -> Result<Served, CliError> {
        let spec = format!("{name}@{version}");
        let output = self
            .cargo
            .publishing_command(self.exchanged)
            .args(["info", "--registry", self.registry.name(), &spec])
            .args(["--color", "never", "--config", self.provider])
            .current_dir(self.home.with_file_name("empty"))
            .env("CARGO_HOME", &self.home)
            .env_remove("CARGO_NET_OFFLINE")
            .output()
            .map_err(|error| CliError::failure("failed to start cargo").because(error))?;
        let words = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        let stem = format!("{name}-{version}");
        // Cargo writes what it downloaded only with the checksum of the index; what it thinks of the manifest inside does not matter here.
        let Some(path) = find(&self.home.join("registry/cache"), &format!("{stem}.crate")) else {
            return Ok(match output.status.success() {
                true => Served::Unknown(format!("cargo found {spec} and downloaded nothing")),
                false => understand(words, &spec),
            });
        };
        Ok(match CrateFile::read(&path, Some(&stem), &CrateLimits::default()) {
            Ok(crate_file) => Served::Crate(Box::new(crate_file)),
            // What it did not write to the end, as on a full disk, says nothing about the registry.
            Err(_) if !output.status.success() && !self.is_of_index(&path) => understand(words, &spec),
            Err(error) => Served::Unsound(match std::error::Error::source(&error) {
                Some(cause) => cause.to_string(),
                None => error.to_string(),
            }),
        })
    }

    /// Whether the index that cargo read has the checksum of this file.
    fn is_of_index(&self, path: &Utf8Path) -> bool {
        let Ok(bytes) = fs::read(path) else { return false };
        let checksum = to_hex(&sha256(&bytes));
        let mut directories = vec![self.home.join("registry/index")];
        while let Some(directory) = directories.pop() {
            for entry in directory.read_dir_utf8().into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    directories.push(entry.into_path());
                } else if fs::read(entry.path()).is_ok_and(|bytes| contains(&bytes, checksum.as_bytes())) {
                    return true;
                }
            }
        }
        false
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// What a failing cargo meant. A misunderstanding is harmless: a version that is wrongly said to be missing is refused by the registry when it is
/// uploaded again, and nothing but fetched bytes is ever said to be up.
fn understand(words: String, spec: &str) -> Served {
    if words.contains(&format!("could not find `{spec}` in registry")) {
        Served::Nothing
    } else if words.contains("failed to verify the checksum of") {
        Served::Unsound("the bytes are not those of the checksum in the registry's own index".to_owned())
    } else {
        Served::Unknown(words)
    }
}

/// The file of that name in the only directory of the cache that a fresh home has.
fn find(cache: &Utf8Path, name: &str) -> Option<Utf8PathBuf> {
    let directories = cache.read_dir_utf8().ok()?.filter_map(Result::ok);
    directories
        .map(|entry| entry.path().join(name))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cargos_own_words_mean_that_nothing_is_there() {
        let missing = "    Updating `here` index\nerror: could not find `a@1.0.0` in registry `sparse+http://h/`";
        assert!(matches!(understand(missing.to_owned(), "a@1.0.0"), Served::Nothing));
        let other = "error: failed to verify the checksum of `a v1.0.0 (registry `here`)`";
        assert!(matches!(understand(other.to_owned(), "a@1.0.0"), Served::Unsound(_)));
        for words in [
            "",
            "error: download of config.json failed",
            "error: could not find `b@1.0.0` in registry `x`",
            "error: registry index was not found in any configuration: `here`",
        ] {
            assert!(
                matches!(understand(words.to_owned(), "a@1.0.0"), Served::Unknown(_)),
                "{words}"
            );
        }
    }
}
