//! Child processes: shown when they run, and their output kept or passed through.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use camino::Utf8Path;

use crate::failure::{Context, Failure};

/// A command line about to run.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
}

/// What a child printed and how it ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; a child killed by a signal has none.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
}

impl Ended {
    /// Whether the child exited with 0.
    pub(crate) fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// How it ended and the last lines of each stream, for a failure's text.
    pub(crate) fn tail(&self) -> String {
        let last = |text: &str| {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(25)..].join("\n")
        };
        let code = self
            .code
            .map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        format!("{}\n{}\n({code})", last(&self.stdout), last(&self.stderr))
    }
}

impl Run {
    /// Runs `program`, without standard input.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        Self { command }
    }

    /// The cargo that runs this chore.
    pub(crate) fn cargo() -> Self {
        let mut run = Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Set by cargo for its child; they would tell the next cargo's children about this package.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                run.command.env_remove(name);
            }
        }
        run
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    /// Clears the environment but for these variables.
    pub(crate) fn only_env(mut self, names: &[&str]) -> Self {
        self.command.env_clear();
        for name in names {
            if let Some(value) = std::env::var_os(name) {
                self.command.env(name, value);
            }
        }
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the working directory.
    pub(crate) fn directory(mut self, directory: &Utf8Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// The command line as text.
    pub(crate) fn shown(&self) -> String {
        let mut words = vec![self.command.get_program().to_string_lossy().into_owned()];
        words.extend(self.command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
        words.join(" ")
    }

    /// Runs it with its output passed through; anything but exit code 0 is a failure.
    pub(crate) fn show(mut self) -> Result<(), Failure> {
        let shown = self.shown();
        let status = self.command.status().context(format!("start `{shown}`"))?;
        if status.success() {
            Ok(())
        } else {
            Err(Failure::new(format!("`{shown}` ended with {status}")))
        }
    }

    /// Runs it with its output passed through, and says with which exit code it ended; a child killed by a signal has none.
    pub(crate) fn status(mut self) -> Result<Option<i32>, Failure> {
        let shown = self.shown();
        let status = self.command.status().context(format!("start `{shown}`"))?;
        Ok(status.code())
    }

    /// Runs it and keeps its output, however it ends.
    pub(crate) fn keep(mut self) -> Result<Ended, Failure> {
        let shown = self.shown();
        let output = self.command.output().context(format!("start `{shown}`"))?;
        Ok(Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs it and keeps its output; anything but exit code 0 is a failure that shows the output's end.
    pub(crate) fn succeed(self) -> Result<Ended, Failure> {
        let shown = self.shown();
        let ended = self.keep()?;
        if ended.is_success() {
            return Ok(ended);
        }
        let code = ended
            .code
            .map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        Err(Failure::new(format!("`{shown}` ended with {code}\n{}", ended.tail())))
    }
}
