//! The action of this repository, run as GitHub would run it, with friendly and hostile inputs.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::read::{object, strings};
use super::row;
use super::runner::{Runner, make};
use crate::failure::Failure;
use crate::interop::write;
use crate::outer::PASSED_ON;
use crate::process::{Ended, Run};

/// The action: its steps, and what its inputs are when they are not given.
pub(super) struct CompositeAction {
    defaults: BTreeMap<String, String>,
    steps: Vec<(BTreeMap<String, String>, String)>,
}

/// Inputs beside the usual ones, what is asked, and what must come of it.
struct Case {
    what: &'static str,
    inputs: &'static [(&'static str, &'static str)],
    code: i32,
    says: &'static str,
}

const CASES: &[Case] = &[
    Case {
        what: "the released files",
        inputs: &[],
        code: 0,
        says: "Verified",
    },
    Case {
        what: "a pattern that matches nothing",
        inputs: &[("artifacts", "artifacts/hello\nartifacts/*.zip")],
        code: 3,
        says: "no file matches",
    },
    Case {
        what: "no artifacts at all",
        inputs: &[("artifacts", "\n")],
        code: 2,
        says: "names no file",
    },
    Case {
        what: "a file with a command in its name",
        inputs: &[("artifacts", "$(touch pwned)")],
        code: 3,
        says: "no file matches",
    },
    Case {
        what: "a layout with a command and an option in its name",
        inputs: &[("layout", "x\"; touch pwned; --key=\"$(touch pwned)")],
        code: 3,
        says: "the layout x",
    },
    Case {
        what: "no owner's key",
        inputs: &[("key", "")],
        code: 3,
        says: "owner.pub",
    },
    Case {
        what: "another layout than was demanded",
        inputs: &[(
            "layout-sha256",
            "0000000000000000000000000000000000000000000000000000000000000000",
        )],
        code: 1,
        says: "layout-digest-mismatch",
    },
];

