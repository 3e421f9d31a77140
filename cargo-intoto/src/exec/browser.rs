//! The user's browser, for a login.

use std::process::{Child, Command, Stdio};

use crate::exec::environment;

/// A launcher of browsers that was started. Some of them end at once, and some with the browser, so nobody waits for it.
#[derive(Debug)]
pub(crate) struct Launcher {
    child: Child,
}

/// What shows a URL on this system.
#[cfg(target_os = "macos")]
const LAUNCHER: &[&str] = &["open"];
#[cfg(windows)]
const LAUNCHER: &[&str] = &["rundll32", "url.dll,FileProtocolHandler"];
#[cfg(not(any(target_os = "macos", windows)))]
const LAUNCHER: &[&str] = &["xdg-open"];

impl Launcher {
    /// Has `url` shown; none where there is nothing that could.
    pub(crate) fn start(url: &str) -> Option<Self> {
        let (program, arguments) = LAUNCHER.split_first()?;
        let mut command = Command::new(program);
        environment::sanitise(&mut command);
        command
            .args(arguments)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().ok().map(|child| Self { child })
    }

    /// Whether it has said that there is no browser.
    pub(crate) fn has_failed(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(status)) if !status.success())
    }
}
