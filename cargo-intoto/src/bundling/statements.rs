//! Statements that go with a bundle: one envelope, or one per line.

use intoto_core::envelope::Envelope;
use intoto_core::limits::Limits;

use crate::store::LinkSource;

/// The statements about a crate that lie beside the links, if there are any: `NAME-VERSION.intoto.jsonl`.
pub fn statement_of_run(links: &dyn LinkSource, stem: &str) -> Option<(String, Vec<u8>)> {
    let name = format!("{stem}.intoto.jsonl");
    let bytes = links.read(&[], &name, Limits::default().json_bytes).ok()?;
    check_statement(&bytes).ok()?;
    Some((name, bytes))
}

/// Checks that bytes are an envelope, or one on each line. What they say is for whoever reads them.
///
/// # Errors
/// When they are not.
pub fn check_statement(bytes: &[u8]) -> Result<(), String> {
    let limits = Limits::default();
    if Envelope::parse(bytes, &limits).is_ok() {
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
