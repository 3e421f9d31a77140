//! The report for people, in cargo's manner: right-aligned verbs, and the verdict in the last line.

mod lists;

use std::collections::BTreeSet;
use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use intoto_core::envelope::Container;
use intoto_core::identity::{KeyFacts, TrustedTime};
use intoto_core::key::{KeyIdStyle, PublicKey};
use intoto_core::verdict::{
    Binding, IdentityReport, InspectionReport, InspectionState, LayerReport, LinkState, Outcome, Severity, StepReport,
    SubjectReport,
};

use super::findings::{Row, detail, place, rows, subject, verb};
use super::words;
use crate::escape::{plain, shell};
use crate::explain::{Account, Origin};
use crate::ui::{Verbosity, count};
use crate::verification::claims::Claims;
use crate::verification::{Owner, ReferenceTime, Report};

const GOOD: Style = AnsiColor::BrightGreen.on_default().bold();
const NOTE: Style = AnsiColor::BrightCyan.on_default().bold();
const WARNING: Style = AnsiColor::BrightYellow.on_default().bold();
const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// Where the text behind the verbs starts.
const INDENT: &str = "             ";

/// Renders a report. Quiet: only what stands against it; verbose: every artifact as well.
pub fn render(report: &Report, verbosity: Verbosity) -> String {
    let mut page = Page {
        text: String::new(),
        every_artifact: verbosity == Verbosity::Verbose,
        commit: common_commit(report),
    };
    if verbosity > Verbosity::Quiet {
        page.head(report);
        for layer in report.verdict.layers() {
            page.layer(layer);
        }
        for account in &report.crates {
            page.account(account);
        }
        for artifact in report.verdict.artifacts() {
            page.bindings(artifact);
        }
        if page.every_artifact {
            page.equivalent(report);
        }
    }
    // The two lists of an inspection often say the same, and so have the same against an artifact.
    let mut told = BTreeSet::new();
    for row in rows(report) {
        let is_wanted = verbosity > Verbosity::Quiet || row.severity >= Severity::Undecided;
        if is_wanted && told.insert((row.code, row.message.clone().into_owned())) {
            page.finding(&row, &report.layout_name);
        }
    }
    if verbosity > Verbosity::Quiet || report.outcome() != Outcome::Verified {
        page.verdict(report);
    }
    page.text
}

struct Page {
    text: String,
    every_artifact: bool,
    /// The commit that all links that count agree on.
    commit: Option<String>,
}

/// When a signature existed, and by whose word.
fn times(times: &[TrustedTime]) -> String {
    let times: Vec<String> = times
        .iter()
        .map(|time| format!("{} ({})", time.time, time.source))
        .collect();
    times.join(" and ")
}

/// When a key signed a bundle.
fn witnessed(facts: &KeyFacts) -> String {
    let logged = if facts.is_unlogged { ", in no log" } else { "" };
    format!("signed at {}{logged}", times(&facts.times))
}

impl Page {
    fn line(&mut self, style: Style, verb: &str, text: &str) {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(self.text, "{style}{verb:>12}{style:#} {text}");
    }

    fn more(&mut self, text: &str) {
        let _ = writeln!(self.text, "{INDENT}{text}");
    }

    fn head(&mut self, report: &Report) {
        self.line(
            GOOD,
            "Verifying",
            &format!("{}{}", plain(&subject(report)), as_of(report)),
        );
        let root = report.verdict.layout();
        let container = report
            .container
            .map(|container| format!(" ({})", container_name(container)));
        let expires = root.map(|layer| format!(", valid until {}", layer.expires));
        let name = plain(&report.layout_name);
        let about = format!("{}{}", container.unwrap_or_default(), expires.unwrap_or_default());
        self.line(GOOD, "Layout", &format!("{name}{about}"));
        if let Some(before) = report.signed_before {
            self.more(&format!(
                "of former owners, who are believed for what was signed before {before}"
            ));
        }
        // Only a layout that all of them signed gets as far as a report of its own.
        let signed = if root.is_some() { "signed" } else { "must be signed" };
        for owner in &report.owners {
            let id = owner.key.key_id(KeyIdStyle::Legacy);
            self.more(&format!(
                "{signed} by {} ({} {})",
                plain(&owner.label),
                owner.key.kind(),
                id.short()
            ));
        }
        for owner in &report.identities.owners {
            self.more(&format!(
                "{signed} by {} (identity {})",
                plain(&owner.label),
                owner.identity.key_id().short()
            ));
        }
        for root in report.identities.verifier.roots() {
            self.line(GOOD, "Sigstore", &plain(&words::of_root(&root)));
        }
        if let Some(commit) = &self.commit {
            let commit = plain(commit).into_owned();
            self.line(GOOD, "Commit", &commit);
        }
        if let Some(claims) = &report.bundle {
            self.claims(claims, report);
        }
    }

