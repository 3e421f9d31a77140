//! Comparisons of published crates with their commits, for people and for programs.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;
use intoto_core::digest::to_hex;
use intoto_core::verdict::Severity;
use serde_json::{Value, json};

use crate::compare::locked::{Row, SourceState};
use crate::compare::{Class, Comparison, FileComparison, Outcome};
use crate::escape::{self, plain};
use crate::finding::CargoFinding;
use crate::ui::{Verbosity, count};

const GOOD: Style = AnsiColor::BrightGreen.on_default().bold();
const NOTE: Style = AnsiColor::BrightCyan.on_default().bold();
const WARNING: Style = AnsiColor::BrightYellow.on_default().bold();
const ERROR: Style = AnsiColor::BrightRed.on_default().bold();

/// Where the text behind the verbs starts.
const INDENT: &str = "             ";
/// Files of one class that are named without `-v`.
const SHOWN: usize = 20;

/// How a comparison is reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ComparisonFormat {
    /// For people
    #[default]
    Human,
    /// For programs: docs/compare.md describes it
    Json,
}

/// One comparison as text for people; the verdict is the last line.
pub fn human(comparison: &Comparison, repository: &str, verbosity: Verbosity) -> String {
    let mut page = Page { text: String::new() };
    let package = plain(&comparison.package).into_owned();
    let place = place(comparison, repository);
    if verbosity > Verbosity::Quiet {
        page.line(GOOD, "Comparing", &format!("{package}.crate with {place}"));
        page.more(&format!("crate   sha256 {}", to_hex(&comparison.sha256)));
        let same = match comparison.source_content {
            Some(source) if source == comparison.content => "the same in the commit".to_owned(),
            Some(source) => format!("{} in the commit", to_hex(&source)),
            None => "not known of the commit".to_owned(),
        };
        page.more(&format!("content sha256 {}, {same}", to_hex(&comparison.content)));
        for class in Class::ALL {
            page.class(comparison, class, verbosity);
        }
    }
    page.findings(&comparison.findings, verbosity);
    if verbosity > Verbosity::Quiet || comparison.outcome() != Outcome::Equal {
        let (style, verb) = verdict(comparison.outcome());
        let text = match comparison.outcome() {
            Outcome::Equal => format!("{package}.crate is what {place} holds"),
            Outcome::Differs => format!("{package}.crate is not what {place} holds: {}", sum(comparison)),
            Outcome::Undecided => format!("whether {package}.crate is what {place} holds"),
        };
        page.line(style, verb, &text);
    }
    page.text
}

/// A table of packages for people; the sum is the last line.
pub fn human_table(rows: &[Row], verbosity: Verbosity) -> String {
    let mut page = Page { text: String::new() };
    let width = rows.iter().map(|row| row.package.chars().count()).max().unwrap_or(0);
    let mut counts = [0_usize; 4];
    for row in rows {
        let (column, text) = table_row(row);
        counts[column] += 1;
        let verb = ["equal", "differs", "undecided", "no source"][column];
        let style = [GOOD, ERROR, WARNING, NOTE][column];
        let is_wanted = verbosity > Verbosity::Quiet || column == 1;
        if is_wanted {
            let package = plain(&row.package).into_owned();
            page.line(style, verb, format!("{package:<width$}  {text}").trim_end());
        }
        if let SourceState::Compared(_, comparison) = &row.source
            && comparison.outcome() != Outcome::Equal
        {
            page.findings(&comparison.findings, verbosity);
        }
    }
    let [equal, differing, undecided, none] = counts;
    let outcome = total(rows);
    if verbosity > Verbosity::Quiet || outcome != Outcome::Equal {
        let (style, verb) = verdict(outcome);
        page.line(
            style,
            verb,
            &format!(
                "{}: {equal} equal, {differing} different, {undecided} undecided, {none} without a source",
                count(rows.len(), "package")
            ),
        );
    }
    page.text
}

/// What all rows come to. No rows at all are an answer to nothing.
pub fn total(rows: &[Row]) -> Outcome {
    rows.iter().map(Row::outcome).max().unwrap_or(Outcome::Undecided)
}

/// One comparison as JSON.
pub fn json(comparison: &Comparison, repository: &str) -> String {
    render(&of_comparison(comparison, repository))
}

/// A table of packages as JSON.
pub fn json_table(rows: &[Row]) -> String {
    let packages: Vec<Value> = rows.iter().map(of_row).collect();
    render(&json!({ "format": 1, "outcome": total(rows).as_str(), "packages": packages }))
}

struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, style: Style, verb: &str, text: &str) {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(self.text, "{style}{verb:>12}{style:#} {text}");
    }

    fn more(&mut self, text: &str) {
        let _ = writeln!(self.text, "{INDENT}{text}");
    }

    fn class(&mut self, comparison: &Comparison, class: Class, verbosity: Verbosity) {
        let files: Vec<&FileComparison> = comparison.of_class(class).collect();
        if files.is_empty() {
            return;
        }
        if class == Class::Equal && verbosity < Verbosity::Verbose {
            self.more(&format!("{:<12}{}", class.as_str(), count(files.len(), "file")));
            return;
        }
        let most = if verbosity == Verbosity::Verbose {
            files.len()
        } else {
            SHOWN
        };
        for (index, file) in files.iter().take(most).enumerate() {
            let label = if index == 0 { class.as_str() } else { "" };
            self.more(&format!("{label:<12}{}", shown(file, &comparison.directory)));
            if verbosity == Verbosity::Verbose {
                for change in &file.changes {
                    self.more(&format!("{:<14}{}", "", plain(change)));
                }
            }
        }
        if files.len() > most {
            self.more(&format!("{:<12}and {} more", "", files.len() - most));
        }
    }

    fn findings(&mut self, findings: &[CargoFinding], verbosity: Verbosity) {
        let mut findings: Vec<&CargoFinding> = findings.iter().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        let most = if verbosity == Verbosity::Verbose {
            findings.len()
        } else {
            SHOWN
        };
        let left = findings.len().saturating_sub(most);
        for finding in findings.into_iter().take(most) {
            let (style, word) = match finding.severity {
                Severity::Refusal => (ERROR, "error"),
                Severity::Undecided => (ERROR, "undecided"),
                Severity::Warning => (WARNING, "warning"),
                _ => (NOTE, "note"),
            };
            if verbosity == Verbosity::Quiet && finding.severity < Severity::Undecided {
                continue;
            }
            let _ = writeln!(
                self.text,
                "{style}{word}[{}]{style:#}: {}",
                finding.code,
                plain(&finding.message)
            );
            if let Some(hint) = &finding.hint {
                let _ = writeln!(self.text, "{NOTE}   hint:{NOTE:#} {}", plain(hint));
            }
        }
        if left > 0 {
            let _ = writeln!(self.text, "{left} more findings; -v shows them");
        }
    }
}

