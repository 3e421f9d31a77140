//! The reference implementation's tools: the program, started under the name of one of them, takes that tool's flags, writes the same
//! files and ends with the same codes. Where it does not, `docs/drop-in.md` says why.
//!
//! A tool is a file here, with its own `Args`, and a row of [`TOOLS`].

mod arguments;
mod install;
mod link;
mod match_products;
mod metadata;
mod mock;
mod record;
mod run;
mod sign;
mod verify;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use anstream::ColorChoice;
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, CommandFactory, FromArgMatches};

pub(crate) use install::install;
pub(crate) use match_products::products;
pub(crate) use mock::mock;

use crate::error::CliError;
use crate::exit::Exit;
use crate::help;
use crate::ui::{Ui, Verbosity};

/// The release of the reference implementation whose flags these are.
const RELEASE: &str = "3.1.0";

/// The id of the argument that takes the command to be run.
const COMMAND: &str = "command";

/// One of the tools.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    /// What the program is called then.
    pub(crate) name: &'static str,
    run: fn(Invocation) -> Exit,
}

/// Every tool, by name.
pub(crate) const TOOLS: &[Tool] = &[
    Tool {
        name: "in-toto-match-products",
        run: |invocation| invocation.run(match_products::run),
    },
    Tool {
        name: "in-toto-mock",
        run: |invocation| invocation.run(mock::run),
    },
    Tool {
        name: "in-toto-record",
        run: |invocation| invocation.run(record::run),
    },
    Tool {
        name: "in-toto-run",
        run: |invocation| invocation.run(run::run),
    },
    Tool {
        name: "in-toto-sign",
        run: |invocation| invocation.run(sign::run),
    },
    Tool {
        name: "in-toto-verify",
        run: |invocation| invocation.run(verify::run),
    },
];

/// The tool that the program was started as, if it was one.
pub(crate) fn tool(program: Option<&OsString>) -> Option<Tool> {
    let stem = Path::new(program?).file_name().and_then(OsStr::to_str)?;
    let stem = stem.strip_suffix(std::env::consts::EXE_SUFFIX).unwrap_or(stem);
    TOOLS.iter().find(|tool| tool.name == stem).copied()
}

impl Tool {
    /// Runs the tool with its command line, the program's name first.
    pub(crate) fn run(self, words: Vec<OsString>) -> Exit {
        (self.run)(Invocation { tool: self, words })
    }
}

/// How a tool was started.
struct Invocation {
    tool: Tool,
    words: Vec<OsString>,
}

/// A tool's arguments.
trait Arguments: CommandFactory + FromArgMatches {
    /// How much it says.
    fn verbosity(&self) -> Verbosity {
        Verbosity::Normal
    }
}

/// What a tool finds wrong: with its command line (exit code 2), or with anything else (1).
enum Failure {
    Usage(&'static str),
    Other(CliError),
    /// As `Other`, with another exit code.
    Ends(Exit, CliError),
    /// Everything has been said already.
    Said(Exit),
}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Self {
        Self::Other(error)
    }
}

impl Invocation {
    /// Takes the command line apart as Python's argparse does, runs the tool, and turns its outcome into an exit code.
    fn run<A: Arguments>(self, run: fn(A, &Ui) -> Result<Exit, Failure>) -> Exit {
        let mut command = command::<A>(self.tool.name);
        // The name of a link is the tool's, wherever it lies.
        let words = [OsString::from(self.tool.name)]
            .into_iter()
            .chain(self.words.into_iter().skip(1));
        let arguments = command.try_get_matches_from_mut(words).and_then(|matches| {
            if is_cut(&command, &matches) {
                return Err(command.error(
                    ErrorKind::UnknownArgument,
                    "unrecognized arguments behind the command's flags",
                ));
            }
            A::from_arg_matches(&matches)
        });
        let arguments = match arguments {
            Ok(arguments) => arguments,
            Err(error) => return complain(&error),
        };
        let verbosity = arguments.verbosity();
        let ui = Ui::new(ColorChoice::Auto, verbosity);
        match run(arguments, &ui) {
            Ok(exit) => exit,
            Err(Failure::Usage(why)) => complain(&command.error(ErrorKind::MissingRequiredArgument, why)),
            Err(Failure::Said(exit)) => exit,
            Err(Failure::Other(error)) => fail(&ui, Exit::Refused, &error),
            Err(Failure::Ends(exit, error)) => fail(&ui, exit, &error),
        }
    }
}

/// The command line of a tool.
fn command<A: Arguments>(name: &'static str) -> clap::Command {
    let command = A::command().name(name).bin_name(name).mut_subcommands(as_argparse);
    help::arrange(as_argparse(command))
}

/// Repeated flags replace each other, flags may be cut short, and what looks like a negative number is a value.
fn as_argparse(command: clap::Command) -> clap::Command {
    command.args_override_self(true).infer_long_args(true).mut_args(|arg| {
        let is_list = matches!(arg.get_action(), ArgAction::Append) && !arg.is_positional();
        let arg = if is_list { arg.action(ArgAction::Set) } else { arg };
        let takes_values = arg.get_action().takes_values();
        arg.allow_negative_numbers(takes_values)
    })
}

/// Whether a flag stands between the words of the command that is to be run: argparse takes only those before it for the command, and
/// does not know the rest.
fn is_cut(command: &clap::Command, matches: &ArgMatches) -> bool {
    let indices = |id: &str| matches.try_contains_id(id).ok().and_then(|_| matches.indices_of(id));
    let Some(words) = indices(COMMAND) else { return false };
    let words: Vec<usize> = words.collect();
    let is_between = |index: usize| {
        words.first().is_some_and(|first| index > *first) && words.last().is_some_and(|last| index < *last)
    };
    command
        .get_arguments()
        .filter(|arg| {
            arg.get_id() != COMMAND && matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine)
        })
        .any(|arg| indices(arg.get_id().as_str()).is_some_and(|mut indices| indices.any(is_between)))
}

/// What `--version` says, for tools that have it: programs look for the release after the name.
fn version() -> String {
    format!("{RELEASE} (cargo-intoto {})", env!("CARGO_PKG_VERSION"))
}

fn fail(ui: &Ui, exit: Exit, error: &CliError) -> Exit {
    if ui.verbosity() > Verbosity::Quiet {
        ui.error(error);
    }
    exit
}

fn complain(error: &clap::Error) -> Exit {
    // Nobody is left to tell when the terminal itself is gone.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Success }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_are_found_by_the_name_of_their_link() {
        for (program, expected) in [
            ("in-toto-run", Some("in-toto-run")),
            ("/usr/bin/in-toto-mock", Some("in-toto-mock")),
            ("../in-toto-record", Some("in-toto-record")),
            ("cargo-intoto", None),
            ("in-toto", None),
            ("in-toto-run.py", None),
            ("", None),
        ] {
            let found = tool(Some(&OsString::from(program))).map(|tool| tool.name);
            assert_eq!(found, expected, "{program}");
        }
        assert!(tool(None).is_none());
        assert!(TOOLS.is_sorted_by_key(|tool| tool.name));
    }

    #[test]
    fn command_lines_are_sound() {
        command::<run::Args>("in-toto-run").debug_assert();
        command::<record::Args>("in-toto-record").debug_assert();
        command::<mock::Args>("in-toto-mock").debug_assert();
        command::<match_products::Args>("in-toto-match-products").debug_assert();
        command::<sign::Args>("in-toto-sign").debug_assert();
        command::<verify::Args>("in-toto-verify").debug_assert();
    }
}
