//! The `Cargo.lock` that cargo resolves for a `.crate`: every package in it must be one that the chain accounts for.

use intoto_core::digest::to_hex;

use super::{Facts, LOCK, Origin};
use crate::collect::crate_file::CrateEntry;
use crate::finding::{CargoCode, CargoFinding};
use crate::workspace::lock::{Lock, Locked};
use crate::workspace::{Purl, Source};

/// Compares each package with the recorded ones; `stem` is the crate's own `NAME-VERSION`.
pub(super) fn account(
    entry: &CrateEntry,
    stem: &str,
    facts: &Facts,
    findings: &mut Vec<CargoFinding>,
) -> Option<Origin> {
    let before = findings.len();
    let mut refuse = |message: String| {
        findings.push(
            CargoFinding::refusal(CargoCode::CrateLockMismatch, message)
                .about(LOCK)
                .hint(
                    "commit Cargo.lock and package with --locked; package workspace members that depend on each other in one run",
                ),
        );
    };
    match Lock::parse(entry.content.as_deref().unwrap_or_default()) {
        Err(error) => refuse(match std::error::Error::source(&error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        }),
        Ok(lock) => {
            for package in lock.iter() {
                if let Some(problem) = check(package, stem, facts) {
                    refuse(format!(
                        "Cargo.lock has {} {}, {problem}",
                        package.name, package.version
                    ));
                }
            }
        }
    }
    (findings.len() == before).then_some(Origin::Generated)
}

/// What is wrong with one package, as the end of a sentence.
fn check(package: &Locked, stem: &str, facts: &Facts) -> Option<String> {
    let own = format!("{}-{}", package.name, package.version);
    match &package.source {
        Source::Path if own == stem => return None,
        Source::Path => return Some("which comes from a directory that nobody else has".to_owned()),
        Source::Git { url, .. } => return Some(format!("which comes from {url} instead of a registry")),
        Source::Registry { .. } => {}
    }
    let Some(checksum) = package.checksum else {
        return Some("without the sha256 of its .crate".to_owned());
    };
    let purl = Purl::new(&package.name, &package.version, &package.source);
    let recorded = facts.dependencies.get(purl.as_str());
    // A member that is packaged in the same run comes from that registry as soon as it is published.
    let sibling = facts.siblings.get(&own);
    match (recorded, sibling) {
        _ if recorded == Some(&checksum) || sibling == Some(&checksum) => None,
        (None, None) => Some("which no step recorded".to_owned()),
        (Some(recorded), _) | (None, Some(recorded)) => Some(format!(
            "with the sha256 {}, and the chain recorded {}",
            to_hex(&checksum),
            to_hex(recorded)
        )),
    }
}
