//! Workflows of GitHub Actions, as far as our template uses them: anything else in one is a failure, and never passed over.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::{Map, Value};

use super::lint::Kind;
use super::pipeline::{Action, Job, Pipeline, Step};
use super::read::{object, strings, texts};
use super::runner::{Machine, Runner, Service};
use crate::failure::{Context, Failure};
use crate::interop::read as read_file;

/// The service.
pub(super) struct Github;

impl Service for Github {
    fn name(&self) -> &'static str {
        "github"
    }

    fn kind(&self) -> Kind {
        Kind::Workflow
    }

    fn read(&self, file: &Utf8Path, yaml: &dyn Fn(&Utf8Path) -> Result<Value, Failure>) -> Result<Pipeline, Failure> {
        let file = yaml(file)?;
        let file = object(
            &file,
            "the workflow",
            &["name", "on", "permissions", "concurrency", "defaults", "jobs"],
        )?;
        if file["permissions"] != Value::Object(Map::new()) {
            return Err(Failure::new("the workflow gives permissions to every job"));
        }
        if file["defaults"] != serde_json::json!({"run": {"shell": "bash"}}) {
            return Err(Failure::new("the workflow has another shell"));
        }
        let jobs = file["jobs"]
            .as_object()
            .ok_or_else(|| Failure::new("there are no jobs"))?;
        Pipeline::of(
            jobs.iter()
                .map(|(id, job)| read_job(id, job))
                .collect::<Result<_, _>>()?,
        )
    }

    /// As the service starts `shell: bash`.
    fn shell(&self) -> &'static [&'static str] {
        &["bash", "--noprofile", "--norc", "-eo", "pipefail"]
    }

    fn variables(&self, runner: &Runner<'_>, job: &Job, machine: &Machine) -> Vec<(String, String)> {
        let file = |name: &str| machine.temporary.join(format!("_{name}")).into_string();
        let mut variables = vec![
            ("CI", "true".to_owned()),
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_WORKSPACE", machine.work.to_string()),
            ("GITHUB_REPOSITORY", "example/hello".to_owned()),
            ("GITHUB_REF", format!("refs/tags/{}", runner.author.tag)),
            ("GITHUB_REF_NAME", runner.author.tag.to_owned()),
            ("GITHUB_SHA", runner.author.commit.clone()),
            ("RUNNER_TEMP", machine.temporary.to_string()),
        ];
        for name in ["GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"] {
            variables.push((name, file(name)));
        }
        if job.has_identity {
            variables.extend(runner.author.right_to_ask());
        }
        variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    fn expand(&self, text: &str, runner: &Runner<'_>, job: &Job, machine: &Machine) -> Result<String, Failure> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${{") {
            let (expression, after) = after
                .split_once("}}")
                .ok_or_else(|| Failure::new(format!("`{text}` begins an expression and does not end it")))?;
            expanded.push_str(before);
            expanded.push_str(&value(expression.trim(), runner, job, machine)?);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }

    /// The service reads what a step wrote to its files.
    fn after_step(&self, step: &Step, machine: &mut Machine) -> Result<(), Failure> {
        let take = |machine: &Machine, name: &str| -> Result<Vec<String>, Failure> {
            let path = machine.temporary.join(format!("_{name}"));
            if !path.is_file() {
                return Ok(Vec::new());
            }
            let text = read_file(&path)?;
            std::fs::remove_file(&path).context(format!("remove {path}"))?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        for line in take(machine, "GITHUB_PATH")? {
            machine.path.insert(0, line);
        }
        for line in take(machine, "GITHUB_OUTPUT")? {
            let (name, value) = line
                .split_once('=')
                .ok_or_else(|| Failure::new(format!("`{line}` is no output")))?;
            let id = step
                .id
                .as_ref()
                .ok_or_else(|| Failure::new(format!("`{}` has outputs and no id", step.name)))?;
            machine.outputs.insert(format!("{id}.{name}"), value.to_owned());
        }
        match take(machine, "GITHUB_ENV")?.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(
                "a step sets variables for later steps, which is not read here",
            )),
        }
    }
}

fn value(expression: &str, runner: &Runner<'_>, job: &Job, machine: &Machine) -> Result<String, Failure> {
    let unknown = || {
        Failure::new(format!(
            "the job `{}` asks for `{expression}`, which there is not",
            job.id
        ))
    };
    let parts: Vec<&str> = expression.split('.').collect();
    match parts.as_slice() {
        ["runner", "temp"] => Ok(machine.temporary.to_string()),
        ["github", "token"] => Ok(runner.author.job_token().to_owned()),
        ["steps", step, "outputs", name] => machine
            .outputs
            .get(&format!("{step}.{name}"))
            .cloned()
            .ok_or_else(unknown),
        ["needs", id, "outputs", name] if job.needs.iter().any(|need| need == id) => {
            runner.outputs(id).get(*name).cloned().ok_or_else(unknown)
        }
        // As the service: what is not there is empty text.
        ["vars", name] => Ok(runner.author.variables.get(*name).cloned().unwrap_or_default()),
        ["secrets", name] if job.is_release => Ok(runner.author.secrets.get(*name).cloned().unwrap_or_default()),
        _ => Err(unknown()),
    }
}

