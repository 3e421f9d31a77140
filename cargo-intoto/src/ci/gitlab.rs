//! GitLab CI/CD.

use super::template::Filling;
use super::{Facts, IDENTITY, KEY_IN_VARIABLE, copy_commands, sign_commands};

/// Fills the places that only this service has.
pub(super) fn fill(filling: &mut Filling, facts: &Facts) {
    let signing = sign_commands(
        facts,
        if facts.by_identity { IDENTITY } else { KEY_IN_VARIABLE },
        "source/layouts/release.layout",
        "links",
        "source",
        "record",
    );
    filling
        .lines("copy-source", copy_commands(facts, true, "source/"))
        .lines("copy-rest", copy_commands(facts, false, "record/links/"))
        .lines("sign", signing);
}

/// How the keys get there.
pub(super) fn secrets(key: Option<&str>, owner: &str) -> String {
    let key = key.map_or_else(String::new, |key| {
        format!("glab variable set INTOTO_KEY --scope release --protected < {key}\n")
    });
    format!(
        "# the tags `v*` need protection, in the settings of the project\n\
         {key}glab variable set INTOTO_OWNER_KEY --protected < {owner}\n"
    )
}
