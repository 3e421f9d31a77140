//! GitHub Actions.

use super::template::Filling;
use super::{Facts, sign_commands};

/// Fills the places that only this service has.
pub(super) fn fill(filling: &mut Filling, facts: &Facts) {
    filling.lines(
        "sign",
        sign_commands(
            facts,
            "$RUNNER_TEMP/links",
            "$RUNNER_TEMP/source",
            "$RUNNER_TEMP/record",
        ),
    );
}

/// How the keys get there.
pub(super) fn secrets(key: &str, owner: &str) -> String {
    format!(
        "# the environment `release` needs people who must approve, in the settings of the repository\n\
         gh secret set INTOTO_KEY --env release < {key}\n\
         gh variable set INTOTO_OWNER_KEY < {owner}\n"
    )
}
