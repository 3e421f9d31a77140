//! The in-toto demo (clone, update the version, package; the consumer unpacks), made by an implementation's own command line.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::time::Timestamp;

use super::attack::Attack;
use super::world::{self, World};
use super::{Chain, Container, Writer};
use crate::failure::{Context, Failure};
use crate::process::Run;

const EXPIRES: &str = "2036-01-01T00:00:00Z";
const EXPIRED: &str = "2020-01-01T00:00:00Z";

/// A demo being recorded.
struct Recording<'w> {
    world: &'w World,
    writer: Writer,
    container: Container,
    keys: Utf8PathBuf,
    work: Utf8PathBuf,
    links: Utf8PathBuf,
}

/// One step: its name, materials, products and command.
struct Step {
    name: &'static str,
    materials: &'static [&'static str],
    products: &'static [&'static str],
    command: &'static [&'static str],
}

const CLONE: Step = Step {
    name: "clone",
    materials: &[],
    products: &["demo-project/foo.py"],
    command: &["git", "clone", "--quiet", "../../upstream", "demo-project"],
};

const UPDATE: Step = Step {
    name: "update-version",
    materials: &["demo-project/foo.py"],
    products: &["demo-project/foo.py"],
    command: &["sed", "-i", "s/foo-v0/foo-v1/", "demo-project/foo.py"],
};

const PACKAGE: Step = Step {
    name: "package",
    materials: &["demo-project/foo.py"],
    products: &["demo-project.tar.gz"],
    command: &["tar", "zcf", "demo-project.tar.gz", "--exclude", ".git", "demo-project"],
};

/// Records the demo, with one thing wrong if asked to.
pub(crate) fn record(
    world: &World,
    writer: Writer,
    container: Container,
    attack: Option<Attack>,
) -> Result<Chain, Failure> {
    record_with(world, writer, container, attack, world.keys(writer, container))
}

/// The same with other keys.
pub(crate) fn record_with(
    world: &World,
    writer: Writer,
    container: Container,
    attack: Option<Attack>,
    keys: Utf8PathBuf,
) -> Result<Chain, Failure> {
    let base = world.directory("demo")?;
    let work = world.directory("demo/work")?;
    let links = match writer {
        Writer::Ours => work.join("target/intoto/latest"),
        Writer::ByName | Writer::Python | Writer::Go => world.directory("demo/links")?,
    };
    let recording = Recording {
        world,
        writer,
        container,
        keys,
        work,
        links,
    };
    if writer == Writer::Ours {
        recording.workspace()?;
    }
    recording.steps(attack)?;
    let chain = Chain {
        layout: recording.layout(&base, attack)?,
        links: recording.links,
        owner: recording.keys.join("alice.pub"),
        artifacts: vec![recording.work.join("demo-project.tar.gz")],
    };
    match attack {
        Some(Attack::LinkEdited) => chain.edit_link("package")?,
        Some(Attack::LinkMissing) => chain.remove_link("package")?,
        Some(Attack::ArtifactChanged) => {
            world::write(&recording.work.join("demo-project/foo.py"), "print(\"evil\")\n")?;
            Run::new("tar")
                .args(&PACKAGE.command[1..])
                .directory(&recording.work)
                .succeed()?;
        }
        _ => {}
    }
    Ok(chain)
}

fn now() -> Result<Timestamp, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("read the clock")?;
    Ok(Timestamp::from_unix(
        i64::try_from(since.as_secs()).context("read the clock")?,
    ))
}

/// A time soon after now.
fn soon(seconds: i64) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_unix(now()?.as_unix() + seconds))
}

/// The layout in our own source form.
fn layout_source(keys: &Utf8Path, expires: &str) -> String {
    let command = |step: &Step| format!("{:?}", step.command);
    format!(
        r#"format = 1
expires = {expires}
readme = "The in-toto demo"
crates = []

[keys]
bob = {{ file = "{keys}/bob.pub" }}
carl = {{ file = "{keys}/carl.pub" }}

[[step]]
name = "clone"
by = ["bob"]
command = {}
materials = ["DISALLOW *"]
products = ["CREATE demo-project/foo.py", "DISALLOW *"]

[[step]]
name = "update-version"
by = ["bob"]
command = {}
materials = ["MATCH demo-project/* WITH PRODUCTS FROM clone", "DISALLOW *"]
products = ["MODIFY demo-project/foo.py", "DISALLOW *"]

[[step]]
name = "package"
by = ["carl"]
command = {}
materials = ["MATCH demo-project/* WITH PRODUCTS FROM update-version", "DISALLOW *"]
products = ["CREATE demo-project.tar.gz", "DISALLOW *"]

[[inspection]]
name = "untar"
run = ["tar", "xzf", "demo-project.tar.gz"]
materials = ["MATCH demo-project.tar.gz WITH PRODUCTS FROM package", "DISALLOW *"]
products = [
    "MATCH demo-project.tar.gz WITH PRODUCTS FROM package",
    "MATCH demo-project/foo.py WITH PRODUCTS FROM update-version",
    "DISALLOW *",
]
"#,
        command(&CLONE),
        command(&UPDATE),
        command(&PACKAGE)
    )
}