impl CompositeAction {
    /// Reads the action.
    ///
    /// # Errors
    /// When it has something that is not understood.
    pub(super) fn read(file: &Value) -> Result<Self, Failure> {
        let file = object(file, "the action", &["name", "description", "inputs", "runs"])?;
        let mut defaults = BTreeMap::new();
        for (name, input) in file["inputs"].as_object().into_iter().flatten() {
            let input = object(input, name, &["description", "required", "default"])?;
            defaults.insert(
                name.clone(),
                input
                    .get("default")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        let runs = object(&file["runs"], "`runs`", &["using", "steps"])?;
        let mut steps = Vec::new();
        for step in runs["steps"].as_array().into_iter().flatten() {
            let step = object(step, "a step", &["name", "shell", "env", "run"])?;
            let script = step["run"].as_str().unwrap_or_default();
            if step["shell"] != "bash" || script.is_empty() || script.contains("${{") {
                return Err(Failure::new(
                    "a step of the action is no script of bash, or has an expression in it",
                ));
            }
            steps.push((strings(step.get("env"))?, script.to_owned()));
        }
        Ok(Self { defaults, steps })
    }

    /// Its scripts.
    pub(super) fn scripts(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|(_, script)| script.as_str())
    }

    /// Runs every case over what a pipeline handed over; how many were not as they should be.
    ///
    /// # Errors
    /// When a case cannot be set up.
    pub(super) fn run(&self, own: &Utf8Path, runner: &Runner<'_>) -> Result<usize, Failure> {
        let mut wrong = 0;
        for (number, case) in CASES.iter().enumerate() {
            let place = runner.artifacts().with_file_name(format!("action-{number}"));
            let work = place.join("work");
            make(&work)?;
            for (from, to) in [("record/artifacts", "artifacts"), ("sign", "links")] {
                Run::new("cp")
                    .args(["-R", runner.artifacts().join(from).as_str(), work.join(to).as_str()])
                    .succeed()?;
            }
            let layout = runner.author.layout();
            Run::new("cp").args([layout.as_str(), work.as_str()]).succeed()?;
            let ended = self.once(own, runner, &place, case)?;
            let says = format!("{}{}", ended.stdout, ended.stderr);
            let is_right = ended.code == Some(case.code) && says.contains(case.says) && !work.join("pwned").exists();
            if !is_right {
                crate::say::status("Output", ended.tail());
            }
            row(
                "github",
                "action.yml",
                case.what,
                &format!("exit code {:?}", ended.code.unwrap_or(-1)),
                is_right,
            );
            wrong += usize::from(!is_right);
        }
        Ok(wrong)
    }

    fn once(&self, own: &Utf8Path, runner: &Runner<'_>, place: &Utf8Path, case: &Case) -> Result<Ended, Failure> {
        let author = runner.author;
        let mut inputs = self.defaults.clone();
        let key = author.variables.get("INTOTO_OWNER_KEY").cloned().unwrap_or_default();
        for (name, value) in [
            ("artifacts", "artifacts/*"),
            ("layout", "release.layout"),
            ("links", "links"),
            ("key", key.as_str()),
        ]
        .iter()
        .chain(case.inputs)
        {
            inputs.insert((*name).to_owned(), (*value).to_owned());
        }
        self.steps_with(&inputs, own, place, &author.programs_for("tool").join(":"))
    }

    /// Runs it with these inputs in `place/work`, where its programs are looked for first in `programs`; what its last step came to.
    ///
    /// # Errors
    /// When a step cannot be run.
    pub(super) fn steps_with(
        &self,
        inputs: &BTreeMap<String, String>,
        own: &Utf8Path,
        place: &Utf8Path,
        programs: &str,
    ) -> Result<Ended, Failure> {
        let mut last = None;
        for (number, (env, script)) in self.steps.iter().enumerate() {
            let file = place.join(format!("step-{number}"));
            write(&file, script)?;
            let mut run = bash(&file, place, programs).env("GITHUB_ACTION_PATH", own);
            for (name, value) in env {
                let input = value
                    .strip_prefix("${{ inputs.")
                    .and_then(|rest| rest.strip_suffix(" }}"))
                    .and_then(|name| inputs.get(name).or_else(|| self.defaults.get(name)))
                    .ok_or_else(|| Failure::new(format!("`{name}` of the action is `{value}`, which is no input")))?;
                run = run.env(name, input);
            }
            let ended = run.keep()?;
            let is_over = !ended.is_success();
            last = Some(ended);
            if is_over {
                break;
            }
        }
        last.ok_or_else(|| Failure::new("the action has no step"))
    }
}

/// A script as GitHub starts it, in `place/work`.
pub(super) fn bash(script: &Utf8Path, place: &Utf8Path, programs: &str) -> Run {
    Run::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", script.as_str()])
        .only_env(PASSED_ON)
        .env(
            "PATH",
            format!("{programs}:{}", std::env::var("PATH").unwrap_or_default()),
        )
        .env("HOME", place)
        .env("RUNNER_TEMP", place)
        .env("GITHUB_STEP_SUMMARY", place.join("summary"))
        .directory(&place.join("work"))
}

/// Writes scripts to files for ShellCheck, and has it read them.
///
/// # Errors
/// When it has a finding.
pub(super) fn check_scripts<'s>(
    (shellcheck, dialect): (&Utf8Path, &str),
    scripts: impl Iterator<Item = &'s str>,
    scratch: &Utf8Path,
) -> Result<usize, Failure> {
    let mut files: Vec<Utf8PathBuf> = Vec::new();
    make(scratch)?;
    for (number, script) in scripts.enumerate() {
        let file = scratch.join(format!("script-{number}"));
        // Every service ends a script at the first command that fails.
        write(&file, format!("set -e\n{script}"))?;
        files.push(file);
    }
    Run::new(shellcheck).args(["--shell", dialect]).args(&files).succeed()?;
    Ok(files.len())
}
