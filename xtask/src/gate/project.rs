//! A workspace of two crates, recorded once; each situation gets a copy.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::server::{self, Server};
use crate::failure::{Context, Failure};
use crate::interop::{World, write};

/// The recorded workspace.
#[derive(Debug)]
pub(super) struct Recorded {
    /// What is copied: the tree with its target directory, and above it cargo's configuration.
    place: Utf8PathBuf,
    /// The sha256 of each `.crate`, by the crate's name.
    pub(super) crates: BTreeMap<String, String>,
    /// The trust store's file as `init` left it.
    trust: Utf8PathBuf,
}

/// What a build script of the second crate does when it is told to: while cargo verifies it, it exchanges what cargo has staged.
const BUILD_SCRIPT: &str = r#"fn main() {
    println!("cargo::rerun-if-env-changed=GATE_EXCHANGE");
    let (Ok(other), Ok(staged)) = (std::env::var("GATE_EXCHANGE"), std::env::var("GATE_STAGED")) else { return };
    std::fs::copy(other, staged).unwrap();
}
"#;

impl Recorded {
    /// Makes it: committed, with a layout that asks for fetch and package, and released.
    pub(super) fn make(world: &World, server: &Server) -> Result<Self, Failure> {
        world.forget_user()?;
        let place = world.directory("recorded")?;
        let tree = place.join("tree");
        // Above the tree: the configuration names this machine's program, and is nothing to commit.
        let program = world.product_path();
        mkdir(&place.join(".cargo"))?;
        write(&place.join(".cargo/config.toml"), server.config(&[program.as_str()]))?;
        for (name, rest, build) in [
            ("ga", "", None),
            (
                "gb",
                "[dependencies]\nga = { path = \"../ga\", version = \"0.1.0\", registry = \"here\" }\n",
                Some(BUILD_SCRIPT),
            ),
        ] {
            mkdir(&tree.join(name).join("src"))?;
            write(
                &tree.join(name).join("Cargo.toml"),
                format!(
                    "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"MIT\"\n\
                     description = \"A test\"\nrepository = \"https://example.com/{name}\"\npublish = [\"here\"]\n{rest}"
                ),
            )?;
            write(&tree.join(name).join("src/lib.rs"), "pub fn one() -> u32 {\n    1\n}\n")?;
            write(
                &tree.join(name).join("CHANGELOG.md"),
                "# Changelog\n\n## [Unreleased]\n\n## [0.1.0]\n\n- begun\n",
            )?;
            if let Some(build) = build {
                write(&tree.join(name).join("build.rs"), build)?;
            }
        }
        write(
            &tree.join("Cargo.toml"),
            "[workspace]\nresolver = \"3\"\nmembers = [\"ga\", \"gb\"]\n",
        )?;
        write(&tree.join(".gitignore"), "/target\n")?;
        // It looks for published versions in the default registry, whatever the manifests say.
        write(&tree.join("release.toml"), "registry = \"here\"\n")?;
        write(
            &tree.join("release-plz.toml"),
            "[workspace]\ngit_release_enable = false\ngit_tag_enable = false\n",
        )?;
        world
            .command("cargo")
            .arg("generate-lockfile")
            .directory(&tree)
            .succeed()?;
        world.commit(&tree, "begin")?;
        let git = |words: &[&str]| world.command("git").args(words).directory(&tree).succeed();
        git(&["remote", "add", "origin", &server.remote()])?;
        let ours = |words: &[&str]| world.product().args(words).directory(&tree).succeed();
        ours(&["init", "--no-passphrase"])?;
        let source = tree.join("layouts/release.toml");
        let layout = crate::interop::read(&source)?;
        let steps = layout
            .split_once("[[step]]\nname = \"build\"")
            .zip(layout.split_once("[[step]]\nname = \"package\""));
        let ((head, _), (_, tail)) = steps.ok_or_else(|| Failure::new("init derived another layout than expected"))?;
        write(&source, format!("{head}[[step]]\nname = \"package\"{tail}"))?;
        ours(&["layout", "sign"])?;
        world.commit(&tree, "layouts: begin")?;
        ours(&["release"])?;
        Ok(Self {
            crates: server::crates(&tree.join("target/package"))?,
            trust: world.config().join("trust.toml"),
            place,
        })
    }

    /// A new copy of the tree, in which cargo's files are as new as in the original.
    pub(super) fn copy(&self, world: &World) -> Result<Utf8PathBuf, Failure> {
        let copy = world.directory("situation")?;
        world
            .command("cp")
            .args(["--archive", &format!("{}/.", self.place)])
            .arg(&copy)
            .succeed()?;
        Ok(copy.join("tree"))
    }

    /// Makes the user trust only this key for the crates, while `work` is done.
    pub(super) fn trusting<T>(
        &self,
        world: &World,
        key: &Utf8Path,
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let kept = fs::read(&self.trust).context(format!("read {}", self.trust))?;
        let text = String::from_utf8_lossy(&kept).into_owned();
        let scopes = text.split('"').filter(|word| word.starts_with("pkg:cargo/"));
        fs::remove_file(&self.trust).context(format!("remove {}", self.trust))?;
        let mut add = world.product().args(["trust", "add", "somebody", "--key"]).arg(key);
        for scope in scopes {
            add = add.args(["--scope", scope]);
        }
        let result = add.succeed().and_then(|_| work());
        fs::write(&self.trust, kept).context(format!("write {}", self.trust))?;
        result
    }
}

fn mkdir(path: &Utf8Path) -> Result<(), Failure> {
    fs::create_dir_all(path).context(format!("create {path}"))
}
