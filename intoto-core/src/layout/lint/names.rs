//! Lints about names that no artifact can have, since artifact names are clean.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::super::model::Item;
use super::super::rule::Rule;
use super::{Lint, LintCode};
use crate::artifacts::ArtifactList;
use crate::path::ArtifactPath;

pub(super) fn check(item: Item<'_>, list: ArtifactList, lints: &mut Vec<Lint>) {
    for (index, rule) in item.rules(list).iter().enumerate() {
        let Some(impossible) = impossible_name(rule) else {
            continue;
        };
        lints.push(Lint {
            code: LintCode::NameImpossible,
            location: item.rule_location(list, index),
            message: format!("`{rule}` speaks of `{impossible}`, but no artifact has such a name"),
            hint: "write names relative to the workspace, with single slashes and without `.` and `..`".to_string(),
        });
    }
}

fn impossible_name(rule: &Rule) -> Option<&str> {
    match rule {
        Rule::Require { artifact } => ArtifactPath::try_from(artifact.as_str()).is_err().then_some(artifact),
        Rule::Match {
            pattern,
            source_prefix,
            destination_prefix,
            ..
        } => {
            let prefixes = [source_prefix, destination_prefix];
            let prefix = prefixes
                .into_iter()
                .flatten()
                .find(|prefix| !is_possible_directory(prefix));
            prefix
                .map(|prefix| prefix.as_str())
                .or_else(|| impossible_start(pattern.literal_prefix()))
        }
        rule => rule
            .pattern()
            .and_then(|pattern| impossible_start(pattern.literal_prefix())),
    }
}

fn is_possible_directory(prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    // A purl's or URL's directory is no name by itself, hence the scheme alone may stand for it.
    impossible_start(prefix).is_none() && !matches!(prefix, "." | ".." | "/")
}

/// The text, if no clean name begins with it.
fn impossible_start(text: &str) -> Option<&str> {
    let after_scheme = text.split_once("://").map_or(text, |(_, after)| after);
    let unclean = after_scheme.starts_with('/')
        || after_scheme.starts_with("./")
        || after_scheme.starts_with("../")
        || ["//", "/./", "/../", "\\"]
            .iter()
            .any(|part| after_scheme.contains(part))
        || text.contains(char::is_control);
    unclean.then_some(text)
}
