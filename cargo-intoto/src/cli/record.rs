//! `cargo intoto record`.

use camino::Utf8PathBuf;
use clap::Subcommand;
use intoto_core::name::StepName;

use crate::cli::choice::ChoiceArgs;
use crate::cli::own_bundles::OwnBundles;
use crate::cli::step::layout_source;
use crate::error::CliError;
use crate::exit::Exit;
use crate::layout_source::LayoutSource;
use crate::recording::{BothHalves, ByHand, Choice, Settings};
use crate::signing::KeyArgs;
use crate::ui::Ui;

/// Record a step that no single command does, such as an edit
///
/// `start` hashes the materials, then the work is done, then `stop` hashes the products. The link belongs to the run in which it was
/// begun, whatever the work changes in the tree.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Start(Box<Start>),
    Stop(Box<Stop>),
}

/// Begin a step: hash its materials and sign them
///
/// A PATH may also be `file:PATH`, `dir:PATH` (a directory as one artifact) or `ostree:BRANCH`. Git's own files are never recorded;
/// what else is left out stands in the link.
#[derive(Debug, clap::Args)]
struct Start {
    /// File or directory that is there before; may be repeated
    #[arg(short, long = "material", value_name = "PATH", num_args = 1..)]
    materials: Vec<String>,
    #[command(flatten)]
    common: Common,
}

/// Finish a step: hash its products and sign the link
///
/// The link that was begun must bear the signature of the same key or identity, and keeps its form. An identity is asked for twice: what
/// it began lies there with a Sigstore bundle of its own, which `stop` verifies before it signs anything.
#[derive(Debug, clap::Args)]
struct Stop {
    /// File or directory that is there after; may be repeated
    #[arg(short, long = "product", value_name = "PATH", num_args = 1..)]
    products: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// The step's name in the layout
    #[arg(long, value_name = "NAME")]
    step: StepName,
    /// Path to Cargo.toml of the workspace whose run the step joins
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
    #[command(flatten)]
    choice: ChoiceArgs,
    #[command(flatten)]
    keys: KeyArgs,
    /// Record compiler wrappers, patches and the like instead of refusing them
    #[arg(long, help_heading = "Recording")]
    allow_wrapper: bool,
}

#[derive(Clone, Copy)]
enum Half {
    Start,
    Stop,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    match args.command {
        Command::Start(args) => record(Half::Start, &args.materials, args.common, ui),
        Command::Stop(args) => record(Half::Stop, &args.products, args.common, ui),
    }
}

fn record(half: Half, paths: &[String], args: Common, ui: &Ui) -> Result<Exit, CliError> {
    if args.keys.unsigned {
        return Err(CliError::usage(
            "a link that is begun must be signed, to be recognised when it is finished",
        ));
    }
    let words: Vec<String> = args
        .manifest_path
        .into_iter()
        .flat_map(|path| ["--manifest-path".to_owned(), path.into_string()])
        .collect();
    let settings = Settings {
        allow_wrapper: args.allow_wrapper,
        ..Settings::default()
    };
    let by_hand = ByHand {
        step: &args.step,
        paths,
        choice: &Choice::from(args.choice),
    };
    let context = by_hand.open(ui, &words, &settings)?;
    let source = layout_source(&context.workspace)?;
    let pending = args.keys.prepare(args.step.as_str(), source.as_ref())?;
    let layout = source.as_ref().map(LayoutSource::to_layout);
    let own = OwnBundles::prepare(pending.sigstore(), &args.keys.sigstore, layout.as_ref())?;
    let signers = BothHalves {
        open: &|| pending.open(ui),
        bundles: own.as_ref().map(|own| own.by(pending.sigstore())),
    };
    match half {
        Half::Start => by_hand.start(&context, &signers, args.keys.form())?,
        Half::Stop => by_hand.stop(&context, &signers)?,
    }
    Ok(Exit::Success)
}
