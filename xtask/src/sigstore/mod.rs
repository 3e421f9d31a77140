//! `cargo xtask sigstore`: a private Sigstore of the project's own servers, on this machine alone, and what is tried with it.

use std::io::{self, Read as _};
use std::process::ExitCode;

use camino::Utf8PathBuf;

use crate::failure::{Context, Failure};
use crate::interop::World;
use crate::private_sigstore::keeper;
use crate::private_sigstore::servers::{Programs, Stack, postgresql};
use crate::root::Root;
use crate::say;
use crate::stage::stage;
use crate::tools;

mod attacks;
mod chain;
mod faults;
mod fixtures;
mod matrix;
mod peers;
mod recording;
mod release;

/// The arguments of `cargo xtask sigstore`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also Rekor v1, which needs PostgreSQL
    #[arg(long)]
    pub(crate) full: bool,
    /// Only start the servers, with both logs, and stop them when standard input ends
    #[arg(long, conflicts_with_all = ["full", "fixtures"])]
    serve: bool,
    /// Only make the bundles of tests/fixtures/sigstore again, with both logs
    #[arg(long)]
    fixtures: bool,
}

impl Args {
    /// What the everyday run has.
    pub(crate) fn of(full: bool) -> Self {
        Self {
            full,
            serve: false,
            fixtures: false,
        }
    }
}

/// The arguments of the keeper of a server, which this program starts itself.
#[derive(Debug, clap::Args)]
pub(crate) struct Keep {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Stands by a server.
pub(crate) fn keep(keep: &Keep) -> ExitCode {
    keeper::keep(&keep.command).unwrap_or_else(|error| {
        say::failure(&Failure::new(error.to_string()));
        ExitCode::FAILURE
    })
}

/// Starts the servers, tries everything, and stops them.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let with_v1 = args.full || args.serve || args.fixtures;
    let programs = stage("sigstore: build the servers", || build(root, with_v1))?;
    let directory = root.target().join("sigstore");
    let mut stack = stage("sigstore: start the servers", || {
        Stack::start(&programs, &directory).context("start a private Sigstore")
    })?;
    if args.serve {
        return serve(&stack);
    }
    if args.fixtures {
        fixtures::write(&stack, root).context("make the fixed bundles")?;
        return chain::write(&stack, root, &root.join("tests/fixtures/sigstore/chain"));
    }
    let peers = stage("sigstore: the product and other implementations", || {
        peers::Peers::install(root, &programs.directory)
    })?;
    stage("sigstore: who verifies whom", || matrix::run(&stack, &peers))?;
    let wrong_clock = stack
        .start_wrong_clock(&programs, "10m")
        .context("start a clock that is wrong")?;
    let world = World::with_product(root, "sigstore", peers.product.clone())?;
    stage("sigstore: services that fail", || {
        faults::run(&stack, &world, &wrong_clock)
    })?;
    stage("sigstore: begun and published by an identity", || {
        recording::run(&stack, &world, &peers)
    })?;
    stage("sigstore: the README's release", || release::run(root, stack, &world))
}

fn serve(stack: &Stack) -> Result<(), Failure> {
    say::row(format!("{:#?}", stack.addresses));
    say::status(
        "Running",
        format!("until the input ends; files are in {}", stack.directory),
    );
    let read = io::stdin().read_to_end(&mut Vec::new());
    read.map(drop).context("wait for the end of the input")
}

/// Builds the servers, or finds them built.
fn build(root: &Root, with_v1: bool) -> Result<Programs, Failure> {
    let directory = tools::go_for(root, "sigstore")?;
    if !with_v1 {
        return Ok(Programs {
            directory,
            schema: None,
        });
    }
    if postgresql().is_none() {
        return Err(
            Failure::new("Rekor v1 keeps its log in PostgreSQL, which is not under /usr/lib/postgresql")
                .hint("install it with `apt-get install postgresql`"),
        );
    }
    tools::go_for(root, "rekor-v1")?;
    let module = tools::go_module(root, "rekor-v1", "github.com/google/trillian")?;
    let schema: Utf8PathBuf = module.join("storage/postgresql/schema/storage.sql");
    Ok(Programs {
        directory,
        schema: Some(schema),
    })
}
