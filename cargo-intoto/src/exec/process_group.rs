//! Runs one child to its end, and the processes that it left behind to theirs.
//!
//! A key is opened only after this: what still runs when cargo has ended (a daemon of a build script, say) could change the
//! products after they were hashed, or read the key. On Linux we become the reaper of orphans, so that no descendant escapes by
//! a new session or a double fork; elsewhere the child's process group is asked.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::error::CliError;

/// How long a child's pipe may stay open after the child and all its descendants are gone.
const PIPE_PATIENCE: Duration = Duration::from_secs(10);
/// How often we look whether the child has ended while its pipe is still open.
const POLL: Duration = Duration::from_millis(40);

/// How a child ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// The names of the processes that outlived it; they have been killed.
    pub left_running: Vec<String>,
}

impl Ended {
    /// The code to hand on: the child's own, or 128 + the signal that killed it, as shells do.
    pub fn code(&self) -> u8 {
        if let Some(code) = self.status.code() {
            // Codes wider than a byte exist on Windows alone; non-zero must stay non-zero.
            return u8::try_from(code).unwrap_or(u8::MAX);
        }
        #[cfg(unix)]
        if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&self.status) {
            return u8::try_from(128 + signal).unwrap_or(u8::MAX);
        }
        u8::MAX
    }
}

/// What becomes of the child's standard output.
pub enum Output<'a> {
    /// It goes where ours goes.
    Inherit,
    /// Each line, with its end, goes to the function; standard error goes where ours goes.
    Lines(&'a mut dyn FnMut(&[u8])),
    /// As `Lines`, with standard error in the same stream, in the order in which it was written.
    MergedLines(&'a mut dyn FnMut(&[u8])),
}

/// Runs `command` to its end and ends what it left running. `what` names it in errors.
///
/// # Errors
/// When it cannot be started, or what it left running cannot be ended. A failing child is not an error here.
pub fn run(mut command: Command, what: &str, output: Output<'_>) -> Result<Ended, CliError> {
    adopt_orphans(&mut command);
    let failed = |error: std::io::Error| CliError::failure(format!("failed to run {what}")).because(error);
    let (mut child, reader, sink) = match output {
        Output::Inherit => (command.spawn().map_err(failed)?, None, None),
        Output::Lines(sink) => {
            let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
            let pipe = child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>);
            (child, pipe, Some(sink))
        }
        Output::MergedLines(sink) => {
            let (reader, writer) = std::io::pipe().map_err(failed)?;
            command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
            let child = command.spawn().map_err(failed)?;
            (child, Some(Box::new(reader) as Box<dyn Read + Send>), Some(sink))
        }
    };
    // The command holds our copies of a pipe's writing end; with them open we would never see the end of the stream.
    drop(command);
    match (reader, sink) {
        (Some(reader), Some(sink)) => run_with_lines(&mut child, reader, sink, what),
        _ => {
            let status = child.wait().map_err(failed)?;
            Ok(Ended {
                status,
                left_running: end_orphans(&child, what)?,
            })
        }
    }
}

