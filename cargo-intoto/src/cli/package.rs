//! `cargo intoto package`.

use crate::cli::step::{self, StepArgs, step_help};
use crate::error::CliError;
use crate::exit::Exit;
use crate::recording::Package;
use crate::ui::Ui;

/// Make the .crate files, and record what is in them
///
/// Runs `cargo package` for the members that may be published and writes a link: for each file in a .crate the file of the
/// workspace that it was taken from. A .crate that is not explained to the last file is refused.
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo intoto package [OPTIONS] [CARGO FLAGS]", after_help = step_help!("package"))]
pub(crate) struct Args {
    #[command(flatten)]
    step: StepArgs,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    step::record(&Package::default(), args.step, ui)
}
