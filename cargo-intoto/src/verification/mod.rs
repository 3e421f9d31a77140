//! Verification from the outside: files read, evidence fetched for the core's session, inspections carried out, crates explained.
//!
//! [`verify`] never runs cargo or git, nor anything of the tree that it looks at, and never decides by itself: what the layout
//! demands is judged by `intoto-core`, what a `.crate` holds by [`explain`](crate::explain), and the worse of the two counts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::DigestSet;
use intoto_core::envelope::Container;
use intoto_core::identity::IdentityVerifier;
use intoto_core::key::PublicKey;
use intoto_core::layout::Parameters;
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;
use intoto_core::verdict::{Outcome, Severity, Verdict};
use intoto_core::verify::{
    CommandDifference, InspectionAnswer, InspectionRequest, Policy, Progress, Session, Subject, SupplyError,
};
use intoto_core::x509::Certificate;

use crate::collect::hash;
use crate::collect::progress::Progress as Hashing;
use crate::error::{CliError, ErrorKind};
use crate::exit::Exit;
use crate::explain::Account;
use crate::finding::{CargoCode, CargoFinding};
use crate::settings;
use crate::store::LinkSource;
use crate::trust::RootSeen;
use crate::ui::Ui;

pub mod author_tree;
pub mod claims;
mod crates;
mod evidence;
pub mod hostile_tree;
pub mod identities;
mod inspections;
pub mod owners;
pub mod subject;

use claims::Claims;
use identities::Identities;

/// Everything that a verification depends on.
#[derive(Debug)]
pub struct Request {
    /// What the layout is called in the report: its path, as a rule.
    pub layout_name: String,
    /// The layout's bytes.
    pub layout: Vec<u8>,
    /// The keys that must all have signed it.
    pub owners: Vec<Owner>,
    /// The owners who are identities, and what verifies Sigstore evidence.
    pub identities: Identities,
    /// Where the links are.
    pub links: Arc<dyn LinkSource>,
    /// What the bundle says of itself, if the evidence comes from one.
    pub bundle: Option<Claims>,
    /// Certificates of authorities that may stand between the layout's roots and a functionary.
    pub intermediates: Vec<Certificate>,
    /// The artifacts in hand; with none, only the chain is verified.
    pub artifacts: Vec<Artifact>,
    /// The time at which everything is judged.
    pub time: ReferenceTime,
    /// Before when the evidence has to have been signed, by the word of somebody who is trusted with that.
    pub signed_before: Option<Timestamp>,
    /// Values for the layout's parameters.
    pub parameters: Parameters,
    /// What a command means that is not the one the layout expects.
    pub command_difference: CommandDifference,
    /// What becomes of inspections that are not done in process.
    pub commands: Commands,
    /// What was found before, and counts.
    pub findings: Vec<CargoFinding>,
}

/// Somebody whose signature on the layout is demanded.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Who: the file of the key, or the name of a trust entry.
    pub label: String,
    /// The key.
    pub key: PublicKey,
    /// The file of the key, where there is one: it stands in commands for other tools.
    pub file: Option<Utf8PathBuf>,
}

/// The time at which everything is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReferenceTime {
    /// The clock's.
    Now(Timestamp),
    /// The user's: shown in the first line of every report.
    Stated(Timestamp),
}

impl ReferenceTime {
    /// The clock's time.
    ///
    /// # Errors
    /// When the clock stands before 1970, so that nothing could be told to have expired.
    pub fn now() -> Result<Self, CliError> {
        settings::now().map(Self::Now)
    }

    /// The time itself.
    pub fn timestamp(self) -> Timestamp {
        match self {
            Self::Now(time) | Self::Stated(time) => time,
        }
    }
}

/// What becomes of inspections that are not done in process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commands {
    /// They are not carried out, and nothing is decided.
    NotRun,
    /// Those of the owner-signed layout are run, each for at most this long.
    Run {
        /// The limit.
        limit: Duration,
    },
}

/// An artifact in hand.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Where it lies.
    pub path: Utf8PathBuf,
    /// Its name without directories, as an inspection sees it.
    pub name: String,
    /// Its sha256.
    pub sha256: [u8; 32],
}

impl Artifact {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it is no readable regular file.
    pub fn read(path: &Utf8Path, ui: &Ui) -> Result<Self, CliError> {
        let name = path
            .file_name()
            .ok_or_else(|| CliError::usage(format!("`{path}` does not name a file")))?;
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(
                    CliError::cannot_decide(format!("expected an artifact, found the directory {path}"))
                        .hint("name the .crate files and executables themselves"),
                );
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(CliError::cannot_decide(format!("the artifact {path} is missing")));
            }
            _ => {}
        }
        let digest = hash::file(path, None, &Hashing::new(ui, "Hashing"))
            .map_err(|error| CliError::cannot_decide(format!("failed to read the artifact {path}")).because(error))?;
        Ok(Self {
            path: path.to_owned(),
            name: name.to_owned(),
            sha256: digest.sha256,
        })
    }

    /// `NAME-VERSION`, if it is a `.crate`.
    pub fn stem(&self) -> Option<&str> {
        self.name.strip_suffix(".crate")
    }
}

/// What was verified, and what came of it: everything that a report says.
#[derive(Debug)]
pub struct Report {
    /// What the layout is called.
    pub layout_name: String,
    /// The container of the layout, as far as it could be read.
    pub container: Option<Container>,
    /// Whose signatures on the layout were demanded.
    pub owners: Vec<Owner>,
    /// The owners who are identities, and the bundles by which they signed.
    pub identities: Identities,
    /// Where the links are.
    pub links: Utf8PathBuf,
    /// What the bundle says of itself, if the evidence comes from one.
    pub bundle: Option<Claims>,
    /// The artifacts in hand.
    pub artifacts: Vec<Artifact>,
    /// The time at which everything was judged.
    pub time: ReferenceTime,
    /// Before when the evidence had to be signed.
    pub signed_before: Option<Timestamp>,
    /// What the core decided.
    pub verdict: Verdict,
    /// The `.crate`s among the artifacts, file by file.
    pub crates: Vec<Account>,
    /// What was found beside the core's verdict.
    pub findings: Vec<CargoFinding>,
}

