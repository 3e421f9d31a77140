//! A verdict as text, everything in it: what the committed `all.txt` has of each vector.

use core::fmt::Write as _;

use intoto_core::verdict::{
    Finding, InspectionReport, LayerReport, LinkReport, ListReport, RuleState, StepReport, Verdict,
};

/// The verdict on the vector of that name.
pub(crate) fn text(name: &str, verdict: &Verdict) -> String {
    let mut out = format!("# {name}: {} at {}\n", verdict.outcome(), verdict.reference_time());
    for finding in verdict.findings() {
        write_finding(&mut out, finding);
    }
    for layer in verdict.layers() {
        write_layer(&mut out, layer);
    }
    for subject in verdict.artifacts() {
        line(&mut out, 0, format!("in hand {}: {:?}", subject.name, subject.bindings));
    }
    out.push('\n');
    out
}

fn write_finding(out: &mut String, finding: &Finding) {
    line(out, 0, format!("{} {finding}", finding.severity));
    let location = &finding.location;
    let parts = [
        (!location.layer.is_empty()).then(|| format!("layer {}", location.layer.join("/"))),
        location.item.as_ref().map(|item| format!("item {item}")),
        location.file.as_ref().map(|file| format!("file {file}")),
        location.list.map(|list| format!("{list}")),
        location.rule.map(|rule| format!("rule {rule}")),
        location
            .artifact
            .as_ref()
            .map(|artifact| format!("artifact {artifact:?}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        line(out, 1, format!("at {}", parts.join(", ")));
    }
    if let Some(hint) = &finding.hint {
        line(out, 1, format!("hint: {hint}"));
    }
}

fn write_layer(out: &mut String, layer: &LayerReport) {
    let signers: Vec<String> = layer
        .signed_by
        .iter()
        .map(|key| format!("{} {}", key.kind, key.key_id.short()))
        .collect();
    let title = format!(
        "layout /{} {} until {}, by {}",
        layer.path.join("/"),
        layer.container,
        layer.expires,
        signers.join(", ")
    );
    line(out, 0, title);
    layer.steps.iter().for_each(|step| write_step(out, step));
    layer
        .inspections
        .iter()
        .for_each(|inspection| write_inspection(out, inspection));
}

fn write_step(out: &mut String, step: &StepReport) {
    let by = step.represented_by.as_ref().map_or("nobody", |id| id.short());
    line(
        out,
        1,
        format!(
            "step {}: {} of {}, stands by {by}",
            step.name, step.distinct_keys, step.threshold
        ),
    );
    if step.expected_command != step.command {
        line(out, 2, format!("{:?} for {:?}", step.command, step.expected_command));
    }
    step.links.iter().for_each(|link| write_link(out, link));
    write_list(out, &step.materials);
    write_list(out, &step.products);
}

fn write_link(out: &mut String, link: &LinkReport) {
    let known = [
        link.container.map(|container| container.to_string()),
        link.key_kind.map(|kind| kind.to_string()),
        link.evidence.map(|evidence| format!("{evidence:?}")),
        link.commit.as_ref().map(|commit| format!("commit {commit}")),
        link.run.as_ref().map(|run| format!("run {run}")),
        link.certificate.as_ref().map(|certificate| {
            format!(
                "{} {:?} by {} until {}, root {}",
                certificate.subject,
                certificate.names,
                certificate.issuer,
                certificate.not_after,
                certificate.root.short()
            )
        }),
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    line(
        out,
        2,
        format!("{}, {:?} [{}]", link.file, link.state, known.join(", ")),
    );
}

fn write_inspection(out: &mut String, inspection: &InspectionReport) {
    line(
        out,
        1,
        format!(
            "inspection {} {:?}: {:?}",
            inspection.name, inspection.run, inspection.state
        ),
    );
    write_list(out, &inspection.materials);
    write_list(out, &inspection.products);
}

fn write_list(out: &mut String, list: &ListReport) {
    let rules: Vec<String> = list
        .rules()
        .iter()
        .map(|rule| match rule.state {
            RuleState::Held => format!("{} took {}", rule.text, rule.consumed),
            state => format!("{} {state:?}", rule.text),
        })
        .collect();
    let fates: Vec<String> = list
        .artifacts()
        .map(|artifact| {
            let alone = list.artifact(artifact.path.as_str()).map(|alone| alone.fate);
            assert_eq!(alone, Some(artifact.fate), "{}", artifact.path);
            format!("{} {:?}", artifact.path, artifact.fate)
        })
        .collect();
    // What tells nothing is left out.
    if rules.is_empty() && fates.is_empty() {
        return;
    }
    let outcome = if list.holds() { "hold" } else { "do not hold" };
    line(out, 2, format!("{} {outcome}: {}", list.list(), rules.join("; ")));
    if !fates.is_empty() {
        line(out, 3, fates.join(", "));
    }
}

/// One line, however hostile what stands in it; the beginning of it, if it is long.
fn line(out: &mut String, depth: usize, text: String) {
    let text: String = text.chars().take(600).collect();
    let _ = writeln!(
        out,
        "{}{}",
        "  ".repeat(depth),
        text.escape_debug()
            .to_string()
            .replace("\\\"", "\"")
            .replace("\\'", "'")
    );
}
