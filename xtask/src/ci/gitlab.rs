//! Pipelines of GitLab CI/CD, as far as our template uses them: anything else in one is a failure, and never passed over.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::{Map, Value};

use super::lint::Kind;
use super::pipeline::{Action, Job, Pipeline, Step};
use super::read::{object, strings, texts};
use super::runner::{Machine, Runner, Service};
use crate::failure::Failure;

/// The service.
pub(super) struct Gitlab;

/// What a job may have beside its script.
const MEMBERS: &[&str] = &[
    "stage",
    "needs",
    "variables",
    "script",
    "artifacts",
    "environment",
    "id_tokens",
    "image",
    "interruptible",
    "timeout",
    "rules",
];

impl Service for Gitlab {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn kind(&self) -> Kind {
        Kind::Gitlab
    }

    fn read(&self, file: &Utf8Path, yaml: &dyn Fn(&Utf8Path) -> Result<Value, Failure>) -> Result<Pipeline, Failure> {
        let file = yaml(file)?;
        let file = file
            .as_object()
            .ok_or_else(|| Failure::new("the pipeline is no mapping"))?;
        let mut jobs = Vec::new();
        for (id, value) in file.iter().filter(|(id, _)| *id != "stages" && !id.starts_with('.')) {
            jobs.push(read_job(id, &extended(value, file)?)?);
        }
        let with_artifacts: Vec<String> = jobs
            .iter()
            .filter(|job| {
                job.steps
                    .iter()
                    .any(|step| matches!(step.action, Action::Upload { .. }))
            })
            .map(|job| job.id.clone())
            .collect();
        for job in &mut jobs {
            // The artifacts of what a job needs are there when its script begins, behind the clone.
            let after_clone = job
                .steps
                .iter()
                .take_while(|step| matches!(step.action, Action::Checkout { .. }))
                .count();
            let without = without_artifacts(file, &job.id);
            for need in job
                .needs
                .iter()
                .filter(|need| with_artifacts.contains(need) && !without.contains(need))
            {
                let download = Action::Download {
                    name: need.clone(),
                    path: ".".to_owned(),
                };
                job.steps.insert(after_clone, step("take over", download));
            }
        }
        Pipeline::of(jobs)
    }

    fn shell(&self) -> &'static [&'static str] {
        &["bash", "-eo", "pipefail"]
    }

    /// All variables of the project are in the environment of every job, and those of an environment in its jobs.
    fn variables(&self, runner: &Runner<'_>, job: &Job, machine: &Machine) -> Vec<(String, String)> {
        let author = runner.author;
        let mut variables: Vec<(String, String)> = author.variables.clone().into_iter().collect();
        if job.is_release {
            variables.extend(author.secrets.clone());
        }
        for (name, value) in [
            ("CI", "true"),
            ("GITLAB_CI", "true"),
            ("CI_PROJECT_DIR", machine.work.as_str()),
            ("CI_COMMIT_TAG", author.tag),
            ("CI_COMMIT_SHA", author.commit.as_str()),
            ("CI_JOB_TOKEN", author.job_token()),
        ] {
            variables.push((name.to_owned(), value.to_owned()));
        }
        if job.has_identity {
            variables.push(("CRATES_IO_ID_TOKEN".to_owned(), author.identity().to_owned()));
        }
        variables
    }
}

/// A job with what it extends below it.
fn extended(job: &Value, file: &Map<String, Value>) -> Result<Map<String, Value>, Failure> {
    let mut job = job
        .as_object()
        .ok_or_else(|| Failure::new("a job is no mapping"))?
        .clone();
    let Some(base) = job.remove("extends") else {
        return Ok(job);
    };
    let base = base
        .as_str()
        .and_then(|name| file.get(name))
        .and_then(Value::as_object)
        .ok_or_else(|| Failure::new(format!("there is no {base} to extend")))?;
    for (key, value) in base {
        if key == "extends" || key == "variables" {
            return Err(Failure::new(format!(
                "what is extended has `{key}`, which is not read here"
            )));
        }
        job.entry(key.clone()).or_insert_with(|| value.clone());
    }
    Ok(job)
}

