//! Pages of the documentation whose commands are run in the order in which they stand there.

use crate::failure::Failure;
use crate::process::Ended;
use crate::say;

/// A command of a page, and the lines that it shows below it.
struct Command<'p> {
    line: String,
    shown: Vec<&'p str>,
}

/// Runs the commands in `text`, a page called `name` or a part of it, by `shell`: each must succeed and say what the page shows, in which
/// `[..]` stands for anything.
pub(crate) fn run(
    name: &str,
    text: &str,
    mut shell: impl FnMut(&str) -> Result<Ended, Failure>,
) -> Result<(), Failure> {
    let commands = commands(text);
    for Command { line, shown } in &commands {
        let ended = shell(line)?;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        let missing = shown
            .iter()
            .find(|pattern| !said.lines().any(|line| matches(pattern, line)));
        if let Some(missing) = missing {
            return Err(Failure::new(format!(
                "{name}: {missing:?} is not in what `{line}` says\n{said}"
            )));
        }
        if !ended.is_success() {
            return Err(Failure::new(format!("{name}: `{line}` failed\n{}", ended.tail())));
        }
    }
    say::row(format!("{} commands of {name} do what it says", commands.len()));
    Ok(())
}

/// The lines after `$ ` in the fenced blocks, each with what follows it. What is exported stands in front of all that follow, because each
/// has a shell of its own.
fn commands(page: &str) -> Vec<Command<'_>> {
    let blocks = page
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"));
    let mut commands: Vec<Command<'_>> = Vec::new();
    let mut exported = String::new();
    for line in blocks.flat_map(|(block, _)| block.lines()) {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(line), _) if line.starts_with("export ") => exported.push_str(&format!("{line}; ")),
            (Some(line), _) => commands.push(Command {
                line: format!("{exported}{line}"),
                shown: Vec::new(),
            }),
            (None, Some(command)) => command.shown.push(line),
            (None, None) => {}
        }
    }
    commands
}

/// Whether `line` is what `pattern` shows, in which `[..]` stands for anything.
fn matches(pattern: &str, line: &str) -> bool {
    let mut rest = line;
    let mut parts = pattern.split("[..]").peekable();
    let mut is_first = true;
    while let Some(part) = parts.next() {
        let found = match (is_first, parts.peek()) {
            (true, None) => return rest == part,
            (true, _) => rest.strip_prefix(part),
            (false, None) => return rest.ends_with(part),
            (false, _) => rest.split_once(part).map(|(_, rest)| rest),
        };
        let Some(after) = found else { return false };
        rest = after;
        is_first = false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_taken_apart_and_lines_compared() {
        let commands = commands("a\n```console\n$ one\nx [..] y\n$ export A=1\n$ two\n```\n$ none\n");
        assert_eq!(
            commands.iter().map(|command| &*command.line).collect::<Vec<_>>(),
            ["one", "export A=1; two"]
        );
        assert_eq!(commands[0].shown, ["x [..] y"]);
        for (pattern, line, expected) in [
            ("x [..] y", "x z y", true),
            ("x [..] y", "x z", false),
            ("x", "x", true),
            ("x", "xx", false),
            ("[..]x", "yx", true),
            ("a[..]b[..]c", "a1b2c", true),
            ("a[..]b[..]c", "a1c", false),
        ] {
            assert_eq!(matches(pattern, line), expected, "{pattern} {line}");
        }
    }
}
