//! Which processes below us come from which child.
//!
//! The system forgets: an orphan is ours, and nobody knows whose it was. So what is below us is taken for the child's unless it is known
//! to be somebody else's, and known in a way that a child cannot pretend to:
//!
//! - it is below a process that this one started before it ever adopted orphans, or in a thread of its own that is not the first: orphans
//!   come to the first;
//! - it is below another child that has not been ended yet.
//!
//! Two children at a time cannot be told apart once their own children are orphans, but by a variable that the later one hands down. One
//! that takes it away makes its orphans look like those of the other, and is ended with them: so whoever must be sure that nothing is left
//! runs one child at a time. A process that embeds us, and starts others in its first thread while we work, has them ended with ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions};

use crate::error::CliError;

/// A helper that is ending anyway when cargo ends gets this long; it is gone before anything is hashed.
const GRACE: Duration = Duration::from_millis(250);
/// A killed process that is still there after this long cannot be ended by us.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(5);

/// Says in the environment of what a child starts whose it is, while there is another one.
const MARK: &str = "CARGO_INTOTO_LINEAGE";

/// A process: its number may be given away again, and then it began later.
type Identity = (i32, u64);

/// What is known of the children that have not been ended. Held while one is started, so that none is seen that is not in it.
static FAMILY: Mutex<Family> = Mutex::new(Family {
    earlier: None,
    children: BTreeMap::new(),
    last: 0,
});

#[derive(Debug)]
struct Family {
    /// What was below us before we adopted orphans.
    earlier: Option<BTreeSet<Identity>>,
    /// By their marks.
    children: BTreeMap<u64, Known>,
    /// The last mark that was given.
    last: u64,
}

#[derive(Debug)]
struct Known {
    identity: Identity,
    /// Whether it was told its mark.
    is_marked: bool,
}

/// What one child starts.
#[derive(Debug)]
pub(super) struct Lineage {
    mark: u64,
}

impl Lineage {
    pub(super) fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
        let mut family = family();
        if family.earlier.is_none() {
            let earlier = Processes::now();
            family.earlier = Some(earlier.children().map(|(pid, stat)| (pid, stat.start)).collect());
        }
        // Failing means a kernel older than 3.4, where nothing can be found; the threat model's first table covers it.
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        family.last += 1;
        let mark = family.last;
        let is_marked = !family.children.is_empty();
        if is_marked {
            command.env(MARK, written(mark));
        }
        let child = command.spawn()?;
        // It is not waited for yet, so the number is its.
        let pid = i32::try_from(child.id()).unwrap_or_default();
        let identity = (pid, stat(pid).map(|stat| stat.start).unwrap_or_default());
        family.children.insert(mark, Known { identity, is_marked });
        Ok((child, Self { mark }))
    }

    pub(super) fn end(self, what: &str) -> Result<Vec<String>, CliError> {
        let mut seen = BTreeSet::new();
        let start = Instant::now();
        loop {
            if self.left(&mut seen).is_empty() {
                return Ok(Vec::new());
            }
            if start.elapsed() > GRACE {
                break;
            }
            thread::sleep(STEP);
        }
        let mut names = BTreeMap::new();
        let start = Instant::now();
        loop {
            let left = self.left(&mut seen);
            if left.is_empty() {
                return Ok(names.into_values().collect());
            }
            for (pid, name) in left {
                names.entry(pid).or_insert(name);
                if let Some(pid) = Pid::from_raw(pid) {
                    // It may have ended by itself since.
                    let _ = rustix::process::kill_process(pid, Signal::KILL);
                }
            }
            if start.elapsed() > KILL_PATIENCE {
                return Err(CliError::failure(format!(
                    "failed to end the processes that {what} left running: {}",
                    names.into_values().collect::<Vec<_>>().join(", ")
                )));
            }
            thread::sleep(STEP);
        }
    }

    /// The names of those that are left of it. What has ended and was not waited for by its parent is waited for here: until then it might
    /// as well be one whose first thread has ended and whose others run. What was seen once stays known: nothing that has ended has an
    /// environment.
    fn left(&self, seen: &mut BTreeSet<Identity>) -> BTreeMap<i32, String> {
        let family = family();
        let processes = Processes::now();
        let of_threads = children_of_other_threads(processes.ours);
        let mut is_ours = BTreeMap::new();
        for (child, stat) in processes.children() {
            let is_of = || !of_threads.contains(&child) && family.is_of(self.mark, child, stat);
            is_ours.insert(child, seen.contains(&(child, stat.start)) || is_of());
        }
        let mut left = BTreeMap::new();
        for (pid, stat) in &processes.all {
            let is_left = processes.child_above(*pid).is_some_and(|child| is_ours[&child]);
            if is_left && !(stat.parent == processes.ours && has_ended(*pid)) {
                seen.insert((*pid, stat.start));
                left.insert(*pid, stat.name.clone());
            }
        }
        left
    }
}