    /// What a bundle says of itself, so that people see where it differs from what they know.
    fn claims(&mut self, claims: &Claims, report: &Report) {
        let members = count(claims.members, "member");
        let text = format!(
            "{}, {members}; of itself it says, which counts for nothing:",
            plain(claims.path.as_str())
        );
        self.line(NOTE, "Bundle", &text);
        for claimed in &claims.keys {
            let name = plain(&claimed.name);
            self.more(&match &claimed.key {
                None => format!("owner key {name}: it is none"),
                Some(key) => {
                    let id = key.key_id(KeyIdStyle::Legacy);
                    let is_demanded = report.owners.iter().any(|owner| owner.key == *key);
                    let demanded = if is_demanded {
                        "which you trust here"
                    } else {
                        "which you do not trust here"
                    };
                    format!("owner key {name} ({} {}), {demanded}", key.kind(), id.short())
                }
            });
        }
        if let Some(outcome) = &claims.outcome {
            self.more(&format!("verdict of its maker: {}", plain(outcome)));
        }
        for subject in &claims.subjects {
            if !report.artifacts.iter().any(|artifact| artifact.name == subject.name) {
                let name = plain(&subject.name);
                self.more(&format!(
                    "about {name}: nothing was compared, as no such file was given"
                ));
            }
            if let Some(evidence) = &subject.evidence {
                self.more(&format!("found at {}", plain(evidence)));
            }
        }
    }

    fn layer(&mut self, layer: &LayerReport) {
        if !layer.path.is_empty() {
            self.line(GOOD, "Sublayout", &plain(&layer.path.join("/")));
            let signers: Vec<String> = layer
                .signed_by
                .iter()
                .map(|key| format!("{} {}", key.kind, plain(key.key_id.short())))
                .collect();
            self.more(&format!(
                "signed by {}, valid until {}",
                signers.join(" and "),
                layer.expires
            ));
        }
        for step in &layer.steps {
            self.step(step);
        }
        for inspection in &layer.inspections {
            self.inspection(inspection);
        }
    }

    fn step(&mut self, step: &StepReport) {
        let command = if step.command.is_empty() {
            &step.expected_command
        } else {
            &step.command
        };
        let name = plain(step.name.as_str());
        self.line(
            GOOD,
            "Step",
            &format!("{name}, {}{}", signers(step), command_line(command)),
        );
        for link in &step.links {
            let file = plain(&link.file);
            if let (Some(certificate), LinkState::Admitted) = (&link.certificate, &link.state) {
                self.more(&format!(
                    "{file}: certificate of {}, valid until {}, root {}",
                    plain(&certificate.subject),
                    certificate.not_after,
                    plain(certificate.root.short())
                ));
            }
            if let Some(identity) = &link.identity {
                self.identity(&file, identity, &link.state);
            }
            if let (Some(witness), LinkState::Admitted) = (&link.witness, &link.state) {
                self.more(&format!("{file}: {}", witnessed(witness)));
            }
            match (&link.state, &link.commit) {
                (LinkState::Admitted, Some(commit)) if self.commit.as_ref() != Some(commit) => {
                    self.more(&format!("{file}: commit {}", plain(commit)));
                }
                (LinkState::Admitted, None) if self.commit.is_some() => {
                    self.more(&format!("{file}: does not say at which commit"));
                }
                // The commit of all of them stands at the top.
                (LinkState::Admitted, _) => {}
                (LinkState::Absent, _) if self.every_artifact => self.more(&format!("{file}: there is none")),
                (LinkState::Absent, _) => {}
                (LinkState::Refused { code, message }, _) => {
                    self.more(&format!("{file} does not count [{code}]: {}", plain(message)));
                }
                _ => self.more(&format!("{file}: in a state that this version cannot show")),
            }
        }
        self.list(&step.materials);
        self.list(&step.products);
    }

