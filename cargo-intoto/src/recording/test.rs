//! The step `test`.

use std::io::Write;

use camino::Utf8PathBuf;
use serde_json::{Map, Value, json};

use crate::collect::hash;
use crate::collect::units::Units;
use crate::error::CliError;
use crate::exec::messages::{Artifact, Messages};
use crate::finding::CargoCode;
use crate::plan::{self, StepPlan};
use crate::recording::test_counts::{Counter, Counts};
use crate::recording::{Artifacts, Context, Observed, Step, cargo_run, environment, inputs};
use crate::workspace::Member;

/// `cargo test`, reusing what this run compiled and nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub struct Test;

impl Step for Test {
    fn name(&self) -> &str {
        "test"
    }

    fn plan(&self, context: &Context<'_>) -> Result<StepPlan, CliError> {
        plan::test(&context.words, &context.run.build_directory())
    }

    fn perform(&self, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        inputs::check_before(context)?;
        let mut units = Units::load(&context.run)?;
        units.check_unchanged(&context.run.build_directory(), &context.hashing())?;
        let own_harnesses = own_harnesses(context)?;
        let mut lines = Vec::new();
        let merged = !own_harnesses.is_empty();
        let messages = cargo_run::with_messages(context, plan, merged, &mut |line| {
            // Summaries and headings are short; what the tests print beside them may be anything of any size.
            if line.len() < 4096 && is_of_interest(line) {
                lines.push(line.to_vec());
            }
            if merged {
                let _ = std::io::stderr().lock().write_all(line);
            } else {
                cargo_run::pass_on(line);
            }
        })?;
        units.take(&messages.artifacts, &context.hashing())?;
        let mut counter = Counter::new();
        let products = products(context, &messages, &own_harnesses, &mut counter)?;
        for line in &lines {
            counter.take(line);
        }
        let counts = counter.counts();
        if counts.passed == 0 {
            return Err(none_ran(counts));
        }
        let inputs = inputs::collect(context, &messages)?;
        units.store(&context.run)?;
        let mut byproducts: Map<String, Value> = inputs.byproducts(context, &messages);
        byproducts.insert(
            "tests".to_owned(),
            json!({ "passed": counts.passed, "ignored": counts.ignored, "filtered-out": counts.filtered_out }),
        );
        Ok(Some(Observed {
            byproducts,
            materials: inputs.materials,
            products,
            environment: environment::of_compiling(context, "test"),
        }))
    }
}

fn none_ran(counts: Counts) -> CliError {
    let left_out = match (counts.ignored, counts.filtered_out) {
        (0, 0) => String::new(),
        (ignored, filtered) => format!(" ({ignored} are ignored, {filtered} filtered out)"),
    };
    CliError::refused(
        CargoCode::NoTestsRan,
        format!("no test ran{left_out}, so `test` shows nothing"),
    )
    .hint(
        "a layout without a test step needs no such link; `cargo intoto layout derive --help` says how to leave it out",
    )
}

fn is_of_interest(line: &[u8]) -> bool {
    let contains = |part: &[u8]| line.windows(part.len()).any(|window| window == part);
    contains(b"test result: ") || contains(b"Running") || contains(b"Doc-tests ")
}

/// The test executables of workspace members, under names of their own: they lie in the build directory with a hash.
fn products(
    context: &Context<'_>,
    messages: &Messages,
    own_harnesses: &[OwnHarness],
    counter: &mut Counter,
) -> Result<Artifacts, CliError> {
    let mut products = Artifacts::default();
    for artifact in messages.artifacts.iter().filter(|artifact| artifact.profile.test) {
        let Some(executable) = &artifact.executable else {
            continue;
        };
        let Some(member) = context
            .workspace
            .members
            .iter()
            .find(|member| member.package.id == artifact.package_id.repr)
        else {
            continue;
        };
        let kind = kind(artifact);
        let has_own = own_harnesses.iter().any(|own| own.fits(member, kind, artifact));
        counter.expect(executable.file_name().unwrap_or_default(), !has_own);
        if !executable.is_file() {
            return Err(CliError::refused(
                CargoCode::ProductMissing,
                format!(
                    "cargo announced {}, which is not there",
                    context.naming.artifact(executable)
                ),
            ));
        }
        let name = format!("target/tests/{}/{kind}-{}", member.name(), artifact.target.name);
        products.insert(&name, hash::file(executable, None, &context.hashing())?.sha256)?;
    }
    Ok(products)
}

/// What kind of target a test executable was made from.
fn kind(artifact: &Artifact) -> &'static str {
    let is = |kind: &str| artifact.target.kind.iter().any(|own| own.to_string() == kind);
    ["bin", "test", "example", "bench"]
        .into_iter()
        .find(|kind| is(kind))
        .unwrap_or("lib")
}

/// A target that says `harness = false`; cargo's metadata does not, so the manifest is asked.
#[derive(Debug, PartialEq, Eq)]
struct OwnHarness {
    manifest: Utf8PathBuf,
    kind: &'static str,
    /// The target's name; the library's when there is none.
    name: Option<String>,
}

impl OwnHarness {
    fn fits(&self, member: &Member, kind: &str, artifact: &Artifact) -> bool {
        self.manifest == member.package.manifest_path
            && self.kind == kind
            && self.name.as_ref().is_none_or(|name| *name == artifact.target.name)
    }
}

fn own_harnesses(context: &Context<'_>) -> Result<Vec<OwnHarness>, CliError> {
    let mut found = Vec::new();
    for member in &context.workspace.members {
        let path = &member.package.manifest_path;
        let text = std::fs::read_to_string(path)
            .map_err(|error| CliError::failure(format!("failed to read {path}")).because(error))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            CliError::cannot_decide(format!("failed to parse {path}")).because(error)
        })?;
        let is_own = |target: &toml::Value| target.get("harness").and_then(toml::Value::as_bool) == Some(false);
        for kind in ["lib", "bin", "test", "example", "bench"] {
            let targets: Vec<&toml::Value> = match table.get(kind) {
                Some(toml::Value::Array(targets)) => targets.iter().collect(),
                Some(target) => vec![target],
                None => Vec::new(),
            };
            for target in targets.into_iter().filter(|target| is_own(target)) {
                let name = target.get("name").and_then(toml::Value::as_str).map(str::to_owned);
                // A library's name may come from the package; there is only one.
                let name = if kind == "lib" { None } else { name };
                found.push(OwnHarness {
                    manifest: path.clone(),
                    kind,
                    name,
                });
            }
        }
    }
    Ok(found)
}
