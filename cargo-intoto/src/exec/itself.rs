//! Runs this program once more, as a recorder in another directory and with another toolchain: both are a process's own.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use camino::Utf8Path;

use crate::error::{CliError, ErrorKind};
use crate::exec::process_group::Output;
use crate::exec::{environment, process_group};

/// Runs ourselves with these words in `directory`; variables with a value are set, those without are removed. What it says goes where our
/// own words go. It gets no secrets.
///
/// # Errors
/// When it cannot be run, fails, or leaves processes running.
pub(crate) fn run(
    words: &[String],
    directory: &Utf8Path,
    variables: &[(&str, Option<OsString>)],
) -> Result<(), CliError> {
    let program = std::env::current_exe()
        .map_err(|error| CliError::failure("failed to find the program that is running").because(error))?;
    let mut command = Command::new(program);
    environment::sanitise(&mut command);
    command.args(words).current_dir(directory).stdin(Stdio::null());
    for (name, value) in variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let what = format!("`cargo intoto {}`", words.first().map_or("", String::as_str));
    let ended = process_group::run(command, &what, Output::Inherit)?;
    if !ended.left_running.is_empty() {
        return Err(CliError::failure(format!("{what} left processes running")));
    }
    match ended.code() {
        0 => Ok(()),
        1 => Err(CliError::new(
            ErrorKind::Refused,
            format!("{what} was refused in the clean directory"),
        )),
        3 => Err(CliError::cannot_decide(format!(
            "{what} could not be decided in the clean directory"
        ))),
        code => Err(CliError::failure(format!(
            "{what} failed with code {code} in the clean directory"
        ))),
    }
}
