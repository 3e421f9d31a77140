//! The author of a small crate, who sets its repository up for a service by the commands that `init --ci` prints.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::runner::make;
use crate::failure::{Context, Failure};
use crate::http::{self, Response};
use crate::interop::{read, write};
use crate::outer::{NO_INSTALL, PASSED_ON, rustup_home};
use crate::process::{Ended, Run};
use crate::registry::Registry;

/// What is released.
const TAG: &str = "v0.1.0";

const MANIFEST: &str = "\
[package]
name = \"hello\"
version = \"0.1.0\"
edition = \"2024\"
description = \"Says hello\"
license = \"MIT\"
publish = [\"here\"]
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

/// In the place of GitHub's command line where a job attaches files to a release.
const FORGE: &str = r#"#!/bin/sh
set -eu
[ "$GH_TOKEN" = "@TOKEN@" ] || exit 4
case "$1 $2 $3 $4" in
"release view @TAG@ --repo") exit 1 ;;
"release create @TAG@ --repo") ;;
"release upload @TAG@ --repo") shift 5; cp "$@" @STORE@/ ;;
*) echo "gh: $* is not known here" >&2; exit 64 ;;
esac
"#;

/// What GitHub gives a job with the right to ask for its identity.
const REQUEST_TOKEN: &str = "the-right-to-ask-who-the-job-is";

/// The token that every job has for the service itself.
const JOB_TOKEN: &str = "the-token-of-the-job";

/// A token that lasts, for services whose jobs have no identity that registries take.
pub(super) const STANDING_TOKEN: &str = "a-token-that-lasts";

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
    /// Where the crate is published.
    pub(super) registry: Registry,
    /// What was attached to the release.
    pub(super) released: Utf8PathBuf,
    /// Where jobs ask for their identity.
    issuer: String,
    /// What they are told, for this registry.
    identity: String,
    /// The pipeline, in the author's tree.
    pub(super) pipeline: Utf8PathBuf,
    /// The author's own clone, home and programs.
    desk: Desk,
    /// Where the build script writes what it saw.
    leaks: Utf8PathBuf,
    /// Programs that take the place of installing, and of the service's own command line.
    installer: Utf8PathBuf,
    forge: Utf8PathBuf,
}

/// Where the author works.
#[derive(Debug)]
struct Desk {
    tree: Utf8PathBuf,
    home: Utf8PathBuf,
    programs: Utf8PathBuf,
    /// The index of the registry.
    index: String,
}

