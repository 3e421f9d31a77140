//! GitHub Actions.

use super::template::Filling;
use super::{Facts, KEY_IN_VARIABLE, copy_commands, sign_commands};

/// Fills the places that only this service has.
pub(super) fn fill(filling: &mut Filling, facts: &Facts) {
    let signing = sign_commands(
        facts,
        KEY_IN_VARIABLE,
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
pub(super) fn secrets(key: &str, owner: &str) -> String {
    format!(
        "# the environment `release` needs people who must approve, in the settings of the repository\n\
         gh secret set INTOTO_KEY --env release < {key}\n\
         gh variable set INTOTO_OWNER_KEY < {owner}\n"
    )
}
