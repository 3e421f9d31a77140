//! From evidence that was verified to a bundle of it: what counted goes in, and the bundle is verified before anybody gets it.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::key::KeyIdStyle;
use intoto_core::layout::Parameters;
use intoto_core::limits::Limits;
use intoto_core::verdict::{LinkState, Outcome, Verdict};
use intoto_core::verify::CommandDifference;
use intoto_core::x509::Certificate;

use crate::error::CliError;
use crate::finding::CargoCode;
use crate::foreign::Unread;
use crate::report;
use crate::signing::{parse_certificates, public_key_text};
use crate::store::bundle::{BundleError, Draft, Role, SUFFIX, Subject};
use crate::store::{Bundle, BundleLinks, LinkSource};
use crate::verification::{self, Artifact, Commands, Owner, ReferenceTime, Report, Request};

mod byproducts;
mod statements;

pub use byproducts::{of_run, of_verdict};
pub use statements::{check_statement, statements_of_run};

/// What a bundle is made of, beside its artifacts.
#[derive(Debug)]
pub struct Ingredients {
    /// The layout's file name, and its bytes.
    pub layout: (String, Vec<u8>),
    /// Where the links are.
    pub links: Arc<dyn LinkSource>,
    /// Certificate files: name and text.
    pub certificates: Vec<(String, String)>,
    /// Statements that are no evidence of a step: name and bytes.
    pub statements: Vec<(String, Vec<u8>)>,
    /// Files that links name as products: the product's name and bytes.
    pub byproducts: Vec<(String, Vec<u8>)>,
    /// As for the verification that came first.
    pub parameters: Parameters,
    /// As for the verification that came first.
    pub command_difference: CommandDifference,
    /// As for the verification that came first.
    pub commands: Commands,
}

/// The bytes of a bundle about `artifacts`, which `report` has found verified. `stem` is the name without suffix.
///
/// The same evidence gives the same bytes, on any machine and at any time: the verdict in a bundle does not say when it was made,
/// unless the time was stated.
///
/// # Errors
/// When a link cannot be read any more, or the bundle does not verify by itself.
pub fn make(
    ingredients: &Ingredients,
    report: &Report,
    artifacts: &[Artifact],
    subjects: Vec<Subject>,
    stem: &str,
) -> Result<Vec<u8>, CliError> {
    if report.outcome() != Outcome::Verified {
        return Err(CliError::cannot_decide("evidence that does not verify is not bundled"));
    }
    let unpacked = |error: BundleError| {
        let code = error.code();
        let failed = CliError::cannot_decide(format!("failed to bundle the evidence of {stem}"))
            .with_code(code)
            .because(error);
        match code {
            CargoCode::BundleEntryName | CargoCode::BundleEntryDuplicate => {
                failed.hint("call the step or the file something else: names in a bundle mean one file on every system")
            }
            _ => failed,
        }
    };
    let mut draft = Draft {
        top: format!("{stem}{}", SUFFIX.trim_end_matches(".tar")),
        subjects,
        files: files(ingredients, report)?,
        verdict: None,
    };
    let bundle = Bundle::parse(Utf8Path::new(stem), draft.pack().map_err(unpacked)?).map_err(unpacked)?;
    let verdict = judge(ingredients, report, artifacts, bundle)?;
    draft.verdict = Some(report::bundled::render(&verdict).into_bytes());
    draft.pack().map_err(unpacked)
}

/// What a bundle of this artifact is called, without suffix: `NAME-VERSION` of a crate, or the name of a program.
pub fn stem(artifact: &Artifact) -> &str {
    artifact.stem().unwrap_or(&artifact.name)
}

/// The file name of a bundle.
pub fn file_name(stem: &str) -> String {
    format!("{stem}{SUFFIX}")
}

