//! The project's own chores; `cargo xtask --help` lists them. CI runs nothing that cannot be run by hand with one of these.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod api;
mod bench;
mod beside;
#[expect(unreachable_pub, dead_code, reason = "as below: the suite uses all of it")]
#[path = "../../tests/src/certificates.rs"]
mod certificates;
mod ci;
mod compare_top;
mod conversation;
mod coverage;
mod diff;
mod drop_in;
mod failure;
#[expect(
    unreachable_pub,
    dead_code,
    reason = "it is public where it belongs, and the suite uses all of it"
)]
#[path = "../../tests/src/faults.rs"]
mod faults;
mod files;
#[expect(unreachable_pub, dead_code, reason = "as above")]
#[path = "../../tests/src/fixed.rs"]
mod fixed;
mod fuzz;
mod gate;
#[expect(unreachable_pub, reason = "as above")]
#[path = "../../tests/src/http.rs"]
mod http;
mod interop;
mod mutants;
mod no_std;
// The package behind it brings the product, which a chore does not need to start.
#[expect(unreachable_pub, reason = "it is public where it belongs")]
#[path = "../../tests/src/outer.rs"]
mod outer;
mod page;
mod pkcs11;
#[expect(unreachable_pub, reason = "as above")]
#[path = "../../tests/src/sigstore/mod.rs"]
mod private_sigstore;
mod process;
mod realworld;
#[expect(unreachable_pub, dead_code, reason = "as above")]
#[path = "../../tests/src/registry.rs"]
mod registry;
mod reports;
mod root;
mod say;
mod semver;
mod sigstore;
mod stage;
mod suite;
mod tidy;
mod tools;
mod tuf;

use failure::Failure;
use root::Root;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "The project's own chores")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

/// One variant per chore.
#[derive(Debug, Subcommand)]
enum Chore {
    /// Run every test: units, documentation, suite, `no_std`, the other implementations, real crates
    Test(suite::Args),
    /// Check the house rules: import direction, file lengths, findings documented, vectors named for codes
    Tidy,
    /// Build the documentation with warnings denied; no type of another crate in the public API of intoto-core
    Docs,
    /// Check licences, duplicate crates and their sources
    Deny,
    /// Chains of each implementation, judged by all of them, in both containers
    Interop(interop::Args),
    /// Random chains, patterns, JSON and trees, beside the reference implementation; the trees beside Go's, too
    Diff(diff::Args),
    /// The reference implementation's command names: its own tests, command lines and random trees, with its program and ours
    DropIn(drop_in::Args),
    /// The pipelines that `init --ci` writes: linted, run job by job, and attacked between the jobs
    Ci,
    /// Published crates through the whole job, then attacked
    Realworld(realworld::Args),
    /// The helper of docs/signers.md for PKCS#11 tokens, with SoftHSM's; what it signs is judged by all implementations
    Pkcs11,
    /// cargo-deny, cargo-audit and cargo-vet as steps, in situations good and bad
    Beside(beside::Args),
    /// This repository's own layout, with throw-away keys and the pinned cargo-deny
    OwnLayout,
    /// Release tools against registries on the loopback interface, with the gate between them
    Gate(gate::Args),
    /// A private Sigstore: identities in place of keys, signed and verified by us and by others, attacked, and under faults
    Sigstore(sigstore::Args),
    /// Stand by a server, for `sigstore`
    #[command(hide = true)]
    Keep(sigstore::Keep),
    /// SARIF as `verify` writes it, against the published schema
    Reports,
    /// The client workflow of TUF against repositories of other makers, and the attacks on them
    Tuf(tuf::Args),
    /// Published crates compared with repositories that hold their sources
    CompareTop(compare_top::Args),
    /// Build the fuzz targets and run them, for a number of inputs or for minutes
    Fuzz(fuzz::Args),
    /// How much of intoto-core its unit tests, the vectors and the tests of Sigstore evidence run
    Coverage(coverage::Args),
    /// Put faults into the parts of intoto-core that decide, one at a time, and see whether a test notices each
    Mutants(mutants::Args),
    /// Compare the public API of intoto-core with that of the last tagged version
    SemverChecks,
    /// CPU time of Python, Go, this code and the floor, in one run
    Bench(bench::Args),
    /// Install the other implementations and tools under target/tools
    Tools,
}

fn main() -> ExitCode {
    let chore = Cli::parse().chore;
    if let Chore::Keep(arguments) = &chore {
        return sigstore::keep(arguments);
    }
    match Root::find().and_then(|root| run(chore, &root)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say::failure(&failure);
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore, root: &Root) -> Result<(), Failure> {
    match chore {
        Chore::Test(args) => suite::run(&args, root),
        Chore::Tidy => tidy::run(root),
        Chore::Docs => suite::docs(root),
        Chore::Deny => tools::deny(root),
        Chore::Interop(args) => interop::run(&args, root),
        Chore::Diff(args) => diff::run(&args, root),
        Chore::DropIn(args) => drop_in::run(&args, root),
        Chore::Ci => ci::run(root),
        Chore::Realworld(args) => realworld::run(&args, root),
        Chore::Pkcs11 => pkcs11::run(root),
        Chore::Beside(args) => beside::run(&args, root),
        Chore::OwnLayout => beside::own_layout(root),
        Chore::Gate(args) => gate::run(&args, root),
        Chore::Sigstore(args) => sigstore::run(&args, root),
        Chore::Keep(_) => Ok(()),
        Chore::Reports => reports::run(root),
        Chore::Tuf(args) => tuf::run(&args, root),
        Chore::CompareTop(args) => compare_top::run(&args, root),
        Chore::Fuzz(args) => fuzz::run(&args, root),
        Chore::Coverage(args) => coverage::run(&args, root),
        Chore::Mutants(args) => mutants::run(&args, root),
        Chore::SemverChecks => semver::run(root),
        Chore::Bench(args) => bench::run(&args, root),
        Chore::Tools => tools::install_all(root),
    }
}

/// The sha256 of bytes, in lower-case hexadecimal; the suite's registry, which is shared by its path, wants it here.
fn sha256_hex(bytes: &[u8]) -> String {
    intoto_core::digest::to_hex(&intoto_core::digest::sha256(bytes))
}
