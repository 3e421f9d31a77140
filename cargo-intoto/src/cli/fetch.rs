//! `cargo intoto fetch`.

use crate::cli::step::{self, StepArgs, step_help};
use crate::error::CliError;
use crate::exit::Exit;
use crate::recording::Fetch;
use crate::ui::Ui;

/// Check the tree and every locked package, and start a run
///
/// Runs `cargo fetch`, then compares every package on disk with its .crate and that with Cargo.lock, which cargo itself does only when
/// it downloads. Writes a link: every file of the tree and every package, by its bytes. Later steps join the run.
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo intoto fetch [OPTIONS] [CARGO FLAGS]", after_help = step_help!("fetch"))]
pub(crate) struct Args {
    /// Let cargo unpack packages again that differ from their .crate
    #[arg(long, help_heading = "Recording")]
    repair: bool,
    /// Record vendored files without a .crate to compare with as sources of the workspace
    #[arg(long, help_heading = "Recording")]
    vendored_as_source: bool,
    #[command(flatten)]
    step: StepArgs,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let fetch = Fetch {
        repair: args.repair,
        vendored_as_source: args.vendored_as_source,
    };
    step::record(&fetch, args.step, ui)
}
