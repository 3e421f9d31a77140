//! The smallest program that verifies: how large it is, how fast it starts, and what it needs for ten links.

use std::fs;

use camino::Utf8Path;

use super::recording::least_cost;
use crate::failure::{Context, Failure};
use crate::interop::World;
use crate::process::Run;
use crate::root::Root;
use crate::say;

/// Builds `tests/verify_only` and measures it, where it can be linked statically.
pub(super) fn run(root: &Root, world: &World, corpora: &Utf8Path) -> Result<(), Failure> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")) {
        return Ok(());
    }
    let target = root.target().join("verify_only");
    Run::cargo()
        .args(["build", "--quiet", "--release", "--locked", "--target-dir"])
        .arg(&target)
        .directory(&root.join("tests/verify_only"))
        .show()?;
    let program = target.join("x86_64-unknown-linux-gnu/release/intoto-verify-only");
    let size = fs::metadata(&program).context(format!("look at {program}"))?.len();
    let chain = corpora.join("steps-10/dsse");
    let cost = least_cost(20, || {
        Ok(world
            .command(world.tools.go("peer"))
            .arg("measure")
            .arg(&program)
            .arg(chain.join("root.layout"))
            .arg(corpora.join("alice.pub"))
            .arg(chain.join("links"))
            .directory(&chain))
    })?;
    #[expect(clippy::cast_precision_loss, reason = "a program is far smaller than 2^52 bytes")]
    let size = size as f64 / f64::from(1 << 20);
    say::row(format!(
        "verify-only static program: {size:.3} MiB; 10 links {:.2} ms of CPU from start to end, {:.2} ms on the wall, peak {:.1} MiB",
        cost.own_milliseconds, cost.wall_milliseconds, cost.own_peak_mib
    ));
    Ok(())
}
