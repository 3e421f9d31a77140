//! Runs one inspection of a layout: words, not a shell's line; no input; no output; and a time limit for it and all its children.

use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use camino::Utf8Path;

use super::environment;
use super::lineage::Lineage;
use crate::error::CliError;

/// How often we look whether it has ended.
const POLL: Duration = Duration::from_millis(20);

/// How an inspection ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// By itself, with this code (negative: the signal that killed it, as the reference implementation writes it).
    With(i64),
    /// It was still running at the limit and was killed, with everything it started.
    TimedOut,
    /// It could not be started, for this reason.
    NotStarted(String),
}

/// Runs `argv` in `directory`.
///
/// # Errors
/// When what it left running cannot be ended.
pub(crate) fn run(argv: &[String], directory: &Utf8Path, limit: Duration) -> Result<Ended, CliError> {
    let Some((program, arguments)) = argv.split_first() else {
        return Ok(Ended::NotStarted("the command is empty".to_owned()));
    };
    // A path is meant from the directory, whatever the system makes of it otherwise.
    let program = if program.contains('/') {
        directory.join(program).into_string()
    } else {
        program.clone()
    };
    let mut command = Command::new(program);
    environment::sanitise(&mut command);
    command
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // The group is killed as one at the limit; orphans that left it are found afterwards.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let (mut child, lineage) = match Lineage::spawn(&mut command) {
        Ok(started) => started,
        Err(error) => return Ok(Ended::NotStarted(error.to_string())),
    };
    let start = Instant::now();
    let failed = |error: std::io::Error| CliError::failure("failed to wait for an inspection").because(error);
    let ended = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break Ended::With(code(status));
        }
        if start.elapsed() >= limit {
            kill(&mut child);
            child.wait().map_err(failed)?;
            break Ended::TimedOut;
        }
        thread::sleep(POLL);
    };
    lineage.end("an inspection")?;
    Ok(ended)
}

pub(super) fn code(status: ExitStatus) -> i64 {
    if let Some(code) = status.code() {
        return code.into();
    }
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return -i64::from(signal);
    }
    -1
}

fn kill(child: &mut std::process::Child) {
    // It may have ended meanwhile; whatever is left is ended by the caller.
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}
