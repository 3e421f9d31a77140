//! `cargo intoto verify`: did these artifacts come out of the steps, people and rules that a layout demands?

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::layout::Parameters;
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;
use intoto_core::verify::CommandDifference;

use crate::cli::reporting::ReportingArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::foreign::{self, ForeignDirectory};
use crate::signing::load_certificates;
use crate::trust::TrustArgs;
use crate::ui::Ui;
use crate::verification::author_tree::AuthorTree;
use crate::verification::owners::{self, GpgOwners, Older, Owners};
use crate::verification::{self, Artifact, Commands, ReferenceTime, Report, Request, hostile_tree, subject};

/// Decide whether artifacts came out of the steps that a layout demands
///
/// Without arguments, in your own workspace: the artifacts of the latest run, by layouts/release.layout and the keys of your trust
/// store. Elsewhere, give at least --layout, --link-dir and the artifacts, and --key unless you trust the owner already.
///
/// Call `cargo-intoto verify`, from outside, for a tree that you do not trust: there, `cargo` itself may be replaced. Nothing of the tree
/// is run, and nothing in it decides what is trusted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  verified
  1  refused: something was decided, and the answer is no
  2  the command line or the settings are wrong
  3  cannot decide: input is missing, unreadable or malformed, or no key is trusted
  4  input or output failed, or a program that was called")]
pub(crate) struct Args {
    /// Artifacts to verify: .crate files and executables
    #[arg(value_name = "FILE")]
    files: Vec<Utf8PathBuf>,
    /// Another artifact to verify; may be repeated
    #[arg(long = "artifact", value_name = "FILE")]
    artifacts: Vec<Utf8PathBuf>,
    #[command(flatten)]
    reporting: ReportingArgs,
    /// The signed layout [default: layouts/release.layout]
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    layout: Option<Utf8PathBuf>,
    /// Directory with the links [default: the workspace's latest run]
    #[arg(long, value_name = "DIR", help_heading = "Evidence")]
    link_dir: Option<Utf8PathBuf>,
    /// Where cargo puts what it builds [default: target]
    #[arg(
        long,
        value_name = "DIR",
        env = "CARGO_TARGET_DIR",
        hide_env = true,
        help_heading = "Evidence"
    )]
    target_dir: Option<Utf8PathBuf>,
    /// Public key that must have signed the layout, instead of the trust store; if repeated, all must
    #[arg(long = "key", value_name = "FILE", help_heading = "Trust")]
    keys: Vec<Utf8PathBuf>,
    /// OpenPGP key that must have signed the layout, by its fingerprint, from GnuPG or --gpg-pubring; if repeated, all must
    #[arg(long, value_name = "FINGERPRINT", help_heading = "Trust")]
    gpg: Vec<String>,
    /// File with exported OpenPGP keys; without --gpg, each key in it must have signed the layout
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    gpg_pubring: Option<Utf8PathBuf>,
    /// Home directory of GnuPG [default: your own]
    #[arg(
        long,
        value_name = "DIR",
        requires = "gpg",
        conflicts_with = "gpg_pubring",
        help_heading = "Trust"
    )]
    gpg_home: Option<Utf8PathBuf>,
    /// Certificates of authorities between the layout's roots and a functionary; may be repeated
    #[arg(long = "intermediate", value_name = "FILE", help_heading = "Evidence")]
    intermediates: Vec<Utf8PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
    /// Crate that the artifacts are said to be, as `pkg:cargo/NAME[@VERSION]` [default: by file name]
    #[arg(long = "subject", value_name = "PURL", help_heading = "Trust")]
    subjects: Vec<String>,
    /// Accept only the layout with this sha256
    #[arg(long, value_name = "HEX", help_heading = "Trust")]
    layout_sha256: Option<String>,
    /// Accept a layout that is older than one accepted before
    #[arg(long, help_heading = "Trust")]
    allow_older_layout: bool,
    /// Judge at this time instead of now, as in 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", help_heading = "Policy")]
    as_of: Option<String>,
    /// Value for a parameter of the layout; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", help_heading = "Policy")]
    parameters: Vec<String>,
    /// Refuse a step whose recorded command is not the one that the layout expects, instead of warning
    #[arg(long, help_heading = "Policy")]
    exact_commands: bool,
    /// Run the commands of the layout's inspections; `true` and `tar xzf FILE` never need it
    #[arg(long, help_heading = "Policy")]
    run_inspections: bool,
    /// Seconds that each such command may take
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        requires = "run_inspections",
        help_heading = "Policy"
    )]
    inspection_timeout: u64,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let verdict = decide(&args, ui);
    args.reporting.tell(&verdict, ui)?;
    verdict.map(|report| report.exit())
}

/// The verdict, with what the trust store makes of it.
fn decide(args: &Args, ui: &Ui) -> Result<Report, CliError> {
    let limits = Limits::default();
    if let Some(text) = args.layout_sha256.as_deref().filter(|text| !is_sha256(text)) {
        return Err(CliError::usage(format!("`--layout-sha256 {text}` is no sha256"))
            .hint("it has 64 hexadecimal digits, as `sha256sum` prints them"));
    }
    let time = reference_time(args.as_of.as_deref())?;
    let parameters = parameters(&args.parameters)?;
    let (mut request, owners) = prepare(args, time, parameters, &limits, ui)?;
    if let Some(expected) = &args.layout_sha256 {
        owners::check_layout_sha256(&request.layout, expected, &limits, &mut request.findings);
    }
    let mut report = verification::verify(request)?;
    let older = if args.allow_older_layout {
        Older::Accepted
    } else {
        Older::Refused
    };
    // What was verified stays verified; only a later, older layout would not be noticed.
    if let Err(error) = owners.settle(&mut report, older) {
        ui.warn(format!("the trust store does not remember this layout: {error}"));
    }
    Ok(report)
}

