//! `Cargo.lock`: what cargo is bound to, by package.

use std::collections::BTreeMap;

use camino::Utf8Path;
use cargo_lock::{Lockfile, SourceId};
use serde::Deserialize;

use crate::error::CliError;
use crate::foreign::{self, Unread};
use crate::workspace::{Package, Source};

/// Some ten times the lock files of the largest workspaces.
const MAX_BYTES: usize = 16 << 20;

/// A parsed lock file.
#[derive(Debug, Clone)]
pub struct Lock {
    packages: BTreeMap<(String, String, String), Locked>,
    sha256: [u8; 32],
}

/// One package of the lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The name.
    pub name: String,
    /// The version.
    pub version: String,
    /// Where the lock says it comes from.
    pub source: Source,
    /// The sha256 of its `.crate`.
    pub checksum: Option<[u8; 32]>,
}

impl Lock {
    /// Reads and parses the lock file at `path`.
    ///
    /// # Errors
    /// When the file is missing, unreadable or no lock file.
    pub fn read(path: &Utf8Path) -> Result<Self, CliError> {
        let bytes = foreign::read(path, MAX_BYTES).map_err(|unread| match unread {
            Unread::Missing => CliError::cannot_decide(format!("no Cargo.lock at {path}"))
                .hint("run `cargo generate-lockfile` and commit the file: without it nothing says which bytes a dependency has"),
            Unread::Io(error) => CliError::failure(format!("failed to read {path}")).because(error),
            _ => unread.about(format_args!("the lock file {path}")),
        })?;
        Self::parse(&bytes)
            .map_err(|error| CliError::cannot_decide(format!("failed to parse the lock file {path}")).because(error))
    }

    /// Parses the text of a lock file.
    ///
    /// # Errors
    /// When it is no lock file, or lists a package twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, CliError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| CliError::cannot_decide("the lock file is not UTF-8").because(error))?;
        check_checksums(text)?;
        let file: Lockfile = text
            .parse()
            .map_err(|error: cargo_lock::Error| CliError::cannot_decide("the lock file is malformed").because(error))?;
        let mut packages = BTreeMap::new();
        for package in file.packages {
            let locked = Locked {
                name: package.name.to_string(),
                version: package.version.to_string(),
                source: package.source.as_ref().map_or(Source::Path, source_of),
                checksum: package.checksum.and_then(|checksum| checksum.as_sha256()),
            };
            if !is_name(&locked.name) {
                return Err(CliError::cannot_decide(format!(
                    "the lock file lists a package by the name {:?}, which cargo gives to none",
                    locked.name
                )));
            }
            let key = key(&locked.name, &locked.version, &locked.source);
            if let Some(twice) = packages.insert(key, locked) {
                return Err(CliError::cannot_decide(format!(
                    "the lock file lists {} {} twice",
                    twice.name, twice.version
                )));
            }
        }
        Ok(Self {
            packages,
            sha256: intoto_sha256(bytes),
        })
    }

    /// The entry of `package`.
    pub fn get(&self, package: &Package) -> Option<&Locked> {
        self.packages
            .get(&key(&package.name, &package.version, &package.source))
    }

    /// Every entry, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Locked> {
        self.packages.values()
    }

    /// A package of a registry that any bytes would do for.
    pub fn without_checksum(&self) -> Option<&Locked> {
        self.iter()
            .find(|locked| locked.checksum.is_none() && matches!(locked.source, Source::Registry { .. }))
    }

    /// The sha256 of the file.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }
}

/// Takes the text of a source (`registry+https://…`, `sparse+…`, `git+…#commit`) apart.
///
/// # Errors
/// When cargo's source text has a form this version does not know.
pub(crate) fn parse_source(text: &str) -> Result<Source, CliError> {
    let id = SourceId::from_url(text).map_err(|error| {
        CliError::cannot_decide("failed to understand the source of a package in cargo's metadata").because(error)
    })?;
    Ok(source_of(&id))
}

fn source_of(id: &SourceId) -> Source {
    if id.is_git() {
        return Source::Git {
            url: id.url().to_string(),
            commit: id.precise().unwrap_or_default().to_owned(),
        };
    }
    if id.is_path() {
        return Source::Path;
    }
    registry(id.url().as_str())
}

/// The registry with the index at `url`, which is without cargo's prefixes.
pub(crate) fn registry(url: &str) -> Source {
    Source::Registry {
        is_default: is_default_registry(url),
        url: url.to_owned(),
    }
}

/// Cargo's default registry, as cargo writes it.
pub(crate) const DEFAULT_INDEX: &str = "https://github.com/rust-lang/crates.io-index";

/// Cargo writes the default registry by its git index even when it speaks the sparse protocol.
fn is_default_registry(url: &str) -> bool {
    let url = url.trim_end_matches('/');
    url == DEFAULT_INDEX || url == "https://index.crates.io"
}

