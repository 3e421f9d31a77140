//! Where a signed layout says something else than its source.

use intoto_core::layout::{Authority, Inspection, Layout, Rule, Step};
use intoto_core::name::KeyId;

use crate::layout_source::source::{LayoutSource, RuleSource};
use crate::layout_source::{At, Problem};

/// Everything in which `signed` differs from `source`, shown in the source.
pub fn from_signed(source: &LayoutSource, signed: &Layout) -> Vec<Problem> {
    let mut problems = Vec::new();
    let wanted = source.to_layout();
    if wanted.to_value() == signed.to_value() {
        return problems;
    }
    if wanted.expires() != signed.expires() {
        problems.push(differs(&source.expires.span, "expires", &signed.expires().to_string()));
    }
    if wanted.readme() != signed.readme() {
        problems.push(without_place("the signed layout has another `readme`"));
    }
    // Written out, because an OpenPGP key with other subkeys or another end is the same key.
    let text = |layout: &Layout, id: &KeyId| layout.key(id).map(|key| key.to_value(id));
    let differ = |id: &KeyId| text(&wanted, id) != text(signed, id);
    if wanted.keys().keys().chain(signed.keys().keys()).any(differ) {
        let keys = source.keys().values().map(|key| (key.id(), &key.span));
        let identities = source
            .identities()
            .values()
            .map(|identity| (identity.id(), &identity.span));
        for (id, span) in keys.chain(identities) {
            if differ(&id) {
                problems.push(Problem::error(
                    span.clone(),
                    "the signed layout does not have this key",
                    "not signed",
                ));
            }
        }
        for id in signed.keys().keys().filter(|id| wanted.key(id).is_none()) {
            problems.push(without_place(format!(
                "the signed layout has a key `{id}`, and the source does not"
            )));
        }
    }
    let authorities = [
        ("root", source.roots(), wanted.roots(), signed.roots()),
        (
            "intermediate",
            source.intermediates(),
            wanted.intermediates(),
            signed.intermediates(),
        ),
    ];
    for (what, own, wanted, signed) in authorities {
        for authority in own.values() {
            let (id, _) = Authority::of(authority.certificate.clone());
            if wanted.get(&id) != signed.get(&id) {
                let message = format!("the signed layout does not have this {what}");
                problems.push(Problem::error(authority.span.clone(), message, "not signed"));
            }
        }
        for id in signed.keys().filter(|id| !wanted.contains_key(*id)) {
            let message = format!("the signed layout has a {what} `{id}`, and the source does not");
            problems.push(without_place(message));
        }
    }
    compare_steps(source, wanted.steps(), signed.steps(), &mut problems);
    compare_inspections(source, wanted.inspections(), signed.inspections(), &mut problems);
    if problems.is_empty() {
        problems.push(without_place("the signed layout differs from the source in its order"));
    }
    problems
}

fn compare_steps(source: &LayoutSource, wanted: &[Step], signed: &[Step], problems: &mut Vec<Problem>) {
    for (own, step) in source.steps().iter().zip(wanted) {
        let Some(other) = signed.iter().find(|other| other.name == step.name) else {
            problems.push(missing(&own.name, "step"));
            continue;
        };
        let mut sorted = (step.pubkeys.clone(), other.pubkeys.clone());
        sorted.0.sort();
        sorted.1.sort();
        if sorted.0 != sorted.1 {
            let ids: Vec<&str> = other.pubkeys.iter().map(|id| id.short()).collect();
            problems.push(differs(&own.name.span, "by", &ids.join(", ")));
        }
        if step.certificates != other.certificates {
            let message = "the signed layout asks for other certificates";
            problems.push(Problem::error(
                own.name.span.clone(),
                message,
                "not signed in this form",
            ));
        }
        if step.threshold != other.threshold {
            problems.push(differs(&own.threshold.span, "threshold", &other.threshold.to_string()));
        }
        if step.expected_command != other.expected_command {
            problems.push(differs(&own.name.span, "command", &other.expected_command.join(" ")));
        }
        compare_rule_lists(
            &own.name,
            [&own.materials, &own.products],
            [&other.expected_materials, &other.expected_products],
            problems,
        );
    }
    let known = |other: &&Step| !wanted.iter().any(|step| step.name == other.name);
    for other in signed.iter().filter(known) {
        problems.push(without_place(format!(
            "the signed layout has a step `{}`, and the source does not",
            other.name
        )));
    }
}

fn compare_inspections(
    source: &LayoutSource,
    wanted: &[Inspection],
    signed: &[Inspection],
    problems: &mut Vec<Problem>,
) {
    for (own, inspection) in source.inspections().iter().zip(wanted) {
        let Some(other) = signed.iter().find(|other| other.name == inspection.name) else {
            problems.push(missing(&own.name, "inspection"));
            continue;
        };
        if inspection.run != other.run {
            problems.push(differs(&own.name.span, "run", &other.run.join(" ")));
        }
        compare_rule_lists(
            &own.name,
            [&own.materials, &own.products],
            [&other.expected_materials, &other.expected_products],
            problems,
        );
    }
    let known = |other: &&Inspection| !wanted.iter().any(|inspection| inspection.name == other.name);
    for other in signed.iter().filter(known) {
        problems.push(without_place(format!(
            "the signed layout has an inspection `{}`, and the source does not",
            other.name
        )));
    }
}

/// The rules for materials and those for products of a step or inspection.
fn compare_rule_lists<T: std::fmt::Display>(
    name: &At<T>,
    wanted: [&[RuleSource]; 2],
    signed: [&[Rule]; 2],
    problems: &mut Vec<Problem>,
) {
    for ((list, wanted), signed) in ["materials", "products"].into_iter().zip(wanted).zip(signed) {
        compare_rules(name, list, wanted, signed, problems);
    }
}

fn compare_rules<T: std::fmt::Display>(
    name: &At<T>,
    list: &str,
    wanted: &[RuleSource],
    signed: &[Rule],
    problems: &mut Vec<Problem>,
) {
    for (index, own) in wanted.iter().enumerate() {
        match signed.get(index) {
            Some(other) if *other == own.rule => {}
            Some(other) => {
                problems.push(differs(&own.span, "rule", &other.to_string()));
                // Everything behind an inserted rule differs too; one place is enough to see it.
                return;
            }
            None => {
                problems.push(Problem::error(
                    own.span.clone(),
                    "the signed layout does not have this rule",
                    "not signed",
                ));
                return;
            }
        }
    }
    if let Some(more) = signed.get(wanted.len()) {
        problems.push(Problem::error(
            name.span.clone(),
            format!(
                "the signed layout has more {list} rules for `{}`: `{}`",
                name.value,
                escaped(&more.to_string())
            ),
            "not in the source",
        ));
    }
}

fn missing<T: std::fmt::Display>(name: &At<T>, what: &str) -> Problem {
    Problem::error(
        name.span.clone(),
        format!("the signed layout has no {what} `{}`", name.value),
        "not signed",
    )
}

fn differs(span: &std::ops::Range<usize>, what: &str, signed: &str) -> Problem {
    Problem::error(
        span.clone(),
        format!("the signed layout has another {what}: `{}`", escaped(signed)),
        "not signed in this form",
    )
}

fn without_place(message: impl Into<String>) -> Problem {
    Problem {
        span: None,
        ..Problem::error(0..0, message, "")
    }
}

fn escaped(text: &str) -> String {
    text.escape_debug().to_string()
}
