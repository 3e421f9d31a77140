//! Runs a program that answers lines with lines: a helper that signs. Bounded in time and length, and nothing of it is left when it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::exec::environment;
use crate::exec::lineage::Lineage;

/// No answer is longer: a public key of RSA with 16,384 bits in PEM takes a twentieth of it.
pub(crate) const MAX_LINE: usize = 64 << 10;
/// How long a helper that has answered may take to end by itself.
const GOODBYE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(5);

/// A program that runs and is asked.
pub(crate) struct Helper {
    child: Child,
    lineage: Lineage,
    requests: Sender<Vec<u8>>,
    answers: Receiver<Result<Vec<u8>, String>>,
    deadline: Instant,
    limit: Duration,
}

/// Starts `program`, has `talk` ask it, and ends it with everything that it started. `limit` is for all of it.
///
/// It gets our environment without secrets, and our standard error, where it may ask its user for something.
///
/// # Errors
/// What `talk` says, or why the program could not be run, as a lower-case fragment about "it".
pub(crate) fn converse<T>(
    program: &str,
    arguments: &[String],
    limit: Duration,
    talk: impl FnOnce(&mut Helper) -> Result<T, String>,
) -> Result<T, String> {
    let mut helper = Helper::start(program, arguments, limit)?;
    let result = talk(&mut helper);
    // One that broke the rules gets no time to say goodbye.
    let patience = if result.is_ok() { GOODBYE } else { Duration::ZERO };
    let ended = helper.end(patience);
    let value = result?;
    ended.map(|()| value)
}

impl Helper {
    fn start(program: &str, arguments: &[String], limit: Duration) -> Result<Self, String> {
        let mut command = Command::new(program);
        environment::sanitise(&mut command);
        command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let (mut child, lineage) =
            Lineage::spawn(&mut command).map_err(|error| format!("it cannot be started: {error}"))?;
        let (requests, to_write) = mpsc::channel::<Vec<u8>>();
        // Threads, because either pipe may block for ever; they end when the child and its descendants have been ended.
        if let Some(mut stdin) = child.stdin.take() {
            thread::spawn(move || {
                for line in to_write {
                    // One that has given up does not read on; its answer, or its end, tells.
                    if stdin.write_all(&line).and_then(|()| stdin.flush()).is_err() {
                        break;
                    }
                }
            });
        }
        let (sender, answers) = mpsc::sync_channel(1);
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let mut reader = BufReader::new(stdout);
                loop {
                    let line = read_line(&mut reader);
                    let last = !matches!(line, Ok(Some(_)));
                    if let Some(line) = line.transpose()
                        && sender.send(line).is_err()
                    {
                        break;
                    }
                    if last {
                        break;
                    }
                }
            });
        }
        Ok(Self {
            child,
            lineage,
            requests,
            answers,
            deadline: Instant::now() + limit,
            limit,
        })
    }

    /// Sends one line, given without its end, and waits for one.
    ///
    /// # Errors
    /// When none comes in time, or one that is too long or no text.
    pub(crate) fn ask(&mut self, request: &str) -> Result<String, String> {
        // Nobody listens any more when it is gone; the missing answer says so.
        let _ = self.requests.send(format!("{request}\n").into_bytes());
        self.listen()
    }

    /// Waits for one line.
    ///
    /// # Errors
    /// When none comes in time, or one that is too long or no text.
    pub(crate) fn listen(&mut self) -> Result<String, String> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.answers.recv_timeout(left) {
            Ok(line) => String::from_utf8(line?).map_err(|_| "its answer is not UTF-8".to_owned()),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("it has not answered within {} seconds", self.limit.as_secs()))
            }
            Err(RecvTimeoutError::Disconnected) => Err(match self.wait(GOODBYE) {
                Some(status) => format!("it ended without an answer ({status})"),
                None => "it closed its output without an answer".to_owned(),
            }),
        }
    }

    fn wait(&mut self, patience: Duration) -> Option<std::process::ExitStatus> {
        let start = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if start.elapsed() >= patience {
                return None;
            }
            thread::sleep(POLL);
        }
    }

    /// Closes its input, gives it that time, and kills what is left.
    fn end(mut self, patience: Duration) -> Result<(), String> {
        let (closed, _) = mpsc::channel();
        self.requests = closed;
        if self.wait(patience).is_none() {
            // It may have ended meanwhile.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.lineage
            .end("the helper that signs")
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}

/// The next line without its end; none where the stream ends.
fn read_line(reader: &mut impl std::io::BufRead) -> Result<Option<Vec<u8>>, String> {
    let mut line = Vec::new();
    let limit = MAX_LINE as u64 + 1;
    // A stream that breaks has ended.
    let _ = reader.by_ref().take(limit).read_until(b'\n', &mut line);
    if line.pop_if(|last| *last == b'\n').is_some() {
        Ok(Some(line))
    } else if line.len() > MAX_LINE {
        Err(format!("its answer is longer than {MAX_LINE} bytes"))
    } else if line.is_empty() {
        Ok(None)
    } else {
        Err("its answer ends within a line".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_bounded_and_whole() {
        let long = vec![b'x'; MAX_LINE + 1];
        let mut longest = vec![b'x'; MAX_LINE];
        longest.push(b'\n');
        assert_eq!(read_line(&mut &b"a\nb\n"[..]), Ok(Some(b"a".to_vec())));
        assert_eq!(read_line(&mut &b"\n"[..]), Ok(Some(Vec::new())));
        assert_eq!(read_line(&mut &b""[..]), Ok(None));
        assert_eq!(read_line(&mut &longest[..]).unwrap().unwrap().len(), MAX_LINE);
        assert!(read_line(&mut &long[..]).unwrap_err().contains("longer"));
        assert!(read_line(&mut &b"half"[..]).unwrap_err().contains("within a line"));
    }
}
