//! Dep-info files: which files rustc read for a unit.
//!
//! Cargo keeps one `.d` per unit beside what it compiled. It names every source file, everything that `include!` and its kin
//! brought in, and files that build scripts generated. What a build script or proc macro opens itself stands in none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::foreign::{self, Unread};

/// A `.d` of a unit with more bytes than this is none that rustc wrote for a crate.
const MAX_BYTES: usize = 64 << 20;
/// Directories of the build directory that hold what programs wrote, not rustc's dep-info.
const NOT_UNITS: &[&str] = &["incremental", "out", "root-output", "tmp", "package"];

/// All dep-info files of a build directory, by what their unit's outputs are called.
#[derive(Debug, Default)]
pub struct DepInfos {
    by_stem: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
}

impl DepInfos {
    /// Finds the dep-info files below `build_directory`.
    ///
    /// # Errors
    /// When a directory cannot be listed.
    pub fn find(build_directory: &Utf8Path) -> Result<Self, CliError> {
        let mut found = Self::default();
        found.collect(build_directory, 0)?;
        Ok(found)
    }

    fn collect(&mut self, directory: &Utf8Path, depth: usize) -> Result<(), CliError> {
        let failed =
            |error| CliError::failure(format!("failed to list the build directory {directory}")).because(error);
        let entries = match directory.read_dir_utf8() {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let path = entry.path();
            if kind.is_dir() && depth < 8 && !NOT_UNITS.contains(&entry.file_name()) {
                self.collect(path, depth + 1)?;
            } else if kind.is_file() && path.extension() == Some("d") {
                self.by_stem.insert(path.with_extension(""), path.to_owned());
            }
        }
        Ok(())
    }

    /// The dep-info files of the unit that announced these output files.
    ///
    /// An output in the build directory carries the unit's hash in its name, as its dep-info does. A final artifact does not: it
    /// is another name of a file there, or else all units of that crate's name are taken, which can only name more files.
    ///
    /// # Errors
    /// When none is found: then nothing is known of what the unit read.
    pub fn of_unit(&self, crate_name: &str, outputs: &[Utf8PathBuf]) -> Result<Vec<&Utf8Path>, CliError> {
        let crate_name = crate_name.replace('-', "_");
        for output in outputs {
            let directory = output.parent().unwrap_or(Utf8Path::new(""));
            let stem = output.file_stem().unwrap_or_default();
            let stems = [stem, stem.strip_prefix("lib").unwrap_or(stem)];
            if let Some(found) = stems.iter().find_map(|stem| self.by_stem.get(&directory.join(stem))) {
                return Ok(vec![found]);
            }
        }
        let named = || {
            self.by_stem.iter().filter(|(stem, _)| {
                stem.file_name()
                    .and_then(|name| name.strip_prefix(crate_name.as_str()))
                    .is_some_and(|rest| rest.is_empty() || rest.strip_prefix('-').is_some_and(is_hash))
            })
        };
        let beside: Vec<_> = named()
            .filter(|(stem, _)| outputs.iter().any(|output| output.parent() == stem.parent()))
            .map(|(_, path)| path.as_path())
            .collect();
        if !beside.is_empty() {
            return Ok(beside);
        }
        let linked: Vec<_> = named()
            .filter(|(stem, _)| outputs.iter().any(|output| is_same_file(output, stem)))
            .map(|(_, path)| path.as_path())
            .collect();
        let found = if linked.is_empty() {
            named().map(|(_, path)| path.as_path()).collect()
        } else {
            linked
        };
        if found.is_empty() {
            return Err(
                CliError::cannot_decide(format!("there is no dep-info for the unit {crate_name}"))
                    .hint("recording needs cargo's usual build-directory layout"),
            );
        }
        Ok(found)
    }
}

/// The 16 hexadecimal digits that cargo puts behind a crate's name.
fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether a final artifact and an executable or library in the build directory are one file.
fn is_same_file(artifact: &Utf8Path, stem: &Utf8Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let identity = |path: &Utf8Path| fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
        let candidate = match artifact.extension() {
            Some(extension) => stem.with_extension(extension),
            None => stem.to_owned(),
        };
        identity(artifact).is_some_and(|own| identity(&candidate) == Some(own))
    }
    #[cfg(not(unix))]
    {
        let _ = (artifact, stem);
        false
    }
}

