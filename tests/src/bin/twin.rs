//! The product's binary under another name, so that the suite can start it by `CARGO_BIN_EXE_cargo-intoto-twin`.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_intoto::main(std::env::args_os())
}