fn run_with_lines(
    child: &mut Child,
    reader: Box<dyn Read + Send>,
    sink: &mut dyn FnMut(&[u8]),
    what: &str,
) -> Result<Ended, CliError> {
    let failed = |error: std::io::Error| CliError::failure(format!("failed to wait for {what}")).because(error);
    let (sender, lines) = mpsc::sync_channel::<Vec<u8>>(1024);
    // Detached on purpose: if a foreign process keeps the pipe open for ever, so does the thread, and we say so and go.
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        loop {
            let mut line = Vec::new();
            match reader.read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            }
        }
    });
    loop {
        match lines.recv_timeout(POLL) {
            Ok(line) => sink(&line),
            Err(RecvTimeoutError::Disconnected) => {
                let status = child.wait().map_err(failed)?;
                return Ok(Ended {
                    status,
                    left_running: end_orphans(child, what)?,
                });
            }
            Err(RecvTimeoutError::Timeout) => {
                let Some(status) = child.try_wait().map_err(failed)? else {
                    continue;
                };
                // The child is gone and the pipe still open: whoever holds it must go before the stream can end.
                let left_running = end_orphans(child, what)?;
                loop {
                    match lines.recv_timeout(PIPE_PATIENCE) {
                        Ok(line) => sink(&line),
                        Err(RecvTimeoutError::Disconnected) => return Ok(Ended { status, left_running }),
                        Err(RecvTimeoutError::Timeout) => {
                            return Err(CliError::failure(format!(
                                "a process that is not a descendant keeps the output of {what} open"
                            )));
                        }
                    }
                }
            }
        }
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::fs;
    use std::process::{Child, Command};
    use std::thread;
    use std::time::{Duration, Instant};

    use rustix::process::{Pid, Signal, WaitOptions};

    use crate::error::CliError;

    /// A helper that is ending anyway when cargo ends gets this long; it is gone before anything is hashed.
    const GRACE: Duration = Duration::from_millis(250);
    /// A killed process that is still there after this long cannot be ended by us.
    const KILL_PATIENCE: Duration = Duration::from_secs(5);
    const STEP: Duration = Duration::from_millis(5);

    pub(in crate::exec) fn adopt_orphans(_command: &mut Command) {
        // Failing means a kernel older than 3.4, where nothing can be found; the threat model's first table covers it.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }

    pub(in crate::exec) fn end_orphans(_child: &Child, what: &str) -> Result<Vec<String>, CliError> {
        let start = Instant::now();
        loop {
            reap();
            if descendants().is_empty() {
                return Ok(Vec::new());
            }
            if start.elapsed() > GRACE {
                break;
            }
            thread::sleep(STEP);
        }
        let mut names = BTreeMap::new();
        let start = Instant::now();
        loop {
            reap();
            let alive = descendants();
            if alive.is_empty() {
                return Ok(names.into_values().collect());
            }
            for (pid, name) in alive {
                names.entry(pid).or_insert(name);
                if let Some(pid) = Pid::from_raw(pid) {
                    // It may have ended by itself since.
                    let _ = rustix::process::kill_process(pid, Signal::KILL);
                }
            }
            if start.elapsed() > KILL_PATIENCE {
                return Err(CliError::failure(format!(
                    "failed to end the processes that {what} left running: {}",
                    names.into_values().collect::<Vec<_>>().join(", ")
                )));
            }
            thread::sleep(STEP);
        }
    }

    /// Collects the exit statuses of orphans, so that they do not stay as zombies.
    fn reap() {
        while let Ok(Some(_)) = rustix::process::wait(WaitOptions::NOHANG) {}
    }

    /// Every living process below us, with its name.
    fn descendants() -> BTreeMap<i32, String> {
        let mut processes = BTreeMap::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
            // A process may end between the listing and the look at it.
            if let Some((pid, stat)) = pid.and_then(|pid| Some((pid, fs::read(entry.path().join("stat")).ok()?)))
                && let Some(parsed) = parse_stat(&String::from_utf8_lossy(&stat))
            {
                processes.insert(pid, parsed);
            }
        }
        let ours = rustix::process::getpid().as_raw_nonzero().get();
        let is_below = |mut pid: i32| {
            // The depth is bounded: the table is a snapshot and could, in theory, hold a cycle of reused numbers.
            for _ in 0..processes.len() {
                match processes.get(&pid) {
                    Some(stat) if stat.parent == ours => return true,
                    Some(stat) => pid = stat.parent,
                    None => return false,
                }
            }
            false
        };
        processes
            .iter()
            .filter(|(pid, stat)| stat.state != 'Z' && stat.state != 'X' && is_below(**pid))
            .map(|(pid, stat)| (*pid, stat.name.clone()))
            .collect()
    }

    #[derive(Debug, PartialEq)]
    struct Stat {
        name: String,
        state: char,
        parent: i32,
    }

    /// Reads a line of `/proc/PID/stat`; the name may hold blanks and brackets, so it ends at the last bracket.
    fn parse_stat(line: &str) -> Option<Stat> {
        let (head, rest) = line.rsplit_once(')')?;
        let (_, name) = head.split_once('(')?;
        let mut words = rest.split_ascii_whitespace();
        let state = words.next()?.chars().next()?;
        let parent = words.next()?.parse().ok()?;
        Some(Stat {
            name: name.to_owned(),
            state,
            parent,
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_stat_line_is_read_whatever_the_name_holds() {
            for (line, name, state, parent) in [
                ("42 (cargo) S 7 42 42 0", "cargo", 'S', 7),
                ("42 (a) b (c)) Z 1 42", "a) b (c)", 'Z', 1),
                ("42 () R 9 1", "", 'R', 9),
            ] {
                assert_eq!(
                    parse_stat(line),
                    Some(Stat {
                        name: name.to_owned(),
                        state,
                        parent
                    }),
                    "{line}"
                );
            }
            for line in ["", "42", "42 (x", "42 (x)", "42 (x) S", "42 (x) S y"] {
                assert_eq!(parse_stat(line), None, "{line}");
            }
        }
    }
}

#[cfg(target_os = "linux")]
pub(super) use linux::{adopt_orphans, end_orphans};

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn adopt_orphans(command: &mut Command) {
    std::os::unix::process::CommandExt::process_group(command, 0);
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn end_orphans(child: &Child, what: &str) -> Result<Vec<String>, CliError> {
    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

    let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
        return Ok(Vec::new());
    };
    if test_kill_process_group(group).is_err() {
        return Ok(Vec::new());
    }
    kill_process_group(group, Signal::KILL).map_err(|error| {
        CliError::failure(format!("failed to end the processes that {what} left running")).because(error)
    })?;
    Ok(vec![format!("process group {}", child.id())])
}

#[cfg(not(unix))]
pub(super) fn adopt_orphans(_command: &mut Command) {}

#[cfg(not(unix))]
pub(super) fn end_orphans(_child: &Child, _what: &str) -> Result<Vec<String>, CliError> {
    Ok(Vec::new())
}

/// Keeps other processes of the same user from attaching to us and from reading our memory, as far as the system does that.
pub fn forbid_inspection() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Hygiene: what one user cannot defend against himself stands in the threat model.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
