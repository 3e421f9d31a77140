//! Verifies the chain of one artifact: what a CI runner, an installer or an admission controller does before it goes on.
//!
//! ```text
//! cargo run -p intoto-core --example verify -- tests/vectors/verified--chain hello-1.0.crate 2026-11-22T00:00:00Z
//! ```
//!
//! The first argument is a directory with `root.layout`, `owner.pub`, the links and the artifact that the second names. The owner's key
//! lies beside the evidence only to keep the command short: whoever can replace the evidence must not be able to replace the key.
#![expect(clippy::std_instead_of_core, reason = "around the core there is a system")]

use std::error::Error;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use intoto_core::artifacts::Artifacts;
use intoto_core::digest::{DigestSet, sha256};
use intoto_core::key::PublicKey;
use intoto_core::time::Timestamp;
use intoto_core::verdict::{Outcome, Verdict};
use intoto_core::verify::{Admitted, EvidenceFile, EvidenceRequest, Policy, Progress, Session, Subject};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let verdict = match arguments.as_slice() {
        [directory, artifact, time] => verify(Path::new(directory), artifact, time),
        _ => Err("expected DIRECTORY ARTIFACT TIME".into()),
    };
    let (text, code) = match &verdict {
        Ok(verdict) => (said(verdict), u8::from(verdict.outcome() != Outcome::Verified)),
        Err(error) => (format!("cannot decide: {error}\n"), 3),
    };
    std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).ok();
    ExitCode::from(code)
}

/// `Err` says that nothing could be decided. A [`Verdict`] is a decision, and only [`Outcome::Verified`] is a yes.
pub(crate) fn verify(directory: &Path, artifact: &str, time: &str) -> Result<Verdict, Box<dyn Error>> {
    let owner = PublicKey::from_spki_pem(&fs::read_to_string(directory.join("owner.pub"))?)?;
    let digests = DigestSet::from_sha256(sha256(&fs::read(directory.join(artifact))?));
    // The core has no clock. A runner passes its own time; who looks into an old release may pass the time of that release.
    let mut policy = Policy::new(vec![owner], time.parse::<Timestamp>()?);
    // Without artifacts in hand only the chain itself would be judged: true of some artifact, perhaps not of this one.
    policy.artifacts.push(Subject {
        name: artifact.into(),
        digests: digests.clone(),
    });
    let in_hand: Artifacts = [(artifact.parse()?, digests)].into_iter().collect();

    let mut progress = Session::begin(&fs::read(directory.join("root.layout"))?, policy);
    loop {
        progress = match progress {
            // More than once where a step was delegated: its sublayout wants links of its own.
            Progress::Evidence(gathering) => {
                let admitted = gather(gathering.request(), directory);
                gathering.supply(admitted)?
            }
            // Commands that the layout wants to run now, here. `true` is how layouts ask for their rules to be applied to what is in hand;
            // anything else is code of others, and a verifier that does not run it says so: the verdict is then undecided, not verified.
            Progress::Inspections(inspecting) => {
                let answers = inspecting.requests().iter().map(|wanted| match wanted.run() {
                    [command] if command == "true" => wanted.done(0, in_hand.clone(), in_hand.clone()),
                    _ => wanted.not_run("nothing but `true` is run here"),
                });
                let answers: Vec<_> = answers.collect();
                return Ok(inspecting.supply(answers)?);
            }
            Progress::Decided(verdict) => return Ok(verdict),
        };
    }
}

/// Reads what the session wants. Absent files are left out; that a link is missing, and whether it matters, is for the session to find.
fn gather(request: &EvidenceRequest, directory: &Path) -> Vec<Admitted> {
    let mut admitted = Vec::new();
    for file in request.files() {
        admitted.extend(admit(file, directory));
    }
    // Links by certificates (ITE-7) cannot be named beforehand: who may sign, only they say. Every driver of a session must look for them.
    for search in request.searches() {
        let place = search
            .directory()
            .iter()
            .fold(directory.to_owned(), |at, name| at.join(name));
        let entries = match fs::read_dir(&place) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.and_then(Iterator::collect::<Result<Vec<_>, _>>),
        };
        match entries {
            Ok(entries) => {
                let names = entries.iter().filter_map(|entry| entry.file_name().into_string().ok());
                let files = names.filter_map(|name| search.file(&name));
                // One more than is taken, so that too many are noticed and not all of them read.
                admitted.extend(
                    files
                        .take(search.limit() + 1)
                        .filter_map(|file| admit(&file, directory)),
                );
            }
            Err(error) => admitted.push(search.unreadable(error.to_string())),
        }
    }
    admitted
}

/// Verifies the file's signatures: the expensive part, and a pure function, so that a thread pool may do it.
fn admit(file: &EvidenceFile, directory: &Path) -> Option<Admitted> {
    let place = file
        .directory()
        .iter()
        .fold(directory.to_owned(), |at, name| at.join(name));
    match fs::read(place.join(file.name())) {
        Ok(bytes) => Some(file.admit(&bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => Some(file.unreadable(error.to_string())),
    }
}

/// The verdict as text. Codes are stable and for machines; messages are for people.
pub(crate) fn said(verdict: &Verdict) -> String {
    let mut text = String::new();
    for finding in verdict.findings() {
        text += &format!("{}: {}: {}\n", finding.severity, finding.code, finding.message);
    }
    text + &format!("{}\n", verdict.outcome())
}
