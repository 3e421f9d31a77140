//! The report for programs. `docs/verdict.schema.json` describes it; fields are added, never renamed or removed, within one
//! `version`.

use intoto_core::digest::{DigestSet, to_hex};
use intoto_core::envelope::Container;
use intoto_core::identity::{IdentityFacts, TrustedTime};
use intoto_core::key::{Constraints, FulcioIdentity, PublicKey, SkippableCheck};
use intoto_core::verdict::{
    ArtifactReport, Binding, EvidenceKind, Fate, InspectionReport, InspectionState, KeyReport, LayerReport, LinkReport,
    LinkState, ListReport, RuleState, StepReport, SubjectReport,
};
use serde_json::{Map, Value, json};

use super::findings::{Row, rows};
use crate::escape;
use crate::explain::{Account, FileAccount, Origin};
use crate::verification::claims::{ClaimedKey, Claims, Subject};
use crate::verification::identities::{OwnerIdentity, RootSeen};
use crate::verification::{Artifact, Owner, ReferenceTime, Report};

/// The version of the format.
const VERSION: u32 = 1;

/// Renders a report, with a newline at its end.
pub fn render(report: &Report) -> String {
    text(&value(report))
}

/// Indented JSON as ASCII, with a newline at its end.
pub(super) fn text(value: &Value) -> String {
    // The alternate form is indented.
    let mut text = escape::json(&format!("{value:#}"));
    text.push('\n');
    text
}

/// A report as JSON.
pub fn value(report: &Report) -> Value {
    json!({
        "format": "cargo-intoto-verdict",
        "version": VERSION,
        "outcome": report.outcome().as_str(),
        "exit_code": report.exit().code(),
        "reference_time": report.time.timestamp().to_string(),
        "as_of": matches!(report.time, ReferenceTime::Stated(_)),
        "signed_before": report.signed_before.map(|before| before.to_string()),
        "scope": if report.artifacts.is_empty() { "chain-only" } else { "artifacts" },
        "layout": { "name": report.layout_name, "container": report.container.map(container) },
        "bundle": report.bundle.as_ref().map(|claims| bundle(claims, report)),
        "owners": report.owners.iter().map(owner)
            .chain(report.identities.owners.iter().map(owner_identity))
            .collect::<Vec<_>>(),
        "sigstore_roots": report.identities.verifier.roots().iter().map(|seen| root(seen, report)).collect::<Vec<_>>(),
        "artifacts": artifacts(report),
        "layers": report.verdict.layers().iter().map(layer).collect::<Vec<_>>(),
        "crates": report.crates.iter().map(account).collect::<Vec<_>>(),
        "findings": rows(report).iter().map(finding).collect::<Vec<_>>(),
    })
}

/// What a bundle says of itself, which counts for nothing.
fn bundle(claims: &Claims, report: &Report) -> Value {
    let key = |claimed: &ClaimedKey| {
        let id = claimed
            .key
            .as_ref()
            .map(|key| key.key_id(intoto_core::key::KeyIdStyle::Legacy));
        let is_demanded = |key: &PublicKey| report.owners.iter().any(|owner| owner.key == *key);
        json!({
            "name": claimed.name,
            "key_id": id.as_ref().map(|id| id.as_str()),
            "demanded": claimed.key.as_ref().is_some_and(is_demanded),
        })
    };
    let subject = |subject: &Subject| {
        json!({
            "name": subject.name,
            "sha256": to_hex(&subject.sha256),
            "purl": subject.purl,
            "evidence": subject.evidence,
        })
    };
    json!({
        "path": claims.path,
        "members": claims.members,
        "keys": claims.keys.iter().map(key).collect::<Vec<_>>(),
        "outcome": claims.outcome,
        "subjects": claims.subjects.iter().map(subject).collect::<Vec<_>>(),
    })
}

fn owner(owner: &Owner) -> Value {
    let id = owner.key.key_id(intoto_core::key::KeyIdStyle::Legacy);
    json!({ "label": owner.label, "key_id": id.as_str(), "kind": owner.key.kind().to_string() })
}

fn owner_identity(owner: &OwnerIdentity) -> Value {
    json!({
        "label": owner.label,
        "key_id": owner.identity.key_id().as_str(),
        "kind": FulcioIdentity::SCHEME,
        "identity": expected(&owner.identity),
    })
}

