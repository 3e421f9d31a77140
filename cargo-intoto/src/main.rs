//! `cargo intoto`: argv in, exit code out; everything else is in the library, so that the tests can build a twin.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_intoto::main(std::env::args_os())
}
