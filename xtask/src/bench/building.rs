//! What recording adds to a cold build: `cargo build` and `cargo intoto build` of one published program.

use crate::failure::Failure;
use crate::interop::World;
use crate::process::Run;
use crate::realworld;
use crate::say;

use super::recording;

/// The program: more than 50 locked packages.
const PROGRAM: &str = "fd-find";

/// Builds it both ways from nothing and prints what each cost.
pub(super) fn run(world: &World, product: &camino::Utf8Path) -> Result<(), Failure> {
    let root = realworld::check_out(world, PROGRAM)?;
    world.forget_user()?;
    world
        .command(product)
        .args(["init", "--no-passphrase"])
        .directory(&root)
        .succeed()?;
    world.commit(&root, "layouts: begin")?;
    world.command(product).arg("fetch").directory(&root).succeed()?;
    let measure = || world.command(world.tools.go("peer")).arg("measure");
    let build = |run: Run| recording::cost(run.args(["build", "--release", "--locked"]).directory(&root));
    let plain = build(measure().arg("cargo"))?;
    let recorded = build(measure().arg(product))?;
    say::row("");
    say::row(format!(
        "cold build of {PROGRAM}: cargo {:.0} ms, recorded {:.0} ms of CPU, {:+.1} %",
        plain.milliseconds,
        recorded.milliseconds,
        (recorded.milliseconds / plain.milliseconds - 1.0) * 100.0
    ));
    Ok(())
}
