//! The units that a run compiled, remembered with the digests of their files.
//!
//! Cargo calls a unit fresh without looking at its bytes, so a build directory that was poisoned once stays poisoned. A unit is
//! reused in a recorded step only when this run compiled it and its files are still what they were.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::collect::hash;
use crate::collect::progress::Progress;
use crate::collect::walk::Walk;
use crate::error::CliError;
use crate::exec::messages::Artifact;
use crate::finding::CargoCode;
use crate::store::{Run, atomic};

/// What a run compiled so far.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Units {
    /// Every file that a unit of the run consists of, and its sha256.
    files: BTreeMap<Utf8PathBuf, String>,
}

impl Units {
    /// What `run` remembers.
    ///
    /// # Errors
    /// When the memory is there but cannot be read.
    pub(super) fn load(run: &Run) -> Result<Self, CliError> {
        let path = run.units_file();
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(|error| CliError::cannot_decide(format!("failed to parse {path}")).because(error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(CliError::failure(format!("failed to read {path}")).because(error)),
        }
    }

    /// Writes the memory of `run`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn store(&self, run: &Run) -> Result<(), CliError> {
        let bytes = serde_json::to_vec(self)
            .map_err(|error| CliError::failure("failed to write down the units of the run").because(error))?;
        atomic::write(&run.units_file(), &bytes, &run.scratch())
    }

    /// Checks that all files in the build directory that this run compiled are still what they were.
    ///
    /// # Errors
    /// When one of them changed or went away since.
    pub(super) fn check_unchanged(&self, build_directory: &Utf8Path, progress: &Progress) -> Result<(), CliError> {
        let paths: Vec<Utf8PathBuf> = self.files.keys().cloned().collect();
        let changed = |path: &Utf8Path| {
            let name = path.strip_prefix(build_directory).unwrap_or(path);
            CliError::refused(
                CargoCode::FreshUnit,
                format!("{name} in the run's build directory is not what this run compiled"),
            )
            .hint("record the build again: `cargo intoto build` starts with an empty build directory")
        };
        if let Some(gone) = paths.iter().find(|path| !path.is_file()) {
            return Err(changed(gone));
        }
        for (path, digest) in hash::files(&paths, progress)? {
            if self.files.get(&path).is_some_and(|known| *known != hash::hex(&digest)) {
                return Err(changed(&path));
            }
        }
        Ok(())
    }

    /// Checks the units that cargo did not compile but found in `build_directory`.
    ///
    /// # Errors
    /// When a unit is fresh that this run did not compile, or whose files changed since.
    pub(super) fn check_fresh(
        &self,
        artifacts: &[Artifact],
        build_directory: &Utf8Path,
        progress: &Progress,
    ) -> Result<(), CliError> {
        let digests: BTreeSet<&str> = self.files.values().map(String::as_str).collect();
        for artifact in artifacts.iter().filter(|artifact| artifact.fresh) {
            // A final artifact may be absent: `cargo check` names files that are not kept. A directory holds debug symbols.
            let files = artifact.filenames.iter().filter(|path| path.is_file()).cloned();
            for (path, digest) in hash::files(&files.collect::<Vec<_>>(), progress)? {
                let digest = hash::hex(&digest);
                match self.files.get(&path) {
                    Some(known) if *known == digest => {}
                    Some(_) => return Err(fresh(artifact, "changed since this run compiled it")),
                    // A final artifact is another name of a file in the build directory.
                    None if !path.starts_with(build_directory) && digests.contains(digest.as_str()) => {}
                    None => return Err(fresh(artifact, "was not compiled by this run")),
                }
            }
        }
        Ok(())
    }

    /// Removes the units that a step compiled before it failed: nobody checked them, and cargo would reuse them.
    pub(super) fn remove_others(&self, build_directory: &Utf8Path) {
        // What stays is refused as a unit that this run did not compile.
        let files = of_units(build_directory).unwrap_or_default();
        for file in files.iter().filter(|file| !self.files.contains_key(*file)) {
            let _ = fs::remove_file(file);
        }
    }

