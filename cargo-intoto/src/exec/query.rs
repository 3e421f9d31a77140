//! Short questions to cargo and git: run to the end, output captured, nothing on the terminal.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::CliError;
use crate::exec::environment::sanitise;

/// A command whose answer is its output.
#[derive(Debug)]
pub(crate) struct Query {
    program: PathBuf,
    command: Command,
}

/// How a [`Query`] ended.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Whether it ended with status 0.
    pub(crate) success: bool,
    /// What it wrote to stdout.
    pub(crate) stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Query {
    /// A query of `program`.
    pub(crate) fn new(program: &Path) -> Self {
        let mut command = Command::new(program);
        sanitise(&mut command);
        command.stdin(Stdio::null());
        Self {
            program: program.to_owned(),
            command,
        }
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets the working directory.
    pub(crate) fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.command.env(name, value.into());
        self
    }

    /// Removes an environment variable.
    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// The command itself, for a caller that streams its output.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn run(mut self) -> Result<Answer, CliError> {
        let output = self
            .command
            .output()
            .map_err(|error| cannot_start(&self.program, error))?;
        Ok(Answer {
            success: output.status.success(),
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }
}

impl Answer {
    /// What it wrote to stderr, as far as it is text.
    pub(crate) fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).trim_end().to_owned()
    }

    /// What it wrote to stdout, which must be UTF-8.
    pub(crate) fn stdout_text(&self, what: &str) -> Result<&str, CliError> {
        std::str::from_utf8(&self.stdout)
            .map_err(|error| CliError::cannot_decide(format!("the output of {what} is not UTF-8")).because(error))
    }
}

/// The error for a program that cannot be started.
pub(crate) fn cannot_start(program: &Path, error: std::io::Error) -> CliError {
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    let result = CliError::failure(format!("failed to start {}", program.display())).because(error);
    if missing {
        result.hint(format!("install {} or put it on the search path", program.display()))
    } else {
        result
    }
}