impl Recording<'_> {
    fn steps(&self, attack: Option<Attack>) -> Result<(), Failure> {
        let cloner = if attack == Some(Attack::WrongFunctionary) {
            "carl"
        } else {
            "bob"
        };
        self.step(&CLONE, cloner)?;
        self.step(&UPDATE, "bob")?;
        if attack == Some(Attack::SourceChanged) {
            world::write(&self.work.join("demo-project/foo.py"), "print(\"evil\")\n")?;
        }
        self.step(&PACKAGE, "carl")
    }

    /// One of Python's tools, or ours under its name.
    fn python(&self, tool: &str) -> Run {
        match self.writer {
            Writer::ByName => self.world.by_name(tool),
            _ => Run::new(self.world.tools.python(tool)),
        }
    }

    fn step(&self, step: &Step, functionary: &str) -> Result<(), Failure> {
        let key = self.keys.join(functionary);
        let run = match self.writer {
            Writer::Ours => {
                let mut run = self
                    .world
                    .product()
                    .args(["run", "--step", step.name, "--key"])
                    .arg(key);
                for material in step.materials {
                    run = run.args(["--material", material]);
                }
                for product in step.products {
                    run = run.args(["--product", product]);
                }
                run.args(["--container", self.container.name()])
            }
            Writer::ByName | Writer::Python => {
                let mut run = self
                    .python("in-toto-run")
                    .args(["--step-name", step.name, "--signing-key"])
                    .arg(key)
                    .arg("--metadata-directory")
                    .arg(&self.links);
                if !step.materials.is_empty() {
                    run = run.arg("--materials").args(step.materials);
                }
                run.arg("--products").args(step.products)
            }
            Writer::Go => {
                let mut run = Run::new(self.world.tools.go("in-toto-golang"))
                    .args(["run", "--name", step.name, "--key"])
                    .arg(key)
                    .arg("--metadata-directory")
                    .arg(&self.links);
                for material in step.materials {
                    run = run.args(["--materials", material]);
                }
                for product in step.products {
                    run = run.args(["--products", product]);
                }
                run
            }
        };
        let run = if self.container == Container::Dsse && self.writer != Writer::Ours {
            run.arg("--use-dsse")
        } else {
            run
        };
        run.arg("--").args(step.command).directory(&self.work).succeed()?;
        Ok(())
    }

    /// Makes the working directory a cargo workspace with a run that the steps join. What they make is ignored by git, so that
    /// the run stays the same.
    fn workspace(&self) -> Result<(), Failure> {
        self.world.workspace(&self.work, "/demo-project*")?;
        let fetch = self.world.product().args(["fetch", "--key"]).arg(self.keys.join("bob"));
        fetch.directory(&self.work).succeed()?;
        Ok(())
    }

    /// Writes the layout, signed by its writer and then by Python under the owner's id there: each of the two implementations
    /// looks for the owner under the key id that only itself derives.
    fn layout(&self, base: &Utf8Path, attack: Option<Attack>) -> Result<Utf8PathBuf, Failure> {
        let expires = if attack == Some(Attack::LayoutExpired) {
            EXPIRED
        } else {
            EXPIRES
        };
        let owner = self.owner_keys(attack)?;
        let layout = base.join("root.layout");
        match self.writer {
            Writer::Ours => {
                let source = base.join("root.toml");
                let sign = |expires: &str| {
                    world::write(&source, layout_source(&owner, expires))?;
                    let sign = self.world.product().args(["layout", "sign"]).arg(&source);
                    let sign = sign
                        .arg("--key")
                        .arg(owner.join("alice"))
                        .args(["--container", self.container.name()]);
                    sign.arg("--output").arg(&layout).directory(&self.work).succeed()
                };
                if attack == Some(Attack::LayoutExpired) {
                    // Ours signs no expired layout, so this one expires on the way to the consumer; a busy machine gets more time to sign it.
                    let until = |seconds| soon(seconds).and_then(|soon| sign(&soon.to_string()).map(|_| soon));
                    let soon = until(4).or_else(|_| until(60))?;
                    while now()? <= soon {
                        std::thread::park_timeout(Duration::from_millis(100));
                    }
                } else {
                    sign(EXPIRES)?;
                }
                return Ok(layout);
            }
            Writer::ByName | Writer::Python => {
                let script = self.world.script("demo_layout.py");
                script
                    .arg(&layout)
                    .args([self.container.name(), expires])
                    .arg(&owner)
                    .succeed()?;
            }
            Writer::Go => {
                let peer = Run::new(self.world.tools.go("peer")).arg("demo-layout");
                peer.arg(&layout)
                    .args([self.container.name(), expires])
                    .arg(&owner)
                    .succeed()?;
                if self.container == Container::Metablock {
                    let sign = Run::new(self.world.tools.go("in-toto-golang"))
                        .args(["sign", "--file"])
                        .arg(&layout);
                    sign.arg("--key").arg(owner.join("alice")).succeed()?;
                }
            }
        }
        self.python("in-toto-sign")
            .args(["--append", "--file"])
            .arg(&layout)
            .arg("--key")
            .arg(owner.join("alice"))
            .succeed()?;
        Ok(layout)
    }

    /// The keys that the layout is signed with: those of the chain, or with mallory in alice's place.
    fn owner_keys(&self, attack: Option<Attack>) -> Result<Utf8PathBuf, Failure> {
        if attack != Some(Attack::LayoutByStranger) {
            return Ok(self.keys.clone());
        }
        let directory = self.world.directory("stranger")?;
        for (from, to) in [("mallory", "alice"), ("bob", "bob"), ("carl", "carl")] {
            for suffix in ["", ".pub"] {
                let from = self.keys.join(format!("{from}{suffix}"));
                std::fs::copy(&from, directory.join(format!("{to}{suffix}"))).context(format!("copy {from}"))?;
            }
        }
        Ok(directory)
    }
}
