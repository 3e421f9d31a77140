//! `cargo intoto`: in-toto evidence of cargo's fetch, build, test and package, and its verification.
//!
//! Everything that touches the world lives here; what in-toto means lives in `intoto-core`. The library exists so that the
//! binary and the tests' twin of it share one entry, [`main`]; it promises no stable API.
#![expect(
    rustdoc::invalid_html_tags,
    reason = "help texts are comments, and `<NAME>` is how they write what is to be filled in"
)]

use std::ffi::OsString;
use std::process::ExitCode;

pub mod bundling;
pub mod ci;
pub mod cli;
pub mod collect;
pub mod compare;
mod drop_in;
pub mod error;
pub mod escape;
pub mod exec;
pub mod exit;
pub mod explain;
pub mod finding;
pub mod foreign;
pub mod gate;
mod help;
pub mod layout_source;
pub mod naming;
pub mod net;
pub mod plan;
pub mod publish;
mod rebuild;
pub mod recording;
pub mod report;
pub mod settings;
pub mod signing;
pub mod store;
#[cfg(test)]
mod testing;
pub mod trust;
pub mod ui;
pub mod verification;
pub mod workspace;

/// Runs the command line `args` (the program's name first) and returns the process's exit code.
///
/// Under the name of one of the reference implementation's tools, such as `in-toto-run`, the program is that tool. When cargo starts it as a
/// credential provider, it is the release gate.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    match drop_in::tool(args.first()) {
        Some(tool) => tool.run(args),
        None if args.get(1).is_some_and(|word| word == "--cargo-plugin") => gate::provide(),
        None => cli::main(args),
    }
    .into()
}
