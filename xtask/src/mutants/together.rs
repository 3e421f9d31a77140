//! The tests of core, compiled once with all faults in it, and runs of them with one fault switched on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::fault::{Fault, Place, Span};
use super::settled::Fate;
use super::switch::{self, Switched};
use super::tree::Tree;
use super::{Killer, MEMORY};
use crate::failure::{Context as _, Failure};
use crate::process::Run;
use crate::say;

/// Programs of tests with faults in them, each with its number.
#[derive(Debug)]
pub(super) struct Together {
    /// By how cargo selects the program: `--lib`, `--test=vectors` and so on.
    programs: BTreeMap<&'static str, Utf8PathBuf>,
    numbers: BTreeMap<String, u32>,
    directory: Utf8PathBuf,
}

/// Seconds of CPU that all tests of a program may take with a fault in them, and those of one module; without one it is some three, and a
/// tenth of one.
const SECONDS: &str = "20";
const MODULE_SECONDS: &str = "6";

/// Compiling finds faults that it refuses in several passes: types first, borrows only when they are right.
const ROUNDS: usize = 20;

/// The signal for more CPU time than is allowed.
const OUT_OF_TIME: i32 = 24;

impl Together {
    /// Compiles the tests with these faults; those that the compiler refuses are left out.
    pub(super) fn build(tree: &Tree, target: &Utf8Path, faults: &[Fault]) -> Result<Self, Failure> {
        let mut files: BTreeMap<&str, Vec<(u32, &Fault)>> = BTreeMap::new();
        for (number, fault) in (1..).zip(faults) {
            files.entry(&fault.file).or_default().push((number, fault));
        }
        let originals: BTreeMap<&str, String> = files
            .keys()
            .map(|file| {
                let path = tree.path().join(file);
                Ok((*file, fs::read_to_string(&path).context(format!("read {path}"))?))
            })
            .collect::<Result<_, Failure>>()?;
        let root = tree.path().join("intoto-core/src/lib.rs");
        let text = fs::read_to_string(&root).context(format!("read {root}"))?;
        fs::write(&root, text + switch::MODULE).context(format!("write {root}"))?;
        let compiler = Compiler { tree, target };
        for round in 1..=ROUNDS {
            let mut switched = BTreeMap::new();
            for (file, faults) in &files {
                let found = switch::switch(&originals[file], faults)
                    .map_err(|failure| Failure::new(format!("{file}: {failure}")))?;
                let path = tree.path().join(file);
                fs::write(&path, &found.text).context(format!("write {path}"))?;
                switched.insert(*file, found);
            }
            let refused = compiler.refused(&files, &switched, &originals)?;
            if refused.is_empty() {
                let placed: BTreeSet<u32> = switched
                    .values()
                    .flat_map(|file| file.places.iter().map(|(number, _)| *number))
                    .collect();
                let all = files.values().flatten().filter(|(number, _)| placed.contains(number));
                return Ok(Self {
                    programs: compiler.programs()?,
                    numbers: all.map(|(number, fault)| (fault.name.clone(), *number)).collect(),
                    directory: tree.path().join("intoto-core"),
                });
            }
            say::status("Leaving out", format!("{} faults in round {round}", refused.len()));
            for faults in files.values_mut() {
                faults.retain(|(number, _)| !refused.contains(number));
            }
        }
        Err(Failure::new(
            "the compiler refuses core with faults in it, again and again",
        ))
    }

    /// Whether this fault can be switched on.
    pub(super) fn has(&self, name: &str) -> bool {
        self.numbers.contains_key(name)
    }

    /// Fails unless all tests pass without a fault.
    pub(super) fn check(&self) -> Result<(), Failure> {
        for program in self.programs.keys() {
            if self.run(0, &(program, None), None)? != Fate::Missed {
                return Err(Failure::new(format!("the tests of {program} fail without any fault")));
            }
        }
        Ok(())
    }

    /// Runs tests until one notices the fault.
    pub(super) fn attempt(&self, name: &str, killers: &[Killer]) -> Result<Fate, Failure> {
        let number = self.numbers[name];
        let mut done = None;
        for killer in killers {
            // All of a program are run last: those of one module need not be run twice.
            let skip = done.filter(|_| killer.1.is_none() && killer.0 == "--lib");
            let fate = self.run(number, killer, skip)?;
            if fate != Fate::Missed {
                return Ok(fate);
            }
            done = done.or(killer.1);
        }
        Ok(Fate::Missed)
    }

