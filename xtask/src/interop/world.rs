//! The tools, the keys and the scratch directories of one run.

use std::fs::{self, File};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::{Container, Writer};
use crate::failure::{Context, Failure};
use crate::outer::{NO_INSTALL, PASSED_ON, rustup_home};
use crate::process::Run;
use crate::root::Root;
use crate::tools::{self, Tools};

/// Everything a chain is made with.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) tools: Tools,
    product: Utf8PathBuf,
    scripts: Utf8PathBuf,
    cargo_home: Utf8PathBuf,
    scratch: Utf8PathBuf,
    // Both kept for their `Drop`.
    _temporary: TempDir,
    _lock: File,
}

/// Where the product lies under the names of Python's tools.
const NAMES: &str = "names";

const GIT_CONFIG: &str = "\
[user]
	name = Diana
	email = diana@example.com
[init]
	defaultBranch = main
[advice]
	detachedHead = false
";

impl World {
    /// Builds the product, installs the tools, and makes throw-away keys: alice owns the layout, bob and carl work,
    /// mallory is nobody.
    pub(crate) fn new(root: &Root, name: &str) -> Result<Self, Failure> {
        Self::with_product(root, name, tools::product(root)?)
    }

    /// As [`World::new`], with a product that is built already.
    pub(crate) fn with_product(root: &Root, name: &str, product: Utf8PathBuf) -> Result<Self, Failure> {
        // Outside the repository: cargo and git look for a workspace and a repository in every directory above.
        let temporary = TempDir::with_prefix(format!("cargo-intoto-{name}-")).context("make a temporary directory")?;
        let scratch = Utf8Path::from_path(temporary.path())
            .ok_or_else(|| Failure::new("the temporary directory is not UTF-8"))?;
        let scratch = scratch.canonicalize_utf8().context(format!("resolve {scratch}"))?;
        let world = Self {
            tools: tools::install(root)?,
            product,
            scripts: root.join("tests/interop/python"),
            cargo_home: root.target().join("xtask/cargo-home"),
            scratch,
            _temporary: temporary,
            _lock: lock(root)?,
        };
        world.forget_user()?;
        world.git_project()?;
        let names = world.directory(NAMES)?;
        world.product().args(["drop-in", "install"]).arg(names).succeed()?;
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

    /// Keys of one kind for everybody: `p384`, `p521`, `rsa-2048`.
    pub(crate) fn keys_of(&self, kind: &str) -> Result<Utf8PathBuf, Failure> {
        let keys = self.directory(&format!("keys-{kind}"))?;
        let people = ["alice", "bob", "carl", "mallory"].map(|name| format!("{name}:{kind}"));
        self.script("keys.py").arg(&keys).args(people).succeed()?;
        Ok(keys)
    }

    /// One of the Python scripts in `tests/interop/python`.
    pub(crate) fn script(&self, name: &str) -> Run {
        Run::new(self.tools.python("python")).arg(self.scripts.join(name))
    }

    /// The product, for a user with nothing but what earlier commands of this world made.
    pub(crate) fn product(&self) -> Run {
        self.command(&self.product)
    }

    /// Where the product lies.
    pub(crate) fn product_path(&self) -> &Utf8Path {
        &self.product
    }

    /// The product under the name of one of Python's tools.
    pub(crate) fn by_name(&self, tool: &str) -> Run {
        self.command(self.scratch.join(NAMES).join(tool))
    }

    /// A program in a clean environment, with the world's own home and cargo home.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Run {
        Run::new(program)
            .only_env(PASSED_ON)
            .env("RUSTUP_HOME", rustup_home())
            .env(NO_INSTALL.0, NO_INSTALL.1)
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home().join(".config"))
            .env("CARGO_HOME", self.cargo_home())
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .env("LC_ALL", "C.UTF-8")
    }

    /// Makes the user a new one: no keys, nobody trusted.
    pub(crate) fn forget_user(&self) -> Result<(), Failure> {
        self.directory("home")?;
        write(&self.home().join(".gitconfig"), GIT_CONFIG)
    }

    /// A private key in the user's key directory.
    pub(crate) fn user_key(&self, name: &str) -> Utf8PathBuf {
        self.home().join(format!(".config/cargo-intoto/keys/{name}.key"))
    }

    /// The directory with the user's keys and trust store.
    pub(crate) fn config(&self) -> Utf8PathBuf {
        self.home().join(".config/cargo-intoto")
    }

    /// The cargo home of every command of this world. It outlives the world, so that nothing is downloaded twice.
    pub(crate) fn cargo_home(&self) -> Utf8PathBuf {
        self.cargo_home.clone()
    }

    /// The public key of somebody who signed nothing.
    pub(crate) fn stranger(&self) -> Utf8PathBuf {
        self.scratch.join("keys/mallory.pub")
    }

    fn home(&self) -> Utf8PathBuf {
        self.scratch.join("home")
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
        self.commit(&upstream, "foo")
    }

    /// Makes a directory a cargo workspace with nothing in it, under git, which ignores `ignored`.
    pub(crate) fn workspace(&self, directory: &Utf8Path, ignored: &str) -> Result<(), Failure> {
        let package = "name = \"demo\"\nversion = \"0.0.0\"\n";
        write(
            &directory.join("Cargo.toml"),
            format!("[package]\n{package}edition = \"2024\"\n"),
        )?;
        write(
            &directory.join("Cargo.lock"),
            format!("version = 4\n\n[[package]]\n{package}"),
        )?;
        write(&directory.join(".gitignore"), format!("/target\n{ignored}\n"))?;
        let source = directory.join("src");
        fs::create_dir(&source).context(format!("create {source}"))?;
        write(&source.join("lib.rs"), "")?;
        self.commit(directory, "begin")
    }

    /// Commits everything in a directory, which becomes a repository if it is none.
    pub(crate) fn commit(&self, directory: &Utf8Path, message: &str) -> Result<(), Failure> {
        let git = |words: &[&str]| self.command("git").args(words).directory(directory).succeed();
        if !directory.join(".git").exists() {
            git(&["init", "--quiet"])?;
        }
        git(&["add", "--all"])?;
        git(&["commit", "--quiet", "--message", message])?;
        Ok(())
    }
}

/// Waits until no other world uses the cargo home: an attack on a dependency is an attack on every world that shares it.
fn lock(root: &Root) -> Result<File, Failure> {
    let directory = root.target().join("xtask");
    fs::create_dir_all(&directory).context(format!("create {directory}"))?;
    let path = directory.join("lock");
    let file = File::create(&path).context(format!("create {path}"))?;
    file.lock().context(format!("lock {path}"))?;
    Ok(file)
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
