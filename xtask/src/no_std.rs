//! Core as small devices have it: with fewer features, and without the standard library.

use crate::failure::Failure;
use crate::process::Run;
use crate::root::Root;

/// Sets of core's features that somebody may choose; all of them together are in `tests/no_std`.
const FEATURES: &[&str] = &["", "std", "rsa", "openpgp", "x509"];

/// What depends on a feature is easily left behind without it: here, a warning is an error.
const NO_WARNINGS: (&str, &str) = ("RUSTFLAGS", "-D warnings");

/// Compiles core with few features; links it into a library without std, so that what compiles there stays free of files, clock and
/// threads; and has a program in C call that library.
pub(crate) fn run(root: &Root) -> Result<(), Failure> {
    let directory = root.target().join("no_std");
    let cargo = |words: &[&str]| {
        let run = Run::cargo().args(words).args(["--locked", "--release", "--target-dir"]);
        run.arg(&directory)
            .env(NO_WARNINGS.0, NO_WARNINGS.1)
            .directory(root.path())
    };
    for features in FEATURES {
        cargo(&[
            "check",
            "--package",
            "intoto-core",
            "--no-default-features",
            "--features",
            features,
        ])
        .show()?;
    }
    cargo(&["build", "--manifest-path", "tests/no_std/Cargo.toml"]).show()?;
    let program = directory.join("self_check");
    Run::new("cc")
        .arg(root.join("tests/no_std/main.c"))
        .arg(directory.join("release/libintoto_core_no_std.a"))
        .arg("-o")
        .arg(&program)
        .show()?;
    Run::new(&program).show()
}