/// What a job needs, by name or as `{job, artifacts: false}`.
fn needs(value: Option<&Value>) -> Result<Vec<String>, Failure> {
    let of = |need: &Value| match need {
        Value::String(name) => Ok(name.clone()),
        need => {
            let need = object(need, "a need", &["job", "artifacts"])?;
            let name = need.get("job").and_then(Value::as_str).map(str::to_owned);
            name.ok_or_else(|| Failure::new("a need has no job"))
        }
    };
    value.and_then(Value::as_array).into_iter().flatten().map(of).collect()
}

/// The needs of a job whose artifacts it does not want.
fn without_artifacts(file: &Map<String, Value>, id: &str) -> Vec<String> {
    let needs = file.get(id).and_then(|job| job["needs"].as_array());
    let unwanted = needs.into_iter().flatten().filter(|need| need["artifacts"] == false);
    unwanted
        .filter_map(|need| need["job"].as_str().map(str::to_owned))
        .collect()
}

fn read_job(id: &str, job: &Map<String, Value>) -> Result<Job, Failure> {
    let value = Value::Object(job.clone());
    let job = object(&value, id, MEMBERS)?;
    for member in ["stage", "script", "image", "rules", "timeout", "variables"] {
        if !job.contains_key(member) {
            return Err(Failure::new(format!("the job `{id}` has no `{member}`")));
        }
    }
    let image = job["image"].as_str().unwrap_or_default();
    if image
        .split_once("@sha256:")
        .is_none_or(|(_, digest)| digest.len() != 64)
    {
        return Err(Failure::new(format!("the image `{image}` is not pinned by its digest")));
    }
    if job["rules"] != serde_json::json!([{"if": "$CI_COMMIT_TAG =~ /^v/"}]) {
        return Err(Failure::new(format!("the job `{id}` has other rules than were read")));
    }
    let mut steps = Vec::new();
    let mut env = strings(job.get("variables"))?;
    match env.remove("GIT_STRATEGY").as_deref() {
        Some("clone") => steps.push(step("clone", Action::Checkout { only: None, into: None })),
        Some("empty") => {}
        other => {
            return Err(Failure::new(format!(
                "`{other:?}` leaves in `{id}` what earlier jobs left"
            )));
        }
    }
    steps.push(step("script", Action::Shell(texts(&job["script"])?.join("\n"))));
    if let Some(artifacts) = job.get("artifacts") {
        let artifacts = object(artifacts, "artifacts", &["paths", "expire_in", "when", "reports"])?;
        steps.push(Step {
            is_always: artifacts.get("when").is_some_and(|when| when == "always"),
            ..step(
                "hand over",
                Action::Upload {
                    name: id.to_owned(),
                    paths: texts(&artifacts["paths"])?,
                    keeps_paths: true,
                },
            )
        });
    }
    let identity = job.get("id_tokens");
    if identity.is_some_and(|tokens| *tokens != serde_json::json!({"CRATES_IO_ID_TOKEN": {"aud": "crates.io"}})) {
        return Err(Failure::new(format!(
            "the job `{id}` has another identity than was read"
        )));
    }
    Ok(Job {
        id: id.to_owned(),
        needs: needs(job.get("needs"))?,
        outputs: BTreeMap::new(),
        is_release: job
            .get("environment")
            .is_some_and(|environment| environment == "release" || environment["name"] == "release"),
        has_identity: identity.is_some(),
        env,
        steps,
    })
}

fn step(name: &str, action: Action) -> Step {
    Step {
        id: None,
        name: name.to_owned(),
        env: BTreeMap::new(),
        is_always: false,
        action,
    }
}
