//! Documentation that is run: the commands of a page's `console` blocks, with the lines that it shows below each.

use std::os::unix::fs::symlink;

use camino::Utf8Path;

use crate::Sandbox;
use crate::sandbox::{run, twin};

/// A command of a page, and the lines that the page shows below it.
struct Command<'r> {
    line: &'r str,
    shown: Vec<&'r str>,
}

/// Runs every command of `page`, beginning in `directory` of the sandbox, with the product on the search path. A line that is shown below a
/// command must be among what it says, `[..]` standing for anything. Returns how many commands there were.
///
/// # Panics
/// When a command does not do what the page says.
#[track_caller]
pub fn walk(sandbox: &Sandbox, directory: impl AsRef<Utf8Path>, page: &str) -> usize {
    let programs = sandbox.path("walk-bin");
    std::fs::create_dir_all(&programs).expect("the sandbox is writable");
    let program = programs.join("cargo-intoto");
    if !program.exists() {
        symlink(twin(), &program).expect("linked");
    }
    let path = format!("{programs}:{}", std::env::var("PATH").expect("there is a search path"));
    let mut directory = sandbox.path(directory);
    let commands = commands(page);
    for Command { line, shown } in &commands {
        if let Some(relative) = line.strip_prefix("cd ") {
            directory = directory.join(relative).canonicalize_utf8().expect("a directory");
            continue;
        }
        let mut command = sandbox.command("sh");
        command.args(["-c", line]).current_dir(&directory).env("PATH", &path);
        let output = run(command).succeeds();
        let said = format!("{}{}", output.stdout, output.stderr);
        for pattern in shown {
            assert!(
                said.lines().any(|line| matches(pattern, line)),
                "{pattern:?} is not in\n{}",
                output.shown()
            );
        }
    }
    commands.len()
}

/// The lines after `$ ` in the fenced blocks, each with what follows it.
fn commands(page: &str) -> Vec<Command<'_>> {
    let mut commands: Vec<Command<'_>> = Vec::new();
    let blocks = page
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"));
    for line in blocks.flat_map(|(block, _)| block.lines()) {
        if let Some(line) = line.strip_prefix("$ ") {
            commands.push(Command {
                line,
                shown: Vec::new(),
            });
        } else if let Some(last) = commands.last_mut() {
            last.shown.push(line);
        }
    }
    commands
}

/// Whether a line is what the page shows; `[..]` stands for anything.
fn matches(pattern: &str, line: &str) -> bool {
    let mut pieces = pattern.split("[..]");
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    pattern.ends_with("[..]") || rest.is_empty()
}
