//! `cargo xtask test`: every test there is, in the order in which a mistake shows soonest.

use crate::api;
use crate::beside;
use crate::ci;
use crate::compare_top;
use crate::diff;
use crate::drop_in;
use crate::failure::Failure;
use crate::gate;
use crate::interop;
use crate::no_std;
use crate::pkcs11;
use crate::process::Run;
use crate::realworld;
use crate::reports;
use crate::root::Root;
use crate::semver;
use crate::sigstore;
use crate::stage::stage;
use crate::tools;
use crate::tuf;

/// Cases of each property test on demand; the everyday number is proptest's own.
const FULL_CASES: &str = "10000";

/// The arguments of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also what takes long: 10,000 cases per property, every real crate
    #[arg(long)]
    full: bool,
}

/// Runs all tests.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let cargo = |words: &[&str]| {
        let run = Run::cargo().args(words).directory(root.path());
        if args.full {
            run.env("PROPTEST_CASES", FULL_CASES)
        } else {
            run
        }
    };
    stage("build the tests", || {
        cargo(&["test", "--workspace", "--all-targets", "--locked", "--no-run"]).show()
    })?;
    stage("units and suite", || {
        cargo(&["test", "--workspace", "--all-targets", "--locked", "--no-fail-fast"]).show()
    })?;
    stage("documentation examples", || {
        cargo(&["test", "--workspace", "--doc", "--locked"]).show()
    })?;
    // Everything else here has the features that the suite turns on.
    stage("the product without features", || {
        cargo(&["check", "--package", "cargo-intoto", "--all-targets", "--locked"]).show()
    })?;
    stage("core without std", || no_std::run(root))?;
    if args.full {
        stage("the API since the last version", || semver::run(root))?;
    }
    stage("other implementations: install", || tools::install_all(root))?;
    stage("other implementations: chains", || {
        interop::run(&interop::Args::all(), root)
    })?;
    stage("other implementations: random chains", || {
        diff::run(&diff::Args::of(if args.full { 10_000 } else { 400 }), root)
    })?;
    stage("other implementations: command names", || {
        drop_in::run(&drop_in::Args::of(if args.full { 5_000 } else { 200 }), root)
    })?;
    stage("a token", || pkcs11::run(root))?;
    stage("reports", || reports::run(root))?;
    stage("pipelines", || ci::run(root))?;
    stage("release tools", || gate::run(&gate::Args { full: args.full }, root))?;
    stage("identities", || sigstore::run(&sigstore::Args::of(args.full), root))?;
    stage("TUF repositories", || tuf::run(&tuf::Args::of(args.full), root))?;
    stage("tools beside cargo", || {
        beside::run(&beside::Args { full: args.full }, root)
    })?;
    stage("published crates and their sources", || {
        compare_top::run(&compare_top::Args { few: !args.full }, root)
    })?;
    stage("real crates", || {
        realworld::run(
            &realworld::Args {
                full: args.full,
                only: None,
            },
            root,
        )
    })
}

/// Builds the documentation with warnings denied, and reads from it what the public API of the core is made of.
pub(crate) fn docs(root: &Root) -> Result<(), Failure> {
    Run::cargo()
        .args([
            "doc",
            "--workspace",
            "--no-deps",
            "--locked",
            "--document-private-items",
        ])
        .env("RUSTDOCFLAGS", "-D warnings -A rustdoc::private-intra-doc-links")
        .directory(root.path())
        .show()?;
    api::check(root)
}