impl Report {
    /// The worse of the core's outcome and what was found beside it.
    pub fn outcome(&self) -> Outcome {
        let gravest = self.all_findings().map(|finding| finding.severity).max();
        match (gravest, self.verdict.outcome()) {
            (Some(Severity::Refusal), _) | (_, Outcome::Refused) => Outcome::Refused,
            (Some(Severity::Undecided), _) | (_, Outcome::Undecided) => Outcome::Undecided,
            (_, Outcome::Verified) => Outcome::Verified,
        }
    }

    /// The exit code of the outcome.
    pub fn exit(&self) -> Exit {
        match self.outcome() {
            Outcome::Verified => Exit::Success,
            Outcome::Refused => Exit::Refused,
            Outcome::Undecided => Exit::CannotDecide,
        }
    }

    /// What was found beside the core's verdict, with that against the `.crate`s.
    pub fn all_findings(&self) -> impl Iterator<Item = &CargoFinding> {
        let of_crates = self.crates.iter().flat_map(|account| &account.findings);
        self.findings.iter().chain(of_crates)
    }
}

/// Verifies.
///
/// # Errors
/// When a file or the machine fails. What is decided, and what cannot be, is a [`Report`].
pub fn verify(request: Request) -> Result<Report, CliError> {
    let Request {
        layout_name,
        layout,
        owners,
        identities,
        links,
        bundle,
        intermediates,
        artifacts,
        time,
        signed_before,
        parameters,
        command_difference,
        commands,
        mut findings,
    } = request;
    check_names(&artifacts)?;
    let mut policy = Policy::new(owners.iter().map(|owner| owner.key.clone()).collect(), time.timestamp());
    policy.owner_identities = identities.owners.iter().map(|owner| owner.identity.clone()).collect();
    policy.identity_verifier = Some(Arc::clone(&identities.verifier) as Arc<dyn IdentityVerifier>);
    policy.signed_before = signed_before;
    policy.parameters = parameters;
    policy.command_difference = command_difference;
    policy.intermediates = intermediates;
    policy.artifacts = artifacts
        .iter()
        .map(|artifact| Subject {
            name: artifact.name.clone(),
            digests: DigestSet::from_sha256(artifact.sha256),
        })
        .collect();
    let limits = policy.limits.clone();
    let container = container(&layout, &limits);

    let beside: Vec<&[u8]> = identities.beside.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let verdict = decide(&layout, &beside, policy, &*links, |requests| {
        inspections::carry_out(requests, &artifacts, commands)
    })?;
    let crates = crates::explain_all(&artifacts, &verdict, &mut findings)?;
    let roots = identities.verifier.roots();
    findings.extend(roots.iter().filter(|root| root.is_old(time.timestamp())).map(old_root));
    Ok(Report {
        layout_name,
        container,
        owners,
        identities,
        links: links.path().to_owned(),
        bundle,
        artifacts,
        time,
        signed_before,
        verdict,
        crates,
        findings,
    })
}

/// Brings the session what it asks for, until it has decided. How inspections are carried out is the caller's business.
///
/// # Errors
/// When the machine fails, or the caller's inspections do.
pub(crate) fn decide(
    layout: &[u8],
    beside: &[&[u8]],
    policy: Policy,
    links: &dyn LinkSource,
    inspect: impl FnOnce(&[InspectionRequest]) -> Result<Vec<InspectionAnswer>, CliError>,
) -> Result<Verdict, CliError> {
    let unasked = |error: SupplyError| CliError::new(ErrorKind::Failure, "verification came to no end").because(error);
    let limits = policy.limits.clone();
    let mut progress = Session::begin_with_bundles(layout, beside, policy);
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let files = evidence::fetch(gathering.request(), links, &limits);
                gathering.supply(files).map_err(unasked)?
            }
            Progress::Inspections(inspecting) => {
                let answers = inspect(inspecting.requests())?;
                return inspecting.supply(answers).map_err(unasked);
            }
            Progress::Decided(verdict) => return Ok(verdict),
        };
    }
}

/// An old root refuses what newer logs witnessed, and does not know what was taken back since. It changes no outcome.
fn old_root(root: &RootSeen) -> CargoFinding {
    let newest = root.newest.map(|newest| newest.to_string()).unwrap_or_default();
    CargoFinding::warning(
        CargoCode::TrustedRootOld,
        format!("{} knows of nothing later than {newest}", root.name),
    )
    .hint("get the instance's present trusted_root.json: `cargo intoto trust add NAME --tuf URL --root FILE --sigstore-root` keeps it up to date")
}

/// Inspections see all artifacts in one directory.
fn check_names(artifacts: &[Artifact]) -> Result<(), CliError> {
    let mut by_name: BTreeMap<&str, &Artifact> = BTreeMap::new();
    for artifact in artifacts {
        if let Some(earlier) = by_name.insert(&artifact.name, artifact) {
            return Err(CliError::usage(format!(
                "`{}` and `{}` have one name, and a layout tells artifacts apart by their names",
                earlier.path, artifact.path
            ))
            .hint("verify them one after the other"));
        }
    }
    Ok(())
}

fn container(layout: &[u8], limits: &Limits) -> Option<Container> {
    intoto_core::envelope::Envelope::parse(layout, limits)
        .ok()
        .map(|envelope| envelope.container())
}
