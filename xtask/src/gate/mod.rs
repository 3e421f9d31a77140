//! `cargo xtask gate`: release tools run for real against registries on the loopback interface, with the gate between them.
//!
//! Whatever a tool does and whatever was done to the release before: no registry may see bytes that were not recorded.

use std::time::Instant;

use crate::failure::Failure;
use crate::interop::World;
use crate::root::Root;
use crate::say;

mod project;
mod release_tool;
mod server;
mod situation;

use project::Recorded;
use release_tool::ReleaseTool;
use server::{Foreign, Server};
use situation::Situation;

/// The arguments of `cargo xtask gate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also what must be compiled first: cargo-release, and another project's registry server
    #[arg(long)]
    pub(crate) full: bool,
}

/// Runs every tool in every situation, and prints a row for each.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let world = World::new(root, "gate")?;
    let start = Instant::now();
    let tools = ReleaseTool::all(root, &world, args.full)?;
    let server = Server::start();
    let recorded = Recorded::make(&world, &server)?;
    let mut table = Table::new(&format!("our own registry server, {}", cargo_version(&world)?));
    for tool in &tools {
        for situation in Situation::ALL {
            table.add(&situation.play(&world, &server, None, &recorded, tool)?);
        }
    }
    if args.full {
        let program = Foreign::program(root)?;
        table.head(server::FOREIGN);
        for tool in &tools {
            for situation in Situation::OF_ANY_SERVER {
                let foreign = Foreign::start(&program, &world)?;
                table.add(&situation.play(&world, &server, Some(&foreign), &recorded, tool)?);
            }
        }
    }
    say::row(format!("in {:.0} s", start.elapsed().as_secs_f64()));
    table.end()
}

fn cargo_version(world: &World) -> Result<String, Failure> {
    Ok(world
        .command("cargo")
        .arg("--version")
        .succeed()?
        .stdout
        .trim()
        .to_owned())
}

/// What came of a tool in a situation.
#[derive(Debug)]
struct Row {
    tool: String,
    situation: &'static str,
    /// The crates that the server took, in order.
    uploads: Vec<String>,
    /// Those of them with other bytes than were recorded.
    tampered: Vec<String>,
    /// The exit code of the tool's last command.
    code: Option<i32>,
    /// The line that says why, where something was refused.
    message: String,
    /// What was expected and did not come.
    unexpected: Vec<String>,
    /// All that was printed, for a failure's text.
    output: String,
}

/// The rows so far.
#[derive(Debug)]
struct Table {
    rows: usize,
    tampered: usize,
    failures: Vec<String>,
}

impl Table {
    fn new(about: &str) -> Self {
        let table = Self {
            rows: 0,
            tampered: 0,
            failures: Vec::new(),
        };
        table.head(about);
        table
    }

    fn head(&self, about: &str) {
        say::row(format!("{about}\n"));
        say::row(format!(
            "{:<26} {:<40} {:>4}  {:<20} message",
            "release tool", "situation", "exit", "uploads"
        ));
    }

    fn add(&mut self, row: &Row) {
        let code = row.code.map_or_else(|| "-".to_owned(), |code| code.to_string());
        let uploads = match row.uploads.as_slice() {
            [] => "none".to_owned(),
            uploads => uploads.join(" "),
        };
        say::row(format!(
            "{:<26} {:<40} {code:>4}  {uploads:<20} {}",
            row.tool, row.situation, row.message
        ));
        self.rows += 1;
        self.tampered += row.tampered.len();
        let mut problems = row.unexpected.clone();
        if !row.tampered.is_empty() {
            problems.push(format!("uploaded and not recorded: {}", row.tampered.join(", ")));
        }
        if !problems.is_empty() {
            self.failures.push(format!(
                "{}, {}: {}\n{}",
                row.tool,
                row.situation,
                problems.join("; "),
                row.output
            ));
        }
    }

    fn end(self) -> Result<(), Failure> {
        say::row(format!(
            "{} rows, {} uploads of what was not recorded, {} rows not as expected",
            self.rows,
            self.tampered,
            self.failures.len()
        ));
        if self.failures.is_empty() {
            Ok(())
        } else {
            Err(Failure::new(format!("not as expected\n{}", self.failures.join("\n\n"))))
        }
    }
}
