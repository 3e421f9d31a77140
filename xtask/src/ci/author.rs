//! The author of a small crate, who sets its repository up for a service by the commands that `init --ci` prints.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::runner::make;
use crate::failure::{Context, Failure};
use crate::interop::{read, write};
use crate::outer::{PASSED_ON, rustup_home};
use crate::process::{Ended, Run};

/// What is released.
const TAG: &str = "v0.1.0";

const MANIFEST: &str = "\
[package]
name = \"hello\"
version = \"0.1.0\"
edition = \"2024\"
description = \"Says hello\"
license = \"MIT\"
";

const MAIN: &str = "\
fn main() {
    println!(\"Hello\");
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_are_two() {
        assert_eq!(1 + 1, 2);
    }
}
";

/// A build script that wants to know: it writes down its own environment and that of every process it can look into.
const BUILD: &str = r#"
fn main() {
    let mut seen = String::new();
    for (name, value) in std::env::vars() {
        seen.push_str(&format!("{name}={value}\n"));
    }
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        if let Ok(bytes) = std::fs::read(entry.path().join("environ")) {
            seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    std::fs::write(format!("@LEAKS@/{}", std::process::id()), seen).expect("the place for leaks is writable");
}
"#;

const GIT_CONFIG: &str = "\
[user]
	name = Diana
	email = diana@example.com
[init]
	defaultBranch = main
";

/// In the place of the services' own command lines: keeps what the author hands over.
const GH: &str = r#"#!/bin/sh
set -eu
store=@STORE@
case "$1 $2" in
"secret set") [ "$4 $5" = "--env release" ] && cat >"$store/secrets/$3" ;;
"variable set") cat >"$store/variables/$3" ;;
*) echo "gh: $* is not known here" >&2; exit 64 ;;
esac
"#;

const GLAB: &str = r#"#!/bin/sh
set -eu
store=@STORE@
name=$3
case "$1 $2 $4 ${5:-} ${6:-}" in
"variable set --scope release --protected") cat >"$store/secrets/$name" ;;
"variable set --protected  ") cat >"$store/variables/$name" ;;
*) echo "glab: $* is not known here" >&2; exit 64 ;;
esac
"#;

/// In the place of cargo where a pipeline installs this program: it is built already.
const CARGO: &str = r#"#!/bin/sh
set -eu
[ "$1 $2 $3" = "install --locked --root" ] || { echo "cargo: $* is not known here" >&2; exit 64; }
mkdir -p "$4/bin"
cp "@PRODUCT@" "$4/bin/cargo-intoto"
"#;

/// The author, the repository on the service, and what the service knows.
#[derive(Debug)]
pub(super) struct Author {
    /// The repository as the service has it.
    pub(super) server: Utf8PathBuf,
    pub(super) tag: &'static str,
    pub(super) commit: String,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) variables: BTreeMap<String, String>,
    /// The token that every job has for the service itself.
    pub(super) job_token: String,
    /// The pipeline, in the author's tree.
    pub(super) pipeline: Utf8PathBuf,
    /// The author's own clone, home and programs.
    desk: Desk,
    /// Where the build script writes what it saw.
    leaks: Utf8PathBuf,
    /// Programs that take the place of installing.
    installer: Utf8PathBuf,
}

/// Where the author works.
#[derive(Debug)]
struct Desk {
    tree: Utf8PathBuf,
    home: Utf8PathBuf,
    programs: Utf8PathBuf,
}

impl Desk {
    /// Runs what the author types.
    fn shell(&self, script: &str) -> Result<Ended, Failure> {
        let path = std::env::var("PATH").unwrap_or_default();
        Run::new("sh")
            .only_env(PASSED_ON)
            .env("PATH", format!("{}:{path}", self.programs))
            .env("RUSTUP_HOME", rustup_home())
            .env("HOME", &self.home)
            .env("CARGO_TERM_COLOR", "never")
            .env("LC_ALL", "C.UTF-8")
            .args(["-euc", script])
            .directory(&self.tree)
            .succeed()
    }
}

