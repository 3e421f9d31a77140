//! A cargo package recorded by ours, with one step of it recorded by another implementation.

use std::fs;

use camino::Utf8PathBuf;

use super::{Chain, Container, World, read, write};
use crate::failure::{Context, Failure};
use crate::process::Run;

/// Who records the step that is none of cargo's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Helper {
    /// `cargo-intoto run`
    Ours,
    /// `in-toto-run`
    Python,
    /// `in-toto-golang run`
    Go,
}

impl Helper {
    pub(crate) const ALL: [Self; 3] = [Self::Ours, Self::Python, Self::Go];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "cargo chain by cargo-intoto",
            Self::Python => "  one step by in-toto-run",
            Self::Go => "  one step by in-toto-golang run",
        }
    }
}

/// The step's command.
const NOTICE: &[&str] = &["cp", "src/lib.rs", "NOTICE"];

const STEP: &str = r#"
[[step]]
name = "notice"
by = ["helper"]
command = ["cp", "src/lib.rs", "NOTICE"]
materials = ["MATCH src/* WITH MATERIALS FROM fetch", "DISALLOW *"]
products = ["CREATE NOTICE", "DISALLOW *"]

"#;

/// Records the chain.
pub(crate) fn record(world: &World, container: Container, helper: Helper) -> Result<Chain, Failure> {
    world.forget_user()?;
    let root = world.directory("chained")?;
    let ours = |words: &[&str]| world.product().args(words).directory(&root).succeed();
    let container_words = ["--container", container.name()];
    package(world, &root)?;
    ours(&["init", "--no-passphrase"])?;
    let helper_key = world.directory("helper")?.join("helper");
    world
        .script("keys.py")
        .arg(helper_key.parent().unwrap_or(&root))
        .arg("helper:ed25519")
        .succeed()?;
    let public = root.join("layouts/keys/helper.pub");
    fs::copy(format!("{helper_key}.pub"), &public).context(format!("write {public}"))?;
    add_step(&root.join("layouts/release.toml"), helper)?;
    let key = world.user_key("owner");
    let sign = world
        .product()
        .args(["layout", "sign", "--key"])
        .arg(&key)
        .args(container_words);
    sign.directory(&root).succeed()?;
    world.commit(&root, "layouts: begin")?;

    for step in [
        &["fetch"][..],
        &["build", "--release", "--locked"],
        &["test", "--release", "--locked"],
        &["package", "--locked"],
    ] {
        world
            .product()
            .args(step)
            .args(container_words)
            .arg("--key")
            .arg(&key)
            .directory(&root)
            .succeed()?;
    }
    let links = root.join("target/intoto/latest");
    let run = match helper {
        Helper::Ours => world
            .product()
            .args([
                "run",
                "--step",
                "notice",
                "--material",
                "src/lib.rs",
                "--product",
                "NOTICE",
                "--key",
            ])
            .arg(&helper_key)
            .args(container_words),
        Helper::Python => peer(Run::new(world.tools.python("in-toto-run")), container)
            .args([
                "--step-name",
                "notice",
                "--materials",
                "src/lib.rs",
                "--products",
                "NOTICE",
                "--signing-key",
            ])
            .arg(&helper_key)
            .arg("--metadata-directory")
            .arg(&links),
        Helper::Go => peer(Run::new(world.tools.go("in-toto-golang")).arg("run"), container)
            .args([
                "--name",
                "notice",
                "--materials",
                "src/lib.rs",
                "--products",
                "NOTICE",
                "--key",
            ])
            .arg(&helper_key)
            .arg("--metadata-directory")
            .arg(&links),
    };
    run.arg("--").args(NOTICE).directory(&root).succeed()?;
    Ok(Chain {
        layout: root.join("layouts/release.layout"),
        links: links.canonicalize_utf8().context(format!("resolve {links}"))?,
        owner: root.join("layouts/keys/owner.pub"),
        artifacts: vec![root.join("target/package/chained-0.1.0.crate")],
    })
}

fn peer(run: Run, container: Container) -> Run {
    if container == Container::Dsse {
        run.arg("--use-dsse")
    } else {
        run
    }
}

fn package(world: &World, root: &Utf8PathBuf) -> Result<(), Failure> {
    let manifest = "[package]\nname = \"chained\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"MIT\"\ndescription = \"A test\"\n";
    write(&root.join("Cargo.toml"), manifest)?;
    write(
        &root.join("Cargo.lock"),
        "version = 4\n\n[[package]]\nname = \"chained\"\nversion = \"0.1.0\"\n",
    )?;
    write(&root.join(".gitignore"), "/target\n/NOTICE\n")?;
    let source = root.join("src");
    fs::create_dir(&source).context(format!("create {source}"))?;
    write(
        &source.join("lib.rs"),
        "#[test]\nfn two() {\n    assert_eq!(1 + 1, 2);\n}\n",
    )?;
    world.commit(root, "begin")
}

/// Adds the helper's key and step to a derived layout source. Each implementation records under the key id that it derives itself.
fn add_step(source: &Utf8PathBuf, helper: Helper) -> Result<(), Failure> {
    let text = read(source)?;
    let style = if helper == Helper::Python { "python" } else { "legacy" };
    let key = format!("[keys]\nhelper = {{ file = \"keys/helper.pub\", keyid = \"{style}\" }}\n");
    let text = text.replacen("[keys]\n", &key, 1);
    let (steps, inspections) = text
        .split_once("[[inspection]]")
        .ok_or_else(|| Failure::new(format!("no inspection in {source}")))?;
    write(source, format!("{steps}{STEP}[[inspection]]{inspections}"))
}
