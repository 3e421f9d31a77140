//! Linters over everything that a CI service reads: the pipelines as `init` writes them, and what this repository has itself.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::failure::{Context, Failure};
use crate::interop::write;
use crate::process::{Ended, Run};
use crate::tools::Tools;

/// A file and what reads it.
pub(super) struct Linted {
    pub(super) file: Utf8PathBuf,
    pub(super) kind: Kind,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A workflow of GitHub Actions.
    Workflow,
    /// A pipeline of GitLab CI/CD.
    Gitlab,
    /// A pipeline of Jenkins. Its own linter is a part of the server; the shell in it is read by ShellCheck.
    Jenkinsfile,
    /// An action for GitHub's workflows.
    Action,
}

/// A workflow with a mistake for each linter: a linter that finds nothing in it reads nothing.
const BAD: &str = "\
name: Bad
on: pull_request_target
jobs:
  bad:
    runs-on: ubuntu-24.04
    timeout-minutes: never
    steps:
      - uses: actions/checkout@v4
      - run: echo ${{ github.event.pull_request.title }} $UNQUOTED
";

/// The same for GitLab.
const BAD_GITLAB: &str = "\
bad:
  retry: often
  script:
    - echo $UNQUOTED
";

impl Kind {
    /// The linters for it: their names, command lines, and whether they may say more than nothing when they are content.
    fn linters(self, tools: &Tools, file: &Utf8Path) -> Vec<(&'static str, Run)> {
        let schema = |words: &[&str]| {
            Run::new(tools.python("check-jsonschema"))
                .arg("--builtin-schema")
                .args(words)
                .arg(file)
        };
        let zizmor = || {
            Run::new(tools.python("zizmor"))
                .args(["--offline", "--no-progress", "--quiet", "--pedantic"])
                .args(["--strict-collection", "--no-config", "--color", "never"])
                .arg(file)
        };
        match self {
            Self::Workflow => vec![
                ("zizmor", zizmor()),
                (
                    "actionlint",
                    Run::new(tools.go("actionlint"))
                        .args(["-no-color", "-pyflakes=", "-shellcheck"])
                        .arg(tools.python("shellcheck"))
                        .arg(file),
                ),
                ("check-jsonschema", schema(&["vendor.github-workflows"])),
                (TIMES, schema(&["custom.github-workflows-require-timeout"])),
            ],
            Self::Jenkinsfile => Vec::new(),
            Self::Action => vec![
                ("zizmor", zizmor()),
                ("check-jsonschema", schema(&["vendor.github-actions"])),
            ],
            Self::Gitlab => vec![
                (
                    "gitlab-ci-verify",
                    // It asks the service unless it is told not to, and finds ShellCheck on the search path.
                    Run::new(tools.python("gitlab-ci-verify"))
                        .args(["--no-lint-api", "--gitlab-ci-file"])
                        .arg(file)
                        .env("PATH", tools.python_path())
                        .env("HOME", file.parent().unwrap_or(file)),
                ),
                (
                    "check-jsonschema",
                    schema(&["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
                ),
            ],
        }
    }
}

/// The linter that only asks for time limits, which the bad workflow has, if a wrong one.
const TIMES: &str = "check-jsonschema, times";

/// Runs every linter over every file; says how many runs there were.
///
/// # Errors
/// When one has a finding, or is content with a bad file.
pub(super) fn run(tools: &Tools, files: &[Linted], scratch: &Utf8Path) -> Result<usize, Failure> {
    for (kind, name, text) in [
        (Kind::Workflow, "bad/.github/workflows/bad.yml", BAD),
        (Kind::Gitlab, "bad/bad.yml", BAD_GITLAB),
    ] {
        let bad = scratch.join(name);
        if let Some(directory) = bad.parent() {
            fs::create_dir_all(directory).context(format!("create {directory}"))?;
        }
        write(&bad, text)?;
        for (name, run) in kind.linters(tools, &bad) {
            if is_content(name, &run.keep()?) && name != TIMES {
                return Err(Failure::new(format!("{name} finds nothing in a file full of mistakes")));
            }
        }
    }
    let mut runs = 0;
    for linted in files {
        for (name, run) in linted.kind.linters(tools, &linted.file) {
            let ended = run.keep()?;
            if !is_content(name, &ended) {
                return Err(Failure::new(format!(
                    "{name} is not content with {}\n{}",
                    linted.file,
                    ended.tail()
                )));
            }
            runs += 1;
        }
    }
    Ok(runs)
}

/// Exit code 0, and no finding that was put aside.
fn is_content(name: &str, ended: &Ended) -> bool {
    ended.is_success()
        && (name != "zizmor" || !(ended.stdout.contains("suppressed") || ended.stdout.contains("ignored")))
}
