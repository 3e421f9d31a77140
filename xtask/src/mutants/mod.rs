//! `cargo xtask mutants`: small faults put into the parts of `intoto-core` that decide, one at a time, and whether a test notices each.
//!
//! cargo-mutants says which faults there are. Nearly all are compiled together, in a small workspace of their own, and switched on one by
//! one when the tests run; the few that cannot be are left to cargo-mutants, which compiles each anew. What has become of each is kept
//! under `target/mutants` until the file that it is in changes, so the work can be done in parts.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use crate::failure::{Context as _, Failure};
use crate::process::Run;
use crate::root::Root;
use crate::{say, tools};

mod fault;
mod settled;
mod switch;
mod together;
mod tree;

use fault::Fault;
use settled::{Fate, Settled, file_of};
use together::Together;
use tree::Tree;

/// The arguments of `cargo xtask mutants`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only the faults in files whose path contains this
    #[arg(long = "in", value_name = "PATH")]
    within: Vec<String>,
    /// Only one part of them: `1/4` is the first of four
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Only list those that are not settled yet
    #[arg(long)]
    list: bool,
}

/// Every `of`-th fault, beginning with the `part`-th.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shard {
    part: usize,
    of: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, of)| {
            let (part, of) = (part.parse().ok()?, of.parse().ok()?);
            (1..=of).contains(&part).then_some(Self { part, of })
        });
        numbers.ok_or_else(|| format!("expected `K/N` with K from 1 to N, found `{text}`"))
    }
}

/// Some tests, as cargo selects them: of core's unit tests, those whose path contains the second.
type Killer = (&'static str, Option<&'static str>);

const UNITS: Killer = ("--lib", None);
const VECTORS: Killer = ("--test=vectors", None);
const IDENTITIES: Killer = ("--test=identities", None);
const WITNESSES: Killer = ("--test=witnesses", None);

const fn units_of(module: &'static str) -> Killer {
    ("--lib", Some(module))
}

/// The directories below `intoto-core/src` that decide, each with the tests that are likely to notice a fault in it: those are run first,
/// the others only for what is left.
const AREAS: &[(&str, &[Killer])] = &[
    ("rules", &[units_of("rules::"), VECTORS, UNITS]),
    ("verify", &[VECTORS, IDENTITIES, WITNESSES, UNITS]),
    (
        "envelope",
        &[units_of("envelope::"), VECTORS, IDENTITIES, WITNESSES, UNITS],
    ),
    ("encoding", &[units_of("encoding::"), VECTORS, UNITS]),
];

/// Seconds that the tests may take with a fault in them; without one it is some three on a quiet machine, and for the tests of one module a
/// tenth of one.
const TEST_SECONDS: &str = "60";
const MODULE_SECONDS: &str = "15";

/// KiB of memory that any process may ask for: a fault can make a loop that never stops taking more.
const MEMORY: &str = "8000000";

/// Makes the faults, and fails if one is left that no test notices.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let tool = Tool {
        program: tools::cargo_tool(root, "cargo-mutants")?,
        directory: root.target().join("mutants"),
        config: root.join(".cargo/mutants.toml"),
    };
    let tree = Tree::write(root, &tool.directory.join("tree"))?;
    let mut settled = Settled::load(&tool.directory, &tree)?;
    settled.note_interrupted(&tool.results()?);
    settled.save()?;
    let areas = AREAS.iter().map(|(directory, killers)| {
        let faults = tool.list(directory, &tree)?;
        Ok(Area {
            directory,
            killers,
            chosen: chosen(&names(&faults), args),
            faults,
        })
    });
    let areas: Vec<Area> = areas.collect::<Result<_, Failure>>()?;
    let names = || areas.iter().flat_map(|area| &area.chosen);
    let left: BTreeSet<&String> = names().filter(|name| settled.fate(name).is_none()).collect();
    if args.list {
        left.iter().for_each(say::row);
        return Ok(());
    }
    let mut missed = Vec::new();
    if !left.is_empty() {
        say::status("Compiling", format!("core with {} faults in it", left.len()));
        let all = areas.iter().flat_map(|area| &area.faults);
        let those: Vec<Fault> = all.filter(|fault| left.contains(&fault.name)).cloned().collect();
        let copy = Tree::write(root, &tool.directory.join("together"))?;
        let together = Together::build(&copy, &tool.directory.join("build-together"), &those)?;
        together.check()?;
        for area in &areas {
            missed.extend(area.switch_on(&together, &mut settled)?);
        }
    }
    for area in &areas {
        let more = area.compile_each(&tool, &tree, &mut settled, &missed)?;
        missed.extend(more);
    }
    let mut table: BTreeMap<String, Counts> = BTreeMap::new();
    for name in names() {
        let counts = table.entry(file_of(name).to_owned()).or_default();
        counts.add(settled.fate(name));
    }
    report(&table, &missed)
}

