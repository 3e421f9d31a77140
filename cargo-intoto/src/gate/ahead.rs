//! The look ahead that makes the release of a workspace all or nothing.
//!
//! Cargo stages the `.crate`s of all members before it asks for the first token, and then asks once per crate. A refusal at the third
//! would leave a release half done; so at each request everything that cargo has just staged is judged.
//!
//! Cargo never clears that directory, so it also holds what was staged days ago, for other states of the tree. What was staged before the
//! links were recorded cannot be part of a release of what they recorded, and is passed over; so are earlier versions of a crate that was
//! staged again, since no workspace has two versions of a member. Whatever is left must stand the test. The dates of files decide on
//! nothing else: somebody who forges them gets a release refused half-way, never a crate uploaded that was not asked for and verified by
//! its own checksum.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::time::SystemTime;

use camino::Utf8Path;

use super::Upload;
use crate::collect::hash;
use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::ui::Ui;
use crate::verification::subject;

/// Years of releases of a large workspace; a directory with more is cleared by its owner.
const MAX_FILES: usize = 20_000;

/// What was staged in `staging` together with `asked`, since the links in `links` were recorded.
///
/// # Errors
/// When the directory does not hold `asked` itself, so that it is not the one that cargo uploads from, or cannot be read.
pub fn ahead(staging: &Utf8Path, asked: &Upload, links: &Utf8Path, ui: &Ui) -> Result<Vec<Upload>, CliError> {
    let own = staging.join(asked.file_name());
    let asked_at = match fs::metadata(&own).and_then(|metadata| metadata.modified()) {
        Ok(time) => time,
        Err(error) => {
            let missing = CliError::cannot_decide(format!(
                "cargo's copy of {} is not in {staging}, so nobody can tell what else is about to be uploaded",
                asked.file_name()
            ));
            return Err(if error.kind() == ErrorKind::NotFound {
                missing.hint(
                    "name another target or build directory in the environment or in cargo's configuration, not with `--target-dir`",
                )
            } else {
                missing.because(error)
            });
        }
    };
    let recorded_at = last_recorded(links)?;
    // With a clock that went backwards nothing counts as left over.
    let passed_over = |staged_at: SystemTime| staged_at < recorded_at && recorded_at <= asked_at;
    let mut latest: BTreeMap<String, Vec<(String, SystemTime)>> = BTreeMap::new();
    for (file, staged_at) in crates(staging)? {
        if passed_over(staged_at) {
            continue;
        }
        let Some((name, version)) = subject::split(file.strip_suffix(".crate").unwrap_or(&file)) else {
            return Err(CliError::cannot_decide(format!(
                "`{}` in {staging} is not named as cargo names what it stages",
                file.escape_debug()
            ))
            .hint("remove the file"));
        };
        let versions = latest.entry(name.to_owned()).or_default();
        // Of several at one moment, each may be the one.
        let newest = versions.iter().map(|(_, at)| *at).max();
        if newest.is_none_or(|newest| newest < staged_at) {
            versions.clear();
        }
        if newest.is_none_or(|newest| newest <= staged_at) {
            versions.push((version.to_owned(), staged_at));
        }
    }
    latest.remove(asked.name());
    let mut uploads = Vec::new();
    for (name, versions) in &latest {
        for (version, _) in versions {
            let path = staging.join(format!("{name}-{version}.crate"));
            let digest = hash::file(&path, None, &Progress::new(ui, "Hashing"))?;
            uploads.push(Upload::new(name, version, digest.sha256)?);
        }
    }
    Ok(uploads)
}

/// The names and times of the `.crate`s in a directory, by name.
fn crates(directory: &Utf8Path) -> Result<Vec<(String, SystemTime)>, CliError> {
    let failed = |error: std::io::Error| CliError::cannot_decide(format!("failed to list {directory}")).because(error);
    let mut found = Vec::new();
    for (count, entry) in fs::read_dir(directory).map_err(failed)?.enumerate() {
        if count >= MAX_FILES {
            return Err(
                CliError::cannot_decide(format!("{directory} holds more than {MAX_FILES} files"))
                    .hint("remove those that were staged for earlier releases"),
            );
        }
        let entry = entry.map_err(failed)?;
        // A name that is not UTF-8 is no crate's.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if name.ends_with(".crate") {
            let metadata = fs::metadata(entry.path()).map_err(failed)?;
            found.push((name, metadata.modified().map_err(failed)?));
        }
    }
    found.sort();
    Ok(found)
}

