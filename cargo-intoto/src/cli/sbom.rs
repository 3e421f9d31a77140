//! `cargo intoto sbom`.

use crate::cli::step::{self, StepArgs, tool_help};
use crate::error::CliError;
use crate::exit::Exit;
use crate::plan::SbomWords;
use crate::recording::Sbom;
use crate::ui::Ui;

/// Run cargo-cyclonedx as a step, and check every digest in its bill
///
/// Runs `cargo cyclonedx` in a copy of the tree, at the time of the commit, so that the same commit gives the same bytes. Each member's
/// bill must have, for every package of a registry, the digest of the .crate that was checked on disk; anything else is refused.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "cargo intoto sbom [OPTIONS] [-- WORDS OF cargo cyclonedx]",
    after_help = tool_help!("cyclonedx", "NAME-VERSION.cdx.json")
)]
pub(crate) struct Args {
    #[command(flatten)]
    step: StepArgs,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let words = SbomWords::parse(args.step.words())?;
    let manifest_path = words.manifest_path.clone();
    step::record_tool(&Sbom::new(words), &args.step, manifest_path.as_deref(), ui)
}
