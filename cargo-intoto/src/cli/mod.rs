//! The command line: one file per subcommand (its `Args` and `run`), and the only caller of the modules that do the work.

mod audit;
mod auditable;
mod build;
mod bundle;
mod choice;
mod commands;
mod compare;
mod completions;
mod deny;
mod drop_in;
mod fetch;
mod gate;
mod init;
mod key;
mod layout;
mod man;
mod match_products;
mod mock;
mod outside;
mod own_bundles;
mod own_run;
mod package;
mod publish;
mod rebuild;
mod record;
mod release;
mod release_check;
mod reporting;
mod run;
mod sbom;
mod sequence;
mod show;
mod sign;
mod step;
mod test;
mod trust;
mod try_;
mod try_gate;
mod verify;
mod vet;
mod words;

use std::ffi::OsString;

use anstream::ColorChoice;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, ValueEnum};

use self::commands::{Entry, Work};
use crate::exit::Exit;
use crate::help;
use crate::ui::{Ui, Verbosity};

/// When to colour.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Parser)]
#[command(
    name = "cargo-intoto",
    bin_name = "cargo intoto",
    version,
    about,
    after_help = AFTER_HELP,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    /// Show every artifact, rule and file
    #[arg(short, long, global = true, display_order = 900)]
    verbose: bool,
    /// Say nothing but errors
    #[arg(short, long, global = true, display_order = 901, conflicts_with = "verbose")]
    quiet: bool,
    /// When to colour: auto, always, never
    #[arg(
        long,
        global = true,
        display_order = 902,
        value_name = "WHEN",
        env = "CARGO_TERM_COLOR",
        hide_env = true
    )]
    color: Option<Color>,
}

const AFTER_HELP: &str = "\
`cargo intoto try` needs no set-up. To mean it: `cargo intoto init`, then `cargo intoto release`.

Exit codes:
  0  verified, or done
  1  refused: something was decided, and the answer is no
  2  the command line or the settings are wrong
  3  cannot decide: input is missing, unreadable or malformed, or no key is trusted
  4  input or output failed, or a program that was called
fetch, build, test, package, run, deny, audit and vet pass on the exit code of the command that they run.

See `cargo intoto help <COMMAND>` for one command.";

/// Parses `args`, runs the command and turns its outcome into an exit code.
pub(crate) fn main(args: Vec<OsString>) -> Exit {
    let (cli, work) = match parse(&without_plugin_word(args)) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Nobody is left to tell when the terminal itself is gone.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Success };
        }
    };
    let color = match cli.color {
        Some(Color::Always) => ColorChoice::Always,
        Some(Color::Never) => ColorChoice::Never,
        Some(Color::Auto) | None => ColorChoice::Auto,
    };
    let verbosity = match (cli.quiet, cli.verbose) {
        (true, _) => Verbosity::Quiet,
        (false, true) => Verbosity::Verbose,
        (false, false) => Verbosity::Normal,
    };
    let ui = Ui::new(color, verbosity);
    match work(&ui) {
        Ok(exit) => exit,
        Err(error) => {
            ui.error(&error);
            error.exit()
        }
    }
}

/// Describing every command takes longer than verifying a release. So the one that is called is described alone, and all of them only when
/// it does not take the words: then somebody reads the answer.
fn parse(args: &[OsString]) -> Result<(Cli, Work), clap::Error> {
    let called = words::find_name(args, &Cli::command()).and_then(|at| Entry::named(args.get(at)?));
    if let Some(entry) = called
        && let Ok(parsed) = read(args, Cli::command().subcommand(entry.describe()))
    {
        return Ok(parsed);
    }
    read(args, help::arrange(whole()))
}

fn read(args: &[OsString], command: clap::Command) -> Result<(Cli, Work), clap::Error> {
    let args = words::sort(args, &command);
    let mut command = command.color(color_of_help(&args));
    let matches = command.try_get_matches_from_mut(args)?;
    let (entry, of_entry) = matches
        .subcommand()
        .and_then(|(name, matches)| Some((Entry::named(name.as_ref())?, matches)))
        .ok_or_else(|| command.error(ErrorKind::MissingSubcommand, "there is no command"))?;
    Ok((Cli::from_arg_matches(&matches)?, entry.read(of_entry)?))
}

/// The whole command line, every command in it.
fn whole() -> clap::Command {
    Cli::command().subcommands(commands::COMMANDS.iter().map(Entry::describe))
}

/// What help and mistakes on the command line are coloured by: they are printed before the command line is understood.
fn color_of_help(args: &[OsString]) -> clap::ColorChoice {
    let words: Vec<_> = args
        .iter()
        .take_while(|word| *word != "--")
        .filter_map(|word| word.to_str())
        .collect();
    let flag = words.iter().enumerate().find_map(|(index, word)| match *word {
        "--color" => words.get(index + 1).copied(),
        word => word.strip_prefix("--color="),
    });
    let variable = std::env::var("CARGO_TERM_COLOR").ok();
    match flag.or(variable.as_deref()) {
        Some("always") => clap::ColorChoice::Always,
        Some("never") => clap::ColorChoice::Never,
        _ => clap::ColorChoice::Auto,
    }
}

/// Drops the `intoto` that cargo passes when the binary runs as `cargo intoto …`; without it the binary was called directly.
fn without_plugin_word(mut args: Vec<OsString>) -> Vec<OsString> {
    if args.get(1).is_some_and(|word| word == "intoto") {
        args.remove(1);
    }
    args
}
