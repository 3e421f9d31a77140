//! The steps, inspections and rules of the TOML form.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use intoto_core::layout::Rule;
use intoto_core::name::StepName;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::layout_source::certificates::read_certificates;
use crate::layout_source::diagnostics::Problem;
use crate::layout_source::identities::SourceIdentity;
use crate::layout_source::parse::refuse_twice;
use crate::layout_source::source::{InspectionSource, RuleSource, SourceAuthority, SourceKey, StepSource};
use crate::layout_source::table::{At, Span, Table, count, nearest, string, strings, wrong_type};

const STEP: &[&str] = &[
    "name",
    "by",
    "certificates",
    "threshold",
    "command",
    "materials",
    "products",
];
const INSPECTION: &[&str] = &["name", "run", "materials", "products"];

/// One `[[step]]`.
pub(super) fn read_step(
    fields: &DeTable<'_>,
    span: Span,
    functionaries: Functionaries<'_>,
    roots: &BTreeMap<String, SourceAuthority>,
    problems: &mut Vec<Problem>,
) -> Option<StepSource> {
    let table = Table::new(fields, span, "a step", STEP, problems);
    let name = read_name(&table, problems);
    let certificates = read_certificates(&table, roots, problems);
    let by = read_functionaries(&table, functionaries, !certificates.is_empty(), problems);
    let threshold = match table.optional("threshold") {
        Some(value) => count("threshold", value, problems),
        None => Some(At {
            value: NonZeroU32::MIN,
            span: table.span(),
        }),
    };
    if let Some(threshold) = &threshold
        && !by.is_empty()
        && certificates.is_empty()
        && threshold.value.get() as usize > by.len()
    {
        problems.push(Problem::error(
            threshold.span.clone(),
            format!(
                "a threshold of {} cannot be met by {}",
                threshold.value,
                crate::ui::count(by.len(), "key")
            ),
            "more than the keys in `by`",
        ));
    }
    let command = read_words(&table, "command", problems);
    let materials = read_rules(&table, "materials", problems);
    let products = read_rules(&table, "products", problems);
    Some(StepSource {
        name: name?,
        by,
        certificates,
        threshold: threshold?,
        command,
        materials,
        products,
    })
}

/// Everybody whom a step may name.
#[derive(Clone, Copy)]
pub(super) struct Functionaries<'a> {
    pub(super) keys: &'a BTreeMap<String, SourceKey>,
    pub(super) identities: &'a BTreeMap<String, SourceIdentity>,
}

impl Functionaries<'_> {
    fn contains(&self, name: &str) -> bool {
        self.keys.contains_key(name) || self.identities.contains_key(name)
    }
}

fn read_functionaries(
    table: &Table<'_, '_>,
    functionaries: Functionaries<'_>,
    or_certificates: bool,
    problems: &mut Vec<Problem>,
) -> Vec<At<String>> {
    let value = match or_certificates {
        true => table.optional("by"),
        false => table.required("by", problems),
    };
    let Some(value) = value else {
        return Vec::new();
    };
    let by = strings("by", value, problems);
    if !or_certificates && by.is_empty() && matches!(value.get_ref(), DeValue::Array(items) if items.is_empty()) {
        problems.push(Problem::error(
            value.span(),
            "a step needs somebody who may do it",
            "nobody",
        ));
    }
    refuse_twice(&by, "key", problems);
    let (keys, identities) = (functionaries.keys, functionaries.identities);
    let known: Vec<&str> = keys.keys().chain(identities.keys()).map(String::as_str).collect();
    for name in &by {
        if !functionaries.contains(&name.value) {
            let mut problem = Problem::error(
                name.span.clone(),
                format!("`[keys]` has no usable key `{}`", name.value.escape_debug()),
                "unknown key",
            );
            problem.help = match nearest(&name.value, &known) {
                Some(near) => Some(format!("did you mean `{near}`?")),
                None if known.is_empty() => None,
                None => Some(format!("the keys are: {}", known.join(", "))),
            };
            problems.push(problem);
        }
    }
    by
}

/// One `[[inspection]]`.
pub(super) fn read_inspection(
    fields: &DeTable<'_>,
    span: Span,
    problems: &mut Vec<Problem>,
) -> Option<InspectionSource> {
    let table = Table::new(fields, span, "an inspection", INSPECTION, problems);
    let name = read_name(&table, problems);
    let run = match table.required("run", problems) {
        Some(_) => read_words(&table, "run", problems),
        None => Vec::new(),
    };
    let materials = read_rules(&table, "materials", problems);
    let products = read_rules(&table, "products", problems);
    Some(InspectionSource {
        name: name?,
        run,
        materials,
        products,
    })
}

fn read_name(table: &Table<'_, '_>, problems: &mut Vec<Problem>) -> Option<At<StepName>> {
    let text = table
        .required("name", problems)
        .and_then(|value| string("name", value, problems))?;
    match text.value.parse::<StepName>() {
        Ok(name) => Some(At {
            value: name,
            span: text.span,
        }),
        Err(error) => {
            problems.push(Problem::error(text.span, "this cannot name a step", error.to_string()));
            None
        }
    }
}

fn read_words(table: &Table<'_, '_>, field: &str, problems: &mut Vec<Problem>) -> Vec<String> {
    let Some(value) = table.optional(field) else {
        return Vec::new();
    };
    let words = strings(field, value, problems);
    if words.is_empty() && matches!(value.get_ref(), DeValue::Array(items) if items.is_empty()) && field == "run" {
        problems.push(Problem::error(
            value.span(),
            "`run` needs at least the program",
            "nothing to run",
        ));
    }
    words.into_iter().map(|word| word.value).collect()
}

/// A rule is a string, split at blanks, or an array of words where a name has a blank.
fn read_rules(table: &Table<'_, '_>, field: &str, problems: &mut Vec<Problem>) -> Vec<RuleSource> {
    let Some(value) = table.optional(field) else {
        return Vec::new();
    };
    let DeValue::Array(items) = value.get_ref() else {
        problems.push(wrong_type(field, "an array of rules", value));
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| read_rule(field, item, problems))
        .collect()
}

fn read_rule(field: &str, item: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> Option<RuleSource> {
    let words: Vec<String> = match item.get_ref() {
        DeValue::String(text) => text.split_ascii_whitespace().map(str::to_owned).collect(),
        DeValue::Array(_) => {
            let before = problems.len();
            let words = strings(field, item, problems);
            if problems.len() > before {
                return None;
            }
            words.into_iter().map(|word| word.value).collect()
        }
        _ => {
            problems.push(wrong_type(field, "rules: strings, or arrays of words", item));
            return None;
        }
    };
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match Rule::parse(&words) {
        Ok(rule) => Some(RuleSource {
            rule,
            span: item.span(),
        }),
        Err(error) => {
            problems.push(
                Problem::error(item.span(), "this is not an artifact rule", error.to_string()).help(
                    "rules are CREATE, DELETE, MODIFY, ALLOW, DISALLOW or REQUIRE with a pattern, or \
                 MATCH pattern [IN prefix] WITH MATERIALS|PRODUCTS [IN prefix] FROM step",
                ),
            );
            None
        }
    }
}
