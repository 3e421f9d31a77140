//! What stands against the artifacts, a line for each: for messages of other programs that show ours.

use intoto_core::verdict::Severity;

use super::findings::{Told, place};
use crate::verification::Report;

/// The findings that keep the report from being verified, the gravest first: code, place (step, list, rule, artifact), reason and hint.
/// The reasons are foreign text and are not escaped yet.
pub fn reasons(report: &Report) -> Vec<String> {
    let grave = Told::verdict(report).rows.into_iter();
    grave
        .filter(|row| row.severity >= Severity::Undecided)
        .map(|row| {
            let place = match (row.location, row.subject) {
                (Some(location), _) => place(location, &row.message),
                (None, Some(subject)) if !row.message.contains(subject) => Some(subject.to_owned()),
                (None, _) => None,
            };
            let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
            let hint = row.hint.map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
            format!("[{}] {place}{}{hint}", row.code, row.message)
        })
        .collect()
}
