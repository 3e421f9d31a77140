//! The tools, the keys and the scratch directories of one run.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Container, Writer};
use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::root::Root;
use crate::tools::{self, Tools};

/// Everything a chain is made with.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) tools: Tools,
    scripts: Utf8PathBuf,
    scratch: Utf8PathBuf,
}

impl World {
    /// Installs the tools, empties the scratch directory and makes throw-away keys: alice owns the layout, bob and carl work,
    /// mallory is nobody.
    pub(crate) fn new(root: &Root) -> Result<Self, Failure> {
        let world = Self {
            tools: tools::install(root)?,
            scripts: root.join("tests/interop/python"),
            scratch: root.scratch("interop")?,
        };
        world.git_project()?;
        for (directory, carl) in [("keys", "p256"), ("keys-without-pem", "ed25519")] {
            let keys = world.directory(directory)?;
            world
                .script("keys.py")
                .arg(keys)
                .args([
                    "alice:ed25519",
                    "bob:ed25519",
                    &format!("carl:{carl}"),
                    "mallory:ed25519",
                ])
                .succeed()?;
        }
        Ok(world)
    }

    /// The keys for a chain. Go writes raw newlines into the JSON of a DSSE payload, so a layout of its with a PEM key
    /// (any kind but ed25519) cannot be read by anyone, itself included.
    pub(crate) fn keys(&self, writer: Writer, container: Container) -> Utf8PathBuf {
        match (writer, container) {
            (Writer::Go, Container::Dsse) => self.scratch.join("keys-without-pem"),
            _ => self.scratch.join("keys"),
        }
    }

    /// One of the Python scripts in `tests/interop/python`.
    pub(crate) fn script(&self, name: &str) -> Run {
        Run::new(self.tools.python("python")).arg(self.scripts.join(name))
    }

    /// A new, empty directory; an old one of that name is removed.
    pub(crate) fn directory(&self, name: &str) -> Result<Utf8PathBuf, Failure> {
        let directory = self.scratch.join(name);
        if directory.exists() {
            fs::remove_dir_all(&directory).context(format!("remove {directory}"))?;
        }
        fs::create_dir_all(&directory).context(format!("create {directory}"))?;
        Ok(directory)
    }

    /// The git repository that the demo's first step clones.
    fn git_project(&self) -> Result<(), Failure> {
        let upstream = self.directory("upstream")?;
        write(
            &upstream.join("foo.py"),
            "VERSION = \"foo-v0\"\n\nprint(\"Hello in-toto\")\n",
        )?;
        let git = |words: &[&str]| {
            Run::new("git")
                .args([
                    "-c",
                    "user.name=Diana",
                    "-c",
                    "user.email=diana@example.com",
                    "-c",
                    "init.defaultBranch=main",
                ])
                .args(words)
                .directory(&upstream)
                .succeed()
        };
        git(&["init", "--quiet"])?;
        git(&["add", "foo.py"])?;
        git(&["commit", "--quiet", "--message", "foo"])?;
        Ok(())
    }
}

/// Writes a file.
pub(crate) fn write(path: &Utf8Path, contents: impl AsRef<[u8]>) -> Result<(), Failure> {
    fs::write(path, contents).context(format!("write {path}"))
}

/// Reads a file as text.
pub(crate) fn read(path: &Utf8Path) -> Result<String, Failure> {
    fs::read_to_string(path).context(format!("read {path}"))
}

/// The files of a directory with this extension, sorted.
pub(crate) fn files(directory: &Utf8Path, extension: &str) -> Result<Vec<Utf8PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in directory.read_dir_utf8().context(format!("read {directory}"))? {
        let path = entry.context(format!("read {directory}"))?.into_path();
        if path.extension() == Some(extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
