//! GitHub Actions.

use super::template::Filling;
use super::{Facts, IDENTITY, KEY_IN_VARIABLE, copy_commands, sign_commands};

/// Fills the places that only this service has.
pub(super) fn fill(filling: &mut Filling, facts: &Facts) {
    let signing = sign_commands(
        facts,
        if facts.by_identity { IDENTITY } else { KEY_IN_VARIABLE },
        "layouts/release.layout",
        "$RUNNER_TEMP/links",
        "$RUNNER_TEMP/source",
        "$RUNNER_TEMP/record",
    );
    filling
        .lines("copy-source", copy_commands(facts, true, "$RUNNER_TEMP/handover/"))
        .lines("copy-rest", copy_commands(facts, false, "$RUNNER_TEMP/handover/links/"))
        .lines("sign", signing);
}

/// How the keys get there.
pub(super) fn secrets(key: Option<&str>, owner: &str) -> String {
    let key = key.map_or_else(String::new, |key| {
        format!("gh secret set INTOTO_KEY --env release < {key}\n")
    });
    format!(
        "# the environment `release` needs people who must approve, in the settings of the repository\n\
         {key}gh variable set INTOTO_OWNER_KEY < {owner}\n"
    )
}
