//! `in-toto-record`.

use camino::Utf8PathBuf;
use intoto_core::envelope::Container;

use super::arguments::{ArtifactArgs, KeyArgs, VerbosityArgs, say};
use super::{Arguments, Failure, link};
use crate::exit::Exit;
use crate::ui::{Ui, Verbosity};

/// Write the signed link of a step that is no single command, in two commands
///
/// `start` hashes the materials and `stop`, when all is done, the products.
///
/// This is in-toto-record of the Python implementation, as cargo-intoto does it.
#[derive(Debug, clap::Parser)]
#[command(version = super::version(), disable_help_subcommand = true)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Start(Start),
    Stop(Stop),
}

/// Begin the link: hash the materials, sign, write .<NAME>.<KEYID>.link-unfinished
#[derive(Debug, clap::Args)]
struct Start {
    /// Files and directories to hash
    #[arg(short, long, value_name = "PATH", num_args = 1..)]
    materials: Vec<String>,
    #[command(flatten)]
    common: Common,
}

/// Finish the link: check its signature, hash the products, sign, write <NAME>.<KEYID>.link
#[derive(Debug, clap::Args)]
struct Stop {
    /// Files and directories to hash
    #[arg(short, long, value_name = "PATH", num_args = 1..)]
    products: Vec<String>,
    /// Directory to write the link to [default: the current one]
    #[arg(short = 'd', long, value_name = "DIR")]
    metadata_directory: Option<Utf8PathBuf>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, clap::Args)]
struct Common {
    /// Name of the step
    #[arg(short = 'n', long, value_name = "NAME")]
    step_name: String,
    /// Write a DSSE envelope instead of a Metablock; `stop` does as `start` did
    #[arg(long)]
    use_dsse: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    artifacts: ArtifactArgs,
    #[command(flatten)]
    verbosity: VerbosityArgs,
}

impl Args {
    fn common(&self) -> &Common {
        match &self.command {
            Command::Start(start) => &start.common,
            Command::Stop(stop) => &stop.common,
        }
    }
}

impl Arguments for Args {
    fn verbosity(&self) -> Verbosity {
        self.common().verbosity.verbosity()
    }
}

pub(super) fn run(args: Args, ui: &Ui) -> Result<Exit, Failure> {
    args.common().key.check()?;
    match args.command {
        Command::Start(args) => start(&args, ui),
        Command::Stop(args) => stop(&args, ui),
    }
}

fn start(args: &Start, ui: &Ui) -> Result<Exit, Failure> {
    let common = &args.common;
    let key = common.key.find(link::container(common.use_dsse))?.open()?;
    let step = link::step(&common.step_name)?;
    say(ui, &format!("Start recording '{step}'..."));
    let mut draft = link::Draft::of(&step);
    let materials = common.artifacts.record(&args.materials, ui)?;
    link::warn_of_names(ui, [&materials]);
    draft.materials(&materials);
    let unfinished = link::Unfinished::of(&step, &key);
    say(
        ui,
        &format!("Storing preliminary link metadata to '{}'...", unfinished.path()),
    );
    draft.write(unfinished.path(), Some(&key), link::container(common.use_dsse))?;
    Ok(Exit::Success)
}

fn stop(args: &Stop, ui: &Ui) -> Result<Exit, Failure> {
    let common = &args.common;
    // The form is that of the link that was begun.
    let key = common.key.find(Container::Metablock)?.open()?;
    let step = link::step(&common.step_name)?;
    say(ui, &format!("Stop recording '{step}'..."));
    let unfinished = link::Unfinished::of(&step, &key);
    let (mut draft, container) = unfinished.read(&step, &key)?;
    let products = common.artifacts.record(&args.products, ui)?;
    link::warn_of_names(ui, [&products]);
    draft.products(&products);
    let path = link::path(args.metadata_directory.as_deref(), &step, &key);
    say(ui, &format!("Storing link metadata to '{path}'..."));
    draft.write(&path, Some(&key), container)?;
    unfinished.remove()?;
    Ok(Exit::Success)
}
