//! `cargo xtask fuzz`: builds the targets of `fuzz/` and runs them, for a number of inputs or for minutes.

use std::fs;
use std::time::Instant;

use camino::{Utf8Path, Utf8PathBuf};

mod seeds;

use crate::failure::{Context as _, Failure};
use crate::process::Run;
use crate::root::Root;
use crate::{say, tools};

/// The arguments of `cargo xtask fuzz`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run each target for a bounded number of inputs
    #[arg(long, conflicts_with = "minutes", required_unless_present = "minutes")]
    smoke: bool,
    /// Run each target for so many minutes of processor time
    #[arg(long)]
    minutes: Option<u64>,
    /// Only this target
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
}

struct Target {
    name: &'static str,
    /// The words that libFuzzer puts in, a file in `fuzz/`.
    dictionary: Option<&'static str>,
    /// How many inputs the smoke run takes beyond the seeds: a few seconds of each.
    smoke_runs: u64,
    longest: u64,
}

const TARGETS: &[Target] = &[
    Target {
        name: "envelope",
        dictionary: Some("json"),
        smoke_runs: 5_000,
        longest: 8192,
    },
    Target {
        name: "canonical_json",
        dictionary: Some("json"),
        smoke_runs: 30_000,
        longest: 4096,
    },
    Target {
        name: "layout_toml",
        dictionary: Some("layout_toml"),
        smoke_runs: 4_000,
        longest: 4096,
    },
    Target {
        name: "rule_and_pattern",
        dictionary: Some("rule_and_pattern"),
        smoke_runs: 30_000,
        longest: 256,
    },
    Target {
        name: "verify_chain",
        dictionary: Some("json"),
        smoke_runs: 2_000,
        longest: 16384,
    },
    Target {
        name: "crate_archive",
        dictionary: None,
        smoke_runs: 10_000,
        longest: 8192,
    },
    Target {
        name: "dep_info",
        dictionary: None,
        smoke_runs: 20_000,
        longest: 1024,
    },
    Target {
        name: "cargo_lock",
        dictionary: Some("cargo_lock"),
        smoke_runs: 4_000,
        longest: 4096,
    },
    Target {
        name: "openpgp",
        dictionary: None,
        smoke_runs: 5_000,
        longest: 4096,
    },
    Target {
        name: "certificate",
        dictionary: None,
        smoke_runs: 5_000,
        longest: 4096,
    },
    Target {
        name: "bundle",
        dictionary: None,
        smoke_runs: 5_000,
        longest: 8192,
    },
    Target {
        name: "git",
        dictionary: None,
        smoke_runs: 20_000,
        longest: 1024,
    },
];

/// Builds and runs them; an input that fails ends it.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let chosen: Vec<&Target> = TARGETS
        .iter()
        .filter(|target| args.target.as_ref().is_none_or(|name| name == target.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        return Err(Failure::new("there is no such target").hint(format!("the targets are {}", names.join(", "))));
    }
    let programs = build(root)?;
    for target in chosen {
        let seeds = root.target().join("fuzz/seeds").join(target.name);
        seeds::write(target.name, root, &seeds)?;
        fuzz(target, args, root, &programs, &seeds)?;
    }
    Ok(())
}

/// Builds every target, without a sanitizer: so it works on a stable toolchain, and there is no unsafe code to watch.
fn build(root: &Root) -> Result<Utf8PathBuf, Failure> {
    let tools = tools::install(root)?;
    let cargo_fuzz = tools.python("cargo-fuzz");
    let directory = root.target().join("fuzz");
    Run::new(cargo_fuzz)
        .args(["build", "--fuzz-dir", "fuzz", "--sanitizer", "none", "--target-dir"])
        .arg(&directory)
        .directory(root.path())
        .show()?;
    let host = Run::new("rustc").args(["--print", "host-tuple"]).succeed()?;
    Ok(directory.join(host.stdout.trim()).join("release"))
}

/// What a target's runs came to.
#[derive(Debug, Default)]
struct Spent {
    runs: u64,
    new_inputs: u64,
    mebibytes: u64,
    /// Seconds of processor time.
    cpu: f64,
}

