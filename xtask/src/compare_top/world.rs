//! A place for repositories, and a clean environment for the programs that run in them; without the other implementations, which
//! nothing here needs.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::failure::{Context, Failure};
use crate::outer::{NO_INSTALL, PASSED_ON, rustup_home};
use crate::process::Run;
use crate::root::Root;
use crate::tools;

/// Where everything of one run lies.
#[derive(Debug)]
pub(super) struct World {
    product: Utf8PathBuf,
    cargo_home: Utf8PathBuf,
    scratch: Utf8PathBuf,
    // Kept for its `Drop`.
    _temporary: TempDir,
}

const GIT_CONFIG: &str = "\
[user]
	name = Diana
	email = diana@example.com
[init]
	defaultBranch = main
[core]
	autocrlf = false
";

impl World {
    pub(super) fn new(root: &Root) -> Result<Self, Failure> {
        // Outside the repository: cargo and git look for a workspace and a repository in every directory above.
        let temporary = TempDir::with_prefix("cargo-intoto-compare-").context("make a temporary directory")?;
        let scratch = Utf8Path::from_path(temporary.path())
            .ok_or_else(|| Failure::new("the temporary directory is not UTF-8"))?;
        let scratch = scratch.canonicalize_utf8().context(format!("resolve {scratch}"))?;
        let world = Self {
            product: tools::product(root)?,
            cargo_home: root.target().join("xtask/cargo-home"),
            scratch,
            _temporary: temporary,
        };
        fs::create_dir_all(&world.cargo_home).context(format!("create {}", world.cargo_home))?;
        let home = world.directory("home")?;
        fs::write(home.join(".gitconfig"), GIT_CONFIG).context("write .gitconfig")?;
        Ok(world)
    }

    /// The product.
    pub(super) fn product(&self) -> Run {
        self.command(&self.product)
    }

    /// A program in a clean environment.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Run {
        Run::new(program)
            .only_env(PASSED_ON)
            .env("RUSTUP_HOME", rustup_home())
            .env(NO_INSTALL.0, NO_INSTALL.1)
            .env("HOME", self.scratch.join("home"))
            .env("CARGO_HOME", &self.cargo_home)
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .env("LC_ALL", "C.UTF-8")
    }

    /// The cargo home, which outlives the world, so that nothing is downloaded twice.
    pub(super) fn cargo_home(&self) -> &Utf8Path {
        &self.cargo_home
    }

    /// A new, empty directory.
    pub(super) fn directory(&self, name: &str) -> Result<Utf8PathBuf, Failure> {
        let directory = self.scratch.join(name);
        fs::create_dir_all(&directory).context(format!("create {directory}"))?;
        Ok(directory)
    }
}
