//! A program of the user's that prints a secret: its first line, within a time limit.

use std::process::{Command, Stdio};
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::{environment, stream};

/// No secret that fits one line is longer.
const MAX_LINE: usize = 64 << 10;
/// How often we look whether the program has ended.
const POLL: Duration = Duration::from_millis(5);

/// Runs the words, without a shell, and returns the first line that the program prints; it must end with success within `limit`.
///
/// It gets our environment without secrets and with `variables`, and our standard error, where it may ask its user for something. What it
/// starts and leaves running, such as the agent of a password store, is its own business.
///
/// # Errors
/// What went wrong, as a lower-case fragment about "it".
pub(crate) fn first_line(
    words: &[String],
    variables: &[(&str, &str)],
    limit: Duration,
) -> Result<Zeroizing<String>, String> {
    let (program, arguments) = words.split_first().ok_or("it is empty")?;
    let mut command = Command::new(program);
    environment::sanitise(&mut command);
    command
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let deadline = Instant::now() + limit;
    let late = || format!("it has not ended within {} seconds", limit.as_secs());
    let mut child = command
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let lines = child.stdout.take().map(|pipe| stream::first_line(pipe, MAX_LINE));
    let line = match lines
        .ok_or(RecvTimeoutError::Disconnected)
        .and_then(|lines| lines.recv_timeout(limit))
    {
        Ok(Ok(line)) => Ok(line),
        Ok(Err(error)) => Err(format!("its output cannot be read: {error}")),
        Err(RecvTimeoutError::Timeout) => Err(late()),
        Err(RecvTimeoutError::Disconnected) => Err("its output cannot be read".to_owned()),
    };
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) if line.is_ok() && Instant::now() < deadline => thread::sleep(POLL),
            Ok(None) => {
                // It may have ended meanwhile.
                let _ = child.kill();
                let _ = child.wait();
                break Err(late());
            }
            Err(error) => break Err(format!("it cannot be waited for: {error}")),
        }
    };
    let (line, status) = (line?, status?);
    if !status.success() {
        return Err(format!("it failed ({status})"));
    }
    if line.len() > MAX_LINE {
        return Err(format!("its first line is longer than {MAX_LINE} bytes"));
    }
    match std::str::from_utf8(&line) {
        Ok(text) => Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(_) => Err("its first line is not UTF-8".to_owned()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn printed(script: &str, limit: Duration) -> Result<String, String> {
        let words = ["sh", "-c", script].map(str::to_owned);
        first_line(&words, &[("URL", "u")], limit).map(|line| line.to_string())
    }

    #[test]
    fn the_first_line_of_a_program_that_succeeds() {
        let patience = Duration::from_secs(60);
        for (script, expected) in [
            ("echo token", Ok("token")),
            ("printf token", Ok("token")),
            ("echo token; echo login: me; seq 100000", Ok("token")),
            ("echo \"$URL$CARGO_REGISTRY_TOKEN\"", Ok("u")),
            ("true", Ok("")),
            ("echo token; exit 3", Err("it failed")),
            ("head -c 100000 /dev/zero", Err("longer")),
            ("printf '\\377'", Err("not UTF-8")),
        ] {
            match (printed(script, patience), expected) {
                (Ok(line), Ok(expected)) => assert_eq!(line, expected, "{script}"),
                (Err(error), Err(expected)) => assert!(error.contains(expected), "{script}: {error}"),
                (found, _) => panic!("{script}: {found:?}"),
            }
        }
        assert!(first_line(&[], &[], patience).is_err());
        assert!(first_line(&["/nowhere".to_owned()], &[], patience).is_err());
    }

    #[test]
    fn nothing_is_waited_for_without_end() {
        let started = Instant::now();
        for script in ["exec sleep 600", "echo token; exec sleep 600"] {
            let error = printed(script, Duration::from_millis(200)).expect_err("too late");
            assert!(error.contains("not ended"), "{script}: {error}");
        }
        assert!(started.elapsed() < Duration::from_secs(60));
    }
}