fn is_evidence(name: &str) -> bool {
    name.ends_with(".link") || name.ends_with(".sigstore.json")
}

/// When the last of the links was written.
fn last_recorded(links: &Utf8Path) -> Result<SystemTime, CliError> {
    let failed = |error: std::io::Error| CliError::cannot_decide(format!("failed to list {links}")).because(error);
    let mut last = None;
    for (count, entry) in links.read_dir_utf8().map_err(failed)?.enumerate() {
        let entry = entry.map_err(failed)?;
        if count < MAX_FILES && is_evidence(entry.file_name()) {
            last = last.max(Some(
                entry
                    .metadata()
                    .and_then(|metadata| metadata.modified())
                    .map_err(failed)?,
            ));
        }
    }
    last.ok_or_else(|| {
        CliError::cannot_decide(format!("there are no links in {links}"))
            .hint("record the release: `cargo intoto release`")
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::Duration;

    use anstream::ColorChoice;
    use intoto_core::digest::sha256;

    use super::*;
    use crate::testing::Scratch;
    use crate::ui::Verbosity;

    /// Files with the second at which they were written; what was staged together with `a` when `a` was staged at 10.
    fn found(recorded: u64, staged: &[(&str, u64)]) -> Result<Vec<String>, String> {
        let scratch = Scratch::new();
        let at = |path: &str, seconds: u64| {
            let file = File::create(scratch.path().join(path)).expect("created");
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + seconds);
            file.set_modified(time).expect("dated");
        };
        for directory in ["staging", "links"] {
            fs::create_dir(scratch.path().join(directory)).expect("created");
        }
        at("links/package.12345678.link", recorded);
        at("links/fetch.12345678.link", 0);
        at("links/units.json", 100);
        for (name, seconds) in staged {
            at(&format!("staging/{name}"), *seconds);
        }
        let ui = Ui::new(ColorChoice::Never, Verbosity::Quiet);
        let asked = Upload::new("a", "1.0.0", sha256(b"")).expect("sound");
        let uploads = ahead(
            &scratch.path().join("staging"),
            &asked,
            &scratch.path().join("links"),
            &ui,
        );
        uploads
            .map(|uploads| uploads.iter().map(Upload::file_name).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_was_staged_since_the_recording_is_looked_at() {
        let a = ("a-1.0.0.crate", 10);
        let list = |names: &[&str]| Ok(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(found(5, &[a]), list(&[]));
        assert_eq!(
            found(5, &[a, ("b-1.0.0.crate", 9), ("a-0.9.0.crate", 1), ("notes.txt", 9)]),
            list(&["b-1.0.0.crate"])
        );
        // Left over from before; at the same moment is not before.
        assert_eq!(found(5, &[a, ("b-1.0.0.crate", 4)]), list(&[]));
        assert_eq!(found(5, &[a, ("b-1.0.0.crate", 5)]), list(&["b-1.0.0.crate"]));
        // Of two versions of one crate, the one that was staged last; at the same moment, both.
        assert_eq!(
            found(
                5,
                &[a, ("b-1.0.0.crate", 7), ("b-0.9.0.crate", 8), ("a-2.0.0.crate", 11)]
            ),
            list(&["b-0.9.0.crate"])
        );
        assert_eq!(
            found(5, &[a, ("b-1.0.0.crate", 8), ("b-0.9.0.crate", 8)]),
            list(&["b-0.9.0.crate", "b-1.0.0.crate"])
        );
        // A link from the future makes nothing old.
        assert_eq!(found(20, &[a, ("b-1.0.0.crate", 9)]), list(&["b-1.0.0.crate"]));
        assert!(found(5, &[("b-1.0.0.crate", 9)]).is_err(), "another directory");
        assert!(
            found(5, &[a, ("evil.crate", 9)]).is_err(),
            "a name that cargo never gives"
        );
    }
}
