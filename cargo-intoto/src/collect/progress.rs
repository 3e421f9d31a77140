//! A progress bar for long work on files; shown on a terminal, and only after the first second.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ui::Ui;

const PATIENCE: Duration = Duration::from_secs(1);

/// Counts bytes from several threads.
#[derive(Debug)]
pub struct Progress {
    verb: &'static str,
    visible: bool,
    started: Instant,
    done: AtomicU64,
    total: AtomicU64,
    bar: Mutex<Option<ProgressBar>>,
}

impl Progress {
    /// A bar labelled with `verb`, if `ui` shows any.
    pub fn new(ui: &Ui, verb: &'static str) -> Self {
        Self::with_visibility(verb, ui.shows_progress())
    }

    /// No bar.
    pub fn hidden() -> Self {
        Self::with_visibility("", false)
    }

    /// Announces `bytes` of work.
    pub fn expect(&self, bytes: u64) {
        self.total.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Reports `bytes` of work done.
    pub fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if !self.visible || self.started.elapsed() < PATIENCE {
            return;
        }
        // Another thread is drawing: the next report will show this one's bytes too.
        let Ok(mut bar) = self.bar.try_lock() else { return };
        let bar = bar.get_or_insert_with(|| self.draw());
        bar.set_length(self.total.load(Ordering::Relaxed).max(done));
        bar.set_position(done);
    }

    fn with_visibility(verb: &'static str, visible: bool) -> Self {
        Self {
            verb,
            visible,
            started: Instant::now(),
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            bar: Mutex::new(None),
        }
    }

    fn draw(&self) -> ProgressBar {
        let style = ProgressStyle::with_template("{prefix:>12.cyan.bold} [{bar:27}] {bytes}/{total_bytes}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        bar.set_style(style);
        bar.set_prefix(self.verb);
        bar
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Ok(Some(bar)) = self.bar.get_mut().map(Option::take) {
            bar.finish_and_clear();
        }
    }
}