fn fuzz(target: &Target, args: &Args, root: &Root, programs: &Utf8Path, seeds: &Utf8Path) -> Result<(), Failure> {
    let kept = root.target().join("fuzz/corpus").join(target.name);
    let crashes = root.target().join("fuzz/artifacts").join(target.name);
    for directory in [&kept, &crashes] {
        fs::create_dir_all(directory).context(format!("create {directory}"))?;
    }
    let count = fs::read_dir(seeds).context(format!("read {seeds}"))?.count() as u64;
    let start = Instant::now();
    let mut spent = Spent::default();
    match args.minutes {
        Some(minutes) => {
            let wanted = minutes as f64 * 60.0;
            // The fuzzer knows the clock on the wall only, and gets less of a busy machine than that. It never gets more.
            while wanted - spent.cpu >= 1.0 {
                let seconds = (wanted - spent.cpu).ceil();
                // An input may take a second; at the lowest priority that can be most of a minute.
                let limits = [format!("-max_total_time={seconds}"), "-timeout=60".to_owned()];
                run_once(target, root, programs, &limits, &[&kept, seeds], &mut spent)?;
            }
        }
        None => {
            // A smoke run is the same every time: it begins with the seeds alone and keeps nothing.
            let scratch = tempfile::tempdir().context("create a directory")?;
            let found = Utf8PathBuf::from_path_buf(scratch.path().to_owned()).map_err(|_| Failure::new("not UTF-8"))?;
            let runs = target.smoke_runs + count;
            let limits = [format!("-runs={runs}"), "-seed=1".to_owned(), "-timeout=20".to_owned()];
            run_once(target, root, programs, &limits, &[&found, seeds], &mut spent)?;
        }
    }
    let Spent {
        runs,
        new_inputs,
        mebibytes,
        cpu,
    } = spent;
    say::row(format!(
        "{:<18} {count:>5} seeds {runs:>10} runs {new_inputs:>5} new inputs {mebibytes:>5} MiB {cpu:>7.1} s of CPU {:>7.1} s",
        target.name,
        start.elapsed().as_secs_f64()
    ));
    Ok(())
}

/// What libFuzzer finds goes into the first directory.
fn run_once(
    target: &Target,
    root: &Root,
    programs: &Utf8Path,
    limits: &[String],
    directories: &[&Utf8Path],
    spent: &mut Spent,
) -> Result<(), Failure> {
    let crashes = root.target().join("fuzz/artifacts").join(target.name);
    let mut fuzzer = Run::new("sh")
        .args(["-c", "\"$@\"; code=$?; times; exit $code", "sh"])
        .arg(programs.join(target.name))
        .arg(format!("-artifact_prefix={crashes}/"))
        .arg(format!("-max_len={}", target.longest))
        .args(["-rss_limit_mb=2048", "-print_final_stats=1", "-verbosity=0"])
        .args(limits);
    if let Some(dictionary) = target.dictionary {
        let words = root.join(format!("fuzz/{dictionary}.dict"));
        fuzzer = fuzzer.arg(format!("-dict={words}"));
    }
    let ended = fuzzer.args(directories).keep()?;
    if !ended.is_success() {
        return Err(
            Failure::new(format!("{} found something\n{}", target.name, ended.tail())).hint(format!(
                "the input is in {crashes}; run the target with it as its only argument"
            )),
        );
    }
    let number = |name: &str| {
        let of = |line: &str| line.strip_prefix(&format!("stat::{name}:"))?.trim().parse().ok();
        let found: Option<u64> = ended.stderr.lines().find_map(of);
        found.ok_or_else(|| Failure::new(format!("{} does not say its {name}\n{}", target.name, ended.tail())))
    };
    spent.runs += number("number_of_executed_units")?;
    spent.new_inputs += number("new_units_added")?;
    spent.mebibytes = spent.mebibytes.max(number("peak_rss_mb")?);
    spent.cpu += children_seconds(&ended.stdout)
        .ok_or_else(|| Failure::new(format!("cannot read the times that sh prints\n{}", ended.tail())))?;
    Ok(())
}

/// User and system time of a shell's children, from what `times` prints: two lines such as `0m1.25s 0m0.50s`, the second of which is theirs.
fn children_seconds(printed: &str) -> Option<f64> {
    let mut lines = printed.lines().rev();
    let times = lines.next()?.split_ascii_whitespace().map(|time| {
        let (minutes, seconds) = time.strip_suffix('s')?.split_once('m')?;
        Some(minutes.parse::<f64>().ok()? * 60.0 + seconds.parse::<f64>().ok()?)
    });
    times.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_the_childrens() {
        assert_eq!(children_seconds("x\n0m9.00s 0m9.00s\n2m1.25s 0m0.50s\n"), Some(121.75));
        assert_eq!(children_seconds("0m1.25s\n0m1.25 0m0.50s\n"), None);
        assert_eq!(children_seconds(""), None);
    }
}