    fn run(&self, number: u32, (program, only): &Killer, skip: Option<&str>) -> Result<Fate, Failure> {
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                "ulimit -v \"$0\" && ulimit -c 0 && ulimit -t \"$1\" && shift && exec \"$@\"",
                MEMORY,
                only.map_or(SECONDS, |_| MODULE_SECONDS),
            ])
            .arg(&self.programs[program])
            .arg("--test-threads=1")
            .args(*only)
            .args(skip.into_iter().flat_map(|module| ["--skip", module]))
            .env(switch::VARIABLE, number.to_string())
            // The order of files matters in few vectors: a few tries of each run of many thousands are enough.
            .env("PROPTEST_CASES", "32")
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().context("start the tests")?;
        let mut has_failed = false;
        if let Some(output) = child.stdout.take() {
            for line in BufReader::new(output).split(b'\n') {
                let line = line.context("read what the tests say")?;
                if line.starts_with(b"test ") && line.ends_with(b"... FAILED") {
                    has_failed = true;
                    // It may have ended by itself.
                    let _ = child.kill();
                    break;
                }
            }
        }
        let status = child.wait().context("wait for the tests")?;
        Ok(match status {
            _ if has_failed => Fate::Caught,
            status if status.success() => Fate::Missed,
            status if status.signal() == Some(OUT_OF_TIME) => Fate::Timeout,
            _ => Fate::Caught,
        })
    }
}

struct Compiler<'a> {
    tree: &'a Tree,
    target: &'a Utf8Path,
}

impl Compiler<'_> {
    fn cargo(&self, subcommand: &[&str]) -> Run {
        Run::cargo()
            .args(subcommand)
            .args([
                "--package",
                "intoto-core",
                "--lib",
                "--test=vectors",
                "--test=identities",
                "--test=witnesses",
                "--quiet",
                "--message-format=json",
            ])
            .env("CARGO_TARGET_DIR", self.target)
            // Where a fault stands, brackets and branches are that nobody wrote.
            .env("RUSTFLAGS", "--cap-lints=allow")
            .directory(self.tree.path())
    }

    /// The faults that an error of the compiler is about.
    fn refused(
        &self,
        files: &BTreeMap<&str, Vec<(u32, &Fault)>>,
        switched: &BTreeMap<&str, Switched>,
        originals: &BTreeMap<&str, String>,
    ) -> Result<BTreeSet<u32>, Failure> {
        let ended = self.cargo(&["check", "--profile", "test"]).keep()?;
        let mut refused = BTreeSet::new();
        let messages = ended
            .stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for message in messages {
            let message = &message["message"];
            if message["level"] != "error" {
                continue;
            }
            let spans = || message["spans"].as_array().into_iter().flatten();
            let mut blamed = BTreeSet::new();
            for span in spans() {
                let Some((file, found)) = switched.get_key_value(span["file_name"].as_str().unwrap_or_default()) else {
                    continue;
                };
                let (Some(start), Some(end)) = (offset(&span["byte_start"]), offset(&span["byte_end"])) else {
                    continue;
                };
                let overlaps = |place: &Range<usize>| place.start < end && start < place.end;
                let overlapping = found.places.iter().filter(|(_, place)| overlaps(place));
                blamed.extend(overlapping.map(|(number, _)| *number));
                if blamed.is_empty() && span["is_primary"] == true {
                    // The type that a function gives back may come from any of its values.
                    let at = place(&originals[file], found.original(start));
                    blamed.extend(within(&files[file], at));
                }
            }
            // The last messages only count the others.
            if blamed.is_empty() && spans().next().is_some() {
                let text = message["rendered"].as_str().unwrap_or_default();
                return Err(Failure::new(format!(
                    "the compiler refuses core for no fault in it:\n{text}"
                )));
            }
            refused.append(&mut blamed);
        }
        if refused.is_empty() && !ended.is_success() {
            return Err(Failure::new(format!(
                "core with faults does not compile\n{}",
                ended.tail()
            )));
        }
        Ok(refused)
    }

    fn programs(&self) -> Result<BTreeMap<&'static str, Utf8PathBuf>, Failure> {
        let built = self.cargo(&["test", "--no-run"]).succeed()?;
        let mut programs = BTreeMap::new();
        for line in built.stdout.lines() {
            let message: Value = serde_json::from_str(line).context("read cargo's messages")?;
            let Some(program) = message["executable"].as_str() else {
                continue;
            };
            let selected = match message["target"]["name"].as_str() {
                Some("vectors") => "--test=vectors",
                Some("identities") => "--test=identities",
                Some("witnesses") => "--test=witnesses",
                _ => "--lib",
            };
            programs.insert(selected, program.into());
        }
        Ok(programs)
    }
}

/// The faults of the smallest function around a place that has any.
fn within(faults: &[(u32, &Fault)], at: Place) -> Vec<u32> {
    let spans = faults
        .iter()
        .filter_map(|(_, fault)| Some(fault.function.as_ref()?.span));
    let around = spans.filter(|span| (span.start..span.end).contains(&at));
    let size = |span: &Span| (span.end.line - span.start.line, span.end.column);
    let Some(smallest) = around.min_by_key(size) else {
        return Vec::new();
    };
    let is_in = |fault: &Fault| {
        fault
            .function
            .as_ref()
            .is_some_and(|function| function.span == smallest)
    };
    let found = faults.iter().filter(|(_, fault)| is_in(fault));
    found.map(|(number, _)| *number).collect()
}

fn place(text: &str, offset: usize) -> Place {
    let before = &text[..offset];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    Place {
        line: before.matches('\n').count() + 1,
        column: before[start..].chars().count() + 1,
    }
}

fn offset(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|value| usize::try_from(value).ok())
}