    fn inspection(&mut self, inspection: &InspectionReport) {
        let name = plain(inspection.name.as_str());
        self.line(GOOD, "Inspection", &format!("{name}{}", command_line(&inspection.run)));
        match &inspection.state {
            InspectionState::Done { return_value: 0 } => {}
            InspectionState::Done { return_value } => self.more(&format!("ended with {return_value}")),
            InspectionState::NotRun { reason } => self.more(&format!("not carried out: {}", plain(reason))),
            _ => self.more("in a state that this version cannot show"),
        }
        self.list(&inspection.materials);
        self.list(&inspection.products);
    }

    fn account(&mut self, account: &Account) {
        let package = format!("{}.crate", plain(&account.package));
        if !account.explained {
            return self.line(WARNING, "Crate", &format!("{package}: its files are not accounted for"));
        }
        let kinds = ["source", "normalised", "generated", "unexplained"];
        let parts: Vec<String> = kinds
            .into_iter()
            .map(|kind| (account.count(|origin| origin.as_str() == kind), kind))
            .filter(|(count, _)| *count > 0)
            .map(|(count, kind)| format!("{count} {}{kind}", if kind == "source" { "from " } else { "" }))
            .collect();
        let files = count(account.files.len(), "file");
        self.line(GOOD, "Crate", &format!("{package}: {files}: {}", parts.join(", ")));
        if !self.every_artifact {
            return;
        }
        for file in &account.files {
            let origin = match &file.origin {
                Origin::Source { material } | Origin::Normalised { material, .. } => {
                    format!("{} from {}", file.origin.as_str(), plain(material))
                }
                Origin::Generated | Origin::Unexplained => file.origin.as_str().to_owned(),
            };
            self.more(&format!("  {}  {DIM}{origin}{DIM:#}", plain(&file.path)));
            if let Origin::Normalised { changes, .. } = &file.origin {
                for change in changes {
                    self.more(&format!("      {}", plain(change)));
                }
            }
        }
    }

    fn bindings(&mut self, artifact: &SubjectReport) {
        let name = plain(&artifact.name);
        // The same rule stands, as a rule, in both lists of an inspection; it is told once.
        let mut told = BTreeSet::new();
        for binding in &artifact.bindings {
            let by = match binding {
                Binding::InspectionRule { inspection, text, .. } if self.every_artifact => {
                    format!("inspection {}: {}", plain(inspection.as_str()), plain(text))
                }
                Binding::InspectionRule { inspection, .. } => format!("inspection {}", plain(inspection.as_str())),
                Binding::LastProduct { step, path } => {
                    let step = plain(step.as_str());
                    format!("the last step {step}, as its product {}", plain(path.as_str()))
                }
                _ => "a rule that this version cannot show".to_owned(),
            };
            if told.insert(by.clone()) {
                self.line(GOOD, "Bound", &format!("{name} by {by}"));
            }
        }
    }

    /// Who signed, by which issuer's word and when; or, where it is somebody else, whom the layout expects, and who it was.
    fn identity(&mut self, file: &str, identity: &IdentityReport, state: &LinkState) {
        let Some(found) = &identity.found else { return };
        let times = times(&found.times);
        let skipped: Vec<&str> = found.skipped.iter().map(|check| check.name()).collect();
        let skipped = match skipped.as_slice() {
            [] => String::new(),
            checks => format!(", NOT CHECKED: {}", checks.join(", ")),
        };
        let who = format!("{} of {}", plain(found.subject.as_str()), plain(&found.issuer));
        if matches!(state, LinkState::Admitted) {
            self.more(&format!("{file}: {who}, at {times}{skipped}"));
            return;
        }
        self.more(&format!(
            "{file}: expected {}",
            plain(&words::of_identity(&identity.expected))
        ));
        self.more(&format!("{file}: found    {who}{skipped}"));
    }

