//! GitLab's code quality report: a list with an entry per finding, which a merge request shows beside the file.

use intoto_core::digest::{sha256, to_hex};
use intoto_core::verdict::Severity;
use serde_json::{Value, json};

use super::findings::{Row, Told, in_repository, place};
use super::json;
use crate::escape::plain;

/// Renders what is told, with a newline at its end. What was verified without a finding is an empty list.
pub(super) fn render(told: &Told<'_>) -> String {
    let entries: Vec<Value> = told.rows.iter().map(|row| entry(told, row)).collect();
    json::text(&Value::Array(entries))
}

fn entry(told: &Told<'_>, row: &Row<'_>) -> Value {
    let file = told
        .file(row)
        .map_or_else(|| "Cargo.toml".to_owned(), |file| in_repository(&file));
    let hint = row.hint.map(|hint| format!(" ({})", plain(hint))).unwrap_or_default();
    let place = row.location.and_then(|location| place(location, &row.message));
    let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
    json!({
        "type": "issue",
        "check_name": row.code,
        "description": format!("{place}{}{hint}", plain(&row.message)),
        "categories": ["Security"],
        "severity": match row.severity {
            Severity::Refusal => "blocker",
            Severity::Undecided => "critical",
            Severity::Warning => "minor",
            Severity::Note => "info",
        },
        "fingerprint": fingerprint(row),
        "location": { "path": plain(&file), "lines": { "begin": 1 } },
    })
}

/// What tells a finding from every other one, and stays the same while the finding does.
pub(super) fn fingerprint(row: &Row<'_>) -> String {
    let place = row
        .location
        .and_then(|location| place(location, ""))
        .unwrap_or_default();
    let parts = [row.code, &place, row.subject.unwrap_or_default(), &row.message];
    // No part holds a NUL once it is escaped, so no two findings run into each other.
    let text: Vec<_> = parts.iter().map(|part| plain(part)).collect();
    to_hex(&sha256(text.join("\0").as_bytes()))
}
