//! `in-toto-verify`.

use std::time::Duration;

use camino::Utf8PathBuf;
use intoto_core::artifacts::Artifacts;
use intoto_core::digest::DigestSet;
use intoto_core::envelope::Container;
use intoto_core::key::PublicKey;
use intoto_core::path::ArtifactPath;
use intoto_core::verdict::{Finding, Outcome, Severity};
use intoto_core::verify::{InspectionAnswer, InspectionRequest, Policy};

use super::arguments::{VerbosityArgs, record, say};
use super::{Arguments, Failure, link};
use crate::collect::named::{DirectoryLinks, Named};
use crate::error::{CliError, ErrorKind};
use crate::exec::wrapped::{self, Streams};
use crate::exit::Exit;
use crate::foreign::{self, ForeignDirectory};
use crate::ui::{Ui, Verbosity};
use crate::verification::owners::{GpgOwners, Owners};
use crate::verification::{self, ReferenceTime};

/// Verify a supply chain: that every step was carried out as the layout demands
///
/// Every key that is given must have signed the layout. Its inspections are run in the current directory, and the link of each is written
/// there.
///
/// This is in-toto-verify of the Python implementation, as cargo-intoto does it.
#[derive(Debug, clap::Parser)]
#[command(
    version = super::version(),
    override_usage = "in-toto-verify [OPTIONS] --layout <PATH> <--verification-keys <PATH>...|--gpg <ID>...>"
)]
pub(super) struct Args {
    /// The signed layout
    #[arg(short, long, value_name = "PATH")]
    layout: Utf8PathBuf,
    /// Public keys of the layout's owners: PEM
    #[arg(long, value_name = "PATH", num_args = 1..)]
    verification_keys: Vec<Utf8PathBuf>,
    /// GPG keys of the layout's owners, by their ids
    #[arg(short, long, value_name = "ID", num_args = 1..)]
    gpg: Vec<String>,
    /// GnuPG home directory in which the keys of --gpg are looked up
    #[arg(long, value_name = "PATH")]
    gpg_home: Option<Utf8PathBuf>,
    /// Directory with the links
    #[arg(long, value_name = "PATH", default_value = ".")]
    link_dir: Utf8PathBuf,
    /// Seconds after which an inspection is ended
    #[arg(long, value_name = "SECONDS", default_value = "10", allow_negative_numbers = true)]
    inspection_timeout: i64,
    #[command(flatten)]
    verbosity: VerbosityArgs,
}

impl Arguments for Args {
    fn verbosity(&self) -> Verbosity {
        self.verbosity.verbosity()
    }
}

pub(super) fn run(args: Args, ui: &Ui) -> Result<Exit, Failure> {
    if args.verification_keys.is_empty() && args.gpg.is_empty() {
        return Err(Failure::Usage(
            "specify at least one layout verification key: '--verification-keys <PATH>...' or '--gpg <ID>...'",
        ));
    }
    let policy = Policy::new(owners(&args)?, ReferenceTime::now()?.timestamp());
    say(ui, "Loading layout...");
    let layout = foreign::read(&args.layout, policy.limits.json_bytes)
        .map_err(|unread| unread.about(format_args!("the layout {}", args.layout)))?;
    let links = ForeignDirectory::open(&args.link_dir).map_err(|error| {
        CliError::cannot_decide(format!("failed to open the link directory {}", args.link_dir)).because(error)
    })?;
    let limit = Duration::from_secs(args.inspection_timeout.try_into().unwrap_or(0));
    let verdict = verification::decide(&layout, &[], policy, &links, |requests| inspect(requests, limit, ui))?;
    for finding in verdict.findings() {
        match finding.severity {
            Severity::Undecided | Severity::Refusal => tell(finding, ui),
            _ => say(ui, &sentence(finding)),
        }
    }
    match verdict.outcome() {
        Outcome::Verified => {
            say(ui, "The software product passed all verification.");
            Ok(Exit::Success)
        }
        _ => Err(Failure::Said(Exit::Refused)),
    }
}

