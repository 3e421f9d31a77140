//! Markdown for job summaries and comments: the verdict, the findings, and what each step did.
//!
//! Foreign text stands in code spans, where Markdown has no meaning, or with every character that could have one as an entity.

use std::fmt::Write;

use intoto_core::key::KeyIdStyle;
use intoto_core::verdict::{LinkState, ListReport, RuleState, Severity, StepReport};

use super::codes;
use super::findings::{Row, Told, place};
use crate::escape::plain;
use crate::explain::Account;
use crate::ui::count;
use crate::verification::Report;

/// Rows stop here: services cut summaries at a mebibyte, and a page that is cut says nothing about what it lacks.
const MOST_BYTES: usize = 512 << 10;
/// Characters of one text. What is longer is shown by the other formats.
const MOST_CHARACTERS: usize = 1000;

/// Renders what is told.
pub(super) fn render(told: &Told<'_>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "### cargo-intoto: {} {}\n", told.verb, code(&told.subject));
    if let Some(time) = told.as_of {
        let _ = writeln!(text, "Judged **as of {time}**, not by the clock.\n");
    }
    if let Some(report) = told.report {
        about(&mut text, report);
    }
    findings(&mut text, told);
    if let Some(report) = told.report {
        steps(&mut text, report);
        for account in &report.crates {
            of_crate(&mut text, account);
        }
    }
    text
}

fn about(text: &mut String, report: &Report) {
    let expires = report
        .verdict
        .layout()
        .map(|layer| format!(", valid until {}", layer.expires));
    let _ = writeln!(
        text,
        "Layout {}{}.",
        code(&report.layout_name),
        expires.unwrap_or_default()
    );
    // Only a layout that all of them signed gets as far as a report of its own.
    let signed = if report.verdict.layout().is_some() {
        "Signed"
    } else {
        "Must be signed"
    };
    for owner in &report.owners {
        let id = owner.key.key_id(KeyIdStyle::Legacy);
        let _ = writeln!(
            text,
            "{signed} by {} ({} {}).",
            code(&owner.label),
            owner.key.kind(),
            code(id.short())
        );
    }
    for owner in &report.identities.owners {
        let id = owner.identity.key_id();
        let _ = writeln!(
            text,
            "{signed} by {} (identity {}).",
            code(&owner.label),
            code(id.short())
        );
    }
    text.push('\n');
    if !report.artifacts.is_empty() {
        text.push_str("| artifact | sha256 |\n|---|---|\n");
        for (index, artifact) in report.artifacts.iter().enumerate() {
            if is_full(text, report.artifacts.len() - index, "artifact") {
                break;
            }
            let hex = intoto_core::digest::to_hex(&artifact.sha256);
            let _ = writeln!(text, "| {} | {} |", code(&artifact.name), code(&hex));
        }
        text.push('\n');
    }
}

fn findings(text: &mut String, told: &Told<'_>) {
    if told.rows.is_empty() {
        return;
    }
    text.push_str("| | finding | where | what |\n|---|---|---|---|\n");
    for (index, row) in told.rows.iter().enumerate() {
        if is_full(text, told.rows.len() - index, "finding") {
            break;
        }
        finding(text, row);
    }
    text.push('\n');
}

