//! A chain signed with GnuPG, in the three algorithms that in-toto knows: written by Python and by us, judged by both. Go has no OpenPGP keys.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::{Chain, Table, World, world};
use crate::failure::{Context, Failure};
use crate::process::{Ended, Run};
use crate::root::Root;

/// In the place of a signature, what no key makes.
const SPOILED: &str = "00112233";

// Fingerprints of `tests/fixtures/openpgp-secret-keys.asc`: Ed25519, RSA, DSA, and RSA with a subkey that signs.
const OWNER: &str = "f1d8f5c66b19ba2cc1e59685d03aa5fe1742b9d4";
const FUNCTIONARIES: [(&str, &str); 3] = [
    ("write", "5fc76298ae9d53b7d1f1fd5d53b911597926e5c8"),
    ("check", "d5aa22751e7baaa622ff1203316161fe722bba98"),
    ("package", "3620aa7f7e8f82df9d570dcbcda3b537324d83d0"),
];

/// What is done to the chain before it is judged.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// Nothing: as Python wrote and signed it.
    Python,
    /// Signed anew by us, through gpg.
    Ours,
    /// A product's digest is changed.
    Edited,
    /// A link of a subkey is not there.
    Missing,
}

impl Deed {
    const ALL: [Self; 4] = [Self::Python, Self::Ours, Self::Edited, Self::Missing];

    fn name(self) -> &'static str {
        match self {
            Self::Python => "GnuPG chain by in-toto (Python), metablock",
            Self::Ours => "GnuPG chain by cargo-intoto, metablock",
            Self::Edited => "  link edited",
            Self::Missing => "  link removed",
        }
    }

    fn passes(self) -> bool {
        matches!(self, Self::Python | Self::Ours)
    }
}

/// A home directory with the secret keys of the tests.
pub(super) fn home(root: &Root) -> Result<Home, Failure> {
    // A socket's path must be short, so that the agent's directory is not below the run's own.
    let temporary = tempfile::TempDir::with_prefix("gpg-").context("make a temporary directory")?;
    let home =
        Utf8Path::from_path(temporary.path()).ok_or_else(|| Failure::new("the temporary directory is not UTF-8"))?;
    let home = Home {
        path: home.to_owned(),
        _temporary: temporary,
    };
    home.gpg(["--import"])
        .arg(root.join("tests/fixtures/openpgp-secret-keys.asc"))
        .succeed()?;
    Ok(home)
}

/// Writes and judges the chains.
pub(super) fn run(home: &Home, world: &World, table: &mut Table) -> Result<(), Failure> {
    let chain = home.record(world)?;
    for deed in Deed::ALL {
        let copy = chain.copy_to(&world.directory("gpg-copy")?)?;
        match deed {
            Deed::Python => {}
            Deed::Ours => home.sign(world, &copy)?,
            Deed::Edited => copy.edit_link("write")?,
            Deed::Missing => copy.remove_link("package")?,
        }
        let judgements = [
            (
                "ours, from an export",
                home.ours(world, &copy, &["--gpg-pubring", copy.owner.as_str()])?,
            ),
            (
                "ours, from GnuPG",
                home.ours(world, &copy, &["--gpg", OWNER, "--gpg-home", home.path.as_str()])?,
            ),
            ("Python", home.python(world, &copy)?),
        ];
        for (verifier, ended) in judgements {
            let verified = ended.is_success();
            let verdict = if verified { "verified" } else { "refused" };
            table.ours(
                &format!("{}: {verifier}", deed.name()),
                verdict,
                verified == deed.passes(),
                &ended.tail(),
            );
        }
    }
    home.strangers(world, &chain, table)?;
    Ok(())
}

/// A GnuPG home directory; its agent ends with it.
pub(super) struct Home {
    path: Utf8PathBuf,
    // Kept for its `Drop`.
    _temporary: tempfile::TempDir,
}

impl Home {
    fn gpg<const N: usize>(&self, arguments: [&str; N]) -> Run {
        Run::new("gpg")
            .args(["--homedir", self.path.as_str(), "--batch", "--quiet"])
            .args(arguments)
    }

