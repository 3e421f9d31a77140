//! `cargo intoto man`.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use clap::Command;
use clap_mangen::Man;

use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::{Ui, count};

/// Print a manual page, or write all of them
///
/// `cargo-intoto man verify | man -l -` shows one. `cargo-intoto man --output-dir DIR` writes the page of every command into a directory, such as
/// ~/.local/share/man/man1; then `man cargo-intoto-verify` finds them, and so does `cargo help intoto`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The command that the page is about, as in `layout sign` [default: the program itself]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write the page of every command into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    output_dir: Option<Utf8PathBuf>,
}

/// `command` is the whole command line.
pub(super) fn run(args: &Args, mut command: Command, ui: &Ui) -> Result<Exit, CliError> {
    command = command.disable_help_subcommand(true);
    // Gives every command below its full name.
    command.build();
    if let Some(directory) = &args.output_dir {
        fs::create_dir_all(directory)
            .map_err(|error| CliError::failure(format!("failed to create {directory}")).because(error))?;
        let written = write_all(&command, directory)?;
        ui.status("Wrote", format!("{} to {directory}", count(written, "manual page")));
        return Ok(Exit::Success);
    }
    let mut wanted = &command;
    for word in &args.command {
        wanted = wanted
            .find_subcommand(word)
            .filter(|found| !found.is_hide_set())
            .ok_or_else(|| {
                CliError::usage(format!("there is no command `{}`", args.command.join(" ")))
                    .hint("`cargo intoto --help` lists the commands")
            })?;
    }
    ui.data(&page(wanted)?)?;
    Ok(Exit::Success)
}

/// Writes the page of a command and of those below it; says how many.
fn write_all(command: &Command, directory: &Utf8Path) -> Result<usize, CliError> {
    let path = directory.join(format!("{}.1", name(command)));
    fs::write(&path, page(command)?)
        .map_err(|error| CliError::failure(format!("failed to write {path}")).because(error))?;
    let mut written = 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        written += write_all(below, directory)?;
    }
    Ok(written)
}

fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn page(command: &Command) -> Result<String, CliError> {
    let failed = || CliError::failure(format!("failed to write the manual page of {}", name(command)));
    let mut page = Vec::new();
    Man::new(command.clone())
        .render(&mut page)
        .map_err(|error| failed().because(error))?;
    String::from_utf8(page).map_err(|error| failed().because(error))
}