fn finding(text: &mut String, row: &Row<'_>) {
    let weight = match row.severity {
        Severity::Refusal => "**error**",
        Severity::Undecided => "**undecided**",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    let place = row.location.and_then(|location| place(location, &row.message));
    let place = place.or_else(|| row.subject.map(|subject| plain(subject).into_owned()));
    let hint = row
        .hint
        .map(|hint| format!("<br>Hint: {}", prose(hint)))
        .unwrap_or_default();
    let _ = writeln!(
        text,
        "| {weight} | [`{}`]({}) | {} | {}{hint} |",
        row.code,
        codes::address(row.code),
        place.map(|place| code_of_shown(&place)).unwrap_or_default(),
        prose(&row.message),
    );
}

fn steps(text: &mut String, report: &Report) {
    let mut rows: Vec<(String, &StepReport)> = Vec::new();
    for layer in report.verdict.layers() {
        let prefix: String = layer.path.iter().map(|part| format!("{part}/")).collect();
        rows.extend(layer.steps.iter().map(|step| (format!("{prefix}{}", step.name), step)));
    }
    if rows.is_empty() {
        return;
    }
    text.push_str("| step | by | command | materials | products |\n|---|---|---|---|---|\n");
    for (index, (name, step)) in rows.iter().enumerate() {
        if is_full(text, rows.len() - index, "step") {
            break;
        }
        let by: Vec<String> = step
            .links
            .iter()
            .filter(|link| matches!(link.state, LinkState::Admitted))
            .map(|link| code(link.key_id.short()))
            .collect();
        let by = if by.is_empty() {
            "nobody".to_owned()
        } else {
            by.join(", ")
        };
        let threshold = match step.threshold {
            1 => String::new(),
            threshold => format!(" ({} of {threshold})", step.distinct_keys),
        };
        let command = if step.command.is_empty() {
            &step.expected_command
        } else {
            &step.command
        };
        let command = if command.is_empty() {
            String::new()
        } else {
            code(&command.join(" "))
        };
        let _ = writeln!(
            text,
            "| {} | {by}{threshold} | {command} | {} | {} |",
            code(name),
            of_list(&step.materials),
            of_list(&step.products)
        );
    }
    text.push('\n');
}

fn of_list(list: &ListReport) -> String {
    let artifacts = count(list.artifact_count(), "file");
    match list.rules().iter().find(|rule| rule.state != RuleState::Held) {
        None => artifacts,
        Some(rule) if rule.state == RuleState::Failed => format!("**failed**: {}", code(&rule.text)),
        Some(_) => "not judged".to_owned(),
    }
}

fn of_crate(text: &mut String, account: &Account) {
    let name = code(&format!("{}.crate", account.package));
    if !account.explained {
        let _ = writeln!(text, "{name}: its files are **not accounted for**.\n");
        return;
    }
    let kinds = ["source", "normalised", "generated", "unexplained"];
    let parts: Vec<String> = kinds
        .into_iter()
        .map(|kind| (account.count(|origin| origin.as_str() == kind), kind))
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {}{kind}", if kind == "source" { "from " } else { "" }))
        .collect();
    let _ = writeln!(
        text,
        "{name}: {}, {}.\n",
        count(account.files.len(), "file"),
        parts.join(", ")
    );
}

/// Whether no further row fits; then it says how many are left out.
fn is_full(text: &mut String, left: usize, noun: &str) -> bool {
    let full = text.len() > MOST_BYTES;
    if full {
        let _ = writeln!(text, "\n{} more, which the JSON report shows.\n", count(left, noun));
    }
    full
}

/// Foreign text as code.
fn code(text: &str) -> String {
    code_of_shown(&plain(text))
}

/// As [`code`], of text that is escaped already.
fn code_of_shown(text: &str) -> String {
    let text = short(text);
    // Within a table a bar ends the cell even in a code span, and blanks at both ends are dropped.
    let is_simple = !text.is_empty() && !text.contains(['`', '|']) && text.trim() == text;
    if is_simple {
        format!("`{text}`")
    } else {
        format!("<code>{}</code>", entities(&text))
    }
}

/// A message of ours that holds foreign text.
fn prose(text: &str) -> String {
    entities(&short(&plain(text)))
}

/// Text in which nothing has a meaning: not to Markdown, not to HTML, not to what makes links of names, numbers and addresses.
fn entities(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            // References to people and issues are looked for in the text that is left, entities resolved; an element of its own
            // keeps the sign from the name.
            '@' | '#' | '!' | '~' | '%' | '$' | '&' => {
                let _ = write!(escaped, "<span>&#{};</span>", u32::from(character));
            }
            ' ' | ',' | ';' | '=' => escaped.push(character),
            _ if character.is_ascii_punctuation() => {
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

fn short(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_CHARACTERS, code, prose};

    #[test]
    fn foreign_text_is_code() {
        for (foreign, shown) in [
            ("target/x.crate", "`target/x.crate`"),
            ("<img src=x>", "`<img src=x>`"),
            ("[a](b) **c** @d", "`[a](b) **c** @d`"),
            ("a`b", "<code>a&#96;b</code>"),
            ("a|b", "<code>a&#124;b</code>"),
            ("", "<code></code>"),
            (" x", "<code> x</code>"),
            ("a\n| b", "<code>a&#92;n&#124; b</code>"),
        ] {
            assert_eq!(code(foreign), shown, "{foreign:?}");
        }
    }

    #[test]
    fn prose_is_text_and_nothing_else() {
        let hostile =
            "<script>[x](javascript:y)![z](w)\n# h\n- @user #12 www.e.example https://e.example a@b.example _*`|";
        let shown = prose(hostile);
        assert!(
            !shown.contains('\n') && !shown.contains('`') && !shown.contains('|'),
            "{shown}"
        );
        let bare: String = shown.replace("<span>", "").replace("</span>", "");
        assert!(
            !bare.contains(['<', '>', '[', ']', '(', ')', '*', '_', '@', ':', '.', '!']),
            "{bare}"
        );
        assert!(shown.contains("<span>&#64;</span>user"), "{shown}");
    }

    #[test]
    fn long_texts_are_cut_visibly() {
        let shown = code(&"x".repeat(MOST_CHARACTERS + 5));
        assert!(
            shown.ends_with("…`") && shown.chars().count() == MOST_CHARACTERS + 3,
            "{shown}"
        );
    }
}
