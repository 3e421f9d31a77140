//! `cargo xtask realworld`: published crates, put under git, through the whole job; then attacked.

use crate::failure::Failure;
use crate::interop::{Table, World};
use crate::root::Root;
use crate::say;

mod cases;
mod job;
mod sources;

/// The arguments of `cargo xtask realworld`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Every crate, not only the small ones
    #[arg(long)]
    pub(crate) full: bool,
    /// Only the crate of this name
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Option<String>,
}

/// One of the crates in a new repository, for other chores.
pub(crate) fn check_out(world: &World, name: &str) -> Result<camino::Utf8PathBuf, Failure> {
    let cases: Vec<&cases::Case> = cases::CASES.iter().filter(|case| case.name == name).collect();
    let case = cases
        .first()
        .ok_or_else(|| Failure::new(format!("there is no crate {name}")))?;
    sources::Registry::fetch(world, &cases)?.check_out(world, case)
}

/// Runs every chosen crate and prints one row per crate and attack.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let world = World::new(root, "realworld")?;
    let chosen: Vec<&cases::Case> = cases::CASES
        .iter()
        .filter(|case| args.full || case.is_small || args.only.is_some())
        .filter(|case| args.only.as_deref().is_none_or(|only| only == case.name))
        .collect();
    if chosen.is_empty() {
        let names: Vec<&str> = cases::CASES.iter().map(|case| case.name).collect();
        return Err(Failure::new("no such crate").hint(format!("one of {}", names.join(", "))));
    }
    let registry = sources::Registry::fetch(&world, &chosen)?;
    let mut table = Table::new("crate");
    for case in chosen {
        say::status("Crate", format!("{}: {}", case.name, case.what));
        job::run(&world, &registry, case, &mut table)?;
    }
    table.end()
}
