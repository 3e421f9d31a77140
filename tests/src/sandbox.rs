//! A place of its own for each test: temporary home, cargo home and configuration, and an environment made from nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use crate::fixed;
use crate::outer::{NO_INSTALL, PASSED_ON, rustup_home};
use crate::output::Output;
use crate::project::Project;

/// A temporary world. Everything in it is gone when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    // Kept for its `Drop`.
    _directory: TempDir,
    root: Utf8PathBuf,
}

impl Sandbox {
    /// An empty world with a home, a cargo home and a configuration directory.
    ///
    /// # Panics
    /// When the temporary directory cannot be made.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "making directories is not a default value")]
    pub fn new() -> Self {
        let directory = TempDir::with_prefix("cargo-intoto-").expect("a temporary directory can be made");
        // Resolved, because cargo and git print resolved paths.
        let root = Utf8Path::from_path(directory.path())
            .and_then(|path| path.canonicalize_utf8().ok())
            .expect("the temporary directory has a UTF-8 path");
        let sandbox = Self {
            _directory: directory,
            root,
        };
        for path in [
            sandbox.home(),
            sandbox.cargo_home(),
            sandbox.config(),
            sandbox.root.join("tmp"),
        ] {
            fs::create_dir_all(&path).expect("the sandbox is writable");
        }
        sandbox.write("home/.gitconfig", GIT_CONFIG);
        sandbox
    }

    /// The directory that holds everything.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// `HOME`.
    pub fn home(&self) -> Utf8PathBuf {
        self.root.join("home")
    }

    /// `CARGO_HOME`.
    pub fn cargo_home(&self) -> Utf8PathBuf {
        self.root.join("cargo-home")
    }

    /// Where the trust store and the private keys lie: `cargo-intoto` in the platform's configuration directory.
    pub fn config(&self) -> Utf8PathBuf {
        self.home().join(".config/cargo-intoto")
    }

    /// A path in the sandbox.
    pub fn path(&self, relative: impl AsRef<Utf8Path>) -> Utf8PathBuf {
        self.root.join(relative)
    }

    /// Writes a file, and the directories above it.
    ///
    /// # Panics
    /// When it cannot be written, or an absolute path leads elsewhere.
    pub fn write(&self, relative: impl AsRef<Utf8Path>, contents: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.path(relative);
        assert!(path.starts_with(&self.root), "{path} is not in the sandbox");
        fs::create_dir_all(path.parent().expect("a path in the sandbox has a parent"))
            .expect("the sandbox is writable");
        fs::write(&path, contents).unwrap_or_else(|error| panic!("failed to write {path}: {error}"));
        path
    }

    /// Writes a file that nobody else may read, as programs want keys to be.
    ///
    /// # Panics
    /// As [`write`](Self::write).
    pub fn private(&self, relative: impl AsRef<Utf8Path>, contents: impl AsRef<[u8]>) -> Utf8PathBuf {
        let path = self.write(relative, contents);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("our own file");
        path
    }

    /// Writes a shell script that can be run. A shell of its own writes it: while this process has it open for writing, a child that another
    /// test starts just then has it open, too, and nothing that is open for writing can be run.
    ///
    /// # Panics
    /// When that fails.
    pub fn script(&self, relative: impl AsRef<Utf8Path>, text: &str) -> Utf8PathBuf {
        let path = self.path(relative);
        let written = Command::new("/bin/sh")
            .args([
                "-c",
                "mkdir -p \"${1%/*}\" && printf '%s' \"$2\" > \"$1\" && chmod 755 \"$1\"",
                "sh",
            ])
            .args([path.as_str(), &format!("#!/bin/sh\n{text}\n")])
            .status();
        assert!(written.is_ok_and(|status| status.success()), "failed to write {path}");
        path
    }

    /// Reads a file as text.
    ///
    /// # Panics
    /// When it cannot be read.
    #[track_caller]
    pub fn read(&self, relative: impl AsRef<Utf8Path>) -> String {
        let path = self.path(relative);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("failed to read {path}: {error}"))
    }

    /// A new, empty project directory.
    pub fn project(&self, name: &str) -> Project<'_> {
        Project::new(self, name)
    }

    /// Any program, in the sandbox's environment and root directory.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().stdin(Stdio::null()).current_dir(&self.root);
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("HOME", self.home())
            .env("XDG_CONFIG_HOME", self.home().join(".config"))
            .env("CARGO_HOME", self.cargo_home())
            .env("RUSTUP_HOME", rustup_home())
            .env(NO_INSTALL.0, NO_INSTALL.1)
            .env("TMPDIR", self.root.join("tmp"))
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_TERM_PROGRESS_WHEN", "never")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        command
    }

    /// The product, started directly as `cargo-intoto`.
    ///
    /// # Panics
    /// Outside an integration test of this package, where cargo does not say where the twin is.
    pub fn intoto(&self, directory: impl AsRef<Utf8Path>, args: &[&str]) -> Output {
        let mut command = self.command(twin());
        command.current_dir(self.path(directory)).args(args);
        run(command)
    }

    /// Any program, to its end.
    pub fn run(&self, directory: impl AsRef<Utf8Path>, program: &str, args: &[&str]) -> Output {
        let mut command = self.command(program);
        command.current_dir(self.path(directory)).args(args);
        run(command)
    }
}

/// Runs a command made by [`Sandbox::command`] to its end and keeps what it printed.
///
/// # Panics
/// When the program cannot be started.
pub fn run(mut command: Command) -> Output {
    let mut shown = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        shown.push(' ');
        shown.push_str(&arg.to_string_lossy());
    }
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("failed to start {shown}: {error}"));
    Output {
        command: shown,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Where the product's twin is.
///
/// # Panics
/// Outside an integration test of this package.
pub fn twin() -> Utf8PathBuf {
    let path = snapbox::cmd::cargo_bin("cargo-intoto-twin");
    Utf8PathBuf::from_path_buf(path).expect("the target directory has a UTF-8 path")
}

const GIT_CONFIG: &str = "\
[user]
	name = Test
	email = test@example.com
[init]
	defaultBranch = main
[commit]
	gpgSign = false
[core]
	autocrlf = false
[advice]
	detachedHead = false
";

/// The dates of every commit, so that equal trees give equal commits.
pub(crate) const GIT_DATES: [(&str, &str); 2] = [
    ("GIT_AUTHOR_DATE", fixed::TIME_RFC3339),
    ("GIT_COMMITTER_DATE", fixed::TIME_RFC3339),
];