/// The files that the dep-info file `path` names; relative ones are relative to `base`.
///
/// # Errors
/// When it cannot be read as text of a bounded length.
pub fn read(path: &Utf8Path, base: &Utf8Path, files: &mut BTreeSet<Utf8PathBuf>) -> Result<(), CliError> {
    let bytes = foreign::read(path, MAX_BYTES).map_err(|unread| match unread {
        Unread::Io(error) => CliError::failure(format!("failed to read the dep-info {path}")).because(error),
        _ => unread.about(format_args!("the dep-info {path}")),
    })?;
    let text = String::from_utf8(bytes)
        .map_err(|error| CliError::failure(format!("the dep-info {path} is not UTF-8")).because(error))?;
    files.extend(prerequisites(&text).map(|file| base.join(file)));
    Ok(())
}

/// The prerequisites of all rules in a dep-info file, as written.
///
/// Every file also stands as a target without prerequisites, and comments carry environment variables; neither is needed.
pub fn prerequisites(text: &str) -> impl Iterator<Item = String> + '_ {
    text.lines().filter(|line| !line.starts_with('#')).flat_map(|line| {
        // A colon in a file name is followed by something else than a blank.
        let prerequisites = line.find(": ").map_or("", |colon| &line[colon + 2..]);
        words(prerequisites)
    })
}

/// Words separated by blanks, where `\ ` is a blank in a name.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&' ') => {
                word.push(' ');
                characters.next();
            }
            ' ' => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prerequisites_are_read() {
        let text = "/b/deps/a-1.d: src/main.rs src/with\\ blank.rs /abs/x.rs ../up.txt\n\n\
                    /b/deps/a-1: src/main.rs\n\nsrc/main.rs:\nsrc/with\\ blank.rs:\n\n# env-dep:NAME=a: b\n";
        let found: Vec<_> = prerequisites(text).collect();
        assert_eq!(
            found,
            [
                "src/main.rs",
                "src/with blank.rs",
                "/abs/x.rs",
                "../up.txt",
                "src/main.rs"
            ]
        );
    }

    #[test]
    fn a_unit_finds_its_dep_info_by_hash_by_file_or_by_name() {
        let guard = tempfile::tempdir().expect("temporary directory");
        let root = Utf8Path::from_path(guard.path()).expect("UTF-8");
        let hashes = ["0123456789abcdef", "fedcba9876543210"];
        for directory in ["build/release/deps", "build/release/build/x-1/out", "target/release"] {
            fs::create_dir_all(root.join(directory)).expect("created");
        }
        for hash in hashes {
            for file in [format!("my_app-{hash}.d"), format!("my_app-{hash}")] {
                fs::write(root.join("build/release/deps").join(file), hash).expect("written");
            }
        }
        fs::write(root.join("build/release/build/x-1/out/my_app.d"), "").expect("written");
        fs::hard_link(
            root.join(format!("build/release/deps/my_app-{}", hashes[1])),
            root.join("target/release/my-app"),
        )
        .expect("linked");
        let found = DepInfos::find(&root.join("build")).expect("found");
        let of = |outputs: &[&str]| -> Vec<String> {
            let outputs: Vec<_> = outputs.iter().map(|output| root.join(output)).collect();
            let infos = found.of_unit("my-app", &outputs).expect("some");
            infos
                .iter()
                .map(|path| path.file_name().expect("a name").to_owned())
                .collect()
        };
        assert_eq!(
            of(&["build/release/deps/libmy_app-0123456789abcdef.rlib"]),
            ["my_app-0123456789abcdef.d"]
        );
        assert_eq!(of(&["target/release/my-app"]), ["my_app-fedcba9876543210.d"]);
        assert_eq!(of(&["target/release/libmy_app.so"]).len(), 2);
        assert!(found.of_unit("other", &[]).is_err());
    }
}
