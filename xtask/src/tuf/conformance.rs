//! TUF's conformance suite, which is in no package registry: a checkout of it, with the environment that its own `make dev` makes.

use camino::Utf8Path;

use crate::failure::Failure;
use crate::process::Run;
use crate::root::Root;
use crate::say;

/// Runs the suite against the product's client.
pub(super) fn run(root: &Root, checkout: &Utf8Path) -> Result<(), Failure> {
    Run::cargo()
        .args(["build", "--quiet", "--locked", "--package", "tests"])
        .args(["--bin", "tuf-conformance-client"])
        .directory(root.path())
        .show()?;
    let client = root.target().join("debug/tuf-conformance-client");
    let ended = Run::new(checkout.join("env/bin/pytest"))
        .args(["tuf_conformance", "-q", "--entrypoint", client.as_str()])
        .directory(checkout)
        .succeed()
        .map_err(|failure| failure.hint("`make dev` in the checkout makes env/bin/pytest; it needs `faketime`"))?;
    say::row(ended.stdout.lines().last().unwrap_or("the suite says nothing"));
    Ok(())
}
