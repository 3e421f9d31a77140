//! Runs a program whose words are read when it has ended: both streams apart, neither without a limit, nothing of it left running.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use camino::Utf8Path;

use crate::error::CliError;
use crate::exec::environment;
use crate::exec::lineage::Lineage;
use crate::exec::process_group::Ended;
use crate::exec::stream;

/// How long a stream may stay open after the program and all its descendants are gone.
const PATIENCE: Duration = Duration::from_secs(10);

/// One run of a program.
pub(crate) struct Call<'a> {
    /// The file to run.
    pub(crate) program: &'a Utf8Path,
    /// Its arguments.
    pub(crate) arguments: &'a [OsString],
    /// Variables beyond the environment that is handed down.
    pub(crate) environment: &'a [(&'a str, &'a OsStr)],
    /// Where it runs.
    pub(crate) directory: &'a Utf8Path,
    /// As many bytes are read of each stream.
    pub(crate) limit: usize,
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub(crate) struct Captured {
    /// How it ended.
    pub(crate) ended: Ended,
    /// Standard output.
    pub(crate) stdout: Vec<u8>,
    /// Standard error.
    pub(crate) stderr: Vec<u8>,
}

/// Runs the program to its end, without input and without the user's secrets.
///
/// # Errors
/// When it cannot be run, writes more than the limit, or something keeps its streams open. A failing program is not an error here.
pub(crate) fn run(call: &Call<'_>) -> Result<Captured, CliError> {
    let what = format!("`{}`", call.program.file_name().unwrap_or("a program"));
    let failed = |error: std::io::Error| CliError::failure(format!("failed to run {what}")).because(error);
    let mut command = Command::new(call.program);
    environment::sanitise(&mut command);
    command
        .args(call.arguments)
        .envs(call.environment.iter().copied())
        .current_dir(call.directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let (mut child, lineage) = Lineage::spawn(&mut command).map_err(failed)?;
    let stdout = child.stdout.take().map(|pipe| stream::all(pipe, call.limit));
    let stderr = child.stderr.take().map(|pipe| stream::all(pipe, call.limit));
    let status = child.wait().map_err(failed)?;
    let left_running = lineage.end(&what)?;
    let collect = |stream: Option<Receiver<Vec<u8>>>| {
        let bytes = stream
            .and_then(|stream| stream.recv_timeout(PATIENCE).ok())
            .ok_or_else(|| {
                CliError::failure(format!(
                    "a process that is not a descendant keeps the output of {what} open"
                ))
            })?;
        if bytes.len() > call.limit {
            return Err(CliError::cannot_decide(format!(
                "{what} wrote more than {} bytes, which nobody reads",
                call.limit
            )));
        }
        Ok(bytes)
    };
    Ok(Captured {
        ended: Ended { status, left_running },
        stdout: collect(stdout)?,
        stderr: collect(stderr)?,
    })
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::lineage::alone;

    fn sh(script: &str, limit: usize) -> Result<Captured, CliError> {
        let _alone = alone();
        run(&Call {
            program: Utf8Path::new("/bin/sh"),
            arguments: &["-c".into(), script.into()],
            environment: &[("WHO", OsStr::new("me"))],
            directory: Utf8Path::new("/"),
            limit,
        })
    }

    #[test]
    fn streams_stay_apart_and_the_code_is_the_programs() {
        let said = sh("echo $WHO; echo no >&2; exit 5", 100).unwrap();
        assert_eq!(
            (said.stdout.as_slice(), said.stderr.as_slice()),
            (&b"me\n"[..], &b"no\n"[..])
        );
        assert_eq!(said.ended.code(), 5);
    }

    #[test]
    fn a_program_that_never_stops_talking_is_not_listened_to() {
        let error = sh(
            "while echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; do :; done 2>/dev/null",
            1000,
        )
        .unwrap_err();
        assert_eq!(error.exit().code(), 3, "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_left_running_is_ended_and_named() {
        let said = sh("sleep 100 & exec true", 1000).unwrap();
        assert!(said.ended.left_running.contains(&"sleep".to_owned()));
    }
}
