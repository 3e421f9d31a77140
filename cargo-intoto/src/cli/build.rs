//! `cargo intoto build`.

use crate::cli::step::{self, StepArgs, step_help};
use crate::error::CliError;
use crate::exit::Exit;
use crate::recording::Build;
use crate::ui::Ui;

/// Build, and record what went in and what came out
///
/// Runs `cargo build` in an empty build directory of its own and writes a link: the packages and files that the compiler
/// really read, and the final artifacts. Every dependency is checked against Cargo.lock and its .crate before and after.
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo intoto build [OPTIONS] [CARGO FLAGS]", after_help = step_help!("build"))]
pub(crate) struct Args {
    #[command(flatten)]
    step: StepArgs,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    step::record(&Build, args.step, ui)
}