/// The column of a row, and what it says.
fn table_row(row: &Row) -> (usize, String) {
    let mut text = match &row.source {
        SourceState::None => "no clone of its repository is given".to_owned(),
        SourceState::NoCrate => String::new(),
        SourceState::Undecided(clone, error) => format!("{}: {}", plain(clone.as_str()), plain(&error.to_string())),
        SourceState::Compared(_, comparison) => format!("{} ({})", &comparison.commit[..12], sum(comparison)),
    };
    if let Some((code, message)) = row.problems.first() {
        let more = match row.problems.len() {
            1 => String::new(),
            number => format!(" and {} more", number - 1),
        };
        text = format!("{}[{code}]{more}", plain(message));
    }
    let column = match (row.outcome(), &row.source) {
        (Outcome::Equal, _) => 0,
        (Outcome::Differs, _) => 1,
        (Outcome::Undecided, SourceState::None) if row.problems.is_empty() => 3,
        (Outcome::Undecided, _) => 2,
    };
    (column, text)
}

fn verdict(outcome: Outcome) -> (Style, &'static str) {
    match outcome {
        Outcome::Equal => (GOOD, "Equal"),
        Outcome::Differs => (ERROR, "Differs"),
        Outcome::Undecided => (WARNING, "Undecided"),
    }
}

fn place(comparison: &Comparison, repository: &str) -> String {
    let directory = match comparison.directory.as_str() {
        "" => String::new(),
        directory => format!(", directory {}", plain(directory)),
    };
    format!(
        "commit {} of {}{directory}",
        plain(&comparison.commit),
        plain(repository)
    )
}

/// How many files of each class.
fn sum(comparison: &Comparison) -> String {
    let counts: Vec<String> = Class::ALL
        .into_iter()
        .map(|class| (class, comparison.of_class(class).count()))
        .filter(|(_, number)| *number > 0)
        .map(|(class, number)| format!("{number} {}", class.as_str()))
        .collect();
    counts.join(", ")
}

fn shown(file: &FileComparison, directory: &str) -> String {
    let path = plain(&file.path);
    let own = file.place.as_deref().map(|place| match place.strip_prefix(directory) {
        Some(rest) if directory.is_empty() => rest == file.path,
        Some(rest) => rest.strip_prefix('/') == Some(&file.path),
        None => false,
    });
    match &file.place {
        Some(place) if own == Some(false) => format!("{path} (from {})", plain(place)),
        _ => path.into_owned(),
    }
}

fn of_row(row: &Row) -> Value {
    let problems: Vec<Value> = row
        .problems
        .iter()
        .map(|(code, message)| json!({ "code": code.as_str(), "message": message }))
        .collect();
    let (state, clone, comparison, message) = match &row.source {
        SourceState::None => ("none", None, None, None),
        SourceState::NoCrate => ("no-crate", None, None, None),
        SourceState::Undecided(clone, error) => ("undecided", Some(clone), None, Some(error.to_string())),
        SourceState::Compared(clone, comparison) => (
            "compared",
            Some(clone),
            Some(of_comparison(comparison, clone.as_str())),
            None,
        ),
    };
    json!({
        "purl": row.purl.as_str(),
        "outcome": row.outcome().as_str(),
        "problems": problems,
        "source": state,
        "repository": clone.map(|clone| clone.as_str()),
        "message": message,
        "comparison": comparison,
    })
}

fn of_comparison(comparison: &Comparison, repository: &str) -> Value {
    let hex = |digest: Option<[u8; 32]>| digest.map(|digest| to_hex(&digest));
    let files: Vec<Value> = comparison
        .files
        .iter()
        .map(|file| {
            json!({
                "path": file.path,
                "class": file.class.as_str(),
                "published_sha256": hex(file.published),
                "source_sha256": hex(file.source),
                "source": file.place,
                "changes": file.changes,
            })
        })
        .collect();
    let findings: Vec<Value> = comparison
        .findings
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code.as_str(),
                "severity": finding.severity.as_str(),
                "message": finding.message,
                "subject": finding.subject,
                "hint": finding.hint,
            })
        })
        .collect();
    json!({
        "format": 1,
        "outcome": comparison.outcome().as_str(),
        "package": comparison.package,
        "sha256": to_hex(&comparison.sha256),
        "repository": repository,
        "commit": comparison.commit,
        "directory": comparison.directory,
        "content_sha256": to_hex(&comparison.content),
        "source_content_sha256": hex(comparison.source_content),
        "files": files,
        "findings": findings,
    })
}

fn render(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    format!("{}\n", escape::json(&text))
}
