//! `cargo intoto drop-in`.

use camino::Utf8PathBuf;
use clap::Subcommand;

use crate::drop_in;
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::Ui;

/// Stand in for the tools of the Python implementation
///
/// Started under the name of one of them, such as in-toto-run, this program takes its flags, writes the same files and ends with the
/// same exit codes. docs/drop-in.md lists the differences.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Install(Install),
}

/// Make a link to this program for each tool
///
/// Nothing that is there already is overwritten.
#[derive(Debug, clap::Args)]
struct Install {
    /// Directory to make the links in, one of your PATH
    #[arg(value_name = "DIR")]
    directory: Utf8PathBuf,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let Command::Install(Install { directory }) = args.command;
    let failed = || CliError::failure("failed to find out where this program is");
    let program = std::env::current_exe().map_err(|error| failed().because(error))?;
    let program = Utf8PathBuf::try_from(program).map_err(|error| failed().because(error))?;
    let made = drop_in::install(&program, &directory)?;
    for path in &made {
        ui.status("Linked", path);
    }
    if made.is_empty() {
        ui.status("Fresh", format!("every link to {program} is in {directory}"));
    }
    Ok(Exit::Success)
}
