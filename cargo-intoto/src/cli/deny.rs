//! `cargo intoto deny`.

use crate::cli::step::{self, StepArgs, tool_help};
use crate::error::CliError;
use crate::exit::Exit;
use crate::plan::DenyWords;
use crate::recording::Deny;
use crate::ui::Ui;

/// Run cargo-deny as a step, and record what it said
///
/// Runs `cargo deny check` on the whole workspace and writes a link: Cargo.lock, every manifest and package, deny.toml and the advisory
/// database by its commit went in, and its answer as JSON came out. An answer that cannot be understood decides nothing.
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo intoto deny [OPTIONS] [-- WORDS OF cargo deny]", after_help = tool_help!("deny", "deny.json"))]
pub(crate) struct Args {
    #[command(flatten)]
    step: StepArgs,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let words = DenyWords::parse(args.step.words())?;
    let manifest_path = words.manifest_path.clone();
    step::record_tool(&Deny::new(words), &args.step, manifest_path.as_deref(), ui)
}