/// A directory and the faults in it.
struct Area {
    directory: &'static str,
    killers: &'static [Killer],
    faults: Vec<Fault>,
    /// The names of those that are asked for.
    chosen: Vec<String>,
}

impl Area {
    /// Tries those that can be switched on, and says which no test notices.
    fn switch_on(&self, together: &Together, settled: &mut Settled) -> Result<Vec<String>, Failure> {
        let is_left = |name: &&String| together.has(name) && settled.fate(name).is_none();
        let left: Vec<&String> = self.chosen.iter().filter(is_left).collect();
        let mut missed = Vec::new();
        say::status(
            "Trying",
            format!("{} faults in {}, compiled together", left.len(), self.directory),
        );
        for (index, name) in left.iter().enumerate() {
            let fate = together.attempt(name, self.killers)?;
            if fate == Fate::Missed {
                say::row(format!("missed: {name}"));
                missed.push((*name).clone());
            }
            settled.note(&[((*name).clone(), fate)]);
            if index % 20 == 0 || index + 1 == left.len() {
                settled.save()?;
            }
        }
        Ok(missed)
    }

    /// Tries the others, each compiled anew, and says which no test notices.
    fn compile_each(
        &self,
        tool: &Tool,
        tree: &Tree,
        settled: &mut Settled,
        known: &[String],
    ) -> Result<Vec<String>, Failure> {
        let mut missed = Vec::new();
        for (pass, killer) in self.killers.iter().enumerate() {
            let is_left = |name: &&String| settled.fate(name).is_none() && !known.contains(name);
            let left: Vec<&String> = self.chosen.iter().filter(is_left).collect();
            if left.is_empty() {
                break;
            }
            let only = killer.1.unwrap_or_default();
            say::status(
                "Trying",
                format!(
                    "{} faults in {}, each on {} {only}",
                    left.len(),
                    self.directory,
                    killer.0
                ),
            );
            tool.leave(&left, &names(&self.faults))?;
            let ended = tool.run(self.directory, *killer, tree)?;
            let results = tool.results()?;
            // 2 and 3 say that faults were missed, or took too long.
            if !matches!(ended, Some(0 | 2 | 3)) {
                return Err(Failure::new(format!("cargo-mutants ended with {ended:?}"))
                    .hint("the tests must pass without any fault; its report is in target/mutants/mutants.out"));
            }
            settled.note(&results);
            settled.save()?;
            if pass + 1 == self.killers.len() {
                let results = results.into_iter().filter(|(_, fate)| *fate == Fate::Missed);
                missed.extend(results.map(|(name, _)| name));
            }
        }
        Ok(missed)
    }
}

fn names(faults: &[Fault]) -> Vec<String> {
    faults.iter().map(|fault| fault.name.clone()).collect()
}

fn chosen(all: &[String], args: &Args) -> Vec<String> {
    let shard = args.shard.unwrap_or(Shard { part: 1, of: 1 });
    let within =
        |name: &str| args.within.is_empty() || args.within.iter().any(|part| file_of(name).contains(part.as_str()));
    let wanted = all.iter().filter(|name| within(name));
    wanted.skip(shard.part - 1).step_by(shard.of).cloned().collect()
}

/// How many faults of a file ended how.
#[derive(Debug, Default)]
struct Counts {
    caught: usize,
    timeout: usize,
    unviable: usize,
    missed: usize,
}

impl Counts {
    fn add(&mut self, fate: Option<Fate>) {
        match fate {
            Some(Fate::Caught) => self.caught += 1,
            Some(Fate::Timeout) => self.timeout += 1,
            Some(Fate::Unviable) => self.unviable += 1,
            Some(Fate::Missed) | None => self.missed += 1,
        }
    }

    fn row(&self, name: &str) -> String {
        let Self {
            caught,
            timeout,
            unviable,
            missed,
        } = self;
        let tried = caught + timeout + unviable + missed;
        format!(
            "{tried:>5} tried {caught:>5} caught {timeout:>4} never end {unviable:>5} do not compile {missed:>4} missed  {name}"
        )
    }
}

