//! `cargo xtask bench`: CPU time of the same work by Python, Go, this code and the floor, in one run on one machine.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use intoto_core::encoding::strict_json;
use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
use intoto_core::limits::Limits;

use crate::failure::{Context, Failure};
use crate::interop::{Container, World};
use crate::process::Run;
use crate::root::Root;
use crate::say;

mod building;
mod clock;
mod corpus;
mod floor;
mod ours;
mod recording;

use corpus::{CORPORA, Corpus, Keys};

/// The arguments of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Measure in this very process, which must be an optimised one
    #[arg(long, hide = true)]
    here: bool,
    /// Also a cold build of a program with and without recording, which takes minutes
    #[arg(long)]
    build: bool,
}

/// Measures, or starts the optimised build that does.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    if !args.here {
        return Run::cargo()
            .args([
                "run",
                "--quiet",
                "--release",
                "--locked",
                "--package",
                "xtask",
                "--",
                "bench",
                "--here",
            ])
            .args(args.build.then_some("--build"))
            .directory(root.path())
            .show();
    }
    let world = World::new(root, "bench")?;
    let keys = Keys::new();
    let corpora = world.directory("corpora")?;
    corpus::write_all(&corpora, &keys)?;

    say::status("Measuring", "Python");
    let python = peer(world.script("bench.py").arg(&corpora))?;
    say::status("Measuring", "Go");
    let go = peer(Run::new(world.tools.go("peer")).arg("bench").arg(&corpora))?;
    say::status("Measuring", "the floor and ours");
    head();
    for corpus in CORPORA {
        for container in Container::ALL {
            let directory = corpus.directory(&corpora, container);
            for row in measure(corpus, container, &directory, &keys)? {
                row.print(&python, &go);
            }
        }
    }
    let product = recording::release(root)?;
    recording::run(&product, &world, &corpora, &keys)?;
    if args.build {
        building::run(&world, &product)
    } else {
        Ok(())
    }
}

/// Milliseconds by `WORK CORPUS CONTAINER`.
type Times = BTreeMap<String, f64>;

/// Runs a peer's program and reads its lines.
fn peer(run: Run) -> Result<Times, Failure> {
    let mut times = Times::new();
    for line in run.succeed()?.stdout.lines() {
        let (name, milliseconds) = line
            .rsplit_once(' ')
            .ok_or_else(|| Failure::new(format!("unexpected line {line:?}")))?;
        times.insert(name.to_owned(), milliseconds.parse().context(format!("read {line:?}"))?);
    }
    Ok(times)
}

/// One line of the table.
#[derive(Debug)]
struct Row {
    name: String,
    floor: f64,
    ours: f64,
}

fn measure(corpus: &Corpus, container: Container, directory: &Utf8PathBuf, keys: &Keys) -> Result<Vec<Row>, Failure> {
    let layout = directory.join("root.layout");
    let name = |work: &str| format!("{work} {} {}", corpus.name, container.name());
    let mut rows = Vec::new();
    rows.push(Row {
        name: name("parse"),
        floor: clock::least(|| floor::parse(&layout, container).map(drop))?,
        ours: clock::least(|| ours::parse(&layout).map(drop))?,
    });
    let canonical = corpus.canonical_layout(keys);
    let plain: serde_json::Value = serde_json::from_slice(&canonical).context("parse a corpus")?;
    let own = strict_json::parse(&canonical, &Limits::default()).context("parse a corpus")?;
    let id = keys.owner.public_key().key_id(KeyIdStyle::Python);
    rows.push(Row {
        name: name("sign"),
        floor: clock::least(|| floor::sign(&plain, &keys.owner, id.as_str(), container).map(drop))?,
        ours: clock::least(|| ours::sign(&own, &keys.owner, &id, container).map(drop))?,
    });
    let (owner, functionary): (&SecretKey, &SecretKey) = (&keys.owner, &keys.functionary);
    rows.push(Row {
        name: name("verify"),
        floor: clock::least(|| floor::verify(directory, container, owner.public_key(), functionary.public_key()))?,
        ours: clock::least(|| ours::verify(directory, owner))?,
    });
    Ok(rows)
}

fn head() {
    say::row(format!(
        "{:<34} {:>10} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9}",
        "CPU milliseconds", "Python", "Go", "floor", "ours", "÷ Python", "÷ Go", "÷ floor"
    ));
}

impl Row {
    fn print(&self, python: &Times, go: &Times) {
        let Self { name, floor, ours } = self;
        let time = |time: Option<f64>| time.map_or_else(|| "–".to_owned(), |time| format!("{time:.3}"));
        let ratio = |time: Option<f64>| time.map_or_else(|| "–".to_owned(), |time| format!("{:.3}", ours / time));
        let (python, go) = (python.get(name).copied(), go.get(name).copied());
        say::row(format!(
            "{name:<34} {:>10} {:>10} {floor:>10.3} {ours:>10.3} {:>9} {:>9} {:>9}",
            time(python),
            time(go),
            ratio(python),
            ratio(go),
            ratio(Some(*floor)),
        ));
    }
}
