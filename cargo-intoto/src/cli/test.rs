//! `cargo intoto test`.

use crate::cli::step::{self, StepArgs, step_help};
use crate::error::CliError;
use crate::exit::Exit;
use crate::recording::Test;
use crate::ui::Ui;

/// Run the tests, and record what was tested
///
/// Runs `cargo test`, reusing only what this run compiled, and writes a link: what the compiler read, and the test programs.
/// A failing test leaves no link, and neither does a run without a single test.
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo intoto test [OPTIONS] [CARGO FLAGS]", after_help = step_help!("test"))]
pub(crate) struct Args {
    #[command(flatten)]
    step: StepArgs,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    step::record(&Test, args.step, ui)
}
