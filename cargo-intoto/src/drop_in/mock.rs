//! `in-toto-mock`.

use std::time::Duration;

use camino::Utf8PathBuf;
use intoto_core::envelope::Container;
use intoto_core::name::StepName;

use super::{Arguments, Failure, arguments, link};
use crate::collect::named::DirectoryLinks;
use crate::error::CliError;
use crate::exec::wrapped::{self, Streams};
use crate::exit::Exit;
use crate::ui::{Ui, Verbosity};

/// As long as the reference implementation waits.
const LIMIT: Duration = Duration::from_secs(10);

/// Run a command and write an unsigned link of it, to see what a link looks like
///
/// Every file below the current directory is a material and a product, and the link holds what the command printed.
///
/// This is in-toto-mock of the Python implementation, as cargo-intoto does it.
#[derive(Debug, clap::Parser)]
#[command(version = super::version(), override_usage = "in-toto-mock [--use-dsse] --name <NAME> -- <COMMAND>...")]
pub(super) struct Args {
    /// Name of the step; the link is written to <NAME>.link
    #[arg(short, long, value_name = "NAME")]
    name: String,
    /// Write a DSSE envelope instead of a Metablock
    #[arg(long)]
    use_dsse: bool,
    /// The command and its arguments, after `--`
    #[arg(value_name = "COMMAND", required = true)]
    command: Vec<String>,
}

impl Arguments for Args {
    fn verbosity(&self) -> Verbosity {
        Verbosity::Verbose
    }
}

pub(super) fn run(args: Args, ui: &Ui) -> Result<Exit, Failure> {
    let step = link::step(&args.name)?;
    mock(&step, &args.command, link::container(args.use_dsse), LIMIT, ui)?;
    Ok(Exit::Success)
}

/// Runs a command with everything around it recorded, and writes its unsigned link; says where, and with which code the command ended.
///
/// # Errors
/// When it cannot be run or recorded. A failing command is not an error here.
pub(crate) fn mock(
    step: &StepName,
    command: &[String],
    container: Container,
    limit: Duration,
    ui: &Ui,
) -> Result<(Utf8PathBuf, Exit), CliError> {
    let everything = [".".to_owned()];
    let record = || arguments::record(&everything, &[], None, &[], DirectoryLinks::Followed, ui);
    let mut draft = link::Draft::of(step);
    draft.materials(&record()?);
    arguments::say(ui, &format!("Running command '{}'...", command.join(" ")));
    let ran = wrapped::run(command, Streams::Kept, limit)?;
    let exit = link::exit(ran.value);
    draft.command(command, ran);
    draft.products(&record()?);
    let path = Utf8PathBuf::from(format!("{step}.link"));
    arguments::say(ui, &format!("Storing unsigned link metadata to '{path}'..."));
    draft.write(&path, None, container)?;
    Ok((path, exit))
}