impl Drop for Lineage {
    fn drop(&mut self) {
        family().children.remove(&self.mark);
    }
}

impl Family {
    /// Whether a process directly below us comes from the child with that mark, as far as we know.
    fn is_of(&self, mark: u64, pid: i32, stat: &Stat) -> bool {
        let identity = (pid, stat.start);
        if self.earlier.as_ref().is_some_and(|earlier| earlier.contains(&identity)) {
            return false;
        }
        let is_known = |known: &Known| known.identity == identity;
        match marked(pid).filter(|mark| self.children.contains_key(mark)) {
            _ if self.children.values().any(is_known) => self.children.get(&mark).is_some_and(is_known),
            Some(said) => said == mark,
            // Of those that are there at a time, one at most has no mark.
            None => {
                let unmarked = self.children.iter().find(|(_, known)| !known.is_marked);
                unmarked.is_none_or(|(unmarked, _)| *unmarked == mark)
            }
        }
    }
}

fn family() -> MutexGuard<'static, Family> {
    FAMILY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As it is handed down: of this process, because those below may do the same.
fn written(mark: u64) -> String {
    format!("{}-{mark}", rustix::process::getpid().as_raw_nonzero())
}

/// The mark in the environment that a process was started with.
fn marked(pid: i32) -> Option<u64> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let ours = written(0);
    let of_us = ours.trim_end_matches('0');
    environment
        .split(|byte| *byte == 0)
        .filter_map(|variable| std::str::from_utf8(variable).ok()?.split_once('='))
        .find(|(name, _)| *name == MARK)
        .and_then(|(_, value)| value.strip_prefix(of_us)?.parse().ok())
}

/// Waits for a process directly below us if it has ended.
fn has_ended(pid: i32) -> bool {
    let waited = Pid::from_raw(pid).map(|pid| rustix::process::waitpid(Some(pid), WaitOptions::NOHANG));
    matches!(waited, Some(Ok(Some(_))))
}

