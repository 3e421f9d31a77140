//! Runs the toolchain's cargo.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use camino::Utf8Path;

use crate::error::CliError;
use crate::exec::environment::{self, Exchanged};
use crate::exec::process_group::{self, Ended, Output};
use crate::ui::{Ui, Verbosity};

/// The cargo of the toolchain in use.
#[derive(Debug, Clone)]
pub struct Cargo {
    program: PathBuf,
    terminal: Vec<(&'static str, &'static str)>,
}

impl Cargo {
    /// The cargo that runs us, or, when we were called directly, the one on `PATH`.
    ///
    /// What the user asked of `ui` is handed on in the environment, so that the recorded command stays what was typed.
    pub fn locate(ui: &Ui) -> Self {
        let program = std::env::var_os("CARGO").filter(|cargo| !cargo.is_empty());
        let mut terminal = Vec::new();
        match ui.verbosity() {
            Verbosity::Quiet => terminal.push(("CARGO_TERM_QUIET", "true")),
            Verbosity::Normal => {}
            Verbosity::Verbose => terminal.push(("CARGO_TERM_VERBOSE", "true")),
        }
        if let Some(when) = ui.color_choice() {
            terminal.push(("CARGO_TERM_COLOR", when));
        }
        Self {
            program: program.unwrap_or_else(|| OsString::from("cargo")).into(),
            terminal,
        }
    }

    /// The program that will be run.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// A command of this cargo in our environment without secrets; the caller adds arguments.
    ///
    /// For questions (`metadata`, `-vV`), whose output the caller reads; steps are run with [`Cargo::run`].
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        environment::sanitise(&mut command);
        command.stdin(Stdio::null());
        command
    }

    /// As [`Cargo::command`], with the registries' tokens: for a cargo that publishes, or asks a registry that wants to know who asks.
    pub fn publishing_command(&self, exchanged: Exchanged<'_>) -> Command {
        let mut command = Command::new(&self.program);
        environment::sanitise_for_publishing(&mut command, exchanged);
        command.stdin(Stdio::null());
        command
    }

    /// Runs `cargo publish` to its end in `directory`, staging below `build_directory`; its output goes to the user. What it leaves running is left
    /// alone: it runs nobody's code but ours, and the gate may still have a token to give back.
    ///
    /// # Errors
    /// When it cannot be run; a failing cargo is not an error here.
    pub fn publish(
        &self,
        arguments: &[OsString],
        directory: &Utf8Path,
        build_directory: &Utf8Path,
        exchanged: Exchanged<'_>,
    ) -> Result<Ended, CliError> {
        let mut command = self.publishing_command(exchanged);
        command.envs(self.terminal.iter().copied());
        command.env("CARGO_BUILD_BUILD_DIR", build_directory);
        command.args(arguments).current_dir(directory);
        let status = command
            .status()
            .map_err(|error| CliError::failure("failed to run `cargo publish`").because(error))?;
        Ok(Ended {
            status,
            left_running: Vec::new(),
        })
    }

    /// Runs a step of cargo to its end, with what it left running.
    ///
    /// # Errors
    /// When it cannot be run; a failing cargo is not an error here.
    pub fn run(&self, invocation: Invocation<'_, '_>) -> Result<Ended, CliError> {
        let mut command = Command::new(&self.program);
        environment::sanitise(&mut command);
        command.envs(self.terminal.iter().copied());
        command.envs(invocation.environment.iter().map(|(name, value)| (name, value)));
        command.args(invocation.arguments);
        if let Some(directory) = invocation.directory {
            command.current_dir(directory);
        }
        let what = match invocation.arguments.first() {
            Some(step) => format!("`cargo {}`", step.display()),
            None => "`cargo`".to_owned(),
        };
        process_group::run(command, &what, invocation.output).map_err(|error| {
            if Path::new(&self.program).components().count() == 1 {
                error.hint("install Rust, or run this as `cargo intoto …` so that cargo names itself")
            } else {
                error
            }
        })
    }
}

/// One run of cargo.
pub struct Invocation<'a, 'o> {
    /// The arguments, the subcommand first.
    pub arguments: &'a [OsString],
    /// Variables beyond the environment that is handed down.
    pub environment: &'a [(&'a str, &'a OsStr)],
    /// Where it runs; where we run when there is none.
    pub directory: Option<&'a Utf8Path>,
    /// What becomes of its standard output.
    pub output: Output<'o>,
}
