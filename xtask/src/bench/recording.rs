//! Whole processes: recording many files, one large file, and verifying, in CPU time and peak memory.

use std::fs::{self, File};
use std::io::{Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::sha256;
use intoto_core::key::Signer;
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::corpus::Keys;
use super::{clock, floor};
use crate::failure::{Context, Failure};
use crate::interop::{Container, World, files, write};
use crate::process::Run;
use crate::root::Root;
use crate::say;

const ROUNDS: usize = 20;
const FILES: usize = 10_000;
const FILE_SIZE: usize = 4096;
const LARGE_SIZE: usize = 1 << 30;

/// What a process cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// CPU time of the process and the children that it waited for.
    pub(super) milliseconds: f64,
    /// The highest peak among them.
    peak_mib: f64,
    /// CPU time of the process alone.
    pub(super) own_milliseconds: f64,
    /// Its own peak.
    pub(super) own_peak_mib: f64,
    /// From its first instruction to its end.
    pub(super) wall_milliseconds: f64,
}

/// Measures all and prints a row each.
pub(super) fn run(product: &Utf8Path, world: &World, corpora: &Utf8Path, keys: &Keys) -> Result<(), Failure> {
    head();
    let key = corpora.join("alice");
    let commands = Commands {
        world,
        product,
        key: &key,
    };
    for (name, corpus) in [("verify 10 links", "steps-10"), ("verify 50 links", "steps-50")] {
        for container in Container::ALL {
            let chain = corpora.join(corpus).join(container.name());
            let floor = || {
                floor::verify(
                    &chain,
                    container,
                    keys.owner.public_key(),
                    keys.functionary.public_key(),
                )
            };
            print(
                &format!("{name} {}", container.name()),
                least_cost(5, || Ok(commands.python_verify(&chain)))?,
                least_cost(ROUNDS, || Ok(commands.go_verify(&chain)))?,
                clock::least(floor)?,
                least_cost(ROUNDS, || Ok(commands.ours_verify(&chain)))?,
            );
        }
    }
    for (name, large) in [
        ("record 10,000 files of 4 KB", false),
        ("record one file of 1 GiB", true),
    ] {
        let directory = world.directory("recorded")?;
        world.workspace(&directory, "/data\n*.link")?;
        world
            .command(product)
            .args(["fetch", "--key"])
            .arg(&key)
            .directory(&directory)
            .succeed()?;
        let data = directory.join("data");
        fs::create_dir(&data).context(format!("create {data}"))?;
        if large {
            write_large(&data)?
        } else {
            write_many(&data)?
        }
        let rounds = if large { 2 } else { 8 };
        let ours = || {
            forget_recording(&directory)?;
            Ok(commands.ours_record(&directory))
        };
        print(
            name,
            least_cost(2, || Ok(commands.python_record(&directory)))?,
            least_cost(2, || Ok(commands.go_record(&directory)))?,
            clock::least(|| hash_all(&data))?,
            least_cost(rounds, ours)?,
        );
    }
    Ok(())
}

/// Removes what the last recording of the step left, so that each finds the same.
fn forget_recording(workspace: &Utf8Path) -> Result<(), Failure> {
    let run = workspace.join("target/intoto/latest");
    let superseded = run.join("superseded");
    if superseded.exists() {
        fs::remove_dir_all(&superseded).context(format!("remove {superseded}"))?;
    }
    for link in files(&run, "link")? {
        if link.file_name().is_some_and(|name| name.starts_with("step.")) {
            fs::remove_file(&link).context(format!("remove {link}"))?;
        }
    }
    Ok(())
}

/// The command lines that are compared.
struct Commands<'a> {
    world: &'a World,
    product: &'a Utf8Path,
    key: &'a Utf8Path,
}

impl Commands<'_> {
    fn python_verify(&self, chain: &Utf8Path) -> Run {
        let run = self
            .measure()
            .arg(self.world.tools.python("in-toto-verify"))
            .arg("-l")
            .arg(chain.join("root.layout"));
        run.arg("--verification-keys")
            .arg(self.public())
            .arg("--link-dir")
            .arg(chain.join("links"))
            .directory(chain)
    }

    fn go_verify(&self, chain: &Utf8Path) -> Run {
        let run = self
            .measure()
            .arg(self.world.tools.go("in-toto-golang"))
            .args(["verify", "-l"])
            .arg(chain.join("root.layout"));
        run.arg("-k")
            .arg(self.public())
            .arg("-d")
            .arg(chain.join("links"))
            .directory(chain)
    }

    fn ours_verify(&self, chain: &Utf8Path) -> Run {
        let run = self
            .measure()
            .arg(self.product)
            .args(["verify", "--layout"])
            .arg(chain.join("root.layout"));
        run.arg("--key")
            .arg(self.public())
            .arg("--link-dir")
            .arg(chain.join("links"))
            .directory(chain)
    }

    fn python_record(&self, directory: &Utf8Path) -> Run {
        let run = self
            .measure()
            .arg(self.world.tools.python("in-toto-run"))
            .args(["-n", "step", "--signing-key"])
            .arg(self.key);
        run.args(["-m", "data", "--", "true"]).directory(directory)
    }

    fn go_record(&self, directory: &Utf8Path) -> Run {
        let run = self
            .measure()
            .arg(self.world.tools.go("in-toto-golang"))
            .args(["run", "-n", "step", "-k"])
            .arg(self.key);
        run.args(["-m", "data", "--", "true"]).directory(directory)
    }

    fn ours_record(&self, directory: &Utf8Path) -> Run {
        let run = self
            .measure()
            .arg(self.product)
            .args(["run", "--step", "step", "--key"])
            .arg(self.key);
        run.args(["-m", "data", "--", "true"]).directory(directory)
    }

    fn public(&self) -> String {
        format!("{}.pub", self.key)
    }

    fn measure(&self) -> Run {
        self.world.command(self.world.tools.go("peer")).arg("measure")
    }
}

