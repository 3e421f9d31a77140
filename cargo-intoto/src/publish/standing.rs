//! How each crate of a release stands: what was recorded beside what the registry serves.

use crate::collect::crate_file::CrateFile;
use crate::publish::Served;

/// How one crate stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It was recorded, and the registry has no such version: it is to be uploaded.
    Due,
    /// The registry serves the recorded bytes.
    Up,
    /// The registry serves other bytes of the same sources: it did not change since it was published.
    Unchanged {
        /// What they do not share although the sources are the same, of the files that cargo generates.
        other: Vec<&'static str>,
    },
    /// The registry has the version, and this run did not package it.
    NotOfThisRun,
    /// The registry serves something else under this version; versions are never replaced.
    Taken {
        /// The sha256 of what it serves, if that could be read.
        served: Option<[u8; 32]>,
        /// What differs.
        why: String,
    },
    /// Nobody packaged it, and the registry does not have it.
    Missing,
    /// The registry did not say.
    Unknown(String),
}

/// Compares the recorded `.crate`, if there is one, with what is served.
pub fn standing(recorded: Option<&CrateFile>, served: &Served) -> Standing {
    match (recorded, served) {
        (_, Served::Unknown(words)) => Standing::Unknown(words.clone()),
        (Some(_), Served::Nothing) => Standing::Due,
        (None, Served::Nothing) => Standing::Missing,
        (_, Served::Unsound(why)) => Standing::Taken {
            served: None,
            why: why.clone(),
        },
        (None, Served::Crate(_)) => Standing::NotOfThisRun,
        (Some(recorded), Served::Crate(served)) => compare(recorded, served),
    }
}

fn compare(recorded: &CrateFile, served: &CrateFile) -> Standing {
    if recorded.sha256() == served.sha256() {
        return Standing::Up;
    }
    let changed = changed_files(recorded, served);
    if changed.is_empty() && same_manifest(recorded, served) {
        let differs = |path: &&&str| sha256(recorded, path) != sha256(served, path);
        return Standing::Unchanged {
            other: [LOCK, VCS].iter().filter(differs).copied().collect(),
        };
    }
    let why = match changed.as_slice() {
        [] => "its Cargo.toml differs".to_owned(),
        [one] => format!("{one} differs"),
        [first, rest @ ..] => format!("{first} and {} more differ", rest.len()),
    };
    Standing::Taken {
        served: Some(served.sha256()),
        why,
    }
}

const LOCK: &str = "Cargo.lock";
const VCS: &str = ".cargo_vcs_info.json";
const MANIFEST: &str = "Cargo.toml";

/// The files of either that the other does not have alike, without those that cargo generates.
fn changed_files(one: &CrateFile, other: &CrateFile) -> Vec<String> {
    let mut paths: Vec<&String> = one.entries().keys().chain(other.entries().keys()).collect();
    paths.sort();
    paths.dedup();
    let alike = |path: &str| match (one.get(path), other.get(path)) {
        (Some(one), Some(other)) => one.sha256 == other.sha256 && one.is_executable() == other.is_executable(),
        _ => false,
    };
    paths
        .into_iter()
        .filter(|path| ![LOCK, VCS, MANIFEST].contains(&path.as_str()) && !alike(path))
        .cloned()
        .collect()
}

/// Whether the two manifests say the same: another cargo may have written one of them.
fn same_manifest(one: &CrateFile, other: &CrateFile) -> bool {
    let read = |file: &CrateFile| -> Option<toml::Table> {
        let content = file.get(MANIFEST)?.content.as_deref()?;
        std::str::from_utf8(content).ok()?.parse().ok()
    };
    sha256(one, MANIFEST) == sha256(other, MANIFEST) || read(one).is_some_and(|table| Some(table) == read(other))
}

fn sha256(file: &CrateFile, path: &str) -> Option<[u8; 32]> {
    file.get(path).map(|entry| entry.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::crate_file::CrateLimits;
    use crate::testing::crate_bytes;

    fn file(files: &[(&str, u32, &str)]) -> CrateFile {
        let stem = "a-1.0.0";
        CrateFile::from_bytes(&crate_bytes(stem, files), Some(stem), &CrateLimits::default()).expect("sound")
    }

    #[test]
    fn what_is_served_decides_how_a_crate_stands() {
        let base = [
            ("Cargo.toml", 0o644, "[package]\nname = \"a\"\n"),
            ("Cargo.toml.orig", 0o644, "o"),
            ("Cargo.lock", 0o644, "l"),
            (".cargo_vcs_info.json", 0o644, "{\"1\":0}"),
            ("src/lib.rs", 0o644, "// a"),
        ];
        let with = |path: &str, mode: u32, content: &'static str| {
            let mut files = base;
            let file = files.iter_mut().find(|file| file.0 == path).expect("it is there");
            (file.1, file.2) = (mode, content);
            Served::Crate(Box::new(tests::file(&files)))
        };
        let recorded = file(&base);
        let unchanged = |other: &[&'static str]| Standing::Unchanged { other: other.to_vec() };
        for (served, expected) in [
            (Served::Nothing, Standing::Due),
            (Served::Crate(Box::new(recorded.clone())), Standing::Up),
            (with(VCS, 0o644, "{\"2\":0}"), unchanged(&[VCS])),
            (with(LOCK, 0o644, "m"), unchanged(&[LOCK])),
            (with(MANIFEST, 0o644, "[package]\nname='a'"), unchanged(&[])),
            (Served::Unknown("down".to_owned()), Standing::Unknown("down".to_owned())),
        ] {
            assert_eq!(standing(Some(&recorded), &served), expected, "{served:?}");
        }
        for (served, why) in [
            (with(MANIFEST, 0o644, "[package]\nname = 'b'"), "its Cargo.toml differs"),
            (with("src/lib.rs", 0o644, "// b"), "src/lib.rs differs"),
            (with("src/lib.rs", 0o755, "// a"), "src/lib.rs differs"),
            (with("Cargo.toml.orig", 0o644, "p"), "Cargo.toml.orig differs"),
            (Served::Unsound("no archive".to_owned()), "no archive"),
        ] {
            let Standing::Taken { why: found, .. } = standing(Some(&recorded), &served) else {
                panic!("{served:?}")
            };
            assert_eq!(found, why);
        }
        let mut more = base.to_vec();
        more.push(("build.rs", 0o644, "fn main() {}"));
        let served = Served::Crate(Box::new(file(&more)));
        assert!(matches!(standing(Some(&recorded), &served), Standing::Taken { why, .. } if why == "build.rs differs"));
    }

    #[test]
    fn what_was_not_packaged_is_told_apart() {
        let served = Served::Crate(Box::new(file(&[("Cargo.toml", 0o644, "")])));
        assert_eq!(standing(None, &served), Standing::NotOfThisRun);
        assert_eq!(standing(None, &Served::Nothing), Standing::Missing);
        assert!(matches!(
            standing(None, &Served::Unsound(String::new())),
            Standing::Taken { .. }
        ));
    }
}
