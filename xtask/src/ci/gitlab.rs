//! Pipelines of GitLab CI/CD, as far as our template uses them: anything else in one is a failure, and never passed over.

use std::collections::BTreeMap;

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

    fn read(&self, file: &Value) -> Result<Pipeline, Failure> {
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
            for need in job.needs.iter().filter(|need| with_artifacts.contains(need)) {
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
            ("CI_JOB_TOKEN", author.job_token.as_str()),
        ] {
            variables.push((name.to_owned(), value.to_owned()));
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
    Ok(Job {
        id: id.to_owned(),
        needs: job.get("needs").map(texts).transpose()?.unwrap_or_default(),
        outputs: BTreeMap::new(),
        is_release: job
            .get("environment")
            .is_some_and(|environment| environment == "release" || environment["name"] == "release"),
        has_identity: job.contains_key("id_tokens"),
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
