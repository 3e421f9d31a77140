//! The README's walk works as it is written.

use std::os::unix::fs::symlink;

use cargo_intoto_tests::Sandbox;
use cargo_intoto_tests::sandbox::{run, twin};

/// A command of the walk, and the lines that the README shows below it.
struct Command<'r> {
    line: &'r str,
    shown: Vec<&'r str>,
}

#[test]
fn the_walk_of_the_readme_works() {
    let readme = include_str!("../../README.md");
    let (_, walk) = readme.split_once("## Five minutes").expect("the README has the walk");
    let (walk, _) = walk.split_once("\n## ").expect("the README goes on");
    let commands = commands(walk);
    assert!(commands.len() > 10, "the walk has its commands");

    let sandbox = Sandbox::new();
    let programs = sandbox.path("bin");
    std::fs::create_dir(&programs).unwrap();
    symlink(twin(), programs.join("cargo-intoto")).unwrap();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());

    let mut directory = sandbox.path("");
    for Command { line, shown } in commands {
        if let Some(relative) = line.strip_prefix("cd ") {
            directory = directory.join(relative).canonicalize_utf8().unwrap();
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
}

/// The lines after `$ ` in the fenced blocks, each with what follows it.
fn commands(walk: &str) -> Vec<Command<'_>> {
    let mut commands: Vec<Command<'_>> = Vec::new();
    let blocks = walk
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

/// Whether a line is what the README shows; `[..]` stands for anything.
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
