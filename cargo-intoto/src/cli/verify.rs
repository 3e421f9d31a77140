//! `cargo intoto verify`: did these artifacts come out of the steps, people and rules that a layout demands?

mod evidence;
mod wanted;

use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::layout::Parameters;
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;
use intoto_core::verify::CommandDifference;

use self::evidence::Evidence;
use self::wanted::Wanted;
use crate::cli::reporting::ReportingArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::store::LinkSource;
use crate::trust::{OwnerArgs, TrustArgs, identity_verifier};
use crate::ui::Ui;
use crate::verification::identities::Identities;
use crate::verification::owners::{self, GpgOwners, Older, Owners, Signed};
use crate::verification::subject::Subjects;
use crate::verification::{self, Commands, ReferenceTime, Report, Request, hostile_tree};

/// Decide whether artifacts came out of the steps that a layout demands
///
/// Without arguments, in your own workspace: the artifacts of the latest run, by layouts/release.layout and the keys of your trust
/// store. Elsewhere, give the artifacts, --bundle or --layout and --link-dir, and --key unless you trust the owner already.
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
    /// Artifacts to verify: .crate files, executables, or NAME@VERSION of a crate that cargo has downloaded
    #[arg(value_name = "FILE")]
    files: Vec<Utf8PathBuf>,
    /// Another artifact to verify; may be repeated
    #[arg(long = "artifact", value_name = "FILE")]
    artifacts: Vec<Utf8PathBuf>,
    #[command(flatten)]
    reporting: ReportingArgs,
    /// Bundle with layout and links, as `bundle create` makes it; what it says of itself is not believed
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    bundle: Option<Utf8PathBuf>,
    /// The signed layout, or tuf:NAME for the one that a trust entry brings [default: layouts/release.layout]
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    layout: Option<Utf8PathBuf>,
    /// Directory with the links [default: the workspace's latest run]
    #[arg(long, value_name = "DIR", help_heading = "Evidence")]
    link_dir: Option<Utf8PathBuf>,
    /// Where cargo puts what it builds [default: as cargo's configuration says, else target]
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
    /// OpenPGP key that must have signed the layout, by its fingerprint (with ! behind it: this part of the key alone), from GnuPG or --gpg-pubring; if repeated, all must
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
    #[command(flatten)]
    owners: OwnerArgs,
    /// Root of a Sigstore instance that identities are verified by, a trusted_root.json [default: the public instance's]
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    trusted_root: Option<Utf8PathBuf>,
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
    let report = judge(&args, ui).map(|judged| judged.report);
    tell(&args, &report, ui)?;
    report.map(|report| report.exit())
}

/// Tells what came of a verification, as the command line wants it told.
pub(super) fn tell(args: &Args, report: &Result<Report, CliError>, ui: &Ui) -> Result<(), CliError> {
    args.reporting.tell(report, ui)
}

/// A verification, and what it was about.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) report: Report,
    /// The layout's file.
    pub(super) layout_name: String,
    pub(super) layout: Vec<u8>,
    pub(super) links: Arc<dyn LinkSource>,
    /// The crates that the trust store was asked about.
    pub(super) purls: Vec<String>,
}

/// Verifies, and does what the trust store wants done after it.
pub(super) fn judge(args: &Args, ui: &Ui) -> Result<Judged, CliError> {
    let limits = Limits::default();
    if let Some(text) = args.layout_sha256.as_deref().filter(|text| !is_sha256(text)) {
        return Err(CliError::usage(format!("`--layout-sha256 {text}` is no sha256"))
            .hint("it has 64 hexadecimal digits, as `sha256sum` prints them"));
    }
    let time = reference_time(args.as_of.as_deref())?;
    let (mut request, owners, purls) = prepare(args, time, &limits, ui)?;
    if let Some(expected) = &args.layout_sha256 {
        owners::check_layout_sha256(&request.layout, expected, &limits, &mut request.findings);
    }
    let (layout_name, layout) = (request.layout_name.clone(), request.layout.clone());
    let links = Arc::clone(&request.links);
    let mut report = verification::verify(request)?;
    // What was verified stays verified; only a later, older layout would not be noticed.
    if let Err(error) = owners.settle(&mut report, older(args)) {
        ui.warn(format!("the trust store does not remember this layout: {error}"));
    }
    Ok(Judged {
        report,
        layout_name,
        layout,
        links,
        purls,
    })
}

