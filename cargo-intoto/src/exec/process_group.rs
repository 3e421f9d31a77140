//! Runs one child to its end, and the processes that it left behind to theirs.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use crate::error::CliError;
use crate::exec::lineage::Lineage;
use crate::exec::stream;

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
    let failed = |error: std::io::Error| CliError::failure(format!("failed to run {what}")).because(error);
    let (mut child, lineage, reader, sink) = match output {
        Output::Inherit => {
            let (child, lineage) = Lineage::spawn(&mut command).map_err(failed)?;
            (child, lineage, None, None)
        }
        Output::Lines(sink) => {
            let (mut child, lineage) = Lineage::spawn(command.stdout(Stdio::piped())).map_err(failed)?;
            let pipe = child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>);
            (child, lineage, pipe, Some(sink))
        }
        Output::MergedLines(sink) => {
            let (reader, writer) = std::io::pipe().map_err(failed)?;
            command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
            let (child, lineage) = Lineage::spawn(&mut command).map_err(failed)?;
            let reader = Some(Box::new(reader) as Box<dyn Read + Send>);
            (child, lineage, reader, Some(sink))
        }
    };
    // The command holds our copies of a pipe's writing end; with them open we would never see the end of the stream.
    drop(command);
    match (reader, sink) {
        (Some(reader), Some(sink)) => run_with_lines(&mut child, lineage, reader, sink, what),
        _ => {
            let status = child.wait().map_err(failed)?;
            Ok(Ended {
                status,
                left_running: lineage.end(what)?,
            })
        }
    }
}

fn run_with_lines(
    child: &mut Child,
    lineage: Lineage,
    reader: Box<dyn Read + Send>,
    sink: &mut dyn FnMut(&[u8]),
    what: &str,
) -> Result<Ended, CliError> {
    let failed = |error: std::io::Error| CliError::failure(format!("failed to wait for {what}")).because(error);
    let lines = stream::lines(reader);
    loop {
        match lines.recv_timeout(POLL) {
            Ok(line) => sink(&line),
            Err(RecvTimeoutError::Disconnected) => {
                let status = child.wait().map_err(failed)?;
                return Ok(Ended {
                    status,
                    left_running: lineage.end(what)?,
                });
            }
            Err(RecvTimeoutError::Timeout) => {
                let Some(status) = child.try_wait().map_err(failed)? else {
                    continue;
                };
                // The child is gone and the pipe still open: whoever holds it must go before the stream can end.
                let left_running = lineage.end(what)?;
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

/// Keeps other processes of the same user from attaching to us and from reading our memory, as far as the system does that.
pub fn forbid_inspection() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Hygiene: what one user cannot defend against himself stands in the threat model.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
