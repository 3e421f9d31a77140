//! Runs a command as the reference implementation's tools do: with our environment as it is, a time limit, and its streams either
//! thrown away or both shown and kept. What it leaves running is left alone, as there.

use std::fs::File;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::CliError;
use crate::ui;

/// How often we look whether it has ended, or has said something.
const POLL: Duration = Duration::from_millis(10);
/// More than this of one stream makes a link that no verifier here reads.
const MAX_STREAM: usize = 16 << 20;

/// What becomes of the command's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// It is thrown away.
    Discarded,
    /// It is shown and kept.
    Kept,
}

/// How the command ended, and what it said if that was kept.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Its exit code; negative is the signal that killed it.
    pub(crate) value: i64,
    /// Standard output, with line ends made equal.
    pub(crate) stdout: String,
    /// Standard error, likewise.
    pub(crate) stderr: String,
}

/// Runs `command` to its end.
///
/// # Errors
/// When it cannot be started, does not end within `limit` (it is killed then), or says what no link can hold.
pub(crate) fn run(command: &[String], streams: Streams, limit: Duration) -> Result<Ran, CliError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(CliError::usage("there is no command to run"));
    };
    let failed = |error: io::Error| CliError::failure(format!("failed to run `{program}`")).because(error);
    let mut child = Command::new(program);
    child.args(arguments);
    match streams {
        Streams::Discarded => {
            let mut child = child
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map_err(failed)?;
            let value = wait(&mut child, program, limit, &mut || Ok(()))?;
            Ok(Ran {
                value,
                ..Ran::default()
            })
        }
        Streams::Kept => {
            // Files and not pipes, because a process that the command leaves behind may keep a pipe open for ever.
            let (stdout, writer) = Stream::new(ui::pass_on).map_err(failed)?;
            child.stdout(writer);
            let (stderr, writer) = Stream::new(ui::pass_on_as_noise).map_err(failed)?;
            child.stderr(writer);
            let mut both = [stdout, stderr];
            let mut child = child.spawn().map_err(failed)?;
            let value = wait(&mut child, program, limit, &mut || {
                both.iter_mut().try_for_each(Stream::pass_on)
            })?;
            let [stdout, stderr] = both;
            Ok(Ran {
                value,
                stdout: stdout.text(program)?,
                stderr: stderr.text(program)?,
            })
        }
    }
}

fn wait(
    child: &mut Child,
    program: &str,
    limit: Duration,
    pass_on: &mut dyn FnMut() -> io::Result<()>,
) -> Result<i64, CliError> {
    let failed = |error: io::Error| CliError::failure(format!("failed to wait for `{program}`")).because(error);
    let start = Instant::now();
    loop {
        let status = child.try_wait().map_err(failed)?;
        if let Err(error) = pass_on() {
            end(child);
            return Err(failed(error));
        }
        // Whoever allows no time at all is not to be answered by how fast this machine is.
        if let Some(status) = status.filter(|_| !limit.is_zero()) {
            return Ok(super::inspection::code(status));
        }
        if start.elapsed() >= limit {
            end(child);
            return Err(CliError::failure(format!(
                "`{program}` was still running after {} seconds, and was ended",
                limit.as_secs()
            ))
            .hint("`--run-timeout SECONDS` allows more"));
        }
        thread::sleep(POLL);
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself meanwhile.
    let _ = child.kill();
    let _ = child.wait();
}

/// One stream of the command: a file that it writes and we read.
struct Stream {
    reader: File,
    kept: Vec<u8>,
    show: fn(&[u8]),
}

impl Stream {
    fn new(show: fn(&[u8])) -> io::Result<(Self, File)> {
        // The name is removed when this function ends; the open files stay.
        let named = tempfile::NamedTempFile::new()?;
        let reader = named.reopen()?;
        let stream = Self {
            reader,
            kept: Vec::new(),
            show,
        };
        Ok((stream, named.into_file()))
    }

    fn pass_on(&mut self) -> io::Result<()> {
        let before = self.kept.len();
        let room = (MAX_STREAM + 1).saturating_sub(before) as u64;
        (&mut self.reader).take(room).read_to_end(&mut self.kept)?;
        if self.kept.len() > MAX_STREAM {
            return Err(io::Error::other(format!(
                "it wrote more than {MAX_STREAM} bytes to one of its streams, which no link can hold"
            )));
        }
        (self.show)(&self.kept[before..]);
        Ok(())
    }

    fn text(self, program: &str) -> Result<String, CliError> {
        let text = String::from_utf8(self.kept).map_err(|error| {
            CliError::cannot_decide(format!("what `{program}` wrote is not UTF-8, so no link can hold it"))
                .because(error)
        })?;
        Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, streams: Streams, limit: Duration) -> Result<Ran, CliError> {
        run(&["sh", "-c", script].map(str::to_owned), streams, limit)
    }

    #[test]
    fn streams_are_kept_and_codes_are_pythons() {
        let minute = Duration::from_secs(60);
        let ran = sh("printf 'a\\r\\nb\\r'; echo c >&2; exit 3", Streams::Kept, minute).unwrap();
        let expected = Ran {
            value: 3,
            stdout: "a\nb\n".to_owned(),
            stderr: "c\n".to_owned(),
        };
        assert_eq!(ran, expected);
        assert_eq!(sh("kill -9 $$", Streams::Discarded, minute).unwrap().value, -9);
        let error = sh("printf '\\377'", Streams::Kept, minute).unwrap_err();
        assert!(error.to_string().contains("not UTF-8"), "{error}");
        assert!(run(&["no-such-program-anywhere".to_owned()], Streams::Kept, minute).is_err());
    }

    #[test]
    fn what_takes_too_long_is_ended() {
        for streams in [Streams::Discarded, Streams::Kept] {
            let error = sh("sleep 100", streams, Duration::from_millis(30)).unwrap_err();
            assert!(error.to_string().contains("still running"), "{error}");
            // Whatever has ended by the time we look.
            sh("exit 0", streams, Duration::ZERO).unwrap_err();
        }
    }

    /// A daemon keeps the streams open; nobody waits for it.
    #[test]
    fn what_is_left_running_is_not_waited_for() {
        let ran = sh("sleep 3 & echo done", Streams::Kept, Duration::from_secs(60)).unwrap();
        assert_eq!(ran.stdout, "done\n");
    }

    #[test]
    fn a_stream_without_end_is_cut_off() {
        use std::io::Write;

        let (mut stream, mut writer) = Stream::new(|_| {}).unwrap();
        writer.write_all(b"a").unwrap();
        stream.pass_on().unwrap();
        writer.write_all(&vec![b'a'; MAX_STREAM]).unwrap();
        assert!(stream.pass_on().is_err());
    }
}
