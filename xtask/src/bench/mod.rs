//! `cargo xtask bench`: CPU time of the same work by Python, Go, this code and the floor, in one run on one machine.

use camino::Utf8Path;
use intoto_core::encoding::strict_json;
use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
use intoto_core::limits::Limits;

use crate::failure::{Context, Failure};
use crate::interop::{Container, World};
use crate::process::Run;
use crate::root::Root;
use crate::say;
use crate::tools;

mod building;
mod clock;
mod corpus;
mod floor;
mod ours;
mod recording;
mod small;
mod table;

use corpus::{CORPORA, Corpus, Keys};
use ours::Threads;
use table::{Peers, Row, Times};

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
    let product = recording::release(root)?;
    let world = World::with_product(root, "bench", product.clone())?;
    let keys = Keys::new();
    let corpora = world.directory("corpora")?;
    corpus::write_all(&corpora, &keys)?;
    let peers = peers(root, &world, &corpora)?;
    say::status("Measuring", "the floor and ours");
    table::head();
    let mut rows = Vec::new();
    for corpus in CORPORA {
        for container in Container::ALL {
            let directory = corpus.directory(&corpora, container);
            for row in measure(corpus, container, &directory, &keys)? {
                row.print(&peers);
                rows.push(row);
            }
        }
    }
    table::growth(&rows, "steps-10", "steps-1000");
    recording::run(&product, &world, &corpora, &keys)?;
    small::run(root, &world, &corpora)?;
    if args.build {
        building::run(&world, &product)
    } else {
        Ok(())
    }
}

fn peers(root: &Root, world: &World, corpora: &Utf8Path) -> Result<Peers, Failure> {
    let crate_peer = tools::rust_peer(root)?;
    say::status("Measuring", "Python");
    let python = peer(world.script("bench.py").arg(corpora))?;
    say::status("Measuring", "Go");
    let go = peer(Run::new(world.tools.go("peer")).arg("bench").arg(corpora))?;
    say::status("Measuring", "the crate in-toto");
    let rust = peer(Run::new(crate_peer).arg(corpora))?;
    Ok(Peers { python, go, rust })
}

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

fn measure(corpus: &Corpus, container: Container, directory: &Utf8Path, keys: &Keys) -> Result<Vec<Row>, Failure> {
    let layout = directory.join("root.layout");
    let name = |work: &str| format!("{work} {} {}", corpus.name, container.name());
    let mut rows = Vec::new();
    if corpus.has_layout_rows {
        rows.extend(measure_layout(corpus, container, &layout, keys)?);
    }
    let (owner, functionary): (&SecretKey, &SecretKey) = (&keys.owner, &keys.functionary);
    let floor = || floor::verify(directory, container, owner.public_key(), functionary.public_key());
    rows.push(Row {
        name: name("verify"),
        floor: clock::least(floor)?,
        ours: clock::least(|| ours::verify(directory, owner, Threads::One))?,
        wall: Some((
            clock::least_wall(floor)?,
            clock::least_wall(|| ours::verify(directory, owner, Threads::All))?,
        )),
    });
    Ok(rows)
}

/// The work on a layout alone.
fn measure_layout(corpus: &Corpus, container: Container, layout: &Utf8Path, keys: &Keys) -> Result<[Row; 2], Failure> {
    let name = |work: &str| format!("{work} {} {}", corpus.name, container.name());
    let canonical = corpus.canonical_layout(keys);
    let plain: serde_json::Value = serde_json::from_slice(&canonical).context("parse a corpus")?;
    let own = strict_json::parse(&canonical, &Limits::default()).context("parse a corpus")?;
    let id = keys.owner.public_key().key_id(KeyIdStyle::Python);
    Ok([
        Row {
            name: name("parse"),
            floor: clock::least(|| floor::parse_layout(layout, container))?,
            ours: clock::least(|| ours::parse(layout).map(drop))?,
            wall: None,
        },
        Row {
            name: name("sign"),
            floor: clock::least(|| floor::sign(&plain, &keys.owner, id.as_str(), container).map(drop))?,
            ours: clock::least(|| ours::sign(&own, &keys.owner, &id, container).map(drop))?,
            wall: None,
        },
    ])
}
