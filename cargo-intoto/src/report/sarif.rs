//! SARIF 2.1.0, for code scanning: a rule per code with its help, a result per finding.
//!
//! An empty list of results reads as "all is well", and closes what was found before. So it is written for what was verified only:
//! anything else has at least one result.

use intoto_core::verdict::{Location, Severity};
use serde_json::{Map, Value, json};

use super::codes;
use super::findings::{Row, Told, in_repository, place};
use super::gitlab::fingerprint;
use super::json;
use crate::escape::plain;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Renders what is told, with a newline at its end.
pub(super) fn render(told: &Told<'_>) -> String {
    let mut codes: Vec<(&str, Severity)> = Vec::new();
    // The gravest come first, so the first of a code is its gravest.
    for row in &told.rows {
        if !codes.iter().any(|(code, _)| *code == row.code) {
            codes.push((row.code, row.severity));
        }
    }
    let results: Vec<Value> = told
        .rows
        .iter()
        .map(|row| {
            let index = codes.iter().position(|(code, _)| *code == row.code);
            result(told, row, index.unwrap_or_default())
        })
        .collect();
    json::text(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cargo-intoto",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": codes.iter().map(|(code, severity)| rule(code, *severity)).collect::<Vec<_>>(),
            }},
            "invocations": [{
                // Whether the program could do its work; what came of it are the results.
                "executionSuccessful": told.report.is_some(),
                "exitCode": told.exit.code(),
                "exitCodeDescription": told.verb.to_ascii_lowercase(),
            }],
            "results": results,
            "columnKind": "unicodeCodePoints",
            "properties": properties(told),
        }],
    }))
}

fn properties(told: &Told<'_>) -> Value {
    let mut properties = Map::new();
    properties.insert("verdict".into(), told.line().into());
    if let Some(report) = told.report {
        properties.insert("outcome".into(), report.outcome().as_str().into());
        properties.insert("referenceTime".into(), report.time.timestamp().to_string().into());
        properties.insert("asOf".into(), told.as_of.is_some().into());
    }
    Value::Object(properties)
}

fn rule(code: &str, severity: Severity) -> Value {
    let help = codes::paragraph(code).unwrap_or_else(|| "Nothing was verified.".to_owned());
    let short = first_sentence(&help);
    json!({
        "id": code,
        "shortDescription": { "text": short },
        "fullDescription": { "text": help },
        "help": { "text": help, "markdown": help },
        "helpUri": codes::address(code),
        "defaultConfiguration": { "level": level(severity) },
        "properties": {
            "tags": ["security", "supply-chain"],
            "precision": "very-high",
            "security-severity": match severity {
                Severity::Refusal => "9.0",
                Severity::Undecided => "7.0",
                Severity::Warning => "3.0",
                Severity::Note => "0.0",
            },
        },
    })
}

/// A paragraph begins with the class and weight in italics, which a title has no use for.
fn first_sentence(paragraph: &str) -> String {
    let text = match paragraph.strip_prefix('*').and_then(|rest| rest.split_once("* ")) {
        Some((_, rest)) => rest,
        None => paragraph,
    };
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    let sentence = &text[..end];
    match sentence.char_indices().nth(1000) {
        Some((at, _)) => format!("{}…", &sentence[..at]),
        None => sentence.to_owned(),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Refusal | Severity::Undecided => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(told: &Told<'_>, row: &Row<'_>, index: usize) -> Value {
    let place = row.location.and_then(|location| place(location, &row.message));
    let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
    let hint = row
        .hint
        .map(|hint| format!(" Hint: {}", plain(hint)))
        .unwrap_or_default();
    json!({
        "ruleId": row.code,
        "ruleIndex": index,
        "level": level(row.severity),
        "kind": "fail",
        // Brackets and backslashes would make links and placeholders of foreign text.
        "message": { "text": of_message(&format!("{place}{}{hint}", plain(&row.message))) },
        "locations": [location(told, row)],
        "partialFingerprints": { "cargoIntotoFinding/v1": fingerprint(row) },
        "properties": { "severity": row.severity.as_str() },
    })
}

fn location(told: &Told<'_>, row: &Row<'_>) -> Value {
    // Viewers want a file; an error that came before any is about the package.
    let file = told
        .file(row)
        .map_or_else(|| "Cargo.toml".to_owned(), |file| in_repository(&file));
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&file) },
            "region": { "startLine": 1 },
        },
    });
    if let (Some(name), Some(found)) = (row.location.and_then(logical), location.as_object_mut()) {
        found.insert("logicalLocations".into(), json!([{ "fullyQualifiedName": name }]));
    }
    location
}

/// Sublayout, step and rule list, from the outside in.
fn logical(location: &Location) -> Option<String> {
    let mut parts: Vec<String> = location.layer.iter().map(|part| plain(part).into_owned()).collect();
    parts.extend(location.item.as_deref().map(|item| plain(item).into_owned()));
    parts.extend(location.list.map(|list| list.to_string()));
    parts.extend(location.rule.map(|rule| format!("rule {rule}")));
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// In messages, `[text](1)` is a link, `{0}` a placeholder, and a backslash takes the meaning from what follows.
fn of_message(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '[' | ']' | '\\' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '{' => escaped.push_str("{{"),
            '}' => escaped.push_str("}}"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A path as a URI reference: everything but unreserved characters and slashes percent-encoded; an absolute one as a `file` URI.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::{first_sentence, of_message, uri};

    #[test]
    fn paths_become_references() {
        for (path, expected) in [
            ("layouts/release.layout", "layouts/release.layout"),
            ("/a b/c", "file:///a%20b/c"),
            ("javascript:x", "javascript%3Ax"),
            ("ä?#%", "%C3%A4%3F%23%25"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }

    #[test]
    fn messages_have_no_links_and_no_placeholders() {
        assert_eq!(
            of_message("[x](http://e) {0} \\u{1b}"),
            "\\[x\\](http://e) {{0}} \\\\u{{1b}}"
        );
    }

    #[test]
    fn titles_leave_out_the_class() {
        assert_eq!(first_sentence("*X; refusal.* It is so. And so on."), "It is so.");
        assert_eq!(first_sentence("It is so"), "It is so");
    }
}
