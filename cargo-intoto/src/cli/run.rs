//! `cargo intoto run`.

use camino::Utf8PathBuf;
use intoto_core::name::StepName;

use crate::cli::choice::ChoiceArgs;
use crate::cli::step::{self, RecordingArgs};
use crate::error::CliError;
use crate::exit::Exit;
use crate::recording::RunCommand;
use crate::signing::KeyArgs;
use crate::ui::Ui;

/// Run any command as a step, and record the files you name
///
/// The materials are hashed before the command runs and the products after it; a directory stands for all files below it. A PATH may
/// also be `file:PATH`, `dir:PATH` (a directory as one artifact) or `ostree:BRANCH`. Git's own files are never recorded; what else is
/// left out stands in the link. The exit code is the command's when it fails, and nothing is recorded then.
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo intoto run [OPTIONS] --step <NAME> -- <COMMAND>...")]
pub(crate) struct Args {
    /// The step's name in the layout
    #[arg(long, value_name = "NAME")]
    step: StepName,
    /// File or directory that the command uses; may be repeated
    #[arg(short, long = "material", value_name = "PATH", num_args = 1..)]
    materials: Vec<String>,
    /// File or directory that the command makes; may be repeated
    #[arg(short, long = "product", value_name = "PATH", num_args = 1..)]
    products: Vec<String>,
    /// Path to Cargo.toml of the workspace whose run the step joins
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    recording: RecordingArgs,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let words = step::manifest_words(args.manifest_path.as_deref());
    let step = RunCommand {
        step: args.step.to_string(),
        materials: args.materials,
        products: args.products,
        choice: args.choice.into(),
        command: args.command,
    };
    step::record_as(args.step.as_str(), &step, &args.keys, &args.recording, &words, ui)
}
