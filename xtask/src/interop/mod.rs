//! `cargo xtask interop`: chains written by each implementation, judged by all of them, in both containers.

use crate::failure::Failure;
use crate::root::Root;

mod attack;
mod cargo_chain;
mod certificates;
mod chain;
mod demo;
mod gpg;
mod matrix;
mod table;
mod verifier;
mod world;

use attack::Attack;
pub(crate) use chain::Chain;
pub(crate) use table::Table;
pub(crate) use verifier::Verifier;
pub(crate) use world::{World, files, read, write};

/// Who writes a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// `cargo-intoto run` and `layout sign`
    Ours,
    /// The same program under the names `in-toto-run` and `in-toto-sign`.
    ByName,
    /// The reference implementation's command line.
    Python,
    /// in-toto-golang's command line.
    Go,
}

impl Args {
    /// Everything.
    pub(crate) fn all() -> Self {
        Self { matrix: false }
    }
}

impl Writer {
    const ALL: [Self; 4] = [Self::Ours, Self::ByName, Self::Python, Self::Go];

    fn name(self) -> &'static str {
        match self {
            Self::Ours => "cargo-intoto",
            Self::ByName => "cargo-intoto by name",
            Self::Python => "in-toto (Python)",
            Self::Go => "in-toto-golang",
        }
    }
}

/// The two forms of signed files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// DSSE envelopes.
    Dsse,
    /// `{"signatures": …, "signed": …}`.
    Metablock,
}

impl Container {
    pub(crate) const ALL: [Self; 2] = [Self::Dsse, Self::Metablock];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dsse => "dsse",
            Self::Metablock => "metablock",
        }
    }
}

/// The arguments of `cargo xtask interop`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only the matrix of small chains: writers, containers, keys and features
    #[arg(long)]
    matrix: bool,
}

/// Writes and judges every chain; anything but the expected verdict is a failure, after the whole table is printed.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let world = World::new(root, "interop")?;
    if args.matrix {
        return matrix::run(root, &world, &gpg::home(root)?);
    }
    let mut table = Table::new("chain");
    for container in Container::ALL {
        for writer in Writer::ALL {
            let chain = demo::record(&world, writer, container, None)?;
            table.judge(
                &world,
                &format!("demo by {}, {}", writer.name(), container.name()),
                &chain,
                true,
            )?;
            for attack in Attack::ALL {
                let chain = demo::record(&world, writer, container, Some(attack))?;
                table.judge(&world, &format!("  {}", attack.name()), &chain, false)?;
            }
        }
        for helper in cargo_chain::Helper::ALL {
            let chain = cargo_chain::record(&world, container, helper)?;
            table.judge(
                &world,
                &format!("{}, {}", helper.name(), container.name()),
                &chain,
                true,
            )?;
        }
    }
    let gpg = gpg::home(root)?;
    gpg::run(&gpg, &world, &mut table)?;
    certificates::run(&world, &mut table)?;
    key_kinds(&world, &mut table)?;
    table.end()?;
    matrix::run(root, &world, &gpg)
}

/// Keys of the kinds that the chains above do not have: each written by us and by another, and one edited link of each.
fn key_kinds(world: &World, table: &mut Table) -> Result<(), Failure> {
    for (kind, writer, container) in [
        ("p384", Writer::Ours, Container::Dsse),
        ("p384", Writer::Python, Container::Metablock),
        ("p521", Writer::Ours, Container::Metablock),
        ("p521", Writer::Python, Container::Dsse),
        ("rsa-2048", Writer::Ours, Container::Dsse),
        ("rsa-2048", Writer::Python, Container::Metablock),
        // Go says P-256 in the layout whatever the curve is, which Python and we refuse; with RSA it is right.
        ("rsa-3072", Writer::Go, Container::Metablock),
    ] {
        let chain = demo::record_with(world, writer, container, None, world.keys_of(kind)?)?;
        let what = format!("demo with {kind} keys by {}, {}", writer.name(), container.name());
        table.judge(world, &what, &chain, true)?;
        chain.edit_link("package")?;
        table.judge(world, "  a link was edited", &chain, false)?;
    }
    Ok(())
}
