//! What was done to a release before it is published, and what has to come of it.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::Row;
use super::project::Recorded;
use super::release_tool::ReleaseTool;
use super::server::{Foreign, Server};
use crate::failure::{Context, Failure};
use crate::interop::{World, read, write};
use crate::process::{Ended, Run};

/// A situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Situation {
    Clean,
    Tampered,
    HalfTampered,
    Exchanged,
    Interrupted,
    NoLayout,
    StrangersKey,
}

/// The workspace's crates in the order of publication.
const CRATES: [&str; 2] = ["ga", "gb"];

impl Situation {
    pub(super) const ALL: [Self; 7] = [
        Self::Clean,
        Self::Tampered,
        Self::HalfTampered,
        Self::Exchanged,
        Self::Interrupted,
        Self::NoLayout,
        Self::StrangersKey,
    ];

    /// Those that need nothing of the server but that it is one.
    pub(super) const OF_ANY_SERVER: [Self; 3] = [Self::Clean, Self::HalfTampered, Self::NoLayout];

    fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Tampered => "a later commit",
            Self::HalfTampered => "the second crate changed, unseen by git",
            Self::Exchanged => "a build script exchanges what is staged",
            Self::Interrupted => "interrupted, then run again",
            Self::NoLayout => "no layout",
            Self::StrangersKey => "signed by a stranger",
        }
    }

    /// Lets `tool` release a copy of the workspace in this situation.
    pub(super) fn play(
        self,
        world: &World,
        server: &Server,
        foreign: Option<&Foreign>,
        recorded: &Recorded,
        tool: &ReleaseTool,
    ) -> Result<Row, Failure> {
        let round = server.round(foreign);
        let tree = recorded.copy(world)?;
        let run = || tool.commands(world, &tree, &CRATES);
        let mut attempts = Vec::new();
        match self {
            Self::Clean => attempts.push(until_failure(run())?),
            Self::Tampered => {
                for name in CRATES {
                    change(&source(&tree, name))?;
                }
                self.commit(world, &tree)?;
                attempts.push(until_failure(run())?);
            }
            Self::HalfTampered => {
                // Another commit would change every crate, and a change that git sees would stop the tools themselves.
                let path = source(&tree, CRATES[1]);
                world
                    .command("git")
                    .args(["update-index", "--assume-unchanged"])
                    .arg(&path)
                    .directory(&tree)
                    .succeed()?;
                change(&path)?;
                attempts.push(until_failure(run())?);
            }
            Self::Exchanged => {
                let (other, staged) = other_crate(world, &tree)?;
                let runs = run()
                    .into_iter()
                    .map(|run| run.env("GATE_EXCHANGE", &other).env("GATE_STAGED", &staged))
                    .collect();
                attempts.push(until_failure(runs)?);
            }
            Self::Interrupted => {
                server.lose(CRATES[1]);
                attempts.push(until_failure(run())?);
                server.heal();
                attempts.push(until_failure(tool.commands(world, &tree, &CRATES[1..]))?);
            }
            Self::NoLayout => {
                let layout = tree.join("layouts/release.layout");
                fs::remove_file(&layout).context(format!("remove {layout}"))?;
                self.commit(world, &tree)?;
                attempts.push(until_failure(run())?);
            }
            Self::StrangersKey => {
                let attempt = recorded.trusting(world, &world.stranger(), || until_failure(run()))?;
                attempts.push(attempt);
            }
        }
        let uploads = round.uploads(&CRATES);
        let is_recorded = |(name, sha256): &&(String, String)| recorded.crates.get(name) == Some(sha256);
        let names: Vec<String> = uploads.iter().map(|(name, _)| name.clone()).collect();
        let mut unexpected = self.unexpected(tool, &attempts, &names);
        if round.strange_tokens() > 0 {
            unexpected.push("a token that is not the registry's was sent".to_owned());
        }
        let last = attempts.last();
        let refused = attempts.iter().find(|attempt| !attempt.is_success());
        Ok(Row {
            tool: tool.name().to_owned(),
            situation: self.name(),
            tampered: uploads
                .iter()
                .filter(|upload| !is_recorded(upload))
                .map(|(name, _)| name.clone())
                .collect(),
            uploads: names,
            code: last.and_then(|attempt| attempt.code),
            message: refused.map(reason).unwrap_or_default(),
            unexpected,
            output: attempts.iter().map(Ended::tail).collect::<Vec<_>>().join("\n"),
        })
    }

    /// What did not come as it had to.
    fn unexpected(self, tool: &ReleaseTool, attempts: &[Ended], uploads: &[String]) -> Vec<String> {
        let mut problems = Vec::new();
        let mut expect = |holds: bool, what: &str| {
            if !holds {
                problems.push(what.to_owned());
            }
        };
        let ended: Vec<bool> = attempts.iter().map(Ended::is_success).collect();
        // What runs no build script cannot be cheated by one.
        let succeeds = self == Self::Clean || (self == Self::Exchanged && !tool.verifies_by_building());
        match self {
            _ if succeeds => {
                expect(ended == [true], "it did not succeed");
                expect(uploads == CRATES, "not all crates were uploaded once, in order");
            }
            Self::Interrupted => {
                expect(ended == [false, true], "it did not fail at first and succeed then");
                expect(uploads == CRATES, "not all crates were uploaded once, in order");
            }
            Self::HalfTampered | Self::Exchanged => {
                expect(ended == [false], "it succeeded");
                // The first crate is good; whether the second one's fate is known in time depends on the tool.
                let allowed = if tool.is_all_or_nothing() {
                    &CRATES[..0]
                } else {
                    &CRATES[..1]
                };
                expect(uploads == allowed, "other crates were uploaded than had to be");
            }
            _ => {
                expect(ended == [false], "it succeeded");
                expect(uploads.is_empty(), "something was uploaded");
            }
        }
        problems
    }

    fn commit(self, world: &World, tree: &Utf8Path) -> Result<(), Failure> {
        world.commit(tree, self.name())
    }
}

