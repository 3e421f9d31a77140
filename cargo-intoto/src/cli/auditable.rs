//! `cargo intoto auditable`.

use camino::Utf8PathBuf;
use intoto_core::name::StepName;

use crate::cli::sequence;
use crate::cli::step::{self, RecordingArgs};
use crate::error::CliError;
use crate::exit::Exit;
use crate::recording::Auditable;
use crate::signing::KeyArgs;
use crate::ui::Ui;

/// Compare the packages that executables name with those that were built
///
/// Executables of `cargo auditable` hold a list of their packages. Together, the lists of all executables must be exactly the packages of
/// the build's link, and each executable one that the build made; then a link is written. To record such a build, run
/// `cargo auditable intoto build --allow-wrapper`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Executables of one build
    #[arg(required = true, value_name = "EXECUTABLE")]
    executables: Vec<Utf8PathBuf>,
    /// Name of the step in the layout
    #[arg(long, value_name = "NAME", default_value = "auditable")]
    step: StepName,
    /// Name of the step that built the executables
    #[arg(long, value_name = "NAME", default_value = "build")]
    build_step: StepName,
    /// Path to Cargo.toml of the workspace whose run the step joins
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    recording: RecordingArgs,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let step = Auditable {
        executables: args
            .executables
            .iter()
            .map(|path| sequence::absolute(path))
            .collect::<Result<_, _>>()?,
        build: args.build_step.to_string(),
    };
    let words = step::manifest_words(args.manifest_path.as_deref());
    step::record_as(args.step.as_str(), &step, &args.keys, &args.recording, &words, ui)
}
