//! What the commands that record a step have in common.

use camino::Utf8Path;
use clap::Args;
use intoto_core::name::StepName;

use crate::cli::own_bundles::OwnBundles;
use crate::cli::words::CARGO_WORDS;
use crate::error::CliError;
use crate::exit::Exit;
use crate::layout_source::LayoutSource;
use crate::recording::seal::{self, Signing};
use crate::recording::{Settings, Step, observe};
use crate::signing::KeyArgs;
use crate::ui::Ui;
use crate::workspace::Workspace;

/// The flags of a recorded step of cargo; every other word is cargo's.
#[derive(Debug, Args)]
pub(crate) struct StepArgs {
    /// Name of the step, if the layout has several of the kind
    #[arg(long, value_name = "NAME", help_heading = "Recording")]
    step: Option<StepName>,
    #[command(flatten)]
    recording: RecordingArgs,
    #[command(flatten)]
    keys: KeyArgs,
    // Filled by `words::sort`.
    #[arg(id = CARGO_WORDS, last = true, hide = true)]
    cargo_words: Vec<String>,
}

impl StepArgs {
    /// The words that are not ours.
    pub(crate) fn words(&self) -> &[String] {
        &self.cargo_words
    }
}

/// How to record.
#[derive(Debug, Clone, Args)]
pub(crate) struct RecordingArgs {
    /// Show what would be run and recorded, and stop there
    #[arg(long, help_heading = "Recording")]
    pub(crate) dry_run: bool,
    /// Record compiler wrappers, patches and the like instead of refusing them
    #[arg(long, help_heading = "Recording")]
    pub(crate) allow_wrapper: bool,
}

impl From<&RecordingArgs> for Settings {
    fn from(args: &RecordingArgs) -> Self {
        Self {
            allow_wrapper: args.allow_wrapper,
            dry_run: args.dry_run,
            runs: None,
        }
    }
}

/// Performs and records one step of cargo.
///
/// # Errors
/// When the step fails, must not be recorded, or cannot be signed.
pub(crate) fn record(step: &dyn Step, args: StepArgs, ui: &Ui) -> Result<Exit, CliError> {
    let name = args.step.as_ref().map_or(step.name(), StepName::as_str).to_owned();
    record_as(&name, step, &args.keys, &args.recording, &args.cargo_words, ui)
}

/// Performs and records a step of a tool beside cargo, whose words are not cargo's.
///
/// # Errors
/// As [`record`].
pub(crate) fn record_tool(
    step: &dyn Step,
    args: &StepArgs,
    manifest_path: Option<&Utf8Path>,
    ui: &Ui,
) -> Result<Exit, CliError> {
    let name = args.step.as_ref().map_or(step.name(), StepName::as_str).to_owned();
    let words = manifest_words(manifest_path);
    record_as(&name, step, &args.keys, &args.recording, &words, ui)
}

/// The words that name a workspace.
pub(crate) fn manifest_words(manifest_path: Option<&Utf8Path>) -> Vec<String> {
    let words = |path: &Utf8Path| vec!["--manifest-path".to_owned(), path.to_string()];
    manifest_path.map(words).unwrap_or_default()
}

/// Performs any step and records it under `name`.
///
/// # Errors
/// As [`record`].
pub(crate) fn record_as(
    name: &str,
    step: &dyn Step,
    keys: &KeyArgs,
    recording: &RecordingArgs,
    words: &[String],
    ui: &Ui,
) -> Result<Exit, CliError> {
    let settings = Settings::from(recording);
    let mut pending = None;
    let mut own = None;
    let (context, outcome) = observe(name, step, ui, words, &settings, &mut |context, plan| {
        // A missing key should not be found after an hour of compiling.
        let source = layout_source(&context.workspace)?;
        let signers = keys.prepare(name, source.as_ref())?;
        let layout = source.as_ref().map(LayoutSource::to_layout);
        own = OwnBundles::prepare(signers.sigstore(), &keys.sigstore, layout.as_ref())?;
        if recording.dry_run {
            ui.data(&format!("{plan}"))?;
            for name in signers.names() {
                ui.data(&format!("signed by {name}\n"))?;
            }
        }
        pending = Some(signers);
        Ok(())
    })?;
    if let (Some(outcome), Some(signers)) = (outcome, pending) {
        let opened = signers.open(ui)?;
        let signing = Signing {
            signers: &opened,
            form: keys.form(),
            bundles: own.as_ref().map(|own| own.by(signers.sigstore())),
        };
        seal::seal(ui, &context.run, outcome, &signing)?;
    }
    Ok(Exit::Success)
}

/// The layout source of the workspace, if it has one.
pub(crate) fn layout_source(workspace: &Workspace) -> Result<Option<LayoutSource>, CliError> {
    let path = workspace.root.join(Utf8Path::new("layouts/release.toml"));
    if path.is_file() {
        LayoutSource::parse(&path).map(Some)
    } else {
        Ok(None)
    }
}

/// The words for the help of a step.
macro_rules! step_help {
    ($step:literal) => {
        concat!(
            "Every other flag, and what follows `--`, goes to `cargo ",
            $step,
            "` as it is; see `cargo help ",
            $step,
            "`. --message-format is the recorder's own, and short flags are written apart: -r -F NAME.\n\nThe link is written to target/intoto/<run>/. When cargo fails, \
             nothing is recorded, and its exit code is passed on."
        )
    };
}
pub(crate) use step_help;

/// The words for the help of a tool beside cargo.
macro_rules! tool_help {
    ($tool:literal, $report:literal) => {
        concat!(
            "Every other flag, and what follows `--`, goes to `cargo ",
            $tool,
            "`, if it cannot make the tool judge less. The link and what the tool said, ",
            $report,
            ", are written to target/intoto/<run>/. When the tool says no, nothing is recorded, and its exit code is passed on; when it \
             does not say clearly what it found, the exit code is 3."
        )
    };
}
pub(crate) use tool_help;
