//! Lints about the order of the rules in one list.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::super::model::Item;
use super::super::rule::Rule;
use super::{Lint, LintCode, allows_everything, disallows_everything, selected};
use crate::artifacts::ArtifactList;
use crate::pattern::Pattern;

/// Rules that are compared with each other; a longer list is compared up to here, for the time grows with the square.
const RULES_COMPARED: usize = 1000;

pub(super) fn check(item: Item<'_>, list: ArtifactList, lints: &mut Vec<Lint>) {
    let rules = item.rules(list);
    let mut report = |index: usize, code: LintCode, message: String, hint: &str| {
        lints.push(Lint {
            code,
            location: item.rule_location(list, index),
            message,
            hint: hint.to_string(),
        });
    };
    check_ineffective(rules, list, &mut report);
    check_order(rules, &mut report);
    check_crate_patterns(rules, &mut report);
    check_closing(item, list, lints);
}

type Report<'r> = &'r mut dyn FnMut(usize, LintCode, String, &str);

fn check_ineffective(rules: &[Rule], list: ArtifactList, report: Report<'_>) {
    for (index, rule) in rules.iter().enumerate() {
        match (rule, list) {
            (Rule::Create { .. }, ArtifactList::Materials) => report(
                index,
                LintCode::CreateNeverConsumes,
                format!("`{rule}` never consumes a material: what was there before was not created"),
                "use ALLOW or MATCH for materials, or move the rule to the products",
            ),
            (Rule::Delete { .. }, ArtifactList::Products) => report(
                index,
                LintCode::DeleteNeverConsumes,
                format!("`{rule}` never consumes a product: what is still there was not deleted"),
                "move the rule to the materials",
            ),
            _ => {}
        }
    }
}

fn check_order(rules: &[Rule], report: Report<'_>) {
    let patterns: Vec<Option<Pattern>> = rules.iter().take(RULES_COMPARED).map(selected).collect();
    for (index, (rule, pattern)) in rules.iter().zip(&patterns).enumerate() {
        let earlier = || {
            rules
                .iter()
                .zip(&patterns)
                .take(index)
                .filter_map(|(rule, pattern)| Some((rule, pattern.as_ref()?)))
        };
        match (rule, pattern) {
            (Rule::Require { artifact }, _) => {
                if let Some((taker, _)) = earlier().find(|(_, pattern)| pattern.matches(artifact)) {
                    report(
                        index,
                        LintCode::RequireAfterConsumption,
                        format!("`{rule}` fails whenever `{taker}`, which comes first, takes the artifact"),
                        "move the REQUIRE to the beginning of the list",
                    );
                }
            }
            (_, Some(pattern)) => {
                let ends_it = |(rule, wide): &(&Rule, &Pattern)| {
                    matches!(rule, Rule::Allow { .. } | Rule::Disallow { .. }) && wide.covers(pattern)
                };
                match earlier().find(ends_it) {
                    Some((allow, _)) if matches!(rule, Rule::Disallow { .. }) && allows_everything(allow) => {}
                    Some((taker, _)) => report(
                        index,
                        LintCode::RuleUnreachable,
                        format!("`{rule}` does nothing: `{taker}`, which comes first, leaves nothing that it selects"),
                        "remove the rule or move it up",
                    ),
                    None => {}
                }
            }
            _ => {}
        }
    }
    let allow_all = rules.iter().position(allows_everything);
    if let Some(index) = allow_all
        && rules
            .iter()
            .skip(index)
            .any(|rule| matches!(rule, Rule::Disallow { .. }))
    {
        report(
            index,
            LintCode::AllowAllBeforeDisallow,
            "`ALLOW *` consumes everything, so the DISALLOW after it never fails".to_string(),
            "move the DISALLOW up, or remove the `ALLOW *`",
        );
    }
}

fn check_crate_patterns(rules: &[Rule], report: Report<'_>) {
    let of_crates = |rule: &Rule| {
        let pattern = if matches!(rule, Rule::Disallow { .. }) {
            None
        } else {
            selected(rule)
        };
        pattern.filter(|pattern| pattern.as_str().ends_with(".crate"))
    };
    let patterns: Vec<(usize, Pattern)> = rules
        .iter()
        .take(RULES_COMPARED)
        .enumerate()
        .filter_map(|(index, rule)| Some((index, of_crates(rule)?)))
        .collect();
    for (position, (index, pattern)) in patterns.iter().enumerate() {
        let clash = patterns
            .iter()
            .take(position)
            .find(|(_, other)| other != pattern && other.overlaps(pattern));
        if let Some((_, other)) = clash {
            report(
                *index,
                LintCode::CratePatternsOverlap,
                format!("some file name matches both `{pattern}` and `{other}`, so one crate may pass for the other"),
                "spell the version in the pattern, or rename one of the crates",
            );
        }
    }
}

fn check_closing(item: Item<'_>, list: ArtifactList, lints: &mut Vec<Lint>) {
    let rules = item.rules(list);
    if rules.iter().any(disallows_everything) {
        return;
    }
    // What comes into the first step comes from nowhere in the chain; saying so with `ALLOW *` is a decision, not an oversight.
    let first_materials = matches!(item, Item::Step { index: 0, .. }) && list == ArtifactList::Materials;
    if first_materials && rules.last().is_some_and(allows_everything) {
        return;
    }
    let location = match rules.len().checked_sub(1) {
        Some(last) => item.rule_location(list, last),
        None => item.location(),
    };
    lints.push(Lint {
        code: LintCode::ClosingDisallowMissing,
        location,
        message: format!(
            "expected_{list} does not end with `DISALLOW *`, so {list} that no rule speaks of are allowed"
        ),
        hint: "add `DISALLOW *` at the end".to_string(),
    });
}
