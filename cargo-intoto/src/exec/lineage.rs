//! A child and all that it starts, so that nothing of it is left when it has ended.
//!
//! A key is opened only after this: what still runs when cargo has ended (a daemon of a build script, say) could change the
//! products after they were hashed, or read the key. On Linux we become the reaper of orphans, so that no descendant escapes by
//! a new session or a double fork; elsewhere the child's process group is asked.

use std::io;
use std::process::{Child, Command};

use crate::error::CliError;

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
use linux::Lineage as System;
#[cfg(not(target_os = "linux"))]
use other::Lineage as System;

/// What one child of ours starts.
#[derive(Debug)]
pub(super) struct Lineage(System);

impl Lineage {
    /// Starts the command. What it starts in its turn is ended by [`end`](Self::end).
    pub(super) fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
        let (child, system) = System::spawn(command)?;
        Ok((child, Self(system)))
    }

    /// Ends what the child left running, once it has ended itself and was waited for. `what` names the child in errors.
    ///
    /// # Errors
    /// When something cannot be ended.
    pub(super) fn end(self, what: &str) -> Result<Vec<String>, CliError> {
        self.0.end(what)
    }
}

/// Held by a test that ends what it started: an orphan that is just becoming another program shows no mark, and whoever looks then takes it for its own.
#[cfg(test)]
pub(super) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(all(unix, not(target_os = "linux")))]
mod other {
    use std::io;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};

    use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

    use crate::error::CliError;

    /// The process group of the child.
    #[derive(Debug)]
    pub(super) struct Lineage(u32);

    impl Lineage {
        pub(super) fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
            let child = command.process_group(0).spawn()?;
            let group = child.id();
            Ok((child, Self(group)))
        }

        pub(super) fn end(self, what: &str) -> Result<Vec<String>, CliError> {
            let Some(group) = i32::try_from(self.0).ok().and_then(Pid::from_raw) else {
                return Ok(Vec::new());
            };
            if test_kill_process_group(group).is_err() {
                return Ok(Vec::new());
            }
            kill_process_group(group, Signal::KILL).map_err(|error| {
                CliError::failure(format!("failed to end the processes that {what} left running")).because(error)
            })?;
            Ok(vec![format!("process group {}", self.0)])
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::io;
    use std::process::{Child, Command};

    use crate::error::CliError;

    /// Nothing is known of it.
    #[derive(Debug)]
    pub(super) struct Lineage;

    impl Lineage {
        pub(super) fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
            Ok((command.spawn()?, Self))
        }

        pub(super) fn end(self, _what: &str) -> Result<Vec<String>, CliError> {
            Ok(Vec::new())
        }
    }
}
