//! `cargo intoto vet`.

use crate::cli::step::{self, StepArgs, tool_help};
use crate::error::CliError;
use crate::exit::Exit;
use crate::plan::VetWords;
use crate::recording::Vet;
use crate::ui::Ui;

/// Run cargo-vet as a step, and record what it said
///
/// Runs `cargo vet --locked` and writes a link: Cargo.lock, every manifest and package and the files of supply-chain/ went in, and its
/// answer as JSON came out. An answer that cannot be understood decides nothing.
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo intoto vet [OPTIONS] [-- WORDS OF cargo vet]", after_help = tool_help!("vet", "vet.json"))]
pub(crate) struct Args {
    #[command(flatten)]
    step: StepArgs,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let words = VetWords::parse(args.step.words())?;
    let manifest_path = words.manifest_path.clone();
    step::record_tool(&Vet::new(words), &args.step, manifest_path.as_deref(), ui)
}
