//! The transparency log: an entry about a signature.

use std::collections::BTreeMap;

use intoto_core::encoding::base64;
use serde::Serialize;
use sigstore_sign::rekor::{HashedRekordV2, LogEntry};
use sigstore_sign::reqwest::Client;
use sigstore_sign::types::{KindVersion, SignatureBytes, TransparencyLogEntry};

use crate::signing::sigstore::requests::{Problem, ask, patiently};

/// An entry of this kind in a log of the first version.
pub(super) async fn entry_v1(
    url: &str,
    http: &Client,
    request: &impl Serialize,
    kind: KindVersion,
    signature: &SignatureBytes,
) -> Result<TransparencyLogEntry, Problem> {
    let address = format!("{url}/api/v1/log/entries");
    let answer = patiently(|| ask(http.post(&address).json(request))).await?;
    let entries: BTreeMap<String, LogEntry> = serde_json::from_slice(&answer).map_err(no_entry)?;
    let entry = match entries.values().collect::<Vec<_>>().as_slice() {
        [only] => only.to_bundle_entry(kind).map_err(no_entry)?,
        several => return Err(no_entry(format!("there are {} of them", several.len()))),
    };
    about(entry, signature)
}

/// An entry in a log of the second version.
pub(super) async fn entry_v2(
    url: &str,
    http: &Client,
    request: &HashedRekordV2,
    signature: &SignatureBytes,
) -> Result<TransparencyLogEntry, Problem> {
    let address = format!("{url}/api/v2/log/entries");
    let answer = patiently(|| ask(http.post(&address).json(request))).await?;
    about(serde_json::from_slice(&answer).map_err(no_entry)?, signature)
}

fn no_entry(error: impl std::fmt::Display) -> Problem {
    Problem::unexpected("its answer is no entry", error)
}

/// The entry, if it speaks of the signature at all. Whoever verifies the bundle finds out whether it says the right thing.
fn about(entry: TransparencyLogEntry, signature: &SignatureBytes) -> Result<TransparencyLogEntry, Problem> {
    let signature = base64::encode(signature.as_bytes());
    let is_about = entry
        .canonicalized_body
        .as_bytes()
        .windows(signature.len())
        .any(|window| window == signature.as_bytes());
    if is_about {
        Ok(entry)
    } else {
        Err(Problem::Unexpected(
            "its answer is an entry of something else than what it was sent".to_owned(),
        ))
    }
}