fn read_job(id: &str, job: &Value) -> Result<Job, Failure> {
    let job = object(
        job,
        id,
        &[
            "name",
            "needs",
            "runs-on",
            "timeout-minutes",
            "environment",
            "permissions",
            "outputs",
            "steps",
        ],
    )?;
    for member in ["name", "runs-on", "timeout-minutes", "permissions", "steps"] {
        if !job.contains_key(member) {
            return Err(Failure::new(format!("the job `{id}` has no `{member}`")));
        }
    }
    let needs = match job.get("needs") {
        None => Vec::new(),
        Some(Value::String(one)) => vec![one.clone()],
        Some(several) => texts(several)?,
    };
    let steps = job["steps"]
        .as_array()
        .ok_or_else(|| Failure::new(format!("the job `{id}` has no steps")))?;
    Ok(Job {
        id: id.to_owned(),
        needs,
        outputs: strings(job.get("outputs"))?,
        is_release: job
            .get("environment")
            .is_some_and(|environment| environment == "release"),
        has_identity: job["permissions"].get("id-token").is_some_and(|right| right == "write"),
        env: BTreeMap::new(),
        steps: steps.iter().map(read_step).collect::<Result<_, _>>()?,
    })
}

fn read_step(step: &Value) -> Result<Step, Failure> {
    let step = object(step, "a step", &["name", "id", "if", "env", "run", "uses", "with"])?;
    let name = step["name"].as_str().unwrap_or_default().to_owned();
    let with = strings(step.get("with"))?;
    let action = match (
        step.get("run").and_then(Value::as_str),
        step.get("uses").and_then(Value::as_str),
    ) {
        (Some(script), None) if with.is_empty() => Action::Shell(script.to_owned()),
        (None, Some(action)) => read_action(action, &with)?,
        _ => return Err(Failure::new(format!("the step `{name}` runs nothing, or two things"))),
    };
    if let Action::Shell(script) = &action
        && script.contains("${{")
    {
        return Err(Failure::new(format!(
            "the script of `{name}` has an expression in it: hand it over by `env`"
        )));
    }
    let is_always = match step.get("if").and_then(Value::as_str) {
        None => false,
        Some("${{ !cancelled() }}") => true,
        Some(other) => {
            return Err(Failure::new(format!(
                "`{name}` depends on `{other}`, which is not read here"
            )));
        }
    };
    Ok(Step {
        is_always,
        id: step.get("id").and_then(Value::as_str).map(str::to_owned),
        env: strings(step.get("env"))?,
        name,
        action,
    })
}

/// The actions that a template may use, each at a full commit id.
fn read_action(action: &str, with: &BTreeMap<String, String>) -> Result<Action, Failure> {
    let (name, commit) = action.split_once('@').unwrap_or((action, ""));
    if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Failure::new(format!("`{action}` is not pinned by a commit")));
    }
    let known = |names: &[&str]| match with.keys().find(|key| !names.contains(&key.as_str())) {
        Some(key) => Err(Failure::new(format!(
            "`{name}` is used with `{key}`, which is not read here"
        ))),
        None => Ok(()),
    };
    let get = |key: &str| with.get(key).cloned();
    let must = |key: &str| get(key).ok_or_else(|| Failure::new(format!("`{name}` is used without `{key}`")));
    match name {
        "actions/checkout" => {
            known(&[
                "persist-credentials",
                "sparse-checkout",
                "sparse-checkout-cone-mode",
                "path",
            ])?;
            if get("persist-credentials").as_deref() != Some("false") {
                return Err(Failure::new("a checkout leaves its token in the tree"));
            }
            if get("sparse-checkout").is_some() != (get("sparse-checkout-cone-mode").as_deref() == Some("false")) {
                return Err(Failure::new("a checkout of some files takes those of the root, too"));
            }
            Ok(Action::Checkout {
                only: get("sparse-checkout"),
                into: get("path"),
            })
        }
        "actions/upload-artifact" => {
            known(&["name", "path", "if-no-files-found", "retention-days"])?;
            if must("if-no-files-found")? != "error" {
                return Err(Failure::new("a job hands over nothing without failing"));
            }
            Ok(Action::Upload {
                name: must("name")?,
                paths: vec![must("path")?],
                keeps_paths: false,
            })
        }
        "actions/download-artifact" => {
            known(&["name", "path"])?;
            Ok(Action::Download {
                name: must("name")?,
                path: must("path")?,
            })
        }
        _ => Err(Failure::new(format!("`{name}` has no equivalent here"))),
    }
}
