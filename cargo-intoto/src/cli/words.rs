//! Tells our own flags of a step from cargo's.
//!
//! `cargo intoto build --release --key owner -p app` has flags of both in any order. Ours are the ones that the command declares;
//! every other word is cargo's and is passed on as it is, in its order. So the words are sorted before clap sees them: ours
//! first, then `--`, then cargo's. What the user put behind `--` himself stays behind a `--` of its own.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};

/// The id of the argument that takes cargo's words; a command that has it gets its words sorted.
pub(super) const CARGO_WORDS: &str = "cargo_words";

/// Sorts the words of a step's command line; any other command line is returned as it is.
pub(super) fn sort(args: &[OsString], command: &Command) -> Vec<OsString> {
    let found = find_name(args, command).and_then(|at| Some((at, command.find_subcommand(args.get(at)?)?)));
    let Some((at, subcommand)) = found else {
        return args.to_vec();
    };
    if subcommand.get_arguments().all(|arg| arg.get_id() != CARGO_WORDS) {
        return args.to_vec();
    }
    let (head, words) = args.split_at(at + 1);
    let (mut own, mut cargos) = (head.to_vec(), Vec::new());
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            cargos.push(word.clone());
            cargos.extend(words.cloned());
            break;
        }
        match find_flag(word, [subcommand, command]) {
            Some(takes_next) => {
                own.push(word.clone());
                if takes_next {
                    own.extend(words.next().cloned());
                }
            }
            None => cargos.push(word.clone()),
        }
    }
    if !cargos.is_empty() {
        own.push("--".into());
        own.extend(cargos);
    }
    own
}

/// Where the name of the subcommand stands: the first word that is no flag and no flag's value.
pub(super) fn find_name(args: &[OsString], command: &Command) -> Option<usize> {
    let mut index = 1;
    while let Some(word) = args.get(index) {
        if !word.to_str()?.starts_with('-') {
            return Some(index);
        }
        index += if find_flag(word, [command, command]) == Some(true) {
            2
        } else {
            1
        };
    }
    None
}

/// Whether `word` is a flag of one of the commands, and if so, whether the next word is its value.
fn find_flag(word: &OsStr, commands: [&Command; 2]) -> Option<bool> {
    // `-h` and `--help` are made by clap on their own.
    if word == "-h" || word == "--help" {
        return Some(false);
    }
    let word = word.to_str()?;
    let (name, has_value) = match word.split_once('=') {
        Some((name, _)) => (name, true),
        None => (word, false),
    };
    let is_named = |arg: &&Arg| match name.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long) || arg.get_all_aliases().is_some_and(|all| all.contains(&long)),
        None => arg
            .get_short()
            .is_some_and(|short| name.strip_prefix('-') == Some(short.to_string().as_str())),
    };
    let arg = commands
        .into_iter()
        .find_map(|command| command.get_arguments().find(is_named))?;
    Some(arg.get_action().takes_values() && !has_value)
}

#[cfg(test)]
mod tests {
    use clap::ArgAction;

    use super::*;

    fn sorted(line: &str) -> String {
        let flag = |name: &'static str| Arg::new(name).long(name);
        let command = Command::new("cargo-intoto")
            .arg(flag("quiet").short('q').action(ArgAction::SetTrue))
            .arg(flag("color"))
            .subcommand(
                Command::new("build")
                    .arg(flag("key").action(ArgAction::Append))
                    .arg(flag("unsigned").action(ArgAction::SetTrue))
                    .arg(Arg::new(CARGO_WORDS).last(true).num_args(0..)),
            )
            .subcommand(Command::new("verify").arg(flag("key")));
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let sorted = sort(&args, &command);
        sorted
            .iter()
            .map(|word| word.to_str().expect("ASCII"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn own_flags_are_found_among_cargos() {
        for (line, expected) in [
            ("x build", "x build"),
            (
                "x build --release --key k -p app",
                "x build --key k -- --release -p app",
            ),
            (
                "x build --key=k --release --unsigned",
                "x build --key=k --unsigned -- --release",
            ),
            (
                "x -q --color never build -q -vv --color always",
                "x -q --color never build -q --color always -- -vv",
            ),
            ("x build --release -- --key k", "x build -- --release -- --key k"),
            ("x build --help --release", "x build --help -- --release"),
            ("x verify --key k file", "x verify --key k file"),
            ("x unknown --release", "x unknown --release"),
            ("x build --keyring -k", "x build -- --keyring -k"),
        ] {
            assert_eq!(sorted(line), expected, "{line}");
        }
    }
}
