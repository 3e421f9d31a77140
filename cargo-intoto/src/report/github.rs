//! Workflow commands of GitHub Actions: an annotation per finding, the verdict first, and the report for people folded below.
//!
//! The runner obeys every line that begins with `::`, and `##[` anywhere in one. So nothing foreign begins a line, and what is
//! foreign in a command is encoded as the runner decodes it.

use std::borrow::Cow;
use std::fmt::Write;

use intoto_core::verdict::Severity;

use super::findings::{Row, Told, in_repository, place};
use super::human;
use crate::escape::plain;
use crate::exit::Exit;
use crate::ui::Verbosity;

/// Renders what is told. The verdict comes first, because only the first ten annotations of a kind are shown.
pub(super) fn render(told: &Told<'_>, verbosity: Verbosity) -> String {
    let mut text = String::new();
    let is_good = told.exit == Exit::Success;
    if !is_good || verbosity > Verbosity::Quiet {
        let level = if is_good { "notice" } else { "error" };
        command(&mut text, level, &[("title", "cargo-intoto")], &told.line());
    }
    for row in &told.rows {
        if verbosity > Verbosity::Quiet || row.severity >= Severity::Undecided {
            annotation(&mut text, told, row);
        }
    }
    if let Some(report) = told.report.filter(|_| verbosity > Verbosity::Quiet) {
        text.push_str("::group::cargo-intoto: every step and rule\n");
        for line in human::render(report, verbosity).lines() {
            text.push_str(&harmless(line));
            text.push('\n');
        }
        text.push_str("::endgroup::\n");
    }
    text
}

fn annotation(text: &mut String, told: &Told<'_>, row: &Row<'_>) {
    let level = match row.severity {
        Severity::Refusal | Severity::Undecided => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let title = format!("cargo-intoto: {}", row.code);
    let file = told.file(row).map(|file| in_repository(&file));
    let mut properties = vec![("title", title.as_str())];
    properties.extend(file.as_deref().map(|file| ("file", file)));
    let mut message = String::new();
    if let Some(place) = row.location.and_then(|location| place(location, &row.message)) {
        message.push_str(&place);
        message.push_str(": ");
    }
    message.push_str(&plain(&row.message));
    if let Some(hint) = row.hint {
        message.push_str("\nhint: ");
        message.push_str(&plain(hint));
    }
    command(text, level, &properties, &message);
}

fn command(text: &mut String, name: &str, properties: &[(&str, &str)], message: &str) {
    let properties: Vec<String> = properties
        .iter()
        .map(|(name, value)| format!("{name}={}", of_property(&plain(value))))
        .collect();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "::{name} {}::{}", properties.join(","), of_message(message));
}

/// What follows the command.
fn of_message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property, which ends at a colon or a comma.
fn of_property(text: &str) -> String {
    of_message(text).replace(':', "%3A").replace(',', "%2C")
}

/// A line that is shown and not obeyed.
fn harmless(line: &str) -> Cow<'_, str> {
    let start = line.len() - line.trim_start().len();
    if line[start..].starts_with("::") {
        return Cow::Owned(format!("{}\\u{{3a}}{}", &line[..start], &line[start + 1..]));
    }
    Cow::Borrowed(line)
}

#[cfg(test)]
mod tests {
    use super::{command, harmless};

    #[test]
    fn nothing_ends_a_command_early() {
        for (file, message, expected) in [
            ("a.link", "fine", "::error file=a.link::fine\n"),
            ("a,b:c%", "50%\nhint: x", "::error file=a%2Cb%3Ac%25::50%25%0Ahint: x\n"),
            (
                "a\n::error::b",
                "x\r\ny",
                "::error file=a\\n%3A%3Aerror%3A%3Ab::x%0D%0Ay\n",
            ),
            (
                "%0A::add-mask::x",
                "%0A",
                "::error file=%250A%3A%3Aadd-mask%3A%3Ax::%250A\n",
            ),
            ("##[group]", "", "::error file=#\\u{23}[group]::\n"),
        ] {
            let mut text = String::new();
            command(&mut text, "error", &[("file", file)], message);
            assert_eq!(text, expected, "{file:?} {message:?}");
        }
    }

    #[test]
    fn no_line_of_the_report_is_a_command() {
        for (line, shown) in [
            ("   Verifying x", "   Verifying x"),
            ("::error::x", "\\u{3a}:error::x"),
            ("      ::stop-commands::x", "      \\u{3a}:stop-commands::x"),
            ("", ""),
        ] {
            assert_eq!(harmless(line), shown);
        }
    }
}
