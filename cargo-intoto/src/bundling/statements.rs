//! Statements that go with a bundle: one envelope, one per line, or one in a Sigstore bundle.

use intoto_core::envelope::{Bundle, Envelope};
use intoto_core::limits::Limits;

use crate::store::LinkSource;

/// More Sigstore bundles of one statement than this are left where they are: one is by each identity that releases.
const MAX_BUNDLES: usize = 16;

/// The statements about a crate that lie beside the links: `NAME-VERSION.intoto.jsonl`, and by identities
/// `NAME-VERSION.intoto.ID.sigstore.json`.
pub fn statements_of_run(links: &dyn LinkSource, stem: &str) -> Vec<(String, Vec<u8>)> {
    let (start, end) = (format!("{stem}.intoto."), ".sigstore.json");
    let is_bundle = |name: &str| {
        let id = name.strip_prefix(&start).and_then(|rest| rest.strip_suffix(end));
        id.is_some_and(|id| !id.contains('.'))
    };
    let bundles = links.names(&[], &is_bundle, MAX_BUNDLES).unwrap_or_default();
    let names = [format!("{stem}.intoto.jsonl")].into_iter().chain(bundles);
    names
        .filter_map(|name| {
            let bytes = links.read(&[], &name, Limits::default().json_bytes).ok()?;
            check_statement(&bytes).ok()?;
            Some((name, bytes))
        })
        .take(1 + MAX_BUNDLES)
        .collect()
}

/// Checks that bytes are an envelope, one on each line, or one in a Sigstore bundle. What they say is for whoever reads them.
///
/// # Errors
/// When they are not.
pub fn check_statement(bytes: &[u8]) -> Result<(), String> {
    let limits = Limits::default();
    if Envelope::parse(bytes, &limits).is_ok() || Bundle::parse(bytes, &limits).is_ok() {
        return Ok(());
    }
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let mut envelopes = 0;
    for line in lines.take(limits.total_links) {
        Envelope::parse(line, &limits).map_err(|error| error.to_string())?;
        envelopes += 1;
    }
    if envelopes == 0 {
        Err("it is empty".to_owned())
    } else {
        Ok(())
    }
}