fn source(tree: &Utf8Path, name: &str) -> Utf8PathBuf {
    tree.join(name).join("src/lib.rs")
}

fn change(path: &Utf8Path) -> Result<(), Failure> {
    write(path, read(path)?.replace('1', "2"))
}

/// Another `.crate` under the second crate's name, and where cargo stages the real one.
fn other_crate(world: &World, tree: &Utf8Path) -> Result<(Utf8PathBuf, Utf8PathBuf), Failure> {
    let other = world.directory("other")?.join("other.crate");
    let path = tree.join("target/package/gb-0.1.0.crate");
    let mut bytes = fs::read(&path).context(format!("read {path}"))?;
    // A changed byte of the header that no reader looks at: the operating system.
    if let Some(byte) = bytes.get_mut(9) {
        *byte ^= 1;
    }
    fs::write(&other, bytes).context(format!("write {other}"))?;
    Ok((other, tree.join("target/package/tmp-crate/gb-0.1.0.crate")))
}

/// Runs the commands in order, up to the first that fails; what they printed comes together.
fn until_failure(runs: Vec<Run>) -> Result<Ended, Failure> {
    let mut all = Ended {
        code: Some(0),
        stdout: String::new(),
        stderr: String::new(),
    };
    for run in runs {
        let ended = run.keep()?;
        all.stdout.push_str(&ended.stdout);
        all.stderr.push_str(&ended.stderr);
        all.code = ended.code;
        if !ended.is_success() {
            break;
        }
    }
    Ok(all)
}

/// The line that says most: what the gate says of the upload, else a finding's code, else what is missing, else the first error.
fn reason(ended: &Ended) -> String {
    let lines = || ended.stderr.lines().chain(ended.stdout.lines()).map(str::trim);
    let first = |is: &dyn Fn(&str) -> bool| lines().find(|line| is(line));
    let line = first(&|line| line.contains("[upload-"))
        .or_else(|| first(&|line| code_at(line).is_some()))
        .or_else(|| first(&|line| line.contains("there is no ")))
        .or_else(|| first(&|line| line.to_ascii_lowercase().starts_with("error")))
        .unwrap_or_default();
    let line = code_at(line).map_or(line, |at| &line[at..]);
    match line.char_indices().nth(WIDTH) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// So many characters of a message fit a table.
const WIDTH: usize = 80;

/// Where a line has a `[code-of-a-finding]`.
fn code_at(line: &str) -> Option<usize> {
    line.match_indices('[').map(|(at, _)| at).find(|at| {
        line[at + 1..].split_once(']').is_some_and(|(code, _)| {
            code.contains('-') && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        })
    })
}
