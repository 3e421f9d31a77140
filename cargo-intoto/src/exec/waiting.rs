//! A process of this program that outlives it, and waits for the end of another one.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::environment;
use crate::error::CliError;

/// No cargo uploads for longer; tokens that are waited for have ended by themselves then.
const PATIENCE: Duration = Duration::from_secs(2 * 60 * 60);

/// Starts this program with these arguments and `input`, and leaves it behind. It belongs to no terminal, so that what ends cargo
/// from there does not end it.
///
/// # Errors
/// When it cannot be started or does not take its input.
pub(crate) fn leave_behind(arguments: &[&str], input: &[u8]) -> Result<(), CliError> {
    let failed =
        |error: std::io::Error| CliError::failure("failed to leave a process of our own behind").because(error);
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    environment::sanitise(&mut command);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(failed)?;
    match child.stdin.take() {
        // Closed when it is dropped, which is how the other end knows that this is all.
        Some(mut stdin) => stdin.write_all(input).map_err(failed),
        None => Ok(()),
    }
}

/// The process that started this one.
#[cfg(unix)]
pub(crate) fn parent() -> Option<u32> {
    let parent = rustix::process::getppid()?.as_raw_nonzero().get();
    u32::try_from(parent).ok()
}

/// Not known here.
#[cfg(not(unix))]
pub(crate) fn parent() -> Option<u32> {
    None
}

/// Waits until the process with this number has ended, at most as long as cargo could take.
#[cfg(target_os = "linux")]
pub(crate) fn for_the_end_of(process: u32) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    // A process that cannot be opened has ended already.
    let Some(Ok(handle)) = pid.map(|pid| pidfd_open(pid, PidfdFlags::empty())) else {
        return;
    };
    let patience = Timespec {
        tv_sec: i64::try_from(PATIENCE.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: 0,
    };
    let mut waited = [PollFd::new(&handle, PollFlags::IN)];
    // Woken early, we would take back too early: nobody is uploading then either.
    while let Err(rustix::io::Errno::INTR) = poll(&mut waited, Some(&patience)) {}
}

/// Waits until the process with this number has ended, at most as long as cargo could take.
#[cfg(all(unix, not(target_os = "linux")))]
pub(crate) fn for_the_end_of(process: u32) {
    use rustix::process::{Pid, test_kill_process};

    const POLL: Duration = Duration::from_millis(200);
    let start = std::time::Instant::now();
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    while pid.is_some_and(|pid| test_kill_process(pid).is_ok()) && start.elapsed() < PATIENCE {
        std::thread::sleep(POLL);
    }
}

/// There is nothing to wait by.
#[cfg(not(unix))]
pub(crate) fn for_the_end_of(_: u32) {
    std::thread::sleep(Duration::from_secs(60).min(PATIENCE));
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_end_of_a_process_is_noticed() {
        let mut child = Command::new("sh")
            .args(["-c", "read x"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let number = child.id();
        let waiter = std::thread::spawn(move || for_the_end_of(number));
        assert!(!waiter.is_finished());
        drop(child.stdin.take());
        child.wait().expect("it ends");
        waiter.join().expect("no panic");
        let start = Instant::now();
        for_the_end_of(number);
        assert!(start.elapsed() < Duration::from_secs(60), "it has ended already");
        assert!(parent().is_some());
    }
}
