//! `cargo xtask ci`: the pipelines that `init --ci` writes, read by linters and run job by job, and attacked between the jobs.

mod action;
mod attacks;
mod author;
mod dist;
mod dist_job;
mod github;
mod gitlab;
mod jenkins;
mod lint;
mod pipeline;
mod read;
mod runner;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tempfile::TempDir;

use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::root::Root;
use crate::tools::Tools;
use crate::{say, tools};
use action::{CompositeAction, check_scripts};
use author::Author;
use lint::{Kind, Linted};
use pipeline::Pipeline;
use runner::{Runner, Service};

/// Everything that the services need from here.
struct World {
    tools: Tools,
    product: Utf8PathBuf,
    /// This repository.
    root: Utf8PathBuf,
    scratch: Utf8PathBuf,
    // Kept for its `Drop`.
    _temporary: TempDir,
}

/// Lints, runs and attacks every pipeline; prints what came of it.
pub(crate) fn run(root: &Root) -> Result<(), Failure> {
    let temporary = TempDir::with_prefix("cargo-intoto-ci-").context("make a temporary directory")?;
    let scratch =
        Utf8Path::from_path(temporary.path()).ok_or_else(|| Failure::new("the temporary directory is not UTF-8"))?;
    let world = World {
        tools: tools::install(root)?,
        product: tools::twin(root)?,
        root: root.path().to_owned(),
        scratch: scratch.canonicalize_utf8().context(format!("resolve {scratch}"))?,
        _temporary: temporary,
    };
    let mut wrong = 0;
    for service in [&github::Github as &dyn Service, &gitlab::Gitlab, &jenkins::Jenkins] {
        wrong += world.service(service)?;
    }
    wrong += dist::run(&world.tools, &world.scratch.join("dist"), &|file| world.yaml(file))?;
    wrong += dist_job::run(&world)?;
    match wrong {
        0 => Ok(()),
        some => Err(Failure::new(format!("{some} rows are not as they should be"))),
    }
}

impl World {
    /// One service: how many rows are wrong.
    fn service(&self, service: &dyn Service) -> Result<usize, Failure> {
        let name = service.name();
        let directory = self.scratch.join(name);
        let author = Author::new(&self.product, name, &directory)?;
        let runs = lint::run(&self.tools, &self.rendered(service, &author, &directory)?, &directory)?;
        let pipeline = self.pipeline(service, &author)?;
        let shellcheck = self.tools.python("shellcheck");
        let dialect = service.shell().first().copied().unwrap_or("sh");
        let scripts = check_scripts((&shellcheck, dialect), pipeline.scripts(), &directory.join("scripts"))?;
        let outcome = format!("content, {} runs", runs + scripts);
        row(name, "linters", "the pipeline as written", &outcome, true);
        let mut runner = Runner::new(&author, service, directory.join("clean"))?;
        let mut wrong = 0;
        for job in &pipeline.jobs {
            wrong += attacks::before(name, &runner, job)?;
            let ended = runner.run(job)?;
            let outcome = match &ended.failed {
                None => format!("done in {:.1} s", ended.seconds),
                Some((step, output)) => {
                    say::status("Output", output);
                    format!("failed at `{step}`")
                }
            };
            row(name, &job.id, "clean", &outcome, ended.failed.is_none());
            if ended.failed.is_some() {
                // Everything after it would fail for the same reason.
                return Ok(wrong + 1);
            }
        }
        wrong += attacks::outcome(name, &runner)?;
        wrong += attacks::leaks(name, &author)?;
        if name == "github" {
            wrong += self.own(&runner)?;
        }
        Ok(wrong)
    }

    fn pipeline(&self, service: &dyn Service, author: &Author) -> Result<Pipeline, Failure> {
        service
            .read(&author.pipeline, &|file| self.yaml(file))
            .map_err(|failure| Failure::new(format!("{}: {failure}", author.pipeline)))
    }

    fn yaml(&self, file: &Utf8Path) -> Result<Value, Failure> {
        let json = Run::new(self.tools.python("python"))
            .arg(self.root.join("tests/ci/yaml_to_json.py"))
            .arg(file)
            .succeed()?;
        serde_json::from_str(&json.stdout).context(format!("read {file}"))
    }

    /// What this repository itself has for GitHub: its workflow, read by linters, and its action, run and attacked.
    fn own(&self, runner: &Runner<'_>) -> Result<usize, Failure> {
        let action = self.root.join("action.yml");
        let files = [
            (self.root.join(".github/workflows/ci.yml"), Kind::Workflow),
            (action.clone(), Kind::Action),
        ];
        let files = files.map(|(file, kind)| Linted { file, kind });
        let runs = lint::run(&self.tools, &files, &self.scratch.join("own"))?;
        let action = CompositeAction::read(&self.yaml(&action)?)?;
        let shellcheck = self.tools.python("shellcheck");
        let scripts = check_scripts((&shellcheck, "bash"), action.scripts(), &self.scratch.join("scripts"))?;
        let outcome = format!("content, {} runs", runs + scripts);
        row(
            "github",
            "linters",
            "this repository's workflow and action",
            &outcome,
            true,
        );
        action.run(&self.root, runner)
    }

    /// The pipeline in every form that it can have.
    fn rendered(&self, service: &dyn Service, author: &Author, directory: &Utf8Path) -> Result<Vec<Linted>, Failure> {
        let name = service.name();
        let usual = author.pipeline.file_name().unwrap_or("pipeline");
        let mut files = vec![author.pipeline.clone()];
        for (number, options) in [
            "--ci-tool path:tools/cargo-intoto",
            "--ci-tool git:https://example.org/cargo-intoto#0123456789012345678901234567890123456789",
        ]
        .into_iter()
        .enumerate()
        {
            // Some linters tell by its place what a file is.
            let file = directory.join(format!("form-{number}/.github/workflows/{usual}"));
            author.write_pipeline(name, &file, options)?;
            files.push(file);
        }
        let file = directory.join(format!("executable/.github/workflows/{usual}"));
        author.write_pipeline_of_executable(name, &file)?;
        files.push(file);
        Ok(files
            .into_iter()
            .map(|file| Linted {
                file,
                kind: service.kind(),
            })
            .collect())
    }
}

/// One row of the table.
fn row(service: &str, job: &str, situation: &str, outcome: &str, is_right: bool) {
    let mark = if is_right { "" } else { "  WRONG" };
    say::row(format!("{service:8} {job:10} {situation:58} {outcome}{mark}"));
}