/// Finds everything that the verification depends on, and whose word counts.
fn prepare(
    args: &Args,
    time: ReferenceTime,
    parameters: Parameters,
    limits: &Limits,
    ui: &Ui,
) -> Result<(Request, Owners), CliError> {
    let here = current_directory()?;
    // Only what is not said on the command line is looked for in a workspace.
    let tree = match (&args.layout, &args.link_dir) {
        (Some(_), Some(_)) => None,
        (Some(_), None) => Some(AuthorTree::find(&here, args.target_dir.as_deref()).map_err(|_| {
            CliError::usage(format!(
                "--link-dir is missing, and {here} lies in no workspace with a run of its own"
            ))
            .hint("name the directory with the links: --link-dir DIR")
        })?),
        (None, _) => Some(AuthorTree::find(&here, args.target_dir.as_deref())?),
    };
    let layout_path = match (&args.layout, &tree) {
        (Some(path), _) => path.clone(),
        (None, Some(tree)) => relative(&tree.layout()?, &here),
        (None, None) => return Err(CliError::usage("no layout is given")),
    };
    let layout = foreign::read(&layout_path, limits.json_bytes).map_err(|unread| {
        CliError::cannot_decide(format!("the layout {layout_path} {unread}"))
            .hint("the signed layout is the file that `cargo intoto layout sign` writes; its name ends in .layout")
    })?;
    let link_path = match (&args.link_dir, &tree) {
        (Some(path), _) => path.clone(),
        (None, Some(tree)) => relative(&tree.links()?, &here),
        (None, None) => return Err(CliError::usage("no link directory is given")),
    };
    let links = ForeignDirectory::open(&link_path).map_err(|error| {
        CliError::cannot_decide(format!("failed to open the link directory {link_path}"))
            .because(error)
            .hint("name the directory that holds the .link files")
    })?;
    let mut paths: Vec<Utf8PathBuf> = args.files.iter().chain(&args.artifacts).cloned().collect();
    if let (true, Some(tree)) = (paths.is_empty(), &tree) {
        paths = tree.artifacts(&link_path, (&layout_path, &layout), limits)?;
        paths.iter_mut().for_each(|path| *path = relative(path, &here));
    }
    let artifacts = paths
        .iter()
        .map(|path| Artifact::read(path, ui))
        .collect::<Result<Vec<_>, _>>()?;

    let mut findings = hostile_tree::examine(match &tree {
        Some(tree) => tree.root(),
        None => layout_path
            .parent()
            .filter(|path| !path.as_str().is_empty())
            .unwrap_or(Utf8Path::new(".")),
    });
    let purls = subject::purls(&artifacts, &args.subjects, &mut findings)?;
    let gpg = GpgOwners {
        ids: &args.gpg,
        pubring: args.gpg_pubring.as_deref(),
        home: args.gpg_home.as_deref(),
    };
    let owners = if args.keys.is_empty() && gpg.is_empty() {
        let by_program =
            args.subjects.is_empty() && !purls.is_empty() && artifacts.iter().all(|artifact| artifact.stem().is_none());
        Owners::of_store(args.trust.load()?, &purls, &layout, time.timestamp(), limits).map_err(|error| match by_program {
            true => error.hint("a program counts as of the crate of its name; if it is another's, say so with --subject pkg:cargo/NAME"),
            false => error,
        })?
    } else {
        Owners::named(&args.keys, &gpg)?
    };
    let mut intermediates = Vec::new();
    for path in &args.intermediates {
        intermediates.extend(load_certificates(path)?);
    }
    let request = Request {
        intermediates,
        layout_name: layout_path.into_string(),
        layout,
        owners: owners.keys.clone(),
        links: Arc::new(links),
        bundle: None,
        artifacts,
        time,
        parameters,
        command_difference: if args.exact_commands {
            CommandDifference::Refuse
        } else {
            CommandDifference::Warn
        },
        commands: if args.run_inspections {
            Commands::Run {
                limit: Duration::from_secs(args.inspection_timeout),
            }
        } else {
            Commands::NotRun
        },
        findings,
    };
    Ok((request, owners))
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn reference_time(as_of: Option<&str>) -> Result<ReferenceTime, CliError> {
    match as_of {
        None => ReferenceTime::now(),
        Some(text) => text.parse::<Timestamp>().map(ReferenceTime::Stated).map_err(|error| {
            CliError::usage(format!("`--as-of {text}` is no time"))
                .because(error)
                .hint("write it as in 2027-01-31T00:00:00Z")
        }),
    }
}

fn parameters(words: &[String]) -> Result<Parameters, CliError> {
    let mut parameters = Parameters::default();
    for word in words {
        let (name, value) = word
            .split_once('=')
            .ok_or_else(|| CliError::usage(format!("`--param {word}` is not of the form NAME=VALUE")))?;
        if parameters.iter().any(|(known, _)| known == name) {
            return Err(CliError::usage(format!("the parameter `{name}` is given twice")));
        }
        parameters
            .insert(name, value)
            .map_err(|error| CliError::usage(format!("`--param {word}` is not allowed")).because(error))?;
    }
    Ok(parameters)
}

fn current_directory() -> Result<Utf8PathBuf, CliError> {
    let failed = || CliError::failure("failed to find the current directory");
    let path = std::env::current_dir().map_err(|error| failed().because(error))?;
    Utf8PathBuf::from_path_buf(path).map_err(|path| failed().because(format!("{} is not UTF-8", path.display())))
}

/// A path as a user would write it from here.
fn relative(path: &Utf8Path, here: &Utf8Path) -> Utf8PathBuf {
    path.strip_prefix(here).unwrap_or(path).to_owned()
}
