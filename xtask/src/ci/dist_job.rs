//! The job of docs/ci.md for cargo-dist's workflow, run over what cargo-dist really builds.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::action::{CompositeAction, bash};
use super::author::write_installer;
use super::dist::manifest;
use super::lint::{self, Kind, Linted};
use super::read::strings;
use super::runner::make;
use super::{World, row};
use crate::failure::{Context, Failure};
use crate::interop::{read, write};
use crate::outer::{NO_INSTALL, PASSED_ON, rustup_home};
use crate::process::{Ended, Run};

const MAIN: &str = "\
fn main() {
    println!(\"{}\", greeting(\"world\"));
}

fn greeting(whom: &str) -> String {
    format!(\"Hello, {whom}!\")
}

#[test]
fn greets() {
    assert_eq!(greeting(\"you\"), \"Hello, you!\");
}
";

/// The first line of the workflow in the page.
const HEAD: &str = "# .github/workflows/intoto-verify.yml\n";
/// Where the page leaves a commit to the reader.
const COMMIT: (&str, &str) = ("@COMMIT", "@0123456789012345678901234567890123456789");
const TAG: &str = "v0.1.0";
/// As cargo-dist builds for the target of the manifest.
const BUILD: &str = "\"--profile\", \"dist\", \"--locked\", \"--target\", \"x86_64-unknown-linux-gnu\"]";

/// Runs the job over what cargo-dist builds of the recorded commit, of another one, and without evidence; how many rows are wrong.
///
/// # Errors
/// When something cannot be set up, or the workflow has something that is not read here.
pub(super) fn run(world: &World) -> Result<usize, Failure> {
    let scratch = world.scratch.join("dist-job");
    let workflow = scratch.join(".github/workflows/intoto-verify.yml");
    make(&scratch.join(".github/workflows"))?;
    write(&workflow, of_page(&read(&world.root.join("docs/ci.md"))?)?)?;
    let linted = [Linted {
        file: workflow.clone(),
        kind: Kind::Workflow,
    }];
    let runs = lint::run(&world.tools, &linted, &scratch.join("lint"))?;
    row(
        "dist",
        "linters",
        "the job in docs/ci.md",
        &format!("content, {runs} runs"),
        true,
    );
    let workflow = world.yaml(&workflow)?;
    let steps = workflow["jobs"]["verify"]["steps"]
        .as_array()
        .ok_or_else(|| Failure::new("the workflow has no steps"))?;
    let action = CompositeAction::read(&world.yaml(&world.root.join("action.yml"))?)?;
    let desk = Desk::new(world, &scratch)?;
    let mut wrong = 0;
    for (number, (what, change, has_evidence, code, says)) in [
        (
            "what cargo-dist builds of the recorded commit",
            None,
            true,
            0,
            "Verified",
        ),
        ("what it builds of another one", Some("Hello"), true, 1, "rule-failed"),
        ("no evidence for the tag", None, false, 37, "hello.intoto.tar"),
    ]
    .into_iter()
    .enumerate()
    {
        let place = scratch.join(format!("job-{number}"));
        make(&place.join("work"))?;
        let job = Job {
            world,
            place: &place,
            built: desk.build(&place, change)?,
            variables: [
                (
                    "${{ vars.INTOTO_OWNER_KEY }}",
                    read(&desk.tree.join("layouts/keys/owner.pub"))?,
                ),
                (
                    "${{ vars.INTOTO_EVIDENCE }}",
                    match has_evidence {
                        true => format!("file://{}", desk.evidence),
                        false => format!("file://{place}"),
                    },
                ),
            ]
            .into(),
            programs: desk.installer.as_str(),
        };
        let ended = job.run(steps, &action)?;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        let is_right = ended.code == Some(code) && said.contains(says);
        if !is_right {
            crate::say::status("Output", ended.tail());
        }
        let outcome = format!("exit code {}", ended.code.unwrap_or(-1));
        row("dist", "verify", what, &outcome, is_right);
        wrong += usize::from(!is_right);
    }
    Ok(wrong)
}

/// The workflow as it stands in the page, with a commit for the reader's own.
fn of_page(page: &str) -> Result<String, Failure> {
    let block = page
        .split_once(&format!("```yaml\n{HEAD}"))
        .and_then(|(_, rest)| rest.split_once("```"))
        .ok_or_else(|| Failure::new("docs/ci.md has no workflow for cargo-dist"))?;
    Ok(format!("{HEAD}{}", block.0.replace(COMMIT.0, COMMIT.1)))
}

/// Where the author records, and cargo-dist builds.
struct Desk<'w> {
    world: &'w World,
    home: Utf8PathBuf,
    tree: Utf8PathBuf,
    /// Where the evidence of each tag is found.
    evidence: Utf8PathBuf,
    installer: Utf8PathBuf,
}

impl<'w> Desk<'w> {
    /// Records a release whose build is cargo-dist's.
    fn new(world: &'w World, scratch: &Utf8Path) -> Result<Self, Failure> {
        let desk = Self {
            world,
            home: scratch.join("home"),
            tree: scratch.join("hello"),
            evidence: scratch.join("evidence"),
            installer: scratch.join("installer"),
        };
        let evidence = desk.evidence.join(TAG);
        for directory in [&desk.home, &desk.tree.join("src"), &evidence, &desk.installer] {
            make(directory)?;
        }
        write_installer(&desk.installer, &world.product)?;
        write(
            &desk.home.join(".gitconfig"),
            "[user]\n\tname = Diana\n\temail = diana@example.com\n",
        )?;
        write(&desk.tree.join("Cargo.toml"), manifest("global-artifacts-jobs"))?;
        write(&desk.tree.join("src/main.rs"), MAIN)?;
        write(&desk.tree.join(".gitignore"), "/target\n")?;
        desk.shell("cargo generate-lockfile --offline; git init --quiet; \"$INTOTO\" init --no-passphrase")?;
        let source = desk.tree.join("layouts/release.toml");
        let layout = read(&source)?
            .replace("\"--release\", \"--locked\"]", BUILD)
            .replace("target/release", "target/x86_64-unknown-linux-gnu/dist");
        write(&source, layout)?;
        desk.shell(&format!(
            "\"$INTOTO\" layout sign; git add --all; git commit --quiet --message begin
             \"$INTOTO\" release; \"$INTOTO\" bundle create --output {evidence}/hello.intoto.tar"
        ))?;
        Ok(desk)
    }

    /// What cargo-dist builds of a clone, with a word of the source changed if one is named.
    fn build(&self, place: &Utf8Path, change: Option<&str>) -> Result<Utf8PathBuf, Failure> {
        let clone = place.join("clone");
        self.shell(&format!("git clone --quiet . {clone}"))?;
        if let Some(word) = change {
            let main = clone.join("src/main.rs");
            write(&main, read(&main)?.replace(word, "Evil"))?;
            self.shell(&format!("git -C {clone} commit --quiet --all --message more"))?;
        }
        let dist = self.world.tools.python("dist");
        self.shell(&format!(
            "cd {clone}; git tag {TAG}; {dist} generate --mode ci; {dist} build --artifacts=local --tag={TAG}"
        ))?;
        Ok(clone.join("target/distrib"))
    }

    fn shell(&self, script: &str) -> Result<Ended, Failure> {
        Run::new("sh")
            .only_env(PASSED_ON)
            .env("RUSTUP_HOME", rustup_home())
            .env(NO_INSTALL.0, NO_INSTALL.1)
            .env("HOME", &self.home)
            .env("INTOTO", &self.world.product)
            .env("LC_ALL", "C.UTF-8")
            .args(["-euc", script])
            .directory(&self.tree)
            .succeed()
    }
}

/// One run of the job.
struct Job<'w> {
    world: &'w World,
    place: &'w Utf8Path,
    /// What cargo-dist's own jobs hand over.
    built: Utf8PathBuf,
    /// What the repository's variables hold, by the expressions that stand for them.
    variables: BTreeMap<&'static str, String>,
    programs: &'w str,
}

impl Job<'_> {
    /// Runs the steps up to the first that fails; what the last one came to.
    fn run(&self, steps: &[Value], action: &CompositeAction) -> Result<Ended, Failure> {
        let mut last = None;
        for (number, step) in steps.iter().enumerate() {
            let with = self.filled(strings(step.get("with"))?)?;
            let ended = match (step["uses"].as_str(), step["run"].as_str()) {
                (Some(uses), None) if uses.starts_with("actions/download-artifact@") => {
                    let path = with.get("path").map_or(".", String::as_str);
                    self.take(path)?;
                    continue;
                }
                (Some(uses), None) if uses.starts_with("cargo-intoto/cargo-intoto@") => {
                    action.steps_with(&with, &self.world.root, self.place, self.programs)?
                }
                (None, Some(script)) => {
                    let file = self.place.join(format!("script-{number}"));
                    write(&file, script)?;
                    let mut run = bash(&file, self.place, self.programs).env("GITHUB_REF_NAME", TAG);
                    for (name, value) in self.filled(strings(step.get("env"))?)? {
                        run = run.env(&name, value);
                    }
                    run.keep()?
                }
                _ => return Err(Failure::new(format!("a step of the job is not read here: {step}"))),
            };
            let is_over = !ended.is_success();
            last = Some(ended);
            if is_over {
                break;
            }
        }
        last.ok_or_else(|| Failure::new("the job has no step"))
    }

    /// Texts with the repository's variables in the place of expressions.
    fn filled(&self, mut texts: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Failure> {
        for text in texts.values_mut() {
            if let Some(value) = self.variables.get(text.as_str()) {
                text.clone_from(value);
            } else if text.contains("${{") {
                return Err(Failure::new(format!("`{text}` is not known here")));
            }
        }
        Ok(texts)
    }

    fn take(&self, path: &str) -> Result<(), Failure> {
        let to = self.place.join("work").join(path);
        make(&to)?;
        for entry in self
            .built
            .read_dir_utf8()
            .context(format!("list {}", self.built))?
            .flatten()
        {
            if entry.path().is_file() {
                let to = to.join(entry.file_name());
                fs::copy(entry.path(), &to).context(format!("copy {to}"))?;
            }
        }
        Ok(())
    }
}
