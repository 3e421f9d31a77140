//! Findings of the core and of this program in one form.

use intoto_core::verdict::{Location, Outcome, Severity};

use crate::verification::Report;

/// One finding, whoever made it.
pub(super) struct Row<'a> {
    pub(super) code: &'static str,
    /// The class of error that the reference implementation reports in this situation.
    pub(super) reference_class: Option<&'static str>,
    pub(super) severity: Severity,
    pub(super) message: &'a str,
    pub(super) hint: Option<&'a str>,
    pub(super) location: Option<&'a Location>,
    pub(super) subject: Option<&'a str>,
}

/// All findings, the gravest first, and otherwise in the order in which they were made.
pub(super) fn rows(report: &Report) -> Vec<Row<'_>> {
    let of_core = report.verdict.findings().iter().map(|finding| Row {
        code: finding.code.as_str(),
        reference_class: finding.code.reference_class(),
        severity: finding.severity,
        message: &finding.message,
        hint: finding.hint.as_deref(),
        location: Some(&finding.location),
        subject: None,
    });
    let of_cargo = report.all_findings().map(|finding| Row {
        code: finding.code.as_str(),
        reference_class: None,
        severity: finding.severity,
        message: &finding.message,
        hint: finding.hint.as_deref(),
        location: None,
        subject: finding.subject.as_deref(),
    });
    let mut rows: Vec<Row<'_>> = of_core.chain(of_cargo).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.severity));
    rows
}

/// What was verified, for the first and the last line.
pub(super) fn subject(report: &Report) -> String {
    if report.artifacts.is_empty() {
        return "chain only".to_owned();
    }
    let names: Vec<&str> = report.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
    names.join(", ")
}

/// The outcome as the verb of a line.
pub(super) fn verb(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Verified => "Verified",
        Outcome::Refused => "Refused",
        Outcome::Undecided => "Undecided",
    }
}