/// What threads of ours but the first have started. Empty where the kernel does not say it.
fn children_of_other_threads(ours: i32) -> BTreeSet<i32> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    threads
        .filter(|thread| thread.file_name() != *ours.to_string())
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|children| {
            children
                .split_ascii_whitespace()
                .filter_map(|pid| pid.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// All processes of a moment.
struct Processes {
    ours: i32,
    all: BTreeMap<i32, Stat>,
}

impl Processes {
    fn now() -> Self {
        let numbers = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        Self {
            ours: rustix::process::getpid().as_raw_nonzero().get(),
            // A process may end between the listing and the look at it.
            all: numbers.filter_map(|pid| Some((pid, stat(pid)?))).collect(),
        }
    }

    /// Those directly below us.
    fn children(&self) -> impl Iterator<Item = (i32, &Stat)> {
        self.all
            .iter()
            .filter(|(_, stat)| stat.parent == self.ours)
            .map(|(pid, stat)| (*pid, stat))
    }

    /// The one directly below us that a process is, or is below.
    fn child_above(&self, mut pid: i32) -> Option<i32> {
        // The depth is bounded: the table is a snapshot and could, in theory, hold a cycle of reused numbers.
        for _ in 0..self.all.len() {
            match self.all.get(&pid)?.parent {
                parent if parent == self.ours => return Some(pid),
                parent => pid = parent,
            }
        }
        None
    }
}

#[derive(Debug, PartialEq)]
struct Stat {
    name: String,
    parent: i32,
    /// When it began, in the kernel's ticks since the system did.
    start: u64,
}

fn stat(pid: i32) -> Option<Stat> {
    let line = fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&String::from_utf8_lossy(&line))
}

/// Reads a line of `/proc/PID/stat`; the name may hold blanks and brackets, so it ends at the last bracket.
fn parse_stat(line: &str) -> Option<Stat> {
    let (head, rest) = line.rsplit_once(')')?;
    let (_, name) = head.split_once('(')?;
    // The state comes first.
    let mut words = rest.split_ascii_whitespace().skip(1);
    let parent = words.next()?.parse().ok()?;
    // The 22nd field of all, and the fourth was the last one read.
    let start = words.nth(17)?.parse().ok()?;
    Some(Stat {
        name: name.to_owned(),
        parent,
        start,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;
    use crate::exec::lineage::alone;

    fn sh(script: &str) -> (Child, Lineage) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
        Lineage::spawn(&mut command).unwrap()
    }

    fn runs(pid: i32) -> bool {
        Pid::from_raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
    }

    /// The number that it prints before it ends.
    fn said(child: Child) -> i32 {
        let output = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
    }

    /// Other tests leave orphans behind on purpose, which are nobody's and may be among the names.
    fn sleeps(names: &[String]) -> bool {
        names.iter().any(|name| name == "sleep")
    }

    #[test]
    fn every_child_answers_for_its_own() {
        const SCRIPT: &str = "sleep 100 >&- & echo $!";
        let _alone = alone();
        let (first, of_first) = sh(SCRIPT);
        let (second, of_second) = sh(SCRIPT);
        let (mut third, of_third) = sh("true");
        let (first, second) = (said(first), said(second));
        third.wait().unwrap();
        of_third.end("it").unwrap();
        assert!(runs(first) && runs(second));
        assert!(sleeps(&of_second.end("it").unwrap()));
        assert!(runs(first) && !runs(second));
        assert!(sleeps(&of_first.end("it").unwrap()));
        assert!(!runs(first));
    }

    #[test]
    fn nobody_escapes_by_a_session_of_its_own() {
        let _alone = alone();
        let (child, lineage) = sh("setsid sh -c 'sleep 100 >&- & echo $!; exec sleep 100 >&-' &");
        let pid = said(child);
        assert!(sleeps(&lineage.end("it").unwrap()));
        assert!(!runs(pid));
    }

    #[test]
    fn what_others_started_is_theirs() {
        let _alone = alone();
        // The tests' own thread may be the first of the process.
        let others = thread::spawn(|| {
            let mut running = Command::new("sleep").arg("100").spawn().unwrap();
            let mut ended = Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
            let (mut child, lineage) = sh("true");
            child.wait().unwrap();
            lineage.end("it").unwrap();
            assert!(running.try_wait().unwrap().is_none());
            assert_eq!(ended.wait().unwrap().code(), Some(7));
            running.kill().unwrap();
            running.wait().unwrap();
        });
        others.join().unwrap();
    }

    #[test]
    fn a_stat_line_is_read_whatever_the_name_holds() {
        let rest = "42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 9";
        for (head, name, parent) in [
            ("42 (cargo) S 7", "cargo", 7),
            ("42 (a) b (c)) Z 1", "a) b (c)", 1),
            ("42 () R 9", "", 9),
        ] {
            assert_eq!(
                parse_stat(&format!("{head} {rest}")),
                Some(Stat {
                    name: name.to_owned(),
                    parent,
                    start: 777,
                }),
                "{head}"
            );
        }
        for line in ["", "42", "42 (x", "42 (x)", "42 (x) S", "42 (x) S y", "42 (x) S 7 1 2"] {
            assert_eq!(parse_stat(line), None, "{line}");
        }
    }
}
