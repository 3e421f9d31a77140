//! The step `test`.

use std::ffi::OsString;

use camino::Utf8PathBuf;
use serde_json::json;

use crate::collect::hash;
use crate::error::CliError;
use crate::exec::messages::{Artifact, Messages};
use crate::finding::CargoCode;
use crate::plan::{self, StepPlan};
use crate::recording::cargo_run::{self, Listener};
use crate::recording::test_counts::{Counter, Counts};
use crate::recording::units::Units;
use crate::recording::{Artifacts, Context, Observed, Step, environment, inputs, own_harness};
use crate::ui;

/// Longer lines are no summary and no heading, whatever the tests print.
const LONGEST_LINE: usize = 4096;

/// `cargo test`, reusing what this run compiled and nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub struct Test;

impl Step for Test {
    fn name(&self) -> &str {
        "test"
    }

    fn plan(&self, context: &Context<'_>) -> Result<StepPlan, CliError> {
        plan::test(
            &context.words,
            &context.run.build_directory(),
            &context.run.test_directory(),
        )
    }

    fn perform(&self, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        inputs::check_before(context)?;
        let mut units = Units::load(&context.run)?;
        let directory = context.run.build_directory();
        units.check_unchanged(&directory, &context.hashing())?;
        let observed = run(context, plan, &mut units);
        if observed.is_err() {
            units.remove_others(&directory);
        }
        observed.map(Some)
    }
}

/// Runs the tests and looks at what was compiled for them.
fn run(context: &Context<'_>, plan: &StepPlan, units: &mut Units) -> Result<Observed, CliError> {
    let directory = context.run.build_directory();
    let own = own_harness::find(&context.workspace)?;
    let mut listener = TestRun {
        context,
        merged: !own.is_empty(),
        lines: Vec::new(),
        before: None,
    };
    let plan = if listener.merged { speaking(plan) } else { plan.clone() };
    let messages = cargo_run::with_messages(context, &plan, &mut listener)?;
    let TestRun { lines, before, .. } = listener;
    units.check_fresh(&messages.artifacts, &directory, &context.hashing())?;
    let executables = executables(context, &messages)?;
    if before.transpose()?.is_some_and(|before| before != executables) {
        return Err(CliError::refused(
            CargoCode::ProductChanged,
            "the test executables changed while the tests ran",
        ));
    }
    let mut counter = Counter::new(own.is_empty());
    for executable in &executables {
        counter.expect(
            executable.path.file_name().unwrap_or_default(),
            !executable.has_own_harness(context, &own),
        );
    }
    lines.iter().for_each(|line| counter.take(line));
    let counts = counter.counts();
    if counts.passed == 0 {
        return Err(none_ran(counts));
    }
    let mut products = Artifacts::default();
    for executable in &executables {
        products.insert(&executable.name_in_link(), executable.sha256)?;
    }
    let inputs = inputs::collect(context, &messages)?;
    units.remember(&directory, &context.hashing())?;
    units.store(&context.run)?;
    let mut byproducts = inputs.byproducts(context, &messages);
    byproducts.insert(
        "tests".to_owned(),
        json!({ "passed": counts.passed, "ignored": counts.ignored, "filtered-out": counts.filtered_out }),
    );
    Ok(Observed {
        byproducts,
        materials: inputs.materials,
        products,
        environment: environment::of_compiling(context, "test"),
        documents: Vec::new(),
    })
}

/// Reads along while the tests run.
struct TestRun<'a> {
    context: &'a Context<'a>,
    merged: bool,
    lines: Vec<Vec<u8>>,
    /// The executables as they were before the first of them started.
    before: Option<Result<Vec<Executable>, CliError>>,
}

impl Listener for TestRun<'_> {
    fn wants_both_streams(&self) -> bool {
        self.merged
    }

    fn finished(&mut self, messages: &Messages) {
        self.before = Some(executables(self.context, messages));
    }

    fn text(&mut self, line: &[u8]) {
        let contains = |part: &[u8]| line.windows(part.len()).any(|window| window == part);
        if line.len() < LONGEST_LINE && (contains(b"test result: ") || contains(b"Running") || contains(b"Doc-tests "))
        {
            self.lines.push(line.to_vec());
        }
        if self.merged {
            // Nobody is left to tell when stderr itself is gone.
            ui::pass_on_as_noise(line);
        } else {
            cargo_run::pass_on(line);
        }
    }
}

/// The plan for a run whose two streams are read as one: cargo must announce each program, and colour as if nobody listened.
fn speaking(plan: &StepPlan) -> StepPlan {
    let mut plan = plan.clone();
    plan.environment.push(("CARGO_TERM_QUIET", OsString::from("false")));
    if ui::colors_noise() {
        plan.environment.push(("CARGO_TERM_COLOR", OsString::from("always")));
    }
    plan
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
    .hint("write a test (one in the documentation counts); for a crate that is to have none, delete the test step from layouts/release.toml, run `cargo intoto layout sign` and commit")
}

/// A test program of a workspace member.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Executable {
    package: String,
    kind: &'static str,
    target: String,
    path: Utf8PathBuf,
    sha256: [u8; 32],
}

impl Executable {
    /// A name of its own: the program lies in the build directory, with a hash in its name.
    fn name_in_link(&self) -> String {
        format!("target/tests/{}/{}-{}", self.package, self.kind, self.target)
    }

    fn has_own_harness(&self, context: &Context<'_>, own: &[own_harness::OwnHarness]) -> bool {
        context
            .workspace
            .member(&self.package)
            .is_some_and(|member| own.iter().any(|own| own.is(member, self.kind, &self.target)))
    }
}

fn executables(context: &Context<'_>, messages: &Messages) -> Result<Vec<Executable>, CliError> {
    let mut found = Vec::new();
    for artifact in messages.artifacts.iter().filter(|artifact| artifact.profile.test) {
        let member = context
            .workspace
            .members
            .iter()
            .find(|member| member.package.id == artifact.package_id.repr);
        let (Some(path), Some(member)) = (&artifact.executable, member) else {
            continue;
        };
        if !path.is_file() {
            return Err(CliError::refused(
                CargoCode::ProductMissing,
                format!("cargo announced {}, which is not there", context.naming.artifact(path)),
            ));
        }
        found.push(Executable {
            package: member.name().to_owned(),
            kind: kind(artifact),
            target: artifact.target.name.clone(),
            path: path.clone(),
            sha256: hash::file(path, None, &context.hashing())?.sha256,
        });
    }
    Ok(found)
}

/// What kind of target a test program was made from.
fn kind(artifact: &Artifact) -> &'static str {
    let is = |kind: &str| artifact.target.kind.iter().any(|own| own.to_string() == kind);
    ["bin", "test", "example", "bench"]
        .into_iter()
        .find(|kind| is(kind))
        .unwrap_or("lib")
}
