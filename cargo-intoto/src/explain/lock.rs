//! The `Cargo.lock` that cargo resolves for a `.crate`: every package in it must be one that the chain accounts for.

use std::fmt;

use intoto_core::digest::to_hex;

use super::{Facts, LOCK, LockDemand, Origin};
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
    let lock = match Lock::parse(entry.content.as_deref().unwrap_or_default()) {
        Ok(lock) => lock,
        Err(error) => {
            refuse(match std::error::Error::source(&error) {
                Some(cause) => format!("{error}: {cause}"),
                None => error.to_string(),
            });
            return None;
        }
    };
    let mut resolved = Vec::new();
    for package in lock.iter() {
        match check(package, stem, facts) {
            Ok(()) => {}
            Err(Problem::NotRecorded) if facts.lock == LockDemand::Resolved => {
                resolved.push(format!("{} {}", package.name, package.version));
            }
            Err(problem) => refuse(format!(
                "Cargo.lock has {} {}, {problem}",
                package.name, package.version
            )),
        }
    }
    if findings.len() > before {
        return None;
    }
    if !resolved.is_empty() {
        findings.push(told(&resolved, lock.iter().count()));
    }
    Some(Origin::Generated)
}

/// The note about packages that nothing but the `.crate` itself speaks of.
fn told(resolved: &[String], all: usize) -> CargoFinding {
    const SHOWN: usize = 5;
    let mut shown = resolved.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if resolved.len() > SHOWN {
        shown.push_str(" …");
    }
    CargoFinding::note(
        CargoCode::CrateLockResolved,
        format!(
            "{} of the {all} packages in Cargo.lock stand in no Cargo.lock of the source: {shown}",
            resolved.len()
        ),
    )
    .about(LOCK)
    .hint("only `cargo install --locked` heeds the file; --exact-lock refuses it")
}

/// What is wrong with one package.
enum Problem {
    Path,
    Git(String),
    NoChecksum,
    NotRecorded,
    Differs { found: [u8; 32], recorded: [u8; 32] },
}

/// The end of a sentence.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => f.write_str("which comes from a directory that nobody else has"),
            Self::Git(url) => write!(f, "which comes from {url} instead of a registry"),
            Self::NoChecksum => f.write_str("without the sha256 of its .crate"),
            Self::NotRecorded => f.write_str("which no step recorded"),
            Self::Differs { found, recorded } => write!(
                f,
                "with the sha256 {}, and the chain recorded {}",
                to_hex(found),
                to_hex(recorded)
            ),
        }
    }
}

fn check(package: &Locked, stem: &str, facts: &Facts) -> Result<(), Problem> {
    let own = format!("{}-{}", package.name, package.version);
    match &package.source {
        Source::Path if own == stem => return Ok(()),
        Source::Path => return Err(Problem::Path),
        Source::Git { url, .. } => return Err(Problem::Git(url.clone())),
        Source::Registry { .. } => {}
    }
    let found = package.checksum.ok_or(Problem::NoChecksum)?;
    let purl = Purl::new(&package.name, &package.version, &package.source);
    let recorded = facts.dependencies.get(purl.as_str());
    // A member that is packaged in the same run comes from that registry as soon as it is published.
    let sibling = facts.siblings.get(&own);
    match (recorded, sibling) {
        _ if recorded == Some(&found) || sibling == Some(&found) => Ok(()),
        (None, None) => Err(Problem::NotRecorded),
        (Some(recorded), _) | (None, Some(recorded)) => Err(Problem::Differs {
            found,
            recorded: *recorded,
        }),
    }
}
