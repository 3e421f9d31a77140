//! `cargo intoto completions`.

use clap::Command;
use clap_complete::{Shell, generate};

use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::Ui;

/// Print the completions of the command line for a shell
///
/// They complete `cargo-intoto`. Put them where your shell looks for completions, for instance with
/// `cargo-intoto completions bash > ~/.local/share/bash-completion/completions/cargo-intoto`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell: bash, elvish, fish, powershell, zsh
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// `command` is the whole command line.
pub(super) fn run(args: &Args, mut command: Command, ui: &Ui) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    generate(args.shell, &mut command, "cargo-intoto", &mut script);
    ui.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
