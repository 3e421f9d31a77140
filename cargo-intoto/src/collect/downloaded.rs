//! Finds a `.crate` that cargo downloaded, by name, version and registry, without asking cargo.

use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::hash;
use crate::collect::progress::Progress;
use crate::error::CliError;

/// Where cargo keeps the crates of its default registry: by the sparse index, which has a host of its own.
const DEFAULT_HOST: &str = "index.crates.io";
/// The same by the index in git, whose host many registries have: the names that cargo has given it so far, on machines of 64 bits and of 32.
const DEFAULT_IN_GIT: [&str; 3] = [
    "github.com-1ecc6299db9ec823",
    "github.com-25cdd57fae9f0462",
    "github.com-88ac128001ac3a9a",
];
/// Registries in one cache. Somebody has a dozen.
const MOST_REGISTRIES: usize = 1000;

/// The file `NAME-VERSION.crate` in the cache below `cargo_home`, of the registry with this index URL, or the default one.
///
/// Cargo names a registry's directory by its host and a hash that only cargo knows. Where several directories of one host hold the
/// crate, and not the same one, nobody here can tell which is meant.
///
/// # Errors
/// When there is none, or several that differ.
pub fn find(
    cargo_home: &Utf8Path,
    (name, version): (&str, &str),
    registry: Option<&str>,
    progress: &Progress,
) -> Result<Utf8PathBuf, CliError> {
    let cache = cargo_home.join("registry/cache");
    let file = format!("{name}-{version}.crate");
    let host = registry.map(host);
    let is_wanted = |directory: &str| match &host {
        None => is_of(directory, DEFAULT_HOST) || DEFAULT_IN_GIT.contains(&directory),
        Some(host) => is_of(directory, host),
    };
    let mut found: Vec<(Utf8PathBuf, [u8; 32])> = Vec::new();
    for directory in directories(&cache)? {
        let path = cache.join(&directory).join(&file);
        // A symbolic link in the cache is nothing that cargo made.
        let is_there = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file());
        if is_wanted(&directory) && is_there {
            let digest = hash::file(&path, None, progress)?.sha256;
            found.push((path, digest));
        }
    }
    let Some((path, digest)) = found.first() else {
        let of = registry.map(|url| format!(" of {url}")).unwrap_or_default();
        return Err(CliError::cannot_decide(format!("{name} {version}{of} is not in cargo's cache {cache}"))
            .hint(format!(
                "download it as you would to use it (in a workspace that depends on it, `cargo fetch`), or give the file: {file}"
            )));
    };
    match found.iter().find(|(_, other)| other != digest) {
        None => Ok(path.clone()),
        Some((other, _)) => Err(CliError::cannot_decide(format!(
            "cargo's cache holds two different {file}, of two registries: {path} and {other}"
        ))
        .hint("give the one that is meant as a file")),
    }
}

fn directories(cache: &Utf8Path) -> Result<Vec<String>, CliError> {
    let failed = |error| CliError::cannot_decide(format!("failed to list cargo's cache {cache}")).because(error);
    let entries = match cache.read_dir_utf8() {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(failed)?.file_name().to_owned());
        if names.len() > MOST_REGISTRIES {
            return Err(CliError::cannot_decide(format!(
                "cargo's cache {cache} has more than {MOST_REGISTRIES} directories"
            )));
        }
    }
    names.sort();
    Ok(names)
}

/// The part of a URL that cargo names the directory for.
fn host(url: &str) -> String {
    let url = url
        .strip_prefix("sparse+")
        .or_else(|| url.strip_prefix("registry+"))
        .unwrap_or(url);
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // What stands in brackets is an address, whose colons are its own.
    let host = match host.rfind(']') {
        Some(end) => &host[..=end],
        None => host.split(':').next().unwrap_or_default(),
    };
    host.to_ascii_lowercase()
}

/// Whether a directory is named for this host: `HOST-HASH`.
fn is_of(directory: &str, host: &str) -> bool {
    directory
        .strip_prefix(host)
        .and_then(|rest| rest.strip_prefix('-'))
        .is_some_and(|hash| !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn a_crate_is_found_by_its_registry() {
        let home = Scratch::new();
        for (path, bytes) in [
            ("index.crates.io-0123456789abcdef/a-1.0.0.crate", "default"),
            ("r.example-0123456789abcdef/a-1.0.0.crate", "other"),
            ("index.crates.io-evil.example-0123456789abcdef/a-1.0.0.crate", "evil"),
            ("r.example-00/b-1.0.0.crate", "one"),
            ("r.example-11/b-1.0.0.crate", "two"),
            ("github.com-1ecc6299db9ec823/c-1.0.0.crate", "same"),
            (
                "github.com-0123456789abcdef/d-1.0.0.crate",
                "another index on that host",
            ),
            ("index.crates.io-00/c-1.0.0.crate", "same"),
        ] {
            home.write(&format!("registry/cache/{path}"), bytes);
        }
        let found = |name, registry| {
            find(home.path(), (name, "1.0.0"), registry, &Progress::hidden())
                .map(|path| fs::read_to_string(path).unwrap())
                .map_err(|error| error.exit().code())
        };
        assert_eq!(found("a", None), Ok("default".into()));
        assert_eq!(
            found("a", Some("sparse+https://user@r.example:8080/i/")),
            Ok("other".into())
        );
        assert_eq!(found("a", Some("https://s.example")), Err(3));
        assert_eq!(found("b", Some("https://r.example")), Err(3), "two that differ");
        assert_eq!(found("c", None), Ok("same".into()));
        assert_eq!(found("d", None), Err(3));
        assert_eq!(
            find(&home.path().join("none"), ("a", "1.0.0"), None, &Progress::hidden())
                .unwrap_err()
                .exit()
                .code(),
            3
        );
    }

    #[test]
    fn hosts_are_taken_out_of_urls() {
        for (url, expected) in [
            ("sparse+https://R.example/index/", "r.example"),
            ("https://user:secret@r.example:99/x@y", "r.example"),
            ("http://[::1]:80/x", "[::1]"),
            ("file:///x", ""),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
