//! The least time that some work takes over several runs: CPU time of this process, or the clock on the wall.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use crate::failure::Failure;

/// The peers' programs use the same numbers.
const BUDGET: f64 = 1500.0;
const ROUNDS: usize = 20;

/// The least milliseconds of CPU time, of all threads, that the work takes.
pub(super) fn least(work: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    least_by(now, work)
}

/// The least milliseconds that pass meanwhile. On a machine that does other work too this says little.
pub(super) fn least_wall(work: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let start = Instant::now();
    least_by(|| start.elapsed().as_secs_f64() * 1e3, work)
}

fn least_by(now: impl Fn() -> f64, mut work: impl FnMut() -> Result<(), Failure>) -> Result<f64, Failure> {
    let mut best = f64::INFINITY;
    let mut spent = 0.0;
    for _ in 0..ROUNDS {
        let start = now();
        work()?;
        let took = now() - start;
        best = best.min(took);
        spent += took;
        if spent > BUDGET {
            break;
        }
    }
    Ok(best)
}

fn now() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a process runs for far less than 2^52 nanoseconds"
    )]
    let nanoseconds = time.tv_nsec as f64;
    #[expect(clippy::cast_precision_loss, reason = "as above")]
    let seconds = time.tv_sec as f64;
    seconds * 1e3 + nanoseconds / 1e6
}
