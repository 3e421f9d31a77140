//! `cargo intoto audit`.

use crate::cli::step::{self, StepArgs, tool_help};
use crate::error::CliError;
use crate::exit::Exit;
use crate::plan::AuditWords;
use crate::recording::Audit;
use crate::ui::Ui;

/// Run cargo-audit as a step, and record what it said
///
/// Runs `cargo audit` on Cargo.lock and writes a link: Cargo.lock, the settings and the advisory database by its commit went in, and its
/// answer as JSON came out. An answer that cannot be understood decides nothing.
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo intoto audit [OPTIONS] [-- WORDS OF cargo audit]", after_help = tool_help!("audit", "audit.json"))]
pub(crate) struct Args {
    #[command(flatten)]
    step: StepArgs,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let words = AuditWords::parse(args.step.words())?;
    let manifest_path = words.manifest_path.clone();
    step::record_tool(&Audit::new(words), &args.step, manifest_path.as_deref(), ui)
}