fn report(table: &BTreeMap<String, Counts>, missed: &[String]) -> Result<(), Failure> {
    let mut all = Counts::default();
    for (file, counts) in table {
        say::row(counts.row(file));
        all.caught += counts.caught;
        all.timeout += counts.timeout;
        all.unviable += counts.unviable;
        all.missed += counts.missed;
    }
    say::row(all.row("together"));
    for name in missed {
        say::row(format!("missed: {name}"));
    }
    if all.missed == 0 {
        return Ok(());
    }
    Err(Failure::new(format!("{} faults are noticed by no test", all.missed)).hint(
        "write the test that notices it, or a line in .cargo/mutants.toml that says why it changes nothing that can be seen",
    ))
}

/// cargo-mutants, and where it works.
struct Tool {
    program: Utf8PathBuf,
    directory: Utf8PathBuf,
    config: Utf8PathBuf,
}

impl Tool {
    /// Every fault that it can make in an area, by name.
    fn list(&self, area: &str, tree: &Tree) -> Result<Vec<Fault>, Failure> {
        let listed = self
            .command(area, tree)
            .args(["--list", "--json", "--colors", "never"])
            .succeed()?;
        serde_json::from_str(&listed.stdout).context("read cargo-mutants' list")
    }

    /// Leaves it these to try: it passes over what it is told that an earlier run of it has caught.
    fn leave(&self, wanted: &[&String], all: &[String]) -> Result<(), Failure> {
        let out = self.directory.join("mutants.out");
        if out.exists() {
            std::fs::remove_dir_all(&out).context(format!("remove {out}"))?;
        }
        std::fs::create_dir_all(&out).context(format!("create {out}"))?;
        let mut text = String::new();
        for name in all.iter().filter(|name| !wanted.contains(name)) {
            text += name;
            text.push('\n');
        }
        let path = out.join("previously_caught.txt");
        std::fs::write(&path, text).context(format!("write {path}"))
    }

    fn run(&self, area: &str, (tests, only): Killer, tree: &Tree) -> Result<Option<i32>, Failure> {
        let seconds = only.map_or(TEST_SECONDS, |_| MODULE_SECONDS);
        let mut run = self
            .command(area, tree)
            .args(["--iterate", "--in-place", "--timeout", seconds, "--no-times"])
            .arg("--output")
            .arg(&self.directory);
        run = run.arg(format!("--cargo-arg={tests}"));
        if let Some(only) = only {
            run = run.arg(format!("--cargo-test-arg={only}"));
        }
        run.status()
    }

    fn command(&self, area: &str, tree: &Tree) -> Run {
        Run::new("sh")
            .args(["-c", "ulimit -v \"$0\" && exec \"$@\"", MEMORY])
            .arg(&self.program)
            .args(["mutants", "--package", "intoto-core", "--config"])
            .arg(&self.config)
            .arg("--file")
            .arg(format!("intoto-core/src/{area}/**/*.rs"))
            .arg("--dir")
            .arg(tree.path())
            .env("CARGO_TARGET_DIR", self.directory.join("build"))
            // The order of files matters in few vectors: a few tries of each run of many thousands are enough.
            .env("PROPTEST_CASES", "32")
            .directory(tree.path())
    }

    /// What became of the faults of the last run.
    fn results(&self) -> Result<Vec<(String, Fate)>, Failure> {
        let mut results = Vec::new();
        for fate in Fate::ALL {
            let path = self.directory.join(format!("mutants.out/{}.txt", fate.as_str()));
            if !path.exists() {
                continue;
            }
            let text = std::fs::read_to_string(&path).context(format!("read {path}"))?;
            results.extend(text.lines().map(|line| (line.to_owned(), fate)));
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        let file = |number: usize| if number.is_multiple_of(2) { "a.rs" } else { "b.rs" };
        (0..count)
            .map(|number| format!("{}:{number}:1: replace", file(number)))
            .collect()
    }

    fn args(within: &[&str], shard: Option<&str>) -> Args {
        Args {
            within: within.iter().map(|part| (*part).to_owned()).collect(),
            shard: shard.map(|text| text.parse().unwrap()),
            list: false,
        }
    }

    #[test]
    fn shards_are_all_faults_once() {
        let shards = ["1/3", "2/3", "3/3"].into_iter();
        let mut found: Vec<String> = shards
            .flat_map(|shard| chosen(&names(10), &args(&[], Some(shard))))
            .collect();
        found.sort();
        let mut all = names(10);
        all.sort();
        assert_eq!(found, all);
        assert_eq!(chosen(&names(10), &args(&["b.rs"], None)).len(), 5);
        assert_eq!(chosen(&names(10), &args(&["c.rs"], None)).len(), 0);
        for text in ["0/3", "4/3", "1", "1/", "/1", "-1/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
