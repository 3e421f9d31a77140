//! `in-toto-run`.

use std::time::Duration;

use camino::Utf8PathBuf;

use super::arguments::{ArtifactArgs, KeyArgs, VerbosityArgs, say};
use super::{Arguments, Failure, link};
use crate::exec::wrapped::{self, Streams};
use crate::exit::Exit;
use crate::ui::{Ui, Verbosity};

/// Run a command as a step, and write its signed link
///
/// Files named by --materials are hashed before the command runs and those named by --products after it. The exit code is the
/// command's, and the link is written even if the command failed.
///
/// This is in-toto-run of the Python implementation, as cargo-intoto does it.
#[derive(Debug, clap::Parser)]
#[command(
    version = super::version(),
    override_usage = "in-toto-run [OPTIONS] --step-name <NAME> <--signing-key <PATH>|--gpg [<ID>]> -- <COMMAND>..."
)]
pub(super) struct Args {
    /// Name of the step; the link is written to <NAME>.<KEYID>.link
    #[arg(short = 'n', long, value_name = "NAME")]
    step_name: String,
    /// Files and directories to hash before the command runs
    #[arg(short, long, value_name = "PATH", num_args = 1..)]
    materials: Vec<String>,
    /// Files and directories to hash after the command has run
    #[arg(short, long, value_name = "PATH", num_args = 1..)]
    products: Vec<String>,
    /// Keep what the command prints in the link, and show it
    #[arg(short = 's', long)]
    record_streams: bool,
    /// Run no command
    #[arg(short = 'x', long)]
    no_command: bool,
    /// Directory to write the link to [default: the current one]
    #[arg(short = 'd', long, value_name = "DIR")]
    metadata_directory: Option<Utf8PathBuf>,
    /// Write a DSSE envelope instead of a Metablock
    #[arg(long)]
    use_dsse: bool,
    /// Seconds after which the command is ended
    #[arg(long, value_name = "SECONDS", default_value = "10", allow_negative_numbers = true)]
    run_timeout: i64,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    artifacts: ArtifactArgs,
    #[command(flatten)]
    verbosity: VerbosityArgs,
    /// The command and its arguments, after `--`
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
}

impl Arguments for Args {
    fn verbosity(&self) -> Verbosity {
        self.verbosity.verbosity()
    }
}

pub(super) fn run(args: Args, ui: &Ui) -> Result<Exit, Failure> {
    args.key.check()?;
    if args.command.is_empty() && !args.no_command {
        return Err(Failure::Usage(
            "no command was given; give one after `--`, or use --no-command",
        ));
    }
    let key = args.key.find(link::container(args.use_dsse))?;
    let step = link::step(&args.step_name)?;
    say(ui, &format!("Running '{step}'..."));
    let mut draft = link::Draft::of(&step);
    let materials = args.artifacts.record(&args.materials, ui)?;
    draft.materials(&materials);
    let mut exit = Exit::Success;
    if !args.no_command {
        say(ui, &format!("Running command '{}'...", args.command.join(" ")));
        let streams = if args.record_streams {
            Streams::Kept
        } else {
            Streams::Discarded
        };
        let limit = Duration::from_secs(args.run_timeout.try_into().unwrap_or(0));
        let ran = wrapped::run(&args.command, streams, limit)?;
        exit = link::exit(ran.value);
        draft.command(&args.command, ran);
    }
    let products = args.artifacts.record(&args.products, ui)?;
    draft.products(&products);
    link::warn_of_names(ui, [&materials, &products]);
    let key = key.open()?;
    let path = link::path(args.metadata_directory.as_deref(), &step, &key);
    say(ui, &format!("Storing link metadata to '{path}'..."));
    draft.write(&path, Some(&key), link::container(args.use_dsse))?;
    Ok(exit)
}