fn files(ingredients: &Ingredients, report: &Report) -> Result<Vec<(Role, String, Vec<u8>)>, CliError> {
    let (name, layout) = &ingredients.layout;
    let mut files = vec![(Role::Layout, name.clone(), layout.clone())];
    for (name, bytes) in links(&report.verdict, &*ingredients.links)? {
        files.push((Role::Link, name, bytes));
    }
    for (name, bytes) in &report.identities.beside {
        files.push((Role::Signature, name.clone(), bytes.clone()));
    }
    for owner in &report.owners {
        files.push((Role::Key, key_name(owner), public_key_text(&owner.key).into_bytes()));
    }
    let certificates = ingredients.certificates.iter();
    files.extend(certificates.map(|(name, text)| (Role::Certificate, name.clone(), text.clone().into_bytes())));
    let statements = ingredients.statements.iter();
    files.extend(statements.map(|(name, bytes)| (Role::Statement, name.clone(), bytes.clone())));
    let byproducts = ingredients.byproducts.iter();
    files.extend(byproducts.map(|(name, bytes)| (Role::Byproduct, name.clone(), bytes.clone())));
    Ok(files)
}

/// The link files that counted, those of sublayouts below their directories. What did not count is nobody's evidence.
fn links(verdict: &Verdict, source: &dyn LinkSource) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let limits = Limits::default();
    let mut links = Vec::new();
    for layer in verdict.layers() {
        let directories: Vec<&str> = layer.path.iter().map(String::as_str).collect();
        let admitted = layer.steps.iter().flat_map(|step| &step.links);
        for link in admitted.filter(|link| matches!(link.state, LinkState::Admitted)) {
            let name = [&directories[..], &[link.file.as_str()]].concat().join("/");
            if links.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let bytes = source
                .read(&directories, &link.file, limits.json_bytes)
                .map_err(|unread: Unread| unread.about(format_args!("the link {name}")))?;
            links.push((name, bytes));
        }
    }
    Ok(links)
}

fn key_name(owner: &Owner) -> String {
    format!("{}.pub", owner.key.key_id(KeyIdStyle::Legacy).short())
}

/// Verifies the bundle by itself, as whoever gets it does, with names that are the same for everybody.
fn judge(
    ingredients: &Ingredients,
    report: &Report,
    artifacts: &[Artifact],
    bundle: Bundle,
) -> Result<Report, CliError> {
    let mut owners: Vec<Owner> = report
        .owners
        .iter()
        .map(|owner| Owner {
            label: format!("{}/{}", Role::Key.directory(), key_name(owner)),
            key: owner.key.clone(),
            file: None,
        })
        .collect();
    owners.sort_by(|first, second| first.label.cmp(&second.label));
    let mut intermediates: Vec<Certificate> = Vec::new();
    for (name, text) in &ingredients.certificates {
        let read = parse_certificates(text);
        intermediates.extend(read.map_err(|error| {
            CliError::cannot_decide(format!("failed to read the certificate {name}")).because(error)
        })?);
    }
    let (name, layout) = bundle.layout();
    let request = Request {
        layout_name: format!("{}/{name}", Role::Layout.directory()),
        layout: layout.to_vec(),
        owners,
        identities: report.identities.clone(),
        links: Arc::new(BundleLinks::new(Arc::new(bundle))),
        bundle: None,
        intermediates,
        artifacts: artifacts.to_vec(),
        time: report.time,
        signed_before: report.signed_before,
        parameters: ingredients.parameters.clone(),
        command_difference: ingredients.command_difference,
        commands: ingredients.commands,
        findings: Vec::new(),
    };
    let judged = verification::verify(request)?;
    if judged.outcome() == Outcome::Verified {
        return Ok(judged);
    }
    let because: Vec<String> = judged.verdict.findings().iter().map(ToString::to_string).collect();
    Err(CliError::cannot_decide("the bundle does not verify by itself, and is not made").because(because.join("; ")))
}

/// Whether the verdict in a bundle says at which time it was made.
pub fn says_when(time: ReferenceTime) -> bool {
    matches!(time, ReferenceTime::Stated(_))
}

/// Where a bundle of this artifact is put unless the user says so: beside it.
pub fn beside(artifact: &Artifact) -> Utf8PathBuf {
    artifact.path.with_file_name(file_name(stem(artifact)))
}
