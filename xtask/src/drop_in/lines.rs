//! Command lines, run with either program in a directory of the same files: exit codes, standard output and files are compared.

use std::fs;

use camino::Utf8Path;

use super::Both;
use super::cases::{CASES, Case};
use crate::failure::{Context, Failure};
use crate::{interop, say};

/// What a case left: for each line its exit code and standard output, and every file.
type Left = (Vec<(Option<i32>, String)>, Vec<(String, Vec<u8>)>);

/// Runs every case with both; gives the number of those that differ without a reason, or do not although there is one.
pub(super) fn compare(both: &Both) -> Result<usize, Failure> {
    let (mut same, mut documented, mut unexplained) = (0, 0, 0);
    for case in CASES {
        let theirs = run(both, &both.theirs, case)?;
        let ours = run(both, &both.ours, case)?;
        match (theirs == ours, case.differs) {
            (true, None) => same += 1,
            (false, Some(_)) => documented += 1,
            (true, Some(reason)) => {
                unexplained += 1;
                say::row(format!("{:?} is the same, although: {reason}", case.lines));
            }
            (false, None) => {
                unexplained += 1;
                say::row(format!("{:?} differs", case.lines));
                say::row(format!("  theirs: {}", shown(&theirs)));
                say::row(format!("  ours:   {}", shown(&ours)));
            }
        }
    }
    say::status(
        "Compared",
        format!("{same} command lines: same codes, output and files; {documented} differ as documented"),
    );
    Ok(unexplained)
}

fn run(both: &Both, tools: &Utf8Path, case: &Case) -> Result<Left, Failure> {
    let directory = both.world.directory("work")?;
    for (path, text) in [
        ("a/f", "hi\n"),
        ("a/b/g", "x"),
        ("a/b/h.pyc", "y"),
        ("demo-project/foo.py", "print('foo-v0')\n"),
        ("repo/refs/heads/os/main", "abcdef0123\n"),
        ("repo/objects/ab/cdef0123.commit", "commit"),
    ] {
        let path = directory.join(path);
        let parent = path.parent().unwrap_or(&directory);
        fs::create_dir_all(parent).context(format!("create {parent}"))?;
        interop::write(&path, text)?;
    }
    std::os::unix::fs::symlink("f", directory.join("a/l")).context("make a link")?;
    std::os::unix::fs::symlink("../a", directory.join("repo/to-a")).context("make a link")?;
    let mut ended = Vec::new();
    for line in case.lines {
        let run = both.shell(tools, line).directory(&directory).keep()?;
        ended.push((run.code, run.stdout));
    }
    let mut files = Vec::new();
    collect(&directory, &directory, &mut files)?;
    files.sort();
    Ok((ended, files))
}

/// Every file below `directory`, with its bytes. Links of the fixture are no files of a tool.
fn collect(root: &Utf8Path, directory: &Utf8Path, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    for entry in directory.read_dir_utf8().context(format!("list {directory}"))? {
        let entry = entry.context(format!("list {directory}"))?;
        let kind = entry.file_type().context(format!("look at {}", entry.path()))?;
        if kind.is_dir() {
            collect(root, entry.path(), files)?;
        } else if kind.is_file() {
            let bytes = fs::read(entry.path()).context(format!("read {}", entry.path()))?;
            let name = entry.path().strip_prefix(root).context("name a file")?;
            files.push((name.to_string(), bytes));
        }
    }
    Ok(())
}

/// The codes and the links, which are what differs.
fn shown((ended, files): &Left) -> String {
    let links = files
        .iter()
        .filter(|(name, _)| name.contains(".link"))
        .map(|(name, bytes)| format!("{name}: {}", String::from_utf8_lossy(bytes)));
    format!("{ended:?} {}", links.collect::<Vec<_>>().join("\n"))
}