    /// Remembers what a step compiled: the files of all units in `build_directory`.
    ///
    /// # Errors
    /// When something there cannot be read.
    pub(super) fn remember(&mut self, build_directory: &Utf8Path, progress: &Progress) -> Result<(), CliError> {
        let hashed = hash::files(&of_units(build_directory)?, progress)?;
        self.files = hashed
            .into_iter()
            .map(|(path, digest)| (path, hash::hex(&digest)))
            .collect();
        Ok(())
    }
}

fn of_units(build_directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, CliError> {
    let files = Walk::everything_below(build_directory).files()?;
    Ok(files
        .iter()
        .map(|path| build_directory.join(path))
        .filter(|path| is_of_unit(path) && !path.is_symlink())
        .collect())
}

/// Whether a file in a build directory is one that cargo announces as a unit's output.
fn is_of_unit(path: &Utf8Path) -> bool {
    let directory = path.parent().and_then(Utf8Path::file_name).unwrap_or_default();
    match path.extension() {
        Some("rlib" | "rmeta" | "so" | "dylib" | "dll" | "a") => matches!(directory, "deps" | "examples"),
        None | Some("exe") => {
            directory == "deps" || path.file_stem().is_some_and(|stem| stem.starts_with("build-script-"))
        }
        Some(_) => false,
    }
}

fn fresh(artifact: &Artifact, reason: &str) -> CliError {
    CliError::refused(
        CargoCode::FreshUnit,
        format!("cargo reused the unit `{}`, which {reason}", artifact.target.name),
    )
    .hint("record the build again: `cargo intoto build` starts with an empty build directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(file: &Utf8Path, fresh: bool) -> Artifact {
        serde_json::from_value(serde_json::json!({
            "package_id": "path+file:///w#hello@0.1.0", "manifest_path": "/w/Cargo.toml",
            "target": {"kind": ["lib"], "crate_types": ["lib"], "name": "hello", "src_path": "/w/src/lib.rs",
                       "edition": "2024", "doc": true, "doctest": true, "test": true},
            "profile": {"opt_level": "3", "debuginfo": 0, "debug_assertions": false, "overflow_checks": false, "test": false},
            "features": [], "filenames": [file], "executable": null, "fresh": fresh,
        }))
        .expect("a message of cargo's")
    }

    #[test]
    fn a_fresh_unit_must_be_one_that_the_run_compiled_unchanged() {
        let guard = tempfile::tempdir().expect("temporary directory");
        let root = Utf8Path::from_path(guard.path()).expect("UTF-8");
        let build = root.join("build");
        let (unit, artifact_file) = (build.join("release/deps/libhello-0.rlib"), root.join("libhello.rlib"));
        fs::create_dir_all(unit.parent().expect("a parent")).expect("created");
        let progress = Progress::hidden();
        let mut units = Units::default();
        fs::write(&unit, "honest").expect("written");
        fs::write(&artifact_file, "honest").expect("written");
        let both = [artifact(&unit, true), artifact(&artifact_file, true)];
        for fresh in &both {
            let unknown = units
                .check_fresh(std::slice::from_ref(fresh), &build, &progress)
                .expect_err("never compiled");
            assert_eq!(unknown.code(), Some(CargoCode::FreshUnit));
        }
        units
            .check_fresh(&[artifact(&unit, false)], &build, &progress)
            .expect("compiled now");
        units.remember(&build, &progress).expect("readable");
        units
            .check_fresh(&both, &build, &progress)
            .expect("compiled by this run");
        units.check_unchanged(&build, &progress).expect("unchanged");
        let unchecked = build.join("release/deps/libother-0.rlib");
        fs::write(&unchecked, "by a step that failed").expect("written");
        units.remove_others(&build);
        assert!(unit.is_file() && !unchecked.exists());
        fs::write(&artifact_file, "poison").expect("written");
        assert!(units.check_fresh(&both, &build, &progress).is_err());
        fs::write(&artifact_file, "honest").expect("written");
        fs::write(&unit, "poison").expect("written");
        for outcome in [
            units.check_fresh(&both, &build, &progress),
            units.check_unchanged(&build, &progress),
        ] {
            assert_eq!(outcome.expect_err("changed").code(), Some(CargoCode::FreshUnit));
        }
    }
}
