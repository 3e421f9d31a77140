//! The commands of docs/beside-cargo-deny.md, run in the order of the page.

use super::bench::Bench;
use crate::failure::Failure;
use crate::interop::read;
use crate::root::Root;
use crate::say;

const PAGE: &str = "docs/beside-cargo-deny.md";
/// From here on, the page is about tools that are built from their sources.
const BUILT: &str = "\n## A bill of materials\n";

/// A command of the page, and the lines that it shows below it.
struct Command<'p> {
    line: &'p str,
    shown: Vec<&'p str>,
}

/// Runs the page, or the part of it for which nothing must be built.
pub(super) fn run(root: &Root, bench: &Bench<'_>, full: bool) -> Result<(), Failure> {
    let text = read(&root.join(PAGE))?;
    let (first, _) = text
        .split_once(BUILT)
        .ok_or_else(|| Failure::new(format!("{PAGE} has no part about tools that are built")))?;
    let commands = commands(if full { &text } else { first });
    let project = bench.page_workspace()?;
    for Command { line, shown } in &commands {
        let ended = bench.shell(&project, line)?;
        let said = format!("{}{}", ended.stdout, ended.stderr);
        let missing = shown
            .iter()
            .find(|pattern| !said.lines().any(|line| matches(pattern, line)));
        if let Some(missing) = missing {
            return Err(Failure::new(format!(
                "{PAGE}: {missing:?} is not in what `{line}` says\n{said}"
            )));
        }
        if !ended.is_success() {
            return Err(Failure::new(format!("{PAGE}: `{line}` failed\n{}", ended.tail())));
        }
    }
    say::row(format!("{} commands of {PAGE} do what it says", commands.len()));
    Ok(())
}

/// The lines after `$ ` in the fenced blocks, each with what follows it.
fn commands(page: &str) -> Vec<Command<'_>> {
    let blocks = page
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"));
    let mut commands: Vec<Command<'_>> = Vec::new();
    for line in blocks.flat_map(|(block, _)| block.lines()) {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(line), _) => commands.push(Command {
                line,
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
        let commands = commands("a\n```console\n$ one\nx [..] y\n$ two\n```\n$ none\n");
        assert_eq!(
            commands.iter().map(|command| command.line).collect::<Vec<_>>(),
            ["one", "two"]
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