fn expected(identity: &FulcioIdentity) -> Value {
    let constraints = identity.constraints();
    let subject = constraints.subject().map(|pattern| (Constraints::SUBJECT, pattern));
    let extensions = constraints
        .extensions()
        .map(|(extension, pattern)| (extension.name(), pattern));
    let patterns = subject.into_iter().chain(extensions);
    json!({
        "issuer": identity.issuer(),
        "identity": identity.identity(),
        "constraints": patterns.map(|(name, pattern)| (name.to_owned(), json!(pattern.as_str())))
            .collect::<Map<_, _>>(),
        "predicate_type": constraints.predicate_type(),
        "allow_skipped": constraints.allow_skipped().map(SkippableCheck::name).collect::<Vec<_>>(),
    })
}

fn found(facts: &IdentityFacts) -> Value {
    json!({
        "issuer": facts.issuer,
        "subject": facts.subject.as_str(),
        "subject_kind": facts.subject.kind(),
        "extensions": facts.extensions.iter().map(|(extension, text)| (extension.name().to_owned(), json!(text)))
            .collect::<Map<_, _>>(),
        "times": facts.times.iter().map(time).collect::<Vec<_>>(),
        "skipped": facts.skipped.iter().map(|check| check.name()).collect::<Vec<_>>(),
    })
}

fn time(time: &TrustedTime) -> Value {
    json!({ "time": time.time.to_string(), "source": time.source.to_string() })
}

fn root(root: &RootSeen, report: &Report) -> Value {
    json!({
        "name": root.name,
        "newest": root.newest.map(|newest| newest.to_string()),
        "old": root.is_old(report.time.timestamp()),
    })
}

fn artifacts(report: &Report) -> Vec<Value> {
    let subjects = report.verdict.artifacts();
    report
        .artifacts
        .iter()
        .map(|artifact| {
            let subject = subjects.iter().find(|subject| subject.name == artifact.name);
            one_artifact(artifact, subject)
        })
        .collect()
}

fn one_artifact(artifact: &Artifact, subject: Option<&SubjectReport>) -> Value {
    let bindings = subject.map(|subject| subject.bindings.iter().map(binding).collect::<Vec<_>>());
    json!({
        "name": artifact.name,
        "path": artifact.path,
        "sha256": to_hex(&artifact.sha256),
        "bindings": bindings.unwrap_or_default(),
    })
}

fn binding(binding: &Binding) -> Value {
    match binding {
        Binding::InspectionRule {
            inspection,
            list,
            rule,
            text,
            step,
        } => json!({
            "by": "inspection-rule",
            "inspection": inspection.as_str(),
            "list": list.as_str(),
            "rule": rule,
            "text": text,
            "step": step.as_str(),
        }),
        Binding::LastProduct { step, path } => json!({
            "by": "last-product",
            "step": step.as_str(),
            "path": path.as_str(),
        }),
        _ => json!({ "by": "other" }),
    }
}

fn layer(layer: &LayerReport) -> Value {
    json!({
        "path": layer.path,
        "container": container(layer.container),
        "signed_sha256": to_hex(&layer.signed_sha256),
        "signed_by": layer.signed_by.iter().map(key).collect::<Vec<_>>(),
        "expires": layer.expires.to_string(),
        "readme": layer.readme,
        "steps": layer.steps.iter().map(step).collect::<Vec<_>>(),
        "inspections": layer.inspections.iter().map(inspection).collect::<Vec<_>>(),
    })
}

fn key(key: &KeyReport) -> Value {
    json!({ "key_id": key.key_id.as_str(), "kind": key.kind.to_string() })
}

fn step(step: &StepReport) -> Value {
    json!({
        "name": step.name.as_str(),
        "threshold": step.threshold,
        "distinct_keys": step.distinct_keys,
        "links": step.links.iter().map(link).collect::<Vec<_>>(),
        "represented_by": step.represented_by.as_ref().map(|id| id.as_str()),
        "expected_command": step.expected_command,
        "command": step.command,
        "materials": list(&step.materials),
        "products": list(&step.products),
    })
}