/// The keys that must all have signed the layout.
fn owners(args: &Args) -> Result<Vec<PublicKey>, CliError> {
    let gpg = GpgOwners {
        ids: &args.gpg,
        pubring: None,
        home: args.gpg_home.as_deref(),
    };
    let owners = Owners::named(&args.verification_keys, &gpg)?;
    Ok(owners.keys.into_iter().map(|owner| owner.key).collect())
}

/// Runs the inspections in the current directory, one after the other, and leaves the link of each there, until one fails.
fn inspect(requests: &[InspectionRequest], limit: Duration, ui: &Ui) -> Result<Vec<InspectionAnswer>, CliError> {
    let mut answers = Vec::new();
    for request in requests {
        say(ui, &format!("Executing command for inspection '{}'...", request.name()));
        let (answer, has_passed) = carry_out(request, limit, ui)?;
        answers.push(answer);
        if !has_passed {
            // The rest is not run, and so not passed either.
            break;
        }
    }
    Ok(answers)
}

fn carry_out(request: &InspectionRequest, limit: Duration, ui: &Ui) -> Result<(InspectionAnswer, bool), CliError> {
    let not_run = |reason: String| Ok((request.not_run(reason), false));
    let materials = everything(ui)?;
    let before = match artifacts(&materials) {
        Ok(artifacts) => artifacts,
        Err(reason) => return not_run(reason),
    };
    let ran = match wrapped::run(request.run(), Streams::Discarded, limit) {
        Ok(ran) => ran,
        Err(error) => return not_run(error.to_string()),
    };
    let products = everything(ui)?;
    let after = match artifacts(&products) {
        Ok(artifacts) => artifacts,
        Err(reason) => return not_run(reason),
    };
    let value = ran.value;
    if value == 0 {
        let mut draft = link::Draft::of(request.name());
        draft.materials(&materials);
        draft.products(&products);
        draft.command(request.run(), ran);
        let path = Utf8PathBuf::from(format!("{}.link", request.name()));
        draft.write(&path, None, Container::Metablock)?;
    }
    Ok((request.done(value, before, after), value == 0))
}

/// The current directory, as the reference implementation records it.
fn everything(ui: &Ui) -> Result<Named, CliError> {
    record(&[".".to_owned()], &[], None, &[], DirectoryLinks::Followed, ui)
}

/// What rules see of it; a name that they could take for another is none.
fn artifacts(named: &Named) -> Result<Artifacts, String> {
    if let Some(sentence) = named.odd.doubtful.first() {
        return Err(format!(
            "nothing follows from what is not in the current directory: {sentence}"
        ));
    }
    let artifact = |(name, digest): (&String, &[u8; 32])| {
        let path: ArtifactPath = name
            .parse()
            .map_err(|error| format!("{name:?} in the current directory cannot be the name of an artifact: {error}"))?;
        Ok((path, DigestSet::from_sha256(*digest)))
    };
    named.artifacts.iter().map(artifact).collect()
}

/// As the reference implementation says it, with the code of `docs/findings.md` behind.
fn tell(finding: &Finding, ui: &Ui) {
    if ui.verbosity() > Verbosity::Quiet {
        let mut error = CliError::new(ErrorKind::Refused, sentence(finding));
        if let Some(hint) = &finding.hint {
            error = error.hint(hint.clone());
        }
        ui.error(&error);
    }
}

fn sentence(finding: &Finding) -> String {
    let class = finding.code.reference_class().unwrap_or("StricterRule");
    let location = &finding.location;
    let place = match (&location.item, location.layer.as_slice()) {
        (Some(item), []) => format!("`{item}`: "),
        (Some(item), layer) => format!("`{}/{item}`: ", layer.join("/")),
        (None, []) => String::new(),
        (None, layer) => format!("`{}`: ", layer.join("/")),
    };
    let file = location
        .file
        .as_ref()
        .map_or_else(String::new, |file| format!("{file}: "));
    format!(
        "(in-toto-verify) {class}: {place}{file}{} [{}]",
        finding.message, finding.code
    )
}
