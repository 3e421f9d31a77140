//! What stands between this program and a server that it starts, so that the server ends with it, however it ends.
//!
//! A keeper holds the other end of a pipe. When that closes, because whoever started it is done, was interrupted or was killed, the
//! keeper stops its server. It has a process group of its own: what interrupts the one does not interrupt the other.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::process::{Pid, Signal, kill_process};

/// How long a server may take to stop before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first argument of this program when it is to keep a server.
pub const ARGUMENT: &str = "keep";

/// A server and its keeper. Dropping it stops the server, and waits until it is gone.
#[derive(Debug)]
pub struct Kept {
    name: String,
    keeper: Child,
    log: Utf8PathBuf,
}

impl Kept {
    /// Starts `command` under a keeper, which is this very program; what it writes goes to a file.
    ///
    /// # Errors
    /// When the program or the file cannot be had.
    pub fn start(name: &str, command: &[String], logs: &Utf8Path) -> io::Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let keeper = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()?;
        let name = name.to_owned();
        Ok(Self { name, keeper, log })
    }

    /// Waits until it answers.
    ///
    /// # Errors
    /// When it ends, or does not answer for long.
    pub fn wait_until(&mut self, answers: impl Fn() -> bool) -> io::Result<()> {
        // A machine that compiles beside it can make it wait.
        for _ in 0..1200 {
            if answers() {
                return Ok(());
            }
            if let Some(status) = self.keeper.try_wait()? {
                return Err(self.failure(&format!("ended with {status}")));
            }
            thread::park_timeout(Duration::from_millis(50));
        }
        Err(self.failure("does not answer"))
    }

    fn failure(&self, what: &str) -> io::Error {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(12)..].join("\n");
        io::Error::other(format!("{} {what}; {} ends with\n{last}", self.name, self.log))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // It has its own patience.
        let _ = self.keeper.wait();
    }
}

/// Runs a server until it ends, or until standard input does.
///
/// # Errors
/// When the server cannot be started.
pub fn keep(command: &[String]) -> io::Result<ExitCode> {
    let [program, arguments @ ..] = command else {
        return Err(io::Error::other("nothing to keep"));
    };
    let mut server = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| io::Error::other(format!("start {program}: {error}")))?;
    let pid = i32::try_from(server.id()).ok().and_then(Pid::from_raw);
    thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        if let Some(pid) = pid {
            // PostgreSQL takes an interruption as "quickly", a termination as "when the last client has gone".
            let _ = kill_process(pid, Signal::INT);
            thread::park_timeout(PATIENCE);
            let _ = kill_process(pid, Signal::KILL);
        }
    });
    let status = server.wait()?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