/// Runs the command several times and keeps the least of each number.
pub(super) fn least_cost(rounds: usize, mut run: impl FnMut() -> Result<Run, Failure>) -> Result<Cost, Failure> {
    let mut least = cost(run()?)?;
    for _ in 1..rounds {
        let other = cost(run()?)?;
        least = Cost {
            milliseconds: least.milliseconds.min(other.milliseconds),
            peak_mib: least.peak_mib.min(other.peak_mib),
            own_milliseconds: least.own_milliseconds.min(other.own_milliseconds),
            own_peak_mib: least.own_peak_mib.min(other.own_peak_mib),
            wall_milliseconds: least.wall_milliseconds.min(other.wall_milliseconds),
        };
    }
    Ok(least)
}

/// Runs the command once, by way of `peer measure`, and reads what it cost.
pub(super) fn cost(run: Run) -> Result<Cost, Failure> {
    let output = run.succeed()?.stdout;
    let last = output.lines().last().unwrap_or_default();
    let numbers: Vec<f64> = last
        .split(' ')
        .map(|text| text.parse().context(format!("read {last:?}")))
        .collect::<Result<_, _>>()?;
    let [milliseconds, peak, own_milliseconds, own_peak, wall_milliseconds] = numbers[..] else {
        return Err(Failure::new(format!("unexpected output {output:?}")));
    };
    Ok(Cost {
        milliseconds,
        peak_mib: peak / 1024.0,
        own_milliseconds,
        own_peak_mib: own_peak / 1024.0,
        wall_milliseconds,
    })
}

fn head() {
    say::row("");
    say::row(
        "Whole processes. CPU with children, and of our process alone; peak of the process, and the highest among its children.",
    );
    say::row("The floor of recording: the directory listed, every file opened, read and hashed, on all processors.");
    say::row(format!(
        "{:<29} {:>17} {:>17} {:>8} {:>8} {:>8} {:>16} {:>8} {:>7} {:>7}",
        "CPU milliseconds, MiB",
        "Python",
        "Go",
        "floor",
        "ours",
        "(alone)",
        "peak (children)",
        "× Python",
        "× Go",
        "÷ floor"
    ));
}

fn print(name: &str, python: Cost, go: Cost, floor: f64, ours: Cost) {
    let cell = |cost: Cost| format!("{:.1} {:.1} MiB", cost.milliseconds, cost.own_peak_mib);
    say::row(format!(
        "{name:<29} {:>17} {:>17} {floor:>8.1} {:>8.1} {:>8.1} {:>16} {:>8.1} {:>7.1} {:>7.2}",
        cell(python),
        cell(go),
        ours.milliseconds,
        ours.own_milliseconds,
        format!("{:.1} ({:.1})", ours.own_peak_mib, ours.peak_mib),
        python.milliseconds / ours.milliseconds,
        go.milliseconds / ours.milliseconds,
        ours.milliseconds / floor
    ));
}

/// The product as users build it.
pub(super) fn release(root: &Root) -> Result<Utf8PathBuf, Failure> {
    Run::cargo()
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            "cargo-intoto",
            "--bin",
            "cargo-intoto",
        ])
        .directory(root.path())
        .show()?;
    Ok(root.target().join("release/cargo-intoto"))
}

/// Plain hashing of every file, on all processors, each through a buffer of its own.
fn hash_all(directory: &Utf8Path) -> Result<(), Failure> {
    let mut paths = Vec::new();
    for entry in directory.read_dir_utf8().context(format!("read {directory}"))? {
        paths.push(entry.context(format!("read {directory}"))?.into_path());
    }
    let hash = |buffer: &mut Vec<u8>, path: &Utf8PathBuf| {
        let mut file = File::open(path).context(format!("open {path}"))?;
        let mut hasher = Sha256::new();
        loop {
            let count = file.read(buffer).context(format!("read {path}"))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
        }
        std::hint::black_box(hasher.finalize());
        Ok(())
    };
    paths.par_iter().try_for_each_init(|| vec![0; 1 << 16], hash)
}

fn write_many(directory: &Utf8Path) -> Result<(), Failure> {
    for index in 0..FILES {
        let digest = sha256(&index.to_le_bytes());
        write(
            &directory.join(format!("file-{index:05}")),
            digest.repeat(FILE_SIZE / digest.len()),
        )?;
    }
    Ok(())
}

fn write_large(directory: &Utf8Path) -> Result<(), Failure> {
    let path = directory.join("large");
    let mut file = File::create(&path).context(format!("create {path}"))?;
    let block = sha256(b"large").repeat(1 << 15);
    for _ in 0..LARGE_SIZE / block.len() {
        file.write_all(&block).context(format!("write {path}"))?;
    }
    Ok(())
}
