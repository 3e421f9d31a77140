//! A CI service in small: each job in a directory of its own, with what it was promised and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::author::Author;
use super::lint::Kind;
use super::pipeline::{Action, Job, Pipeline, Step};
use crate::failure::{Context, Failure};
use crate::interop::write;
use crate::outer::{NO_INSTALL, PASSED_ON, rustup_home};
use crate::process::Run;

/// What differs from service to service.
pub(super) trait Service {
    /// As `--ci` has it.
    fn name(&self) -> &'static str;

    /// What linters take its file for.
    fn kind(&self) -> Kind;

    /// Reads a pipeline; what is not understood is a failure.
    /// The function reads YAML.
    fn read(&self, file: &Utf8Path, yaml: &dyn Fn(&Utf8Path) -> Result<Value, Failure>) -> Result<Pipeline, Failure>;

    /// The shell that runs scripts; the file with the script comes behind.
    fn shell(&self) -> &'static [&'static str];

    /// What every step of a job has in its environment.
    fn variables(&self, runner: &Runner<'_>, job: &Job, machine: &Machine) -> Vec<(String, String)>;

    /// A text of the pipeline with the service's own expressions replaced.
    fn expand(&self, text: &str, _: &Runner<'_>, _: &Job, _: &Machine) -> Result<String, Failure> {
        Ok(text.to_owned())
    }

    /// What the service takes from a step when it has ended.
    fn after_step(&self, _: &Step, _: &mut Machine) -> Result<(), Failure> {
        Ok(())
    }
}

/// The service at work on one pipeline.
pub(super) struct Runner<'w> {
    pub(super) author: &'w Author,
    service: &'w dyn Service,
    root: Utf8PathBuf,
    outputs: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where a job runs.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) work: Utf8PathBuf,
    pub(super) temporary: Utf8PathBuf,
    home: Utf8PathBuf,
    /// Directories before the usual ones of the search path.
    pub(super) path: Vec<String>,
    /// Outputs of its steps, as `step.name`.
    pub(super) outputs: BTreeMap<String, String>,
}

/// How a job ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// The step that failed, and the end of what it printed.
    pub(super) failed: Option<(String, String)>,
    pub(super) seconds: f64,
}

impl<'w> Runner<'w> {
    /// A service that has run nothing yet and keeps its files below `root`.
    ///
    /// # Errors
    /// When the directories cannot be made.
    pub(super) fn new(author: &'w Author, service: &'w dyn Service, root: Utf8PathBuf) -> Result<Self, Failure> {
        let runner = Self {
            author,
            service,
            root,
            outputs: BTreeMap::new(),
        };
        make(&runner.artifacts())?;
        Ok(runner)
    }

    /// The same state of things in another place: what happens there does not happen here.
    ///
    /// # Errors
    /// When it cannot be copied.
    pub(super) fn fork(&self, name: &str) -> Result<Self, Failure> {
        let root = self.root.with_file_name(name);
        make(&root)?;
        Run::new("cp")
            .args(["-R", self.artifacts().as_str(), root.as_str()])
            .succeed()?;
        Ok(Self {
            author: self.author,
            service: self.service,
            root,
            outputs: self.outputs.clone(),
        })
    }

    /// Where the service keeps what jobs hand over, one directory for each.
    pub(super) fn artifacts(&self) -> Utf8PathBuf {
        self.root.join("artifacts")
    }

    /// What a finished job told later ones.
    pub(super) fn outputs(&self, job: &str) -> &BTreeMap<String, String> {
        static NONE: BTreeMap<String, String> = BTreeMap::new();
        self.outputs.get(job).unwrap_or(&NONE)
    }

