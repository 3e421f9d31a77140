//! Any command that a user records as a step.

use std::process::Command;

use crate::error::CliError;
use crate::exec::environment;
use crate::exec::process_group::{self, Ended, Output};

/// Runs `program` to its end, with the user's terminal and without the user's secrets.
///
/// # Errors
/// When it cannot be run; a failing command is not an error here.
pub(crate) fn run(program: &str, arguments: &[String]) -> Result<Ended, CliError> {
    let mut command = Command::new(program);
    environment::sanitise(&mut command);
    command.args(arguments);
    process_group::run(command, &format!("`{program}`"), Output::Inherit)
}
