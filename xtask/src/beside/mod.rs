//! `cargo xtask beside`: the tools beside cargo, real ones, in situations good and bad; what becomes of the exit code, the link, and
//! whether the chain verifies then.

use std::fs;

use crate::failure::{Context, Failure};
use crate::interop::{World, read, write};
use crate::page;
use crate::root::Root;
use crate::say;
use crate::tools;

mod bench;
mod situations;

use bench::Bench;
use situations::{SITUATIONS, Situation};

const PAGE: &str = "docs/beside-cargo-deny.md";
/// From here on, the page is about tools that are built from their sources.
const BUILT: &str = "\n## A bill of materials\n";

/// The arguments of `cargo xtask beside`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also with the tools that are built from their sources: cargo-cyclonedx and cargo-auditable
    #[arg(long)]
    pub(crate) full: bool,
}

/// What a row must show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Expected {
    /// The exit code of the recorded tool.
    code: i32,
    /// Whether there is a link of the step afterwards.
    link: bool,
    /// Whether the whole chain verifies with it.
    verifies: bool,
}

/// Records a chain with all three tools in it, then each situation, and prints the table.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let product = tools::product(root)?;
    let world = World::with_product(root, "beside", product.clone())?;
    let mut programs = vec![product];
    if args.full {
        programs.push(tools::cargo_tool(root, "cargo-auditable")?);
        programs.push(tools::cargo_tool(root, "cargo-cyclonedx")?);
    }
    let bench = Bench::set_up(&world, &programs)?;
    say::row(format!(
        "{:<9} {:<49} {:>4}  {:<7} {}",
        "tool", "situation", "exit", "link", "the chain then"
    ));
    let mut unexpected = Vec::new();
    let rows = || SITUATIONS.iter().filter(|situation| args.full || !situation.is_built());
    for situation in rows() {
        if let Some(explanation) = show(&bench, situation)? {
            unexpected.push(explanation);
        }
    }
    say::row(format!(
        "{} rows as expected, {} not",
        rows().count() - unexpected.len(),
        unexpected.len()
    ));
    if !unexpected.is_empty() {
        return Err(Failure::new(format!("unexpected rows\n{}", unexpected.join("\n\n"))));
    }
    let text = read(&root.join(PAGE))?;
    let (first, _) = text
        .split_once(BUILT)
        .ok_or_else(|| Failure::new(format!("{PAGE} has no part about tools that are built")))?;
    let project = bench.page_workspace()?;
    page::run(PAGE, if args.full { &text } else { first }, |line| {
        bench.shell(&project, line)
    })
}

/// Runs one situation and prints its row; what was unexpected about it comes back.
fn show(bench: &Bench<'_>, situation: &Situation) -> Result<Option<String>, Failure> {
    bench.restore(situation.tool)?;
    (situation.prepare)(bench)?;
    let recorded = (situation.record)(bench, situation.tool)?;
    let link = bench.has_link(situation.tool)?;
    let verified = bench.verify()?;
    (situation.clean_up)(bench)?;
    let found = Expected {
        code: recorded.code.unwrap_or(-1),
        link,
        verifies: verified.is_success(),
    };
    let outcome = match verified.code {
        Some(0) => "verified",
        Some(1) => "refused",
        Some(3) => "undecided",
        _ => "failed",
    };
    say::row(format!(
        "{:<9} {:<49} {:>4}  {:<7} {outcome}",
        situation.tool,
        situation.name,
        found.code,
        if link { "written" } else { "none" },
    ));
    let says = recorded.stderr.contains(situation.says);
    // Neither verified nor decided would be a crash of ours.
    let is_decided = matches!(verified.code, Some(0 | 1 | 3));
    if found == situation.expected && says && is_decided {
        return Ok(None);
    }
    Ok(Some(format!(
        "{} {}: expected {:?} and {:?} in what it says, found {found:?}\n{}\nverify:\n{}",
        situation.tool,
        situation.name,
        situation.expected,
        situation.says,
        recorded.tail(),
        verified.tail()
    )))
}

/// `cargo xtask own-layout`: this repository's own release policy, with throw-away keys; cargo-deny, which it demands, comes from the
/// pinned tools.
pub(crate) fn own_layout(root: &Root) -> Result<(), Failure> {
    let tools = tools::install(root)?;
    let directory = root.target().join("tools/beside");
    fs::create_dir_all(&directory).context(format!("create {directory}"))?;
    bench::link_programs(&tools, &directory)?;
    crate::process::Run::cargo()
        .args(["run", "--release", "--locked", "--package", "cargo-intoto", "--"])
        .args(["try", "--layout", "layouts/release.toml", "--package", "intoto-core"])
        .env("PATH", bench::search_path(&[&directory]))
        .directory(root.path())
        .show()
}

/// Writes a file and the directories above it.
fn write_below(path: &camino::Utf8Path, contents: impl AsRef<[u8]>) -> Result<(), Failure> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).context(format!("create {parent}"))?;
    }
    write(path, contents)
}
