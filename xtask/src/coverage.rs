//! `cargo xtask coverage`: how much of `intoto-core` its unit tests, the vectors and the tests of Sigstore evidence run.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::failure::{Context as _, Failure};
use crate::process::Run;
use crate::root::Root;
use crate::{say, tools};

/// Lines of `intoto-core` that must be run, in percent.
const LEAST: f64 = 95.0;

/// The arguments of `cargo xtask coverage`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also list the lines that no test runs
    #[arg(long)]
    missing: bool,
}

/// Measures, prints a line for each file, and fails below the least coverage.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let tools = tools::install(root)?;
    let llvm = llvm_tools()?;
    let directory = root.target().join("coverage");
    let llvm_cov = |words: &[&str]| {
        Run::new(tools.python("cargo-llvm-cov"))
            .arg("llvm-cov")
            .args(words)
            .env("LLVM_COV", llvm.join("llvm-cov"))
            .env("LLVM_PROFDATA", llvm.join("llvm-profdata"))
            .env("CARGO_LLVM_COV_TARGET_DIR", &directory)
            .env("CARGO_INCREMENTAL", "0")
            .directory(root.path())
    };
    llvm_cov(&[
        "--package",
        "intoto-core",
        "--lib",
        "--test",
        "vectors",
        "--test",
        "identities",
        "--test",
        "witnesses",
        "--locked",
        "--no-report",
    ])
    .show()?;
    // Tests are no product: what they do not run says nothing.
    let report = llvm_cov(&["report", "--json", "--ignore-filename-regex", IGNORED]).succeed()?;
    let covered = print(&report.stdout, root)?;
    if args.missing {
        let text = llvm_cov(&[
            "report",
            "--text",
            "--show-missing-lines",
            "--ignore-filename-regex",
            IGNORED,
        ])
        .succeed()?;
        let lines = text
            .stdout
            .lines()
            .skip_while(|line| !line.starts_with("Uncovered Lines"));
        lines.for_each(say::row);
    }
    if covered < LEAST {
        return Err(Failure::new(format!(
            "{covered:.2} % of the lines of intoto-core are run by a test, which is below {LEAST} %"
        ))
        .hint("`cargo xtask coverage --missing` lists the others"));
    }
    Ok(())
}

/// Files of tests, and other packages.
const IGNORED: &str = r"(/tests/|tests\.rs$|oracle\.rs$|/xtask/|/cargo-intoto/)";

fn print(report: &str, root: &Root) -> Result<f64, Failure> {
    let report: Value = serde_json::from_str(report).context("read the report of llvm-cov")?;
    let percent = |summary: &Value| summary["lines"]["percent"].as_f64().unwrap_or_default();
    let number = |summary: &Value, member: &str| summary["lines"][member].as_u64().unwrap_or_default();
    let data = &report["data"][0];
    let mut files: Vec<(f64, String)> = Vec::new();
    for file in data["files"].as_array().into_iter().flatten() {
        let path = Utf8Path::new(file["filename"].as_str().unwrap_or_default());
        let path = path.strip_prefix(root.path()).unwrap_or(path);
        let summary = &file["summary"];
        let missed = number(summary, "count").saturating_sub(number(summary, "covered"));
        if missed > 0 {
            files.push((
                percent(summary),
                format!("{:>7.2} %  {missed:>4} missed  {path}", percent(summary)),
            ));
        }
    }
    files.sort_by(|left, right| left.0.total_cmp(&right.0));
    for (_, line) in files {
        say::row(line);
    }
    let totals = &data["totals"];
    let covered = percent(totals);
    say::row(format!(
        "{covered:>7.2} %  of {} lines of intoto-core",
        number(totals, "count")
    ));
    Ok(covered)
}

/// Where programs lie that read what this compiler writes: beside the compiler if rustup put them there, else the system's of the same version.
fn llvm_tools() -> Result<Utf8PathBuf, Failure> {
    let rustc = |words: &[&str]| Run::new("rustc").args(words).succeed().map(|ended| ended.stdout);
    let host = rustc(&["--print", "host-tuple"])?;
    let version = rustc(&["--version", "--verbose"])?;
    let major = version
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))
        .and_then(|version| version.split('.').next())
        .ok_or_else(|| Failure::new("the compiler does not say which LLVM it is made with"))?;
    let sysroot = Utf8PathBuf::from(rustc(&["--print", "sysroot"])?.trim());
    let candidates = [
        sysroot.join("lib/rustlib").join(host.trim()).join("bin"),
        Utf8PathBuf::from(format!("/usr/lib/llvm-{major}/bin")),
    ];
    candidates
        .into_iter()
        .find(|directory| directory.join("llvm-profdata").exists() && directory.join("llvm-cov").exists())
        .ok_or_else(|| {
            Failure::new(format!("there is no llvm-profdata of LLVM {major}")).hint(format!(
                "`rustup component add llvm-tools` installs it, or a system package, e.g. `apt-get install llvm-{major}`"
            ))
        })
}