impl Desk {
    /// Runs what the author types.
    fn shell(&self, script: &str) -> Result<Ended, Failure> {
        let path = std::env::var("PATH").unwrap_or_default();
        Run::new("sh")
            .only_env(PASSED_ON)
            .env("PATH", format!("{}:{path}", self.programs))
            .env("RUSTUP_HOME", rustup_home())
            .env(NO_INSTALL.0, NO_INSTALL.1)
            .env("HOME", &self.home)
            .env("CARGO_REGISTRIES_HERE_INDEX", &self.index)
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
        let registry = Registry::start();
        let host = registry.api().replace("http://", "");
        let identity = format!("identity-for-{host}");
        registry.trust(&identity);
        let desk = Desk {
            index: registry.index(),
            tree: path("hello"),
            home: path("home"),
            programs: path("programs"),
        };
        let Desk {
            tree, home, programs, ..
        } = &desk;
        let (installer, leaks, server) = (path("installer"), path("leaks"), path("server.git"));
        let (forge, released) = (path("forge"), path("released"));
        for directory in [&tree.join("src"), home, programs, &installer, &leaks, &forge, &released] {
            make(directory)?;
        }
        for kind in ["secrets", "variables"] {
            make(&path(kind))?;
        }
        write(&home.join(".gitconfig"), GIT_CONFIG)?;
        program(&programs.join("gh"), &GH.replace("@STORE@", directory.as_str()))?;
        program(&programs.join("glab"), &GLAB.replace("@STORE@", directory.as_str()))?;
        let text = FORGE.replace("@STORE@", released.as_str()).replace("@TAG@", TAG);
        program(&forge.join("gh"), &text.replace("@TOKEN@", JOB_TOKEN))?;
        write_installer(&installer, product)?;
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
        // Where there is no command line for it, people do it in the browser.
        for (id, file) in told.stdout.lines().filter_map(credential) {
            let text = read(&tree.join(file))?;
            write(&path("secrets").join(id), text)?;
        }
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
        registry.grant(STANDING_TOKEN);
        let mut secrets = values(&path("secrets"))?;
        if service == "jenkins" {
            secrets.insert("registry-token".to_owned(), STANDING_TOKEN.to_owned());
        }
        Ok(Self {
            secrets,
            variables: values(&path("variables"))?,
            server,
            tag: TAG,
            commit,
            issuer: issuer(),
            identity,
            registry,
            released,
            forge,
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

    /// The signed layout in the author's tree.
    pub(super) fn layout(&self) -> Utf8PathBuf {
        self.desk.tree.join("layouts/release.layout")
    }

    /// What GitHub gives a job to ask who it is.
    pub(super) fn right_to_ask(&self) -> [(&'static str, String); 2] {
        [
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                format!("{}?api-version=2.0", self.issuer),
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()),
        ]
    }

    /// The token that every job has for the service itself.
    pub(super) fn job_token(&self) -> &'static str {
        JOB_TOKEN
    }

    /// The identity itself, as GitLab puts it into a variable.
    pub(super) fn identity(&self) -> &str {
        &self.identity
    }

    /// The index of the registry, for a variable of every machine.
    pub(super) fn index(&self) -> &str {
        &self.desk.index
    }

    /// What no build script may see, by what it is called.
    pub(super) fn confidential(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = self.secrets.clone().into_iter().collect();
        all.push(("the right to ask".to_owned(), REQUEST_TOKEN.to_owned()));
        all.push(("the identity".to_owned(), self.identity.clone()));
        all.extend(
            self.registry
                .minted()
                .into_iter()
                .map(|token| ("the registry's token".to_owned(), token)),
        );
        all
    }

    /// A consumer, who has the owner's key from elsewhere, verifies a crate by a bundle.
    ///
    /// # Errors
    /// When it does not verify.
    pub(super) fn consume(&self, bundle: &Utf8Path, crate_file: &Utf8Path) -> Result<(), Failure> {
        let command = format!("cargo-intoto verify --bundle {bundle} --key layouts/keys/owner.pub {crate_file}");
        let ended = self.desk.shell(&command)?;
        match ended.stdout.contains("Verified hello-0.1.0.crate") {
            true => Ok(()),
            false => Err(Failure::new(format!("`{command}` says\n{}", ended.tail()))),
        }
    }

    /// As [`Author::write_pipeline`], for a layout that hands out the executable alone.
    ///
    /// # Errors
    /// When it cannot.
    pub(super) fn write_pipeline_of_executable(&self, service: &str, file: &Utf8Path) -> Result<(), Failure> {
        let crate_rule = r#""MATCH hello-\[0-9\]\*.crate WITH PRODUCTS IN target\/package FROM package",\? *"#;
        self.desk
            .shell(&format!(
                "rm -rf ../other && cp -R . ../other && cd ../other && sed -i 's/{crate_rule}//' layouts/release.toml\n\
                 cargo intoto init --ci {service} --ci-file {file}; grep -q publish {file} && exit 1; true"
            ))
            .map(|_| ())
    }

    /// Directories of programs that a job finds before all others.
    pub(super) fn programs_for(&self, job: &str) -> Vec<String> {
        match job {
            "tool" => vec![self.installer.to_string()],
            "evidence" => vec![self.forge.to_string()],
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

/// Writes a `cargo` that only installs the product.
///
/// # Errors
/// When it cannot be written.
pub(super) fn write_installer(directory: &Utf8Path, product: &Utf8Path) -> Result<(), Failure> {
    program(&directory.join("cargo"), &CARGO.replace("@PRODUCT@", product.as_str()))
}

/// `# intoto-key: FILE`: a credential for Jenkins.
fn credential(line: &str) -> Option<(&str, &str)> {
    let (id, file) = line.strip_prefix("# ")?.split_once(": ")?;
    id.starts_with("intoto-").then_some((id, file))
}

/// A service that tells jobs who they are, for an audience that they name.
fn issuer() -> String {
    let port = http::serve(|request| {
        let audience = request
            .target
            .split_once("audience=")
            .map(|(_, rest)| rest.replace("%3A", ":"));
        let may_ask = request.header("authorization") == Some(&format!("bearer {REQUEST_TOKEN}"));
        match audience.filter(|_| may_ask) {
            Some(audience) => Response::ok(format!("{{\"value\":\"identity-for-{audience}\"}}")),
            None => Response::new("403 Forbidden", ""),
        }
    });
    format!("http://127.0.0.1:{port}/identity")
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