    /// Layout and links by Python's tools, and the owner's key as GnuPG exports it.
    fn record(&self, world: &World) -> Result<Chain, Failure> {
        let directory = world.directory("gpg")?;
        let layout = directory.join("root.layout");
        world
            .script("gpg_layout.py")
            .args([self.path.as_str(), layout.as_str(), OWNER])
            .args(FUNCTIONARIES.map(|(_, key)| key))
            .succeed()?;
        let mut files: Vec<&str> = Vec::new();
        for (step, key) in FUNCTIONARIES {
            let mut run = Run::new(world.tools.python("in-toto-run")).directory(&directory).args([
                "-n",
                step,
                "--gpg",
                key,
                "--gpg-home",
                self.path.as_str(),
            ]);
            if !files.is_empty() {
                run = run.arg("-m").args(&files);
            }
            files.push(step);
            run.arg("-p").args(&files).args(["--", "touch", step]).succeed()?;
        }
        let owner = directory.join("owner.asc");
        self.gpg(["--armor", "--output", owner.as_str(), "--export", OWNER])
            .succeed()?;
        Ok(Chain {
            layout,
            links: directory,
            owner,
            artifacts: Vec::new(),
        })
    }

    /// Signs layout and links anew with the same keys.
    fn sign(&self, world: &World, chain: &Chain) -> Result<(), Failure> {
        self.sign_in_place(world, &chain.layout, OWNER)?;
        for (step, id) in FUNCTIONARIES {
            let link = chain.link(step)?;
            self.sign_anew(world, &link, id)?;
            // The same key or subkey as before, so the same file.
            if world::files(&chain.links, "link")?.len() != FUNCTIONARIES.len() {
                return Err(Failure::new(format!(
                    "the link of {step} is not signed by the key that Python's was"
                )));
            }
        }
        Ok(())
    }

    /// Puts our signature through gpg in the place of Python's.
    pub(super) fn sign_anew(&self, world: &World, link: &Utf8Path, id: &str) -> Result<(), Failure> {
        // Within one second a key may sign twice with the same bytes, so what Python signed is spoiled first.
        let mut file: Value = serde_json::from_str(&world::read(link)?).context(format!("parse {link}"))?;
        file["signatures"][0]["signature"] = SPOILED.into();
        world::write(link, file.to_string())?;
        self.sign_in_place(world, link, id)?;
        if world::read(link)?.contains(SPOILED) {
            return Err(Failure::new(format!("{link} was not signed anew")));
        }
        Ok(())
    }

    fn sign_in_place(&self, world: &World, file: &Utf8Path, id: &str) -> Result<(), Failure> {
        let key = format!("gpg:{id}?home={}", self.path);
        world.product().arg("sign").arg(file).args(["--key", &key]).succeed()?;
        Ok(())
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }

    fn ours(&self, world: &World, chain: &Chain, owner: &[&str]) -> Result<Ended, Failure> {
        world
            .product()
            .arg("verify")
            .arg("--layout")
            .arg(&chain.layout)
            .arg("--link-dir")
            .arg(&chain.links)
            .args(owner)
            .directory(&world.directory("consumer")?)
            .keep()
    }

    fn python(&self, world: &World, chain: &Chain) -> Result<Ended, Failure> {
        Run::new(world.tools.python("in-toto-verify"))
            .arg("--layout")
            .arg(&chain.layout)
            .arg("--link-dir")
            .arg(&chain.links)
            .args(["--gpg", OWNER, "--gpg-home", self.path.as_str()])
            .directory(&world.directory("consumer")?)
            .keep()
    }

    /// What only our command line is asked.
    fn strangers(&self, world: &World, chain: &Chain, table: &mut Table) -> Result<(), Failure> {
        let other = world.directory("gpg-other")?.join("other.asc");
        self.gpg(["--armor", "--output", other.as_str(), "--export", FUNCTIONARIES[2].1])
            .succeed()?;
        let everybody = other.with_file_name("everybody.gpg");
        self.gpg(["--output", everybody.as_str(), "--export"]).succeed()?;
        let cases: [(&str, &[&str], i32); 5] = [
            ("  another key is demanded", &["--gpg-pubring", other.as_str()], 1),
            (
                "  every key of a file is demanded",
                &["--gpg-pubring", everybody.as_str()],
                1,
            ),
            (
                "  the owner is chosen from the file",
                &["--gpg-pubring", everybody.as_str(), "--gpg", OWNER],
                0,
            ),
            ("  a short id is given", &["--gpg", "1742b9d4"], 2),
            (
                "  the key is not in the file",
                &["--gpg-pubring", other.as_str(), "--gpg", OWNER],
                3,
            ),
        ];
        for (what, owner, code) in cases {
            let ended = self.ours(world, chain, owner)?;
            let found = ended
                .code
                .map_or_else(|| "crash".to_owned(), |code| format!("exit {code}"));
            table.ours(what, &found, ended.code == Some(code), &ended.tail());
        }
        Ok(())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // The directory goes with its owner; an agent that outlives it would only be told so later.
        let _ = Run::new("gpgconf")
            .args(["--homedir", self.path.as_str(), "--kill", "all"])
            .keep();
    }
}