impl Author {
    /// Writes the crate, sets it up for `service` and pushes a tag.
    ///
    /// # Errors
    /// When a command that `init` prints fails.
    pub(super) fn new(product: &Utf8Path, service: &str, directory: &Utf8Path) -> Result<Self, Failure> {
        let path = |name: &str| directory.join(name);
        let desk = Desk {
            tree: path("hello"),
            home: path("home"),
            programs: path("programs"),
        };
        let Desk { tree, home, programs } = &desk;
        let (installer, leaks, server) = (path("installer"), path("leaks"), path("server.git"));
        for directory in [&tree.join("src"), home, programs, &installer, &leaks] {
            make(directory)?;
        }
        for kind in ["secrets", "variables"] {
            make(&path(kind))?;
        }
        write(&home.join(".gitconfig"), GIT_CONFIG)?;
        program(&programs.join("gh"), &GH.replace("@STORE@", directory.as_str()))?;
        program(&programs.join("glab"), &GLAB.replace("@STORE@", directory.as_str()))?;
        program(&installer.join("cargo"), &CARGO.replace("@PRODUCT@", product.as_str()))?;
        std::os::unix::fs::symlink(product, programs.join("cargo-intoto")).context("link the product")?;
        write(&tree.join("Cargo.toml"), MANIFEST)?;
        write(&tree.join("src/main.rs"), MAIN)?;
        write(&tree.join("build.rs"), BUILD.replace("@LEAKS@", leaks.as_str()))?;
        write(&tree.join(".gitignore"), "/target\n")?;

        let shell = |script: &str| desk.shell(script);
        shell(
            "git init --quiet && cargo generate-lockfile --quiet && git add --all && git commit --quiet --message Begin",
        )?;
        let told = shell(&format!("cargo intoto init --no-passphrase --ci {service}"))?;
        shell(&told.stdout)?;
        shell(&format!("git tag {TAG} && git clone --quiet --bare . {server}"))?;
        let commit = shell("git rev-parse HEAD")?.stdout.trim().to_owned();
        let status = shell("git status --porcelain")?.stdout;
        if !status.is_empty() {
            return Err(Failure::new(format!(
                "the commands of `init` leave a tree that is not clean:\n{status}"
            )));
        }
        let files = shell("git show --name-only --format= HEAD")?.stdout;
        let pipeline = cargo_intoto_layouts::pipeline(service)
            .map(|pipeline| tree.join(pipeline.file))
            .filter(|file| files.lines().any(|name| file.ends_with(name)))
            .ok_or_else(|| Failure::new(format!("`init` committed no pipeline:\n{files}")))?;
        Ok(Self {
            secrets: values(&path("secrets"))?,
            variables: values(&path("variables"))?,
            server,
            tag: TAG,
            commit,
            job_token: "the-token-of-the-job".to_owned(),
            pipeline,
            desk,
            leaks,
            installer,
        })
    }

    /// The pipeline as `init --ci` adds it to the tree that is set up, with other options, in another file.
    ///
    /// # Errors
    /// When it cannot.
    pub(super) fn write_pipeline(&self, service: &str, file: &Utf8Path, options: &str) -> Result<(), Failure> {
        self.desk
            .shell(&format!("cargo intoto init --ci {service} --ci-file {file} {options}"))
            .map(|_| ())
    }

    /// What a job is given to ask who it is.
    pub(super) fn identity(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Directories of programs that a job finds before all others.
    pub(super) fn programs_for(&self, job: &str) -> Vec<String> {
        match job {
            "tool" => vec![self.installer.to_string()],
            _ => Vec::new(),
        }
    }

    /// What the build script saw, wherever it ran.
    ///
    /// # Errors
    /// When it never ran.
    pub(super) fn seen_by_build_script(&self) -> Result<String, Failure> {
        let seen: Vec<String> = values(&self.leaks)?.into_values().collect();
        match seen.is_empty() {
            true => Err(Failure::new("the build script never ran, so it shows nothing")),
            false => Ok(seen.concat()),
        }
    }
}

/// The files of a directory, by name.
fn values(directory: &Utf8Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut values = BTreeMap::new();
    for entry in directory
        .read_dir_utf8()
        .context(format!("list {directory}"))?
        .flatten()
    {
        values.insert(entry.file_name().to_owned(), read(entry.path())?);
    }
    Ok(values)
}

fn program(path: &Utf8Path, text: &str) -> Result<(), Failure> {
    write(path, text)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(path, mode).context(format!("make {path} a program"))
}