/// What the library reads a checksum from, here or in the table of old lock files: it cuts the text every two bytes, whatever letters there are.
fn check_checksums(text: &str) -> Result<(), CliError> {
    #[derive(Deserialize)]
    struct Raw {
        #[serde(default)]
        package: Vec<RawPackage>,
        #[serde(default)]
        metadata: BTreeMap<String, String>,
    }
    #[derive(Deserialize)]
    struct RawPackage {
        checksum: Option<String>,
    }
    let raw: Raw =
        toml::from_str(text).map_err(|error| CliError::cannot_decide("the lock file is malformed").because(error))?;
    let is_checksum = |text: &&String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let checksums = raw.package.iter().filter_map(|package| package.checksum.as_ref());
    // Packages without one have a word there.
    let old = raw.metadata.values().filter(|text| !text.is_ascii());
    match checksums.filter(|text| !is_checksum(text)).chain(old).next() {
        None => Ok(()),
        Some(wrong) => Err(CliError::cannot_decide(format!(
            "the lock file has the checksum {:?}, expected 64 hexadecimal digits",
            wrong.chars().take(80).collect::<String>()
        ))),
    }
}

/// Whether a package may be called so: what a name is joined to, as in `NAME-VERSION.crate`, stays one part of a path.
fn is_name(name: &str) -> bool {
    let fits = |letter: char| match letter.is_ascii() {
        true => letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'),
        false => letter.is_alphanumeric(),
    };
    !name.is_empty() && name.chars().all(fits)
}

fn key(name: &str, version: &str, source: &Source) -> (String, String, String) {
    let source = match source {
        Source::Path => String::new(),
        Source::Registry { url, is_default } => {
            if *is_default {
                "registry".to_owned()
            } else {
                format!("registry {url}")
            }
        }
        Source::Git { url, commit } => format!("git {url} {commit}"),
    };
    (name.to_owned(), version.to_owned(), source)
}

fn intoto_sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"version = 4

[[package]]
name = "a"
version = "1.0.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "0000000000000000000000000000000000000000000000000000000000000001"

[[package]]
name = "a"
version = "1.0.0"
source = "sparse+https://other.example/index/"
checksum = "0000000000000000000000000000000000000000000000000000000000000002"

[[package]]
name = "g"
version = "0.1.0"
source = "git+https://host.example/g?branch=main#0123456789012345678901234567890123456789"

[[package]]
name = "own"
version = "0.1.0"
"#;

    #[test]
    fn packages_of_every_source_are_found() {
        let lock = Lock::parse(LOCK.as_bytes()).unwrap();
        let sources: Vec<_> = lock
            .iter()
            .map(|locked| (locked.name.as_str(), &locked.source, locked.checksum.map(|sum| sum[31])))
            .collect();
        assert_eq!(sources.len(), 4);
        assert_eq!(
            lock.iter().find(|locked| locked.name == "g").unwrap().source,
            Source::Git {
                url: "https://host.example/g".to_owned(),
                commit: "0123456789012345678901234567890123456789".to_owned()
            }
        );
        let of_a: Vec<_> = sources.iter().filter(|(name, ..)| *name == "a").collect();
        assert!(of_a.iter().any(|(_, source, sum)| {
            matches!(source, Source::Registry { is_default: true, .. }) && *sum == Some(1)
        }));
        assert!(of_a.iter().any(|(_, source, sum)| {
            matches!(source, Source::Registry { is_default: false, .. }) && *sum == Some(2)
        }));
    }

    #[test]
    fn what_is_no_lock_file_is_said() {
        for text in ["version = 4\n[[package]]\nname = 3\n", "\u{0}", "[[package]"] {
            assert!(Lock::parse(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(Lock::parse(b"\xff").is_err());
    }

    #[test]
    fn a_checksum_is_one() {
        let digits = "3f9eec918d3f24069decb9af1554cad7c880e2da24a9afd88aca000531ab82c1";
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        let new = |checksum: &str| {
            let package =
                format!("name = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"\nchecksum = \"{checksum}\"\n");
            Lock::parse(format!("version = 4\n[[package]]\n{package}").as_bytes())
        };
        let old = |checksum: &str| {
            let package = format!("name = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n");
            Lock::parse(
                format!("[[package]]\n{package}[metadata]\n\"checksum a 1.0.0 ({source})\" = \"{checksum}\"\n")
                    .as_bytes(),
            )
        };
        for lock in [new(digits), old(digits)] {
            assert_eq!(
                lock.unwrap().iter().next().unwrap().checksum.map(|sum| sum[0]),
                Some(0x3f)
            );
        }
        // A letter of two bytes lies across a cut.
        let letters = format!("{}\u{39e}{}", &digits[..57], &digits[..5]);
        assert_eq!(letters.len(), 64);
        assert!(new(&letters).is_err() && old(&letters).is_err());
        for wrong in ["", "3f", &format!("+{}", &digits[..63]), &format!("{digits}00")] {
            assert!(new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_is_one() {
        let lock = |name: &str| {
            Lock::parse(format!("version = 4\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n").as_bytes())
        };
        for name in ["a", "serde_json", "x509-cert", "7z", "größe"] {
            assert_eq!(lock(name).unwrap().iter().next().unwrap().name, name);
        }
        for name in [
            "",
            ".",
            "..",
            "../../a",
            "/a",
            "a/b",
            "a\\\\b",
            "a b",
            "a\\n",
            "a\\u202eb",
            "a:b",
            "a@1",
        ] {
            let error = lock(name).unwrap_err().to_string();
            assert!(error.contains("which cargo gives to none"), "{name}: {error}");
        }
    }

    #[test]
    fn a_package_listed_twice_is_refused() {
        let twice = format!("{LOCK}\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n");
        assert!(
            Lock::parse(twice.as_bytes())
                .unwrap_err()
                .to_string()
                .contains("own 0.1.0 twice")
        );
    }
}
