//! Jenkins, with declarative pipelines.

use super::template::Filling;
use super::{Facts, copy_commands, sign_commands};

/// Fills the places that only this service has.
pub(super) fn fill(filling: &mut Filling, facts: &Facts) {
    // Jenkins hands secrets of several lines over as files.
    let key = "\"file:$INTOTO_KEY\"";
    let signing = sign_commands(facts, key, "source/layouts/release.layout", "links", "source", "record");
    filling
        .lines("copy-source", copy_commands(facts, true, "source/"))
        .lines("copy-rest", copy_commands(facts, false, "record/links/"))
        .lines("sign", signing);
}

/// How the keys get there: by hand, in the browser.
pub(super) fn secrets(key: Option<&str>, owner: &str) -> String {
    let key = key.map_or_else(String::new, |key| format!("# intoto-key: {key}\n"));
    format!(
        "# in the folder of the job, two credentials of the kind «Secret file»:\n\
         {key}# intoto-owner-key: {owner}\n\
         # and registry-token, if crates are published; then\n"
    )
}
