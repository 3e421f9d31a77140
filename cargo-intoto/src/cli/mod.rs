//! The command line: one file per subcommand (its `Args` and `run`), and the only caller of the modules that do the work.

mod audit;
mod auditable;
mod build;
mod bundle;
mod choice;
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
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::error::CliError;
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
    after_help = AFTER_HELP
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
    #[command(subcommand)]
    command: Command,
}

/// One variant per subcommand; each file of this module has the arguments and `run`.
#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Args),
    #[command(name = "try")]
    Try(try_::Args),
    Fetch(fetch::Args),
    Build(build::Args),
    Test(test::Args),
    Package(package::Args),
    Deny(deny::Args),
    Audit(audit::Args),
    Vet(vet::Args),
    Auditable(Box<auditable::Args>),
    Sbom(sbom::Args),
    Release(release::Args),
    Publish(Box<publish::Args>),
    Run(Box<run::Args>),
    Record(record::Args),
    MatchProducts(match_products::Args),
    Mock(mock::Args),
    Key(key::Args),
    Layout(layout::Args),
    Sign(sign::Args),
    Trust(trust::Args),
    Compare(Box<compare::Args>),
    Gate(gate::Args),
    Rebuild(Box<rebuild::Args>),
    DropIn(drop_in::Args),
    Verify(Box<verify::Args>),
    Bundle(bundle::Args),
    Show(show::Args),
    Completions(completions::Args),
    Man(man::Args),
}

impl Command {
    fn run(self, ui: &Ui) -> Result<Exit, CliError> {
        match self {
            Self::Init(args) => init::run(args, ui),
            Self::Try(args) => try_::run(args, ui),
            Self::Fetch(args) => fetch::run(args, ui),
            Self::Build(args) => build::run(args, ui),
            Self::Test(args) => test::run(args, ui),
            Self::Package(args) => package::run(args, ui),
            Self::Deny(args) => deny::run(&args, ui),
            Self::Audit(args) => audit::run(&args, ui),
            Self::Vet(args) => vet::run(&args, ui),
            Self::Auditable(args) => auditable::run(&args, ui),
            Self::Sbom(args) => sbom::run(&args, ui),
            Self::Release(args) => release::run(args, ui),
            Self::Publish(args) => publish::run(*args, ui),
            Self::Run(args) => run::run(*args, ui),
            Self::Record(args) => record::run(args, ui),
            Self::MatchProducts(args) => match_products::run(args, ui),
            Self::Mock(args) => mock::run(args, ui),
            Self::Key(args) => key::run(args, ui),
            Self::Layout(args) => layout::run(args, ui),
            Self::Sign(args) => sign::run(args, ui),
            Self::Trust(args) => trust::run(args, ui),
            Self::Compare(args) => compare::run(*args, ui),
            Self::Gate(args) => gate::run(args, ui),
            Self::Rebuild(args) => rebuild::run(*args, ui),
            Self::DropIn(args) => drop_in::run(args, ui),
            Self::Verify(args) => verify::run(*args, ui),
            Self::Bundle(args) => bundle::run(args, ui),
            Self::Show(args) => show::run(&args, ui),
            Self::Completions(args) => completions::run(&args, Cli::command(), ui),
            Self::Man(args) => man::run(&args, Cli::command(), ui),
        }
    }
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
    let command = help::arrange(Cli::command());
    let args = words::sort(without_plugin_word(args), &command);
    let color = color_of_help(&args);
    let parsed = command
        .color(color)
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
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
    match cli.command.run(&ui) {
        Ok(exit) => exit,
        Err(error) => {
            ui.error(&error);
            error.exit()
        }
    }
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
