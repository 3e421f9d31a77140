//! `cargo xtask compare-top`: published crates, compared with repositories that hold their sources.
//!
//! No git host can be counted on where this runs, so each repository is made of the `.crate`: the author's own manifest in the place of
//! cargo's, every file where the `.crate` says that the package lies, and what the manifest takes from elsewhere there. That shows what
//! cargo's rewriting by many versions comes to. Then this cargo packages it again, and that is compared with its own commit; and a
//! changed source must show.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Instant;

use rayon::prelude::*;

use crate::failure::{Context, Failure};
use crate::interop::write;
use crate::root::Root;
use crate::say;

mod crates;
mod repository;
mod world;

use repository::{Archive, Repository};
use world::World;

/// The classes of `compare`, in its order.
const CLASSES: [&str; 7] = [
    "equal",
    "normalised",
    "generated",
    "changed",
    "added",
    "missing",
    "unavailable",
];

/// The arguments of `cargo xtask compare-top`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only the first ten crates
    #[arg(long)]
    pub(crate) few: bool,
}

/// What `compare` said of one crate.
struct Row {
    crate_name: String,
    /// Of the published one, beside its own files.
    published: Report,
    /// Of the one that this cargo packaged from there; none where it cannot be packaged alone.
    again: Option<Report>,
    /// Of the published one, beside a changed file.
    altered: Report,
}

/// One JSON report.
struct Report {
    code: Option<i32>,
    classes: BTreeMap<String, usize>,
    /// Files and findings that are not what they should be.
    problems: Vec<String>,
}

/// Compares every crate and prints a row for each; anything unexplained is a failure.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let start = Instant::now();
    let world = World::new(root)?;
    let chosen = if args.few {
        &crates::CRATES[..crates::FEW]
    } else {
        &crates::CRATES[..]
    };
    let archives = fetch(&world, chosen)?;
    world.directory("repositories")?;
    world.directory("again")?;
    say::row(format!(
        "{:<26} {:>6} {:>10} {:>9}  {:<10} {:<10}",
        "crate", "equal", "normalised", "generated", "again", "altered"
    ));
    let rows: Vec<Result<Row, Failure>> = archives.par_iter().map(|archive| compare(&world, archive)).collect();
    let (mut totals, mut unexpected, mut packaged) = (BTreeMap::<String, usize>::new(), Vec::new(), 0);
    for row in rows {
        let row = row?;
        packaged += usize::from(row.again.is_some());
        for (class, number) in &row.published.classes {
            *totals.entry(class.clone()).or_default() += number;
        }
        unexpected.extend(print(&row));
    }
    let mut sums = String::new();
    for class in CLASSES {
        let _ = write!(
            sums,
            "{}{} {class}",
            if sums.is_empty() { "" } else { ", " },
            totals.get(class).unwrap_or(&0)
        );
    }
    say::row(format!(
        "{} crates: {sums}; {packaged} packaged again; in {:.0} s",
        archives.len(),
        start.elapsed().as_secs_f64()
    ));
    if unexpected.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(format!("not explained:\n{}", unexpected.join("\n"))))
    }
}

/// Lets cargo fetch the crates into the world's cargo home.
fn fetch(world: &World, chosen: &[(&str, &str)]) -> Result<Vec<Archive>, Failure> {
    let directory = world.directory("fetch")?;
    let mut manifest =
        "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n".to_owned();
    for (name, version) in chosen {
        let _ = writeln!(
            manifest,
            "{name} = {{ version = \"={version}\", default-features = false }}"
        );
    }
    write(&directory.join("Cargo.toml"), manifest)?;
    std::fs::create_dir(directory.join("src")).context("create src")?;
    write(&directory.join("src/lib.rs"), "")?;
    world
        .command("cargo")
        .args(["fetch", "--quiet"])
        .directory(&directory)
        .succeed()?;
    chosen
        .iter()
        .map(|(name, version)| Archive::find(world.cargo_home(), name, version))
        .collect()
}

fn compare(world: &World, archive: &Archive) -> Result<Row, Failure> {
    let repository = Repository::make(world, archive)?;
    let report = |file: &str, more: &[&str]| -> Result<Report, Failure> {
        let words = [
            "compare",
            file,
            "--format",
            "json",
            "--repo",
            repository.root().as_str(),
        ];
        let ended = world
            .product()
            .args(words)
            .args(more)
            .directory(repository.root())
            .keep()?;
        Ok(Report::read(ended.code, &ended.stdout, &ended.stderr))
    };
    let place = ["--commit", "HEAD", "--path", repository.directory()];
    let published = report(archive.path().as_str(), &place)?;
    let again = match repository.package_again(world)? {
        Some(file) => Some(report(file.as_str(), &[])?),
        None => None,
    };
    repository.alter(world)?;
    let altered = report(archive.path().as_str(), &place)?;
    Ok(Row {
        crate_name: archive.stem(),
        published,
        again,
        altered,
    })
}

/// Prints a row; what is not as it should be.
fn print(row: &Row) -> Vec<String> {
    let count = |class: &str| row.published.classes.get(class).copied().unwrap_or(0);
    let verdict = |report: &Report| match report.code {
        Some(0) => "equal",
        Some(1) => "differs",
        Some(3) => "undecided",
        _ => "failed",
    };
    say::row(format!(
        "{:<26} {:>6} {:>10} {:>9}  {:<10} {:<10}",
        row.crate_name,
        count("equal"),
        count("normalised"),
        count("generated"),
        row.again.as_ref().map_or("-", verdict),
        verdict(&row.altered),
    ));
    let mut unexpected = Vec::new();
    let mut expect = |what: &str, report: &Report, code: i32| {
        if report.code != Some(code) {
            unexpected.push(format!(
                "{} {what}:\n  {}",
                row.crate_name,
                report.problems.join("\n  ")
            ));
        }
    };
    expect("as published", &row.published, 0);
    if let Some(again) = &row.again {
        expect("packaged again", again, 0);
    }
    expect("beside an altered file", &row.altered, 1);
    // One file was altered, and that one alone must show.
    if row.altered.classes.get("changed") != Some(&1) {
        unexpected.push(format!(
            "{} beside an altered file: {:?}",
            row.crate_name, row.altered.classes
        ));
    }
    unexpected
}

impl Report {
    fn read(code: Option<i32>, stdout: &str, stderr: &str) -> Self {
        let mut report = Self {
            code,
            classes: BTreeMap::new(),
            problems: Vec::new(),
        };
        let Ok(json) = serde_json::from_str::<serde_json::Value>(stdout) else {
            report.problems.push(stderr.trim_end().to_owned());
            return report;
        };
        for file in json["files"].as_array().into_iter().flatten() {
            let class = file["class"].as_str().unwrap_or_default();
            *report.classes.entry(class.to_owned()).or_default() += 1;
        }
        for finding in json["findings"].as_array().into_iter().flatten() {
            if finding["severity"] != "note" {
                let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
                report.problems.push(format!("{}: {}", text("code"), text("message")));
            }
        }
        report
    }
}
