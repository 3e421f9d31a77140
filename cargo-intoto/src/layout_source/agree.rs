//! Whether the layout source still speaks about this workspace.

use intoto_core::layout::Rule;

use crate::layout_source::artifacts::{Platform, of_member};
use crate::layout_source::{LayoutSource, Problem, RuleSource, Severity};
use crate::workspace::Workspace;

/// Where the source and the workspace disagree.
pub fn with_workspace(source: &LayoutSource, workspace: &Workspace) -> Vec<Problem> {
    let mut problems = Vec::new();
    compare_crates(source, workspace, &mut problems);
    for member in workspace.members.iter().filter(|member| member.publishable) {
        let artifact = format!("target/package/{}.crate", member.package.stem());
        expect_product(source, "package", &artifact, Severity::Error, &mut problems);
    }
    for member in &workspace.members {
        for name in of_member(member, Platform::host()).handed_out {
            // A layout may be written for another platform or profile, or leave an executable out on purpose.
            if !builds_elsewhere(source) {
                expect_product(
                    source,
                    "build",
                    &format!("target/release/{name}"),
                    Severity::Warning,
                    &mut problems,
                );
            }
        }
    }
    problems
}

/// `crates` must equal the publishable members.
fn compare_crates(source: &LayoutSource, workspace: &Workspace, problems: &mut Vec<Problem>) {
    let publishable: Vec<&str> = workspace
        .members
        .iter()
        .filter(|member| member.publishable)
        .map(|member| member.name())
        .collect();
    let Some(crates) = source.crates() else {
        return;
    };
    for listed in &crates.value {
        if publishable.contains(&listed.value.as_str()) {
            continue;
        }
        let is_member = workspace.member(&listed.value).is_some();
        problems.push(Problem::error(
            listed.span.clone(),
            format!(
                "`crates` lists `{}`, which the workspace does not publish",
                listed.value.escape_debug()
            ),
            if is_member {
                "`publish = false` in its manifest"
            } else {
                "no member has this name"
            },
        ));
    }
    for name in publishable {
        if !crates.value.iter().any(|listed| listed.value == name) {
            problems.push(Problem {
                span: Some(crates.span.clone()),
                help: Some(format!(
                    "add \"{name}\" to `crates`, and its rules; or set `publish = false` in its manifest"
                )),
                ..Problem::error(
                    0..0,
                    format!("`crates` leaves out `{name}`, which the workspace publishes"),
                    "not here",
                )
            });
        }
    }
}

/// The step's product rules must let `artifact` pass before they forbid it.
fn expect_product(source: &LayoutSource, step: &str, artifact: &str, severity: Severity, problems: &mut Vec<Problem>) {
    let Some(step) = source.step(step) else {
        return;
    };
    if let Some(forbidding) = first_match(&step.products, artifact)
        && matches!(forbidding.rule, Rule::Disallow { .. })
    {
        problems.push(Problem {
            severity,
            help: Some(format!(
                "add \"CREATE {artifact}\", or a pattern for it, before this rule"
            )),
            ..Problem::error(
                forbidding.span.clone(),
                format!(
                    "the step `{}` makes `{artifact}`, and no rule lets it pass",
                    step.name.value
                ),
                "this rule refuses it",
            )
        });
    }
}

/// The rule that decides about an artifact that no other step has.
fn first_match<'a>(rules: &'a [RuleSource], artifact: &str) -> Option<&'a RuleSource> {
    rules.iter().find(|rule| match &rule.rule {
        Rule::Create { pattern } | Rule::Allow { pattern } | Rule::Disallow { pattern } => pattern.matches(artifact),
        _ => false,
    })
}

/// Whether the layout speaks of another profile or target triple than the usual one.
fn builds_elsewhere(source: &LayoutSource) -> bool {
    let directories = |directory: &str| {
        source.step("build").is_some_and(|build| {
            build
                .products
                .iter()
                .filter_map(|rule| rule.rule.pattern())
                .any(|pattern| pattern.as_str().starts_with(directory))
        })
    };
    directories("target/") && !directories("target/release/")
}