fn link(link: &LinkReport) -> Value {
    let (state, code, message) = match &link.state {
        LinkState::Admitted => ("admitted", None, None),
        LinkState::Absent => ("absent", None, None),
        LinkState::Refused { code, message } => ("refused", Some(code.as_str()), Some(message.as_str())),
        _ => ("other", None, None),
    };
    let evidence = link.evidence.map(|evidence| match evidence {
        EvidenceKind::Link => "link",
        EvidenceKind::Statement => "statement",
        EvidenceKind::Sublayout => "sublayout",
        _ => "other",
    });
    json!({
        "file": link.file,
        "key_id": link.key_id.as_str(),
        "key_kind": link.key_kind.map(|kind| kind.to_string()),
        "container": link.container.map(container),
        "evidence": evidence,
        "certificate": link.certificate.as_ref().map(|certificate| json!({
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "names": certificate.names,
            "not_after": certificate.not_after.to_string(),
            "root": certificate.root.as_str(),
        })),
        "identity": link.identity.as_ref().map(|identity| json!({
            "expected": expected(&identity.expected),
            "found": identity.found.as_ref().map(found),
        })),
        "witness": link.witness.as_ref().map(|witness| json!({
            "times": witness.times.iter().map(time).collect::<Vec<_>>(),
            "logged": !witness.is_unlogged,
        })),
        "state": state,
        "code": code,
        "message": message,
        "commit": link.commit,
        "run": link.run,
    })
}

fn inspection(inspection: &InspectionReport) -> Value {
    let (state, return_value, reason) = match &inspection.state {
        InspectionState::Done { return_value } => ("done", Some(*return_value), None),
        InspectionState::NotRun { reason } => ("not-run", None, Some(reason.as_str())),
        _ => ("other", None, None),
    };
    json!({
        "name": inspection.name.as_str(),
        "run": inspection.run,
        "state": state,
        "return_value": return_value,
        "reason": reason,
        "materials": list(&inspection.materials),
        "products": list(&inspection.products),
    })
}

fn list(list: &ListReport) -> Value {
    let rules: Vec<Value> = list
        .rules()
        .iter()
        .map(|rule| json!({ "text": rule.text, "state": rule_state(rule.state), "consumed": rule.consumed }))
        .collect();
    json!({
        "holds": list.holds(),
        "rules": rules,
        "artifacts": list.artifacts().map(|artifact| one_of_list(&artifact)).collect::<Vec<_>>(),
    })
}

fn rule_state(state: RuleState) -> &'static str {
    match state {
        RuleState::Held => "held",
        RuleState::Failed => "failed",
        RuleState::NotApplied => "not-applied",
        _ => "other",
    }
}

fn one_of_list(artifact: &ArtifactReport<'_>) -> Value {
    let (fate, rule) = match artifact.fate {
        Fate::Consumed(rule) => ("consumed", Some(rule)),
        Fate::Disallowed(rule) => ("disallowed", Some(rule)),
        Fate::Left => ("left", None),
        Fate::Unsettled => ("unsettled", None),
        _ => ("other", None),
    };
    json!({ "name": artifact.path.as_str(), "digests": digests(artifact.digests), "fate": fate, "rule": rule })
}

fn digests(digests: &DigestSet) -> Value {
    let digests = digests
        .iter()
        .map(|(algorithm, hex)| (algorithm.to_owned(), Value::String(hex)));
    Value::Object(digests.collect::<Map<_, _>>())
}

fn account(account: &Account) -> Value {
    json!({
        "package": account.package,
        "explained": account.explained,
        "files": account.files.iter().map(file).collect::<Vec<_>>(),
    })
}

fn file(file: &FileAccount) -> Value {
    let (material, changes) = match &file.origin {
        Origin::Source { material } => (Some(material), None),
        Origin::Normalised { material, changes } => (Some(material), Some(changes)),
        Origin::Generated | Origin::Unexplained => (None, None),
    };
    json!({
        "path": file.path,
        "sha256": to_hex(&file.sha256),
        "origin": file.origin.as_str(),
        "material": material,
        "changes": changes,
    })
}

fn finding(row: &Row<'_>) -> Value {
    let location = row.location.map(|location| {
        json!({
            "layer": location.layer,
            "item": location.item,
            "file": location.file,
            "list": location.list.map(|list| list.as_str()),
            "rule": location.rule,
            "artifact": location.artifact,
        })
    });
    json!({
        "code": row.code,
        "reference_class": row.reference_class,
        "severity": row.severity.as_str(),
        "message": row.message,
        "hint": row.hint,
        "subject": row.subject,
        "location": location,
    })
}

fn container(container: Container) -> &'static str {
    match container {
        Container::Dsse => "dsse",
        Container::Metablock => "metablock",
        _ => "other",
    }
}