    /// The same verification with the reference implementation, run where the artifacts lie.
    fn equivalent(&mut self, report: &Report) {
        let (gpg, owners): (Vec<&Owner>, Vec<&Owner>) = report
            .owners
            .iter()
            .partition(|owner| matches!(owner.key, PublicKey::OpenPgp(_)));
        let keys: Option<Vec<String>> = owners
            .iter()
            .map(|owner| owner.file.as_ref().map(|file| shell(file.as_str()).into_owned()))
            .collect();
        let keys = keys.filter(|keys| !keys.is_empty() || !gpg.is_empty());
        let keys = keys.unwrap_or_else(|| vec!["OWNER.pub".to_owned()]);
        let mut by: Vec<String> = Vec::new();
        if !keys.is_empty() {
            by.push(format!("--verification-keys {}", keys.join(" ")));
        }
        if !gpg.is_empty() {
            let ids: Vec<String> = gpg
                .iter()
                .map(|owner| owner.key.key_id(KeyIdStyle::Python).to_string())
                .collect();
            by.push(format!("--gpg {}", ids.join(" ")));
        }
        let unpack = report
            .bundle
            .as_ref()
            .map(|claims| format!("tar xf {}; ", shell(claims.path.as_str())));
        let links = match &report.bundle {
            Some(claims) => shell(&format!("{}/links", claims.top)).into_owned(),
            None => shell(report.links.as_str()).into_owned(),
        };
        self.line(
            NOTE,
            "Equivalent",
            &format!(
                "{}in-toto-verify --layout {} {} --link-dir {links}",
                unpack.unwrap_or_default(),
                shell(&report.layout_name),
                by.join(" "),
            ),
        );
        if matches!(report.time, ReferenceTime::Stated(_)) {
            self.more("which judges at the time of its clock");
        }
    }

    fn finding(&mut self, row: &Row<'_>, layout: &str) {
        let (style, label) = match row.severity {
            Severity::Refusal => (ERROR, "error"),
            Severity::Undecided => (ERROR, "undecided"),
            Severity::Warning => (WARNING, "warning"),
            Severity::Note => (NOTE, "note"),
        };
        let place = match row.location.map(|location| place(location, &row.message)) {
            // What is nowhere inside of the layout is about the file itself.
            Some(None) => format!("{}: ", plain(layout)),
            Some(Some(place)) => format!("{place}: "),
            None => String::new(),
        };
        let message = plain(&row.message);
        let _ = writeln!(self.text, "{style}{label}[{}]:{style:#} {place}{message}", row.code);
        if let Some(hint) = row.hint {
            let _ = writeln!(self.text, "   {NOTE}hint:{NOTE:#} {}", plain(hint));
        }
    }

    fn verdict(&mut self, report: &Report) {
        let outcome = report.outcome();
        let style = if outcome == Outcome::Verified { GOOD } else { ERROR };
        let text = format!("{}{}{}", plain(&subject(report)), as_of(report), detail(report));
        self.line(style, verb(outcome), &text);
    }
}

fn as_of(report: &Report) -> String {
    match report.time {
        ReferenceTime::Stated(time) => format!(" as of {time}"),
        ReferenceTime::Now(_) => String::new(),
    }
}

fn container_name(container: Container) -> &'static str {
    match container {
        Container::Dsse => "DSSE",
        Container::Metablock => "Metablock",
        _ => "another container",
    }
}

fn command_line(words: &[String]) -> String {
    if words.is_empty() {
        return String::new();
    }
    let words: Vec<_> = words.iter().map(|word| shell(word)).collect();
    format!(": {}", words.join(" "))
}

/// Whose links count for a step.
fn signers(step: &StepReport) -> String {
    let ids: Vec<_> = step
        .links
        .iter()
        .filter(|link| matches!(link.state, LinkState::Admitted))
        .map(|link| plain(link.key_id.short()))
        .collect();
    let threshold = step.threshold;
    match (threshold, ids.as_slice()) {
        (1, [only])
            if step
                .links
                .iter()
                .any(|link| link.identity.is_some() && link.key_id.short() == *only) =>
        {
            format!("by identity {only}")
        }
        (1, [only]) => format!("by key {only}"),
        (1, []) => "by nobody".to_owned(),
        (_, []) => format!("by none of {threshold} keys"),
        (_, several) => format!("by {} of {threshold} keys: {}", step.distinct_keys, several.join(", ")),
    }
}

/// The commit that the links that count were recorded at, if those that name one all name the same.
fn common_commit(report: &Report) -> Option<String> {
    let steps = report.verdict.layers().iter().flat_map(|layer| &layer.steps);
    let commits: BTreeSet<&String> = steps
        .flat_map(|step| &step.links)
        .filter(|link| matches!(link.state, LinkState::Admitted))
        .filter_map(|link| link.commit.as_ref())
        .collect();
    let mut commits = commits.into_iter();
    let first = commits.next()?;
    commits.next().is_none().then(|| first.clone())
}
