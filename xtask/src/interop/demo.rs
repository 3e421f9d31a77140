//! The in-toto demo (clone, update the version, package; the consumer unpacks), made by an implementation's own command line.

use camino::{Utf8Path, Utf8PathBuf};

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
    let base = world.directory("demo")?;
    let recording = Recording {
        world,
        writer,
        container,
        keys: world.keys(writer, container),
        work: world.directory("demo/work")?,
        links: world.directory("demo/links")?,
    };
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

    fn step(&self, step: &Step, functionary: &str) -> Result<(), Failure> {
        let key = self.keys.join(functionary);
        let run = match self.writer {
            Writer::Python => {
                let mut run = Run::new(self.world.tools.python("in-toto-run"))
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
        let run = if self.container == Container::Dsse {
            run.arg("--use-dsse")
        } else {
            run
        };
        run.arg("--").args(step.command).directory(&self.work).succeed()?;
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
            Writer::Python => {
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
        Run::new(self.world.tools.python("in-toto-sign"))
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