fn older(args: &Args) -> Older {
    match args.allow_older_layout {
        true => Older::Accepted,
        false => Older::Refused,
    }
}

impl Args {
    /// The same, by the evidence in a bundle.
    ///
    /// # Errors
    /// When the command line names other evidence.
    pub(super) fn of_bundle(mut self, bundle: Utf8PathBuf) -> Result<Self, CliError> {
        if self.bundle.replace(bundle).is_some() {
            return Err(CliError::usage("the bundle is given twice").hint("leave --bundle out"));
        }
        Ok(self)
    }

    pub(super) fn intermediates(&self) -> &[Utf8PathBuf] {
        &self.intermediates
    }

    pub(super) fn parameters(&self) -> Result<Parameters, CliError> {
        parameters(&self.parameters)
    }

    pub(super) fn command_difference(&self) -> CommandDifference {
        if self.exact_commands {
            CommandDifference::Refuse
        } else {
            CommandDifference::Warn
        }
    }

    pub(super) fn commands(&self) -> Commands {
        if self.run_inspections {
            Commands::Run {
                limit: Duration::from_secs(self.inspection_timeout),
            }
        } else {
            Commands::NotRun
        }
    }
}

/// Finds everything that the verification depends on, and whose word counts.
fn prepare(
    args: &Args,
    time: ReferenceTime,
    limits: &Limits,
    ui: &Ui,
) -> Result<(Request, Owners, Vec<String>), CliError> {
    let parameters = args.parameters()?;
    let Evidence {
        layout_name,
        layout,
        links,
        claims,
        intermediates,
        beside,
        own_artifacts,
        surroundings,
    } = Evidence::find(args, limits)?;
    let files: Vec<Utf8PathBuf> = args.artifacts.iter().chain(&own_artifacts).cloned().collect();
    let wanted = Wanted::find(&args.files, &files, ui)?;

    let mut findings = hostile_tree::examine(&surroundings);
    let mut subjects = Subjects::of(&wanted.artifacts, &args.subjects, &mut findings)?;
    wanted.check_stated(&args.subjects)?;
    wanted.name(subjects.purls_mut());
    if let Some(claims) = &claims {
        claims.compare(&wanted.artifacts, subjects.purls(), &mut findings);
    }
    let gpg = GpgOwners {
        ids: &args.gpg,
        pubring: args.gpg_pubring.as_deref(),
        home: args.gpg_home.as_deref(),
    };
    let verifier = identity_verifier(args.trusted_root.as_deref(), &args.trust)?;
    let named = args.owners.identities()?;
    let owners = if args.keys.is_empty() && gpg.is_empty() && named.is_empty() {
        let signed = Signed {
            layout: &layout,
            beside: &beside,
            verifier: &*verifier,
            older: older(args),
        };
        let purls = subjects.for_owners()?;
        Owners::of_store(args.trust.load()?, purls, &signed, time.timestamp(), limits).map_err(
            |error| match subjects.hint() {
                Some(hint) => error.hint(hint),
                None => error,
            },
        )?
    } else {
        Owners::named(&args.keys, &gpg)?.and_identities(named)
    };
    let beside = beside.read_for(&owners, &layout, time.timestamp(), limits)?;
    let request = Request {
        layout_name,
        layout,
        owners: owners.keys.clone(),
        identities: Identities {
            owners: owners.identities.clone(),
            beside,
            verifier,
        },
        links,
        bundle: claims,
        intermediates,
        artifacts: wanted.artifacts,
        time,
        signed_before: owners.signed_before(),
        parameters,
        command_difference: args.command_difference(),
        commands: args.commands(),
        findings,
    };
    Ok((request, owners, subjects.purls().to_vec()))
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
