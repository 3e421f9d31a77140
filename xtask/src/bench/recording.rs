//! Whole processes: recording many files, one large file, and verifying, in CPU time and peak memory.

use std::fs::{self, File};
use std::io::{Read, Write};

use camino::Utf8Path;
use intoto_core::digest::sha256;
use intoto_core::key::Signer;
use sha2::{Digest, Sha256};

use super::corpus::Keys;
use super::{clock, floor};
use crate::failure::{Context, Failure};
use crate::interop::{Container, World, write};
use crate::process::Run;
use crate::root::Root;
use crate::say;

const FILES: usize = 10_000;
const FILE_SIZE: usize = 4096;
const LARGE_SIZE: usize = 1 << 30;

/// What a process cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// CPU time of the process and the children that it waited for.
    pub(super) milliseconds: f64,
    /// The highest peak among them.
    pub(super) peak_mib: f64,
    /// CPU time of the process alone.
    pub(super) own_milliseconds: f64,
    /// Its own peak.
    pub(super) own_peak_mib: f64,
}

/// Measures all three and prints a row each.
pub(super) fn run(product: &Utf8Path, world: &World, corpora: &Utf8Path, keys: &Keys) -> Result<(), Failure> {
    say::row("");
    say::row(format!(
        "{:<34} {:>18} {:>18} {:>10} {:>18} {:>9}",
        "whole process: ms, peak MiB", "Python", "Go", "floor", "ours", "÷ floor"
    ));
    let key = corpora.join("alice");
    let chain = corpora.join("steps-10/dsse");
    let commands = Commands {
        world,
        product,
        key: &key,
    };
    let verify_floor = clock::least(|| {
        floor::verify(
            &chain,
            Container::Dsse,
            keys.owner.public_key(),
            keys.functionary.public_key(),
        )
    })?;
    print(
        "verify 10 links",
        commands.python_verify(&chain)?,
        commands.go_verify(&chain)?,
        verify_floor,
        commands.ours_verify(&chain)?,
    );
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
        let floor = clock::least(|| hash_all(&data))?;
        let python = commands.python_record(&directory)?;
        let go = commands.go_record(&directory)?;
        let ours = commands.ours_record(&directory)?;
        print(name, python, go, floor, ours);
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
    fn python_verify(&self, chain: &Utf8Path) -> Result<Cost, Failure> {
        let run = self
            .measure()
            .arg(self.world.tools.python("in-toto-verify"))
            .arg("-l")
            .arg(chain.join("root.layout"));
        cost(
            run.arg("--verification-keys")
                .arg(self.public())
                .arg("--link-dir")
                .arg(chain.join("links")),
            chain,
        )
    }

    fn go_verify(&self, chain: &Utf8Path) -> Result<Cost, Failure> {
        let run = self
            .measure()
            .arg(self.world.tools.go("in-toto-golang"))
            .args(["verify", "-l"])
            .arg(chain.join("root.layout"));
        cost(
            run.arg("-k").arg(self.public()).arg("-d").arg(chain.join("links")),
            chain,
        )
    }

    fn ours_verify(&self, chain: &Utf8Path) -> Result<Cost, Failure> {
        let run = self
            .measure()
            .arg(self.product)
            .args(["verify", "--layout"])
            .arg(chain.join("root.layout"));
        cost(
            run.arg("--key")
                .arg(self.public())
                .arg("--link-dir")
                .arg(chain.join("links")),
            chain,
        )
    }

    fn python_record(&self, directory: &Utf8Path) -> Result<Cost, Failure> {
        let run = self
            .measure()
            .arg(self.world.tools.python("in-toto-run"))
            .args(["-n", "step", "--signing-key"])
            .arg(self.key);
        cost(run.args(["-m", "data", "--", "true"]), directory)
    }

    fn go_record(&self, directory: &Utf8Path) -> Result<Cost, Failure> {
        let run = self
            .measure()
            .arg(self.world.tools.go("in-toto-golang"))
            .args(["run", "-n", "step", "-k"])
            .arg(self.key);
        cost(run.args(["-m", "data", "--", "true"]), directory)
    }

    fn ours_record(&self, directory: &Utf8Path) -> Result<Cost, Failure> {
        let run = self
            .measure()
            .arg(self.product)
            .args(["run", "--step", "step", "--key"])
            .arg(self.key);
        cost(run.args(["-m", "data", "--", "true"]), directory)
    }

    fn public(&self) -> String {
        format!("{}.pub", self.key)
    }

    fn measure(&self) -> Run {
        self.world.command(self.world.tools.go("peer")).arg("measure")
    }
}

/// Runs the command once and reads what it cost.
pub(super) fn cost(run: Run, directory: &Utf8Path) -> Result<Cost, Failure> {
    let output = run.directory(directory).succeed()?.stdout;
    let last = output.lines().last().unwrap_or_default();
    let numbers: Vec<f64> = last
        .split(' ')
        .map(|text| text.parse().context(format!("read {last:?}")))
        .collect::<Result<_, _>>()?;
    let [milliseconds, peak, own_milliseconds, own_peak] = numbers[..] else {
        return Err(Failure::new(format!("unexpected output {output:?}")));
    };
    Ok(Cost {
        milliseconds,
        peak_mib: peak / 1024.0,
        own_milliseconds,
        own_peak_mib: own_peak / 1024.0,
    })
}

fn print(name: &str, python: Cost, go: Cost, floor: f64, ours: Cost) {
    let cell = |cost: Cost| {
        let (all, own) = (cost.milliseconds, cost.own_milliseconds);
        format!(
            "{all:.1} ({own:.1}) {:.1} ({:.1}) MiB",
            cost.peak_mib, cost.own_peak_mib
        )
    };
    say::row(format!(
        "{name:<34} {:>18} {:>18} {floor:>10.1} {:>18} {:>9.3}",
        cell(python),
        cell(go),
        cell(ours),
        ours.milliseconds / floor
    ));
}

/// The product as users build it.
pub(super) fn release(root: &Root) -> Result<camino::Utf8PathBuf, Failure> {
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

/// Plain hashing of every file, through one buffer.
fn hash_all(directory: &Utf8Path) -> Result<(), Failure> {
    let mut buffer = vec![0; 1 << 16];
    for entry in directory.read_dir_utf8().context(format!("read {directory}"))? {
        let path = entry.context(format!("read {directory}"))?.into_path();
        let mut file = File::open(&path).context(format!("open {path}"))?;
        let mut hasher = Sha256::new();
        loop {
            let count = file.read(&mut buffer).context(format!("read {path}"))?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
        }
        std::hint::black_box(hasher.finalize());
    }
    Ok(())
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