    /// Runs a job on a new machine.
    ///
    /// # Errors
    /// When the job asks for something that the service does not have; a step that fails is an outcome.
    pub(super) fn run(&mut self, job: &Job) -> Result<Ended, Failure> {
        let start = Instant::now();
        let place = self.root.join("jobs").join(&job.id);
        let mut machine = Machine {
            work: place.join("work"),
            temporary: place.join("temporary"),
            home: place.join("home"),
            path: self.author.programs_for(&job.id),
            outputs: BTreeMap::new(),
        };
        for directory in [&machine.work, &machine.temporary, &machine.home] {
            make(directory)?;
        }
        let mut failed = None;
        for (number, step) in job.steps.iter().enumerate() {
            if failed.is_some() && !step.is_always {
                continue;
            }
            let ended = self.step(job, number, step, &machine);
            let ended =
                ended.map_err(|failure| Failure::new(format!("job `{}`, `{}`: {failure}", job.id, step.name)))?;
            self.service.after_step(step, &mut machine)?;
            if let (Some(output), None) = (ended, &failed) {
                failed = Some((step.name.clone(), output));
            }
        }
        if failed.is_none() {
            let mut outputs = BTreeMap::new();
            for (name, text) in &job.outputs {
                outputs.insert(name.clone(), self.service.expand(text, self, job, &machine)?);
            }
            self.outputs.insert(job.id.clone(), outputs);
        }
        Ok(Ended {
            failed,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// Runs a step; the end of its output when it failed.
    fn step(&self, job: &Job, number: usize, step: &Step, machine: &Machine) -> Result<Option<String>, Failure> {
        let expand = |text: &str| self.service.expand(text, self, job, machine);
        match &step.action {
            Action::Shell(script) => {
                let file = machine.temporary.join(format!("_step-{number}"));
                write(&file, script)?;
                let (program, args) = self
                    .service
                    .shell()
                    .split_first()
                    .ok_or_else(|| Failure::new("the service has no shell"))?;
                let mut run = self
                    .command(program, machine)
                    .args(args)
                    .arg(&file)
                    .directory(&machine.work);
                for (name, value) in self.service.variables(self, job, machine) {
                    run = run.env(&name, value);
                }
                for (name, value) in job.env.iter().chain(&step.env) {
                    run = run.env(name, expand(value)?);
                }
                let ended = run.keep()?;
                let log = machine.temporary.with_file_name(format!("{number}.log"));
                write(&log, format!("{}{}", ended.stdout, ended.stderr))?;
                Ok((!ended.is_success()).then(|| ended.tail()))
            }
            Action::Checkout { only, into } => {
                let into = match into {
                    Some(into) => machine.work.join(expand(into)?),
                    None => machine.work.clone(),
                };
                self.checkout(only.as_deref(), &into, machine)?;
                Ok(None)
            }
            Action::Upload {
                name,
                paths,
                keeps_paths,
            } => {
                let kept = self.artifacts().join(expand(name)?);
                // The service refuses a second artifact of the name.
                if kept.exists() {
                    return Err(Failure::new(format!("there is an artifact {kept} already")));
                }
                make(&kept)?;
                for path in paths {
                    let path = expand(path)?;
                    if *keeps_paths {
                        Run::new("cp")
                            .args(["-R", "-L", "--parents", path.as_str(), kept.as_str()])
                            .directory(&machine.work)
                            .succeed()?;
                    } else {
                        copy(&machine.work.join(path), &kept)?;
                    }
                }
                // Services keep names and contents, and no right to execute.
                Run::new("chmod").args(["-R", "a-x,u+rwX", kept.as_str()]).succeed()?;
                Ok(None)
            }
            Action::Download { name, path } => {
                let kept = self.artifacts().join(expand(name)?);
                let path = machine.work.join(expand(path)?);
                make(&path)?;
                copy(&kept, &path)?;
                Ok(None)
            }
        }
    }

    /// A clone of what the tag names, without its history, as services make it.
    fn checkout(&self, only: Option<&str>, into: &Utf8Path, machine: &Machine) -> Result<(), Failure> {
        let git = |words: &[&str]| {
            self.command("git", machine)
                .args(words)
                .directory(&machine.work)
                .succeed()
        };
        let from = format!("file://{}", self.author.server);
        let tag = self.author.tag;
        let into = into.as_str();
        git(&[
            "clone",
            "--quiet",
            "--depth",
            "1",
            "--no-checkout",
            "--branch",
            tag,
            &from,
            into,
        ])?;
        if let Some(pattern) = only {
            git(&["-C", into, "sparse-checkout", "set", "--no-cone", pattern])?;
        }
        git(&[
            "-C",
            into,
            "-c",
            "advice.detachedHead=false",
            "checkout",
            "--quiet",
            tag,
        ])?;
        Ok(())
    }

    /// A program on a machine, with an environment from nothing.
    fn command(&self, program: &str, machine: &Machine) -> Run {
        let outer = std::env::var("PATH").unwrap_or_default();
        let path: Vec<&str> = machine
            .path
            .iter()
            .map(String::as_str)
            .chain([outer.as_str()])
            .collect();
        Run::new(program)
            .only_env(PASSED_ON)
            .env("PATH", path.join(":"))
            .env("RUSTUP_HOME", rustup_home())
            .env(NO_INSTALL.0, NO_INSTALL.1)
            .env("HOME", &machine.home)
            .env("CARGO_REGISTRIES_HERE_INDEX", self.author.index())
            .env("CARGO_TERM_COLOR", "never")
            .env("LC_ALL", "C.UTF-8")
    }
}

/// Copies a file, or what is in a directory, into a directory.
fn copy(from: &Utf8Path, to: &Utf8Path) -> Result<(), Failure> {
    let from = if from.is_dir() {
        format!("{from}/.")
    } else {
        from.to_string()
    };
    Run::new("cp")
        .args(["-R", "-L", &from, to.as_str()])
        .succeed()
        .map(|_| ())
}

/// Makes a directory and those above it.
pub(super) fn make(directory: &Utf8Path) -> Result<(), Failure> {
    fs::create_dir_all(directory).context(format!("create {directory}"))
}
