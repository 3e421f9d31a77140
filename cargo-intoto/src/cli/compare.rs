//! `cargo intoto compare`: is what was published what is in git?

use camino::Utf8PathBuf;

use crate::collect::progress::Progress;
use crate::compare::locked::{self, LockedArgs};
use crate::compare::subject::{FetchArgs, Published, Subject};
use crate::compare::{ExactLock, Outcome, Request, compare};
use crate::error::CliError;
use crate::exit::Exit;
use crate::report::comparison::{self, ComparisonFormat};
use crate::ui::Ui;
use crate::workspace::{Workspace, WorkspaceArgs, cargo_program};

/// Compare a published crate with a commit, file by file
///
/// Cargo fetches the crate, unless a .crate file is given. Its files are compared with those of the commit that it names, or that
/// --commit names, in a local clone of its repository: bytes of git objects, whatever is checked out. What cargo rewrites (Cargo.toml) must be
/// what cargo makes of the commit's manifest.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  equal: every file is the commit's, or made by cargo from it
  1  differs
  2  the command line is wrong
  3  cannot decide: nothing says which commit it is, or something is not at hand
  4  input or output failed, or a program that was called")]
pub(crate) struct Args {
    /// The crate: NAME, NAME@VERSION or a .crate file
    #[arg(
        value_name = "CRATE",
        required_unless_present = "locked_deps",
        conflicts_with = "locked_deps"
    )]
    subject: Option<String>,
    /// Compare all packages of Cargo.lock that come from registries
    #[arg(long)]
    locked_deps: bool,
    /// How to report: human, json (as docs/compare.md says)
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: ComparisonFormat,
    /// A clone of the crate's repository [default: the workspace here, if the crate is a member of it]
    #[arg(long, value_name = "DIR", help_heading = "Source", conflicts_with = "locked_deps")]
    repo: Option<Utf8PathBuf>,
    /// Commit to compare with, as git names it [default: the one that the .crate names]
    #[arg(long, value_name = "REV", help_heading = "Source", conflicts_with = "locked_deps")]
    commit: Option<String>,
    /// Directory of the package in the repository [default: the one that the .crate names]
    #[arg(long, value_name = "DIR", help_heading = "Source", conflicts_with = "locked_deps")]
    path: Option<String>,
    /// Directory with clones, named after crates or repositories
    #[arg(long, value_name = "DIR", help_heading = "Source", requires = "locked_deps")]
    repos: Option<Utf8PathBuf>,
    /// Refuse a Cargo.lock with packages that the repository's does not have
    #[arg(long, help_heading = "Source")]
    exact_lock: bool,
    /// Registry to fetch from, by its name in cargo's configuration
    #[arg(long, value_name = "NAME", help_heading = "Fetching", conflicts_with = "locked_deps")]
    registry: Option<String>,
    /// Use cargo's cache only
    #[arg(long, help_heading = "Fetching")]
    offline: bool,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH", help_heading = "Source")]
    manifest_path: Option<Utf8PathBuf>,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let outcome = match &args.subject {
        Some(subject) => one(subject, &args, ui)?,
        None => all(&args, ui)?,
    };
    Ok(match outcome {
        Outcome::Equal => Exit::Success,
        Outcome::Differs => Exit::Refused,
        Outcome::Undecided => Exit::CannotDecide,
    })
}

fn one(subject: &str, args: &Args, ui: &Ui) -> Result<Outcome, CliError> {
    let published = Subject::parse(subject)?.get(&FetchArgs {
        registry: args.registry.clone(),
        offline: args.offline,
    })?;
    let repository = match &args.repo {
        Some(repository) => repository.clone(),
        None => own_workspace(&published, args)?,
    };
    let comparison = compare(&Request {
        file_name: &published.file_name,
        crate_file: &published.crate_file,
        repository: &repository,
        commit: args.commit.as_deref(),
        directory: args.path.as_deref(),
        lock: lock(args),
    })?;
    ui.data(&match args.format {
        ComparisonFormat::Human => comparison::human(&comparison, repository.as_str(), ui.verbosity()),
        ComparisonFormat::Json => comparison::json(&comparison, repository.as_str()),
    })?;
    Ok(comparison.outcome())
}

/// The workspace here, if the crate is a member of it: its repository is the crate's.
fn own_workspace(published: &Published, args: &Args) -> Result<Utf8PathBuf, CliError> {
    let stem = published.crate_file.stem();
    let missing = || {
        CliError::cannot_decide(format!("there is no source to compare {stem} with"))
            .hint("clone its repository and name the clone by --repo")
    };
    let workspace = Workspace::load(
        &WorkspaceArgs {
            manifest_path: args.manifest_path.clone(),
            members_only: true,
            ..WorkspaceArgs::default()
        },
        &cargo_program(),
    )
    .map_err(|_| missing())?;
    let is_member = workspace.members.iter().any(|member| {
        stem.strip_prefix(member.name())
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
    });
    if is_member { Ok(workspace.root) } else { Err(missing()) }
}

fn all(args: &Args, ui: &Ui) -> Result<Outcome, CliError> {
    let workspace = Workspace::load(
        &WorkspaceArgs {
            manifest_path: args.manifest_path.clone(),
            offline: args.offline,
            ..WorkspaceArgs::default()
        },
        &cargo_program(),
    )?;
    if let Some(directory) = args.repos.as_ref().filter(|directory| !directory.is_dir()) {
        return Err(CliError::cannot_decide(format!("there is no directory {directory}")));
    }
    let rows = locked::compare_all(
        &workspace,
        LockedArgs {
            clones: args.repos.as_deref(),
            lock: lock(args),
        },
        &Progress::new(ui, "Comparing"),
    )?;
    if rows.is_empty() {
        ui.note("Cargo.lock has no package of a registry");
    }
    ui.data(&match args.format {
        ComparisonFormat::Human => comparison::human_table(&rows, ui.verbosity()),
        ComparisonFormat::Json => comparison::json_table(&rows),
    })?;
    let outcome = comparison::total(&rows);
    if outcome == Outcome::Undecided && args.repos.is_none() && args.format == ComparisonFormat::Human {
        ui.note("--repos names a directory with clones to compare with");
    }
    Ok(outcome)
}

fn lock(args: &Args) -> ExactLock {
    if args.exact_lock {
        ExactLock::Demanded
    } else {
        ExactLock::NotDemanded
    }
}
