//! What the services' pipelines have in common: jobs, in an order in which they can run, and their steps.

use std::collections::BTreeMap;

use crate::failure::Failure;

/// A pipeline as its file says.
#[derive(Debug)]
pub(super) struct Pipeline {
    /// Each after those that it needs.
    pub(super) jobs: Vec<Job>,
}

/// One job: a machine of its own.
#[derive(Debug, Default)]
pub(super) struct Job {
    pub(super) id: String,
    /// Whose outputs and artifacts it may see.
    pub(super) needs: Vec<String>,
    /// What it tells later jobs.
    pub(super) outputs: BTreeMap<String, String>,
    /// Whether it is of the protected environment, and so sees secrets.
    pub(super) is_release: bool,
    /// Whether it may ask who it is.
    pub(super) has_identity: bool,
    pub(super) env: BTreeMap<String, String>,
    pub(super) steps: Vec<Step>,
}

/// One step of a job.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) env: BTreeMap<String, String>,
    /// Whether it runs when an earlier one failed, too.
    pub(super) is_always: bool,
    pub(super) action: Action,
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Action {
    /// A script of the service's shell.
    Shell(String),
    /// A clone of the repository, or of the files that a pattern names.
    Checkout { only: Option<String>, into: Option<String> },
    /// Keeps files for later jobs: under their paths, or what lies in a directory without it.
    Upload {
        name: String,
        paths: Vec<String>,
        keeps_paths: bool,
    },
    /// Gets the files of an earlier job.
    Download { name: String, path: String },
}

impl Pipeline {
    /// Puts the jobs into an order in which each comes after those that it needs.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn of(mut jobs: Vec<Job>) -> Result<Self, Failure> {
        let mut ordered: Vec<Job> = Vec::new();
        while !jobs.is_empty() {
            let is_ready = |job: &Job| job.needs.iter().all(|need| ordered.iter().any(|done| done.id == *need));
            let Some(index) = jobs.iter().position(is_ready) else {
                let left: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
                return Err(Failure::new(format!(
                    "the jobs {} need each other, or some that are not there",
                    left.join(", ")
                )));
            };
            ordered.push(jobs.remove(index));
        }
        Ok(Self { jobs: ordered })
    }

    /// Every script in it.
    pub(super) fn scripts(&self) -> impl Iterator<Item = &str> {
        let steps = self.jobs.iter().flat_map(|job| &job.steps);
        steps.filter_map(|step| match &step.action {
            Action::Shell(script) => Some(script.as_str()),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jobs(needs: &[(&str, &[&str])]) -> Vec<Job> {
        needs
            .iter()
            .map(|(id, needs)| Job {
                id: (*id).to_owned(),
                needs: needs.iter().map(|need| (*need).to_owned()).collect(),
                ..Job::default()
            })
            .collect()
    }

    #[test]
    fn jobs_come_after_what_they_need() {
        let pipeline = Pipeline::of(jobs(&[("c", &["a", "b"]), ("a", &[]), ("b", &["a"])])).unwrap();
        let ids: Vec<&str> = pipeline.jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert!(Pipeline::of(jobs(&[("a", &["b"]), ("b", &["a"])])).is_err());
        assert!(Pipeline::of(jobs(&[("a", &["elsewhere"])])).is_err());
    }
}
