//! Core as small devices have it: with fewer features, and without the standard library.

use crate::failure::Failure;
use crate::process::Run;
use crate::root::Root;

/// Sets of core's features that somebody may choose; all of them together are in `tests/no_std`.
const FEATURES: &[&str] = &["", "std", "rsa", "openpgp", "x509"];

/// Checks core with few features, where what depends on one is easily left behind; links it into a library without std, so that what
/// compiles there stays free of files, clock and threads; and has a program in C call that library.
pub(crate) fn run(root: &Root) -> Result<(), Failure> {
    for features in FEATURES {
        let core = ["clippy", "--locked", "--package", "intoto-core", "--lib"];
        Run::cargo()
            .args(core)
            .args(["--no-default-features", "--features", features])
            .args(["--", "-D", "warnings"])
            .directory(root.path())
            .show()?;
    }
    let directory = root.target().join("no_std");
    Run::cargo()
        .args(["build", "--locked", "--release"])
        .args(["--manifest-path", "tests/no_std/Cargo.toml", "--target-dir"])
        .arg(&directory)
        .env("RUSTFLAGS", "-D warnings")
        .directory(root.path())
        .show()?;
    let program = directory.join("self_check");
    Run::new("cc")
        .arg(root.join("tests/no_std/main.c"))
        .arg(directory.join("release/libintoto_core_no_std.a"))
        .arg("-o")
        .arg(&program)
        .show()?;
    Run::new(&program).show()
}
