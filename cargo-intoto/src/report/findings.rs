//! What every format says: the findings of the core and of this program in one form, and the verdict around them, or the error that
//! stands in a verdict's place.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::error::Error as _;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::time::Timestamp;
use intoto_core::verdict::{Location, Outcome, Severity};

use crate::error::CliError;
use crate::escape::plain;
use crate::exit::Exit;
use crate::ui::count;
use crate::verification::{ReferenceTime, Report};

/// The code of a row that says no more than that something was not verified, where nothing better says so.
const NOT_VERIFIED: &str = "not-verified";

/// One finding, whoever made it.
pub(super) struct Row<'a> {
    pub(super) code: &'static str,
    /// The class of error that the reference implementation reports in this situation.
    pub(super) reference_class: Option<&'static str>,
    pub(super) severity: Severity,
    pub(super) message: Cow<'a, str>,
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
        message: finding.message.as_str().into(),
        hint: finding.hint.as_deref(),
        location: Some(&finding.location),
        subject: None,
    });
    let of_cargo = report.all_findings().map(|finding| Row {
        code: finding.code.as_str(),
        reference_class: None,
        severity: finding.severity,
        message: finding.message.as_str().into(),
        hint: finding.hint.as_deref(),
        location: None,
        subject: finding.subject.as_deref(),
    });
    let mut rows: Vec<Row<'_>> = of_core.chain(of_cargo).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.severity));
    rows
}

/// What the formats for other programs tell: of a verdict, or of the error in its place, so that what was never judged does not look
/// like what was found to be in order.
pub(super) struct Told<'a> {
    /// The report, if there is a verdict.
    pub(super) report: Option<&'a Report>,
    /// `Verified` only if everything was.
    pub(super) verb: &'static str,
    /// What was to be verified; foreign text.
    pub(super) subject: String,
    /// What came of it, behind the subject; fit to show.
    pub(super) detail: String,
    /// The time that the user stated.
    pub(super) as_of: Option<Timestamp>,
    /// How the program ends.
    pub(super) exit: Exit,
    /// The findings, each once. If nothing was verified, at least one is grave.
    pub(super) rows: Vec<Row<'a>>,
}

impl<'a> Told<'a> {
    /// A verdict.
    pub(super) fn verdict(report: &'a Report) -> Self {
        let mut rows = rows(report);
        let mut seen = BTreeSet::new();
        rows.retain(|row| seen.insert((row.code, row.message.clone().into_owned())));
        let outcome = report.outcome();
        let grave = rows.iter().filter(|row| row.severity >= Severity::Undecided).count();
        if outcome != Outcome::Verified && grave == 0 {
            rows.insert(0, of_nothing(Severity::Undecided));
        }
        Self {
            report: Some(report),
            verb: verb(outcome),
            subject: subject(report),
            detail: match outcome {
                Outcome::Refused => format!(": {}", count(grave, "reason")),
                _ => detail(report),
            },
            as_of: match report.time {
                ReferenceTime::Stated(time) => Some(time),
                ReferenceTime::Now(_) => None,
            },
            exit: report.exit(),
            rows,
        }
    }

    /// An error that came before any verdict.
    pub(super) fn error(error: &'a CliError) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            // As on the terminal: some libraries repeat in a cause what the error said already.
            if !text.is_empty() && !message.ends_with(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = inner.source();
        }
        let refused = error.exit() == Exit::Refused;
        let row = Row {
            code: error.code().map_or(NOT_VERIFIED, |code| code.as_str()),
            message: message.into(),
            hint: error.hints().first().map(String::as_str),
            ..of_nothing(if refused {
                Severity::Refusal
            } else {
                Severity::Undecided
            })
        };
        Self {
            report: None,
            verb: verb(if refused { Outcome::Refused } else { Outcome::Undecided }),
            subject: "nothing".to_owned(),
            detail: ", because there is no verdict".to_owned(),
            as_of: None,
            exit: error.exit(),
            rows: vec![row],
        }
    }

    /// The verdict in one line that obeys nothing.
    pub(super) fn line(&self) -> String {
        let as_of = self.as_of.map(|time| format!(" as of {time}")).unwrap_or_default();
        format!("{} {}{as_of}{}", self.verb, plain(&self.subject), self.detail)
    }

    /// The file that a finding is about.
    pub(super) fn file(&self, row: &Row<'_>) -> Option<Utf8PathBuf> {
        let report = self.report?;
        if let Some(subject) = row.subject {
            let artifact = report.artifacts.iter().find(|artifact| artifact.name == subject);
            return Some(artifact.map_or_else(|| subject.into(), |artifact| artifact.path.clone()));
        }
        if let Some(claims) = &report.bundle {
            return Some(claims.path.clone());
        }
        let layout = || Utf8PathBuf::from(&report.layout_name);
        let Some(location) = row.location else {
            return Some(layout());
        };
        match &location.file {
            Some(file) => {
                let mut path = report.links.clone();
                path.extend(&location.layer);
                path.push(file);
                Some(path)
            }
            None => Some(layout()),
        }
    }
}

/// A row that says no more than that nothing is established.
fn of_nothing(severity: Severity) -> Row<'static> {
    Row {
        code: NOT_VERIFIED,
        reference_class: None,
        severity,
        message: "nothing was verified".into(),
        hint: None,
        location: None,
        subject: None,
    }
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

/// What stands behind the subject in the line of the verdict; fit to show.
pub(super) fn detail(report: &Report) -> String {
    match report.outcome() {
        Outcome::Verified => {
            let labels = report.owners.iter().map(|owner| &owner.label);
            let identities = report.identities.owners.iter().map(|owner| &owner.label);
            let owners: Vec<_> = labels.chain(identities).map(|label| plain(label)).collect();
            format!(
                " by {} and {} of a layout of {}",
                count(report.verdict.steps().len(), "step"),
                count(report.verdict.inspections().len(), "inspection"),
                owners.join(" and ")
            )
        }
        Outcome::Refused => " for the reasons above".to_owned(),
        Outcome::Undecided => ", because something could not be checked".to_owned(),
    }
}

/// Where a finding was made, from the outside in, if it was made somewhere; an artifact that `message` names is not named again.
pub(super) fn place(location: &Location, message: &str) -> Option<String> {
    let mut parts = Vec::new();
    if !location.layer.is_empty() {
        parts.push(format!("sublayout {}", plain(&location.layer.join("/"))));
    }
    if let Some(item) = &location.item {
        parts.push(plain(item).into_owned());
    }
    if let Some(file) = &location.file {
        parts.push(plain(file).into_owned());
    }
    if let Some(list) = location.list {
        let rule = location.rule.map(|rule| format!(" rule {rule}")).unwrap_or_default();
        parts.push(format!("{list}{rule}"));
    }
    if let Some(artifact) = &location.artifact
        && (parts.is_empty() || !message.contains(&format!("`{artifact}`")))
    {
        parts.push(plain(artifact).into_owned());
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// A path as a place in a repository, for the formats that want one: relative, `/` between the parts, no `.`.
pub(super) fn in_repository(path: &Utf8Path) -> String {
    let here = std::env::current_dir().ok();
    let inside = here.and_then(|here| {
        path.as_std_path()
            .strip_prefix(here)
            .ok()
            .map(|path| path.to_path_buf())
    });
    let path = inside
        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
        .unwrap_or_else(|| path.to_owned());
    let parts: Vec<&str> = path
        .components()
        .map(|part| part.as_str())
        .filter(|part| *part != ".")
        .collect();
    let joined = parts.join("/");
    if joined.starts_with("//") {
        joined[1..].to_owned()
    } else {
        joined
    }
}
