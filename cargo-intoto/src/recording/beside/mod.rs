//! Tools beside cargo that judge the workspace: cargo-deny, cargo-audit, cargo-vet. One file per tool, and what they share here.
//!
//! ```text
//! tool found, by digest -> what it may fetch -> inputs -> the tool -> its answer, read strictly -> inputs again -> Observation
//! ```
//! A link is made only of a "yes" that was understood: a "no" ends with the tool's own exit code, and anything else, such as an answer
//! that contradicts the exit code, decides nothing.

mod answer;
mod audit;
mod auditable;
mod bom;
mod deny;
mod program;
mod sbom;
mod vet;

use std::ffi::OsString;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use crate::collect::advisory_db::AdvisoryDb;
use crate::collect::dependencies::{self, Selection};
use crate::collect::hash::{self, hex};
use crate::error::{CliError, ErrorKind};
use crate::exec::captured::Captured;
use crate::finding::CargoCode;
use crate::plan::{REPORTS, StepPlan};
use crate::recording::{Artifacts, Context, Document, Observed, cargo_run};
use crate::ui::count;
use crate::workspace::Source;

pub use audit::Audit;
pub use auditable::Auditable;
pub use deny::Deny;
pub use sbom::Sbom;
pub use vet::Vet;

use answer::Answer;
use program::Program;

/// As many complaints of a tool are shown one by one.
const SHOWN: usize = 20;
/// Files that decide what cargo tells a tool about the workspace, beside the manifests.
const SETTINGS: &[&str] = &["Cargo.lock", "Cargo.toml", ".cargo/config", ".cargo/config.toml"];

/// A tool that judges the workspace.
trait Judge {
    /// The program, `cargo-…`.
    fn program(&self) -> &'static str;

    /// What fetches what it needs from the network, unless the user has it already.
    fn fetch(&self, context: &Context<'_>) -> Result<Option<Vec<OsString>>, CliError>;

    /// What it reads of the workspace.
    fn inputs(&self, context: &Context<'_>) -> Result<Inputs, CliError>;

    /// What it said.
    fn read(&self, context: &Context<'_>, said: &Captured) -> Result<Answer, CliError>;
}

/// What a tool reads of the workspace.
#[derive(Debug, Default)]
struct Inputs {
    /// Its own settings and the like.
    files: Vec<Utf8PathBuf>,
    /// Whether it asks cargo about the packages, or reads files of theirs.
    packages: bool,
}

/// Runs a tool and understands its answer.
fn perform(judge: &dyn Judge, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError> {
    let program = Program::find(judge.program(), context)?;
    if let Some(arguments) = judge.fetch(context)? {
        context.ui.status("Fetching", format!("what {} needs", program.name()));
        program.fetch(context, &arguments)?;
    }
    let mut materials = read_inputs(&judge.inputs(context)?, context)?;
    let said = program.run(context, &plan.arguments)?;
    cargo_run::refuse_left_running(&said.ended, &plan.step)?;
    let answer = judge.read(context, &said)?;
    if !answer.complaints.is_empty() || answer.failed {
        return Err(failed(context, &program, &answer, said.ended.code()));
    }
    if read_inputs(&judge.inputs(context)?, context)? != materials {
        return Err(changed(&program));
    }
    let mut byproducts = answer.byproducts;
    byproducts.insert("exit-code".to_owned(), json!(said.ended.code()));
    if !answer.databases.is_empty() {
        let databases = read_databases(context, &answer.databases, &mut materials)?;
        byproducts.insert("advisory-databases".to_owned(), databases);
    }
    let document = Document {
        name: answer.report,
        bytes: answer.document,
    };
    let mut products = Artifacts::default();
    products.insert(&format!("{REPORTS}/{}", document.name), document.sha256())?;
    context
        .ui
        .status("Passed", format!("{}: {}", program.name(), answer.verdict));
    Ok(Some(Observed {
        materials,
        products,
        byproducts,
        environment: Map::from_iter([("tool".to_owned(), program.describe(context))]),
        documents: vec![document],
    }))
}

/// Everything that a tool reads of the workspace, as it is now.
fn read_inputs(inputs: &Inputs, context: &Context<'_>) -> Result<Artifacts, CliError> {
    let workspace = &context.workspace;
    let mut files: Vec<Utf8PathBuf> = SETTINGS
        .iter()
        .map(|name| workspace.root.join(name))
        .filter(|path| path.is_file())
        .collect();
    if inputs.packages {
        let paths = workspace
            .packages
            .iter()
            .filter(|package| package.source == Source::Path);
        files.extend(paths.map(|package| package.manifest_path.clone()));
    }
    files.extend(inputs.files.iter().cloned());
    files.sort();
    files.dedup();
    let mut artifacts = Artifacts::default();
    for path in files {
        artifacts.insert(
            &context.naming.artifact(&path),
            hash::file(&path, None, &context.hashing())?.sha256,
        )?;
    }
    if inputs.packages {
        // Cargo tells what the manifests in its cache say, and licences are read there, too.
        let mut report = dependencies::check(workspace, Selection::All, &context.checking())?;
        report.take_vendored_as_source();
        report.require_sound()?;
        for (purl, digest) in report.established() {
            artifacts.insert_set(purl.as_str(), digest.clone())?;
        }
    }
    Ok(artifacts)
}

fn changed(program: &Program) -> CliError {
    CliError::refused(
        CargoCode::SourceChangedDuringStep,
        format!("what {} looked at changed while it ran", program.name()),
    )
    .hint("run the step again when nothing else works in the tree or in cargo's cache")
}

/// Adds the databases to the materials, by commit and content, and describes them.
fn read_databases(
    context: &Context<'_>,
    directories: &[Utf8PathBuf],
    materials: &mut Artifacts,
) -> Result<Value, CliError> {
    let mut described = Vec::new();
    for directory in directories {
        let database = AdvisoryDb::read(directory, &context.hashing())?;
        materials.insert(&database.purl(), database.content)?;
        described.push(json!({
            "commit": database.commit,
            "content": hex(&database.content),
            "files": database.files,
        }));
    }
    Ok(Value::Array(described))
}

/// The tool has said no, in its own words, and its exit code is handed on.
fn failed(context: &Context<'_>, program: &Program, answer: &Answer, code: u8) -> CliError {
    for complaint in answer.complaints.iter().take(SHOWN) {
        context.ui.refusal("Failed", complaint);
    }
    if let Some(more) = answer.complaints.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        context.ui.refusal("…", format!("and {more} more"));
    }
    CliError::new(
        ErrorKind::Child(code),
        format!(
            "{} refuses this workspace ({}, exit code {code}), so nothing was signed",
            program.name(),
            answer.verdict
        ),
    )
    .with_code(CargoCode::CheckFailed)
}

/// A path that the user gave, or that a tool named, by the directory in which it runs.
fn below_root(context: &Context<'_>, path: &Utf8Path) -> Utf8PathBuf {
    context.workspace.root.join(path)
}

/// How many of these there are, in words.
fn complaints(number: usize) -> String {
    count(number, "complaint")
}
