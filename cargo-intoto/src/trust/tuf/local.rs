//! What was fetched, as one file beside the trust store: replaced as a whole, so that no two of its parts ever come from different updates.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::CliError;
use crate::finding::CargoCode;
use crate::settings::{self, Exposure};
use crate::trust::store;

/// The form that this version reads and writes.
const FORMAT: u32 = 1;
const WHAT: &str = "TUF metadata";
/// Below what [`settings::read`] takes; all of a repository's metadata that one project needs.
const MAX_BYTES: usize = 3 << 20;

/// The metadata and targets of one entry.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Local {
    format: u32,
    updated: String,
    /// The root that the user trusts.
    pub(super) root: String,
    /// By name: `root_history/N.root.json`, `timestamp.json`, `snapshot.json`, `targets.json`, delegated roles, `targets/…`.
    pub(super) files: BTreeMap<String, String>,
    /// The newest timestamp that was seen in an update that failed later on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seen: Option<Seen>,
}

/// Versions below which nothing is accepted any more, as long as the root stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    pub(super) root: u64,
    pub(super) timestamp: u64,
    /// As the timestamp says it.
    pub(super) snapshot: u64,
}

impl Local {
    /// A root, and nothing fetched yet.
    pub(super) fn new(root: Vec<u8>) -> Result<Self, CliError> {
        let root = String::from_utf8(root).map_err(|error| {
            CliError::cannot_decide("the root is not UTF-8")
                .because(error)
                .with_code(CargoCode::TufMalformed)
        })?;
        Ok(Self {
            format: FORMAT,
            updated: Timestamp::from_unix(0).to_string(),
            root,
            files: BTreeMap::new(),
            seen: None,
        })
    }

    /// When the repository was asked with success.
    pub(super) fn updated(&self) -> Timestamp {
        self.updated.parse().unwrap_or(Timestamp::from_unix(0))
    }

    pub(super) fn set_updated(&mut self, now: Timestamp) {
        self.updated = now.to_string();
    }

    /// Reads what was fetched for the entry `name` of the trust store at `store`.
    pub(super) fn read(store: &Utf8Path, name: &str) -> Result<Self, CliError> {
        let path = path(store, name)?;
        let hint = || format!("remove the entry with `cargo intoto trust remove {name}` and add it again");
        let Some(bytes) = settings::read(&path, WHAT, Exposure::Trusted)? else {
            return Err(
                CliError::cannot_decide(format!("the trust entry `{name}` has no TUF metadata at `{path}`"))
                    .with_code(CargoCode::TufIncomplete)
                    .hint(hint()),
            );
        };
        let damaged = || {
            CliError::cannot_decide(format!("the TUF metadata `{path}` is damaged"))
                .with_code(CargoCode::TufMalformed)
                .hint(hint())
        };
        let local: Self = serde_json::from_slice(&bytes).map_err(|error| damaged().because(error))?;
        if local.format != FORMAT || local.updated.parse::<Timestamp>().is_err() {
            return Err(damaged());
        }
        Ok(local)
    }

    /// Puts it in place.
    pub(super) fn write(&self, store: &Utf8Path, name: &str) -> Result<(), CliError> {
        let path = path(store, name)?;
        if let Some(directory) = path.parent() {
            settings::create_directory(directory)?;
        }
        let failed = || CliError::failure(format!("failed to write `{path}`"));
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| failed().because(error))?;
        if bytes.len() > MAX_BYTES {
            return Err(CliError::refused(
                CargoCode::TufEndlessData,
                format!("the repository's metadata take more than {MAX_BYTES} bytes together"),
            ));
        }
        settings::replace(&path, &bytes, 0o600)
    }

    /// Held while the repository is asked and the file replaced.
    pub(super) fn lock(store: &Utf8Path, name: &str) -> Result<File, CliError> {
        store::lock(&path(store, name)?)
    }

    pub(super) fn remove(store: &Utf8Path, name: &str) -> Result<(), CliError> {
        let path = path(store, name)?;
        for path in [Utf8PathBuf::from(format!("{path}.lock")), path] {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(CliError::failure(format!("failed to remove `{path}`")).because(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// `trust.tuf/NAME.json` for `trust.toml`.
fn path(store: &Utf8Path, name: &str) -> Result<Utf8PathBuf, CliError> {
    super::check_name(name)?;
    Ok(store.with_extension("tuf").join(format!("{name}.json")))
}
