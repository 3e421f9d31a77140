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
    /// Run each target for so many minutes
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

fn fuzz(target: &Target, args: &Args, root: &Root, programs: &Utf8Path, seeds: &Utf8Path) -> Result<(), Failure> {
    let kept = root.target().join("fuzz/corpus").join(target.name);
    let crashes = root.target().join("fuzz/artifacts").join(target.name);
    // A smoke run is the same every time: it begins with the seeds alone and keeps nothing.
    let directories: &[&Utf8Path] = if args.smoke { &[seeds] } else { &[&kept, seeds] };
    for directory in [&kept, &crashes] {
        fs::create_dir_all(directory).context(format!("create {directory}"))?;
    }
    let mut fuzzer = Run::new(programs.join(target.name))
        .arg(format!("-artifact_prefix={crashes}/"))
        .arg(format!("-max_len={}", target.longest))
        .args([
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            "-verbosity=0",
        ]);
    if let Some(dictionary) = target.dictionary {
        let words = root.join(format!("fuzz/{dictionary}.dict"));
        fuzzer = fuzzer.arg(format!("-dict={words}"));
    }
    let count = fs::read_dir(seeds).context(format!("read {seeds}"))?.count() as u64;
    fuzzer = match args.minutes {
        Some(minutes) => fuzzer.arg(format!("-max_total_time={}", minutes * 60)),
        None => fuzzer
            .arg(format!("-runs={}", target.smoke_runs + count))
            .arg("-seed=1"),
    };
    let mut scratch = None;
    if args.smoke {
        // What libFuzzer finds goes into the first directory.
        let directory = tempfile::tempdir().context("create a directory")?;
        let path = Utf8PathBuf::from_path_buf(directory.path().to_owned()).map_err(|_| Failure::new("not UTF-8"))?;
        fuzzer = fuzzer.arg(path);
        scratch = Some(directory);
    }
    let start = Instant::now();
    let ended = fuzzer.args(directories).keep()?;
    drop(scratch);
    let number = |name: &str| {
        let line = ended
            .stderr
            .lines()
            .find_map(|line| line.strip_prefix(&format!("stat::{name}:")));
        line.map_or("?", str::trim).to_owned()
    };
    if !ended.is_success() {
        return Err(
            Failure::new(format!("{} found something\n{}", target.name, ended.tail())).hint(format!(
                "the input is in {crashes}; run the target with it as its only argument"
            )),
        );
    }
    say::row(format!(
        "{:<18} {count:>5} seeds {:>10} runs {:>4} new inputs {:>5} MiB {:>6.1} s",
        target.name,
        number("number_of_executed_units"),
        number("new_units_added"),
        number("peak_rss_mb"),
        start.elapsed().as_secs_f64()
    ));
    Ok(())
}
