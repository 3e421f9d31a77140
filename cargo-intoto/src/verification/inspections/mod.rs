//! Inspections: what a layout wants done with the artifacts in hand. `true` and the unpacking of an artifact are done in
//! process; anything else is a command of somebody else's choosing, and runs only if the user says so.

mod archive;
mod command;
mod scratch;

use camino::Utf8Path;
use intoto_core::artifacts::Artifacts;
use intoto_core::digest::DigestSet;
use intoto_core::path::ArtifactPath;
use intoto_core::verify::{InspectionAnswer, InspectionRequest};

use self::archive::{Compression, Unpack};
use self::command::{Command, recognise};
use self::scratch::Scratch;
use super::{Artifact, Commands};
use crate::error::CliError;
use crate::exec::inspection::{self, Ended};

/// What tar returns when it fails.
const TAR_FAILED: i64 = 2;

/// Carries out the inspections, one after the other, in one scratch directory.
///
/// # Errors
/// When the machine fails; what an inspection does is an answer.
pub(super) fn carry_out(
    requests: &[InspectionRequest],
    artifacts: &[Artifact],
    commands: Commands,
) -> Result<Vec<InspectionAnswer>, CliError> {
    let only_looks = requests.iter().all(|request| match recognise(request.run()) {
        Command::True => true,
        Command::Untar { .. } => false,
        Command::Other => !may_run(request, commands),
    });
    let scratch = if only_looks {
        Scratch::untouched(artifacts)
    } else {
        Scratch::directory(artifacts)?
    };
    let answers = requests
        .iter()
        .map(|request| answer(request, &scratch, commands))
        .collect::<Result<Vec<_>, _>>()?;
    scratch.close()?;
    Ok(answers)
}

/// Whether a command that is not done in process may run: never one that a functionary put into a sublayout, because no owner
/// has seen it.
fn may_run(request: &InspectionRequest, commands: Commands) -> bool {
    matches!(commands, Commands::Run { .. }) && request.is_owner_signed()
}

fn answer(request: &InspectionRequest, scratch: &Scratch, commands: Commands) -> Result<InspectionAnswer, CliError> {
    let materials = match list(scratch)? {
        Ok(materials) => materials,
        Err(reason) => return Ok(request.not_run(reason)),
    };
    let did = match (recognise(request.run()), scratch.path()) {
        (Command::True, _) => Did::Ended(0),
        (Command::Untar { file, compression }, Some(directory)) => untar(file, compression, directory),
        (Command::Other, Some(directory)) if may_run(request, commands) => run(request.run(), directory, commands)?,
        _ => Did::NotRun(refused(request, commands)),
    };
    match did {
        Did::NotRun(reason) => Ok(request.not_run(reason)),
        Did::Ended(return_value) => Ok(match list(scratch)? {
            Ok(products) => request.done(return_value, materials, products),
            Err(reason) => request.not_run(reason),
        }),
    }
}

enum Did {
    Ended(i64),
    NotRun(String),
}

fn untar(file: &str, compression: Compression, directory: &Utf8Path) -> Did {
    let path = directory.join(file);
    if !path.is_file() {
        // As tar does, whose words about it nobody sees.
        return Did::Ended(TAR_FAILED);
    }
    match archive::unpack(&path, compression, directory) {
        Ok(()) => Did::Ended(0),
        Err(Unpack::Broken(_)) => Did::Ended(TAR_FAILED),
        Err(unpack @ (Unpack::Unsupported(_) | Unpack::Io(_))) => {
            Did::NotRun(format!("{file} was not unpacked: {unpack}"))
        }
    }
}

fn run(argv: &[String], directory: &Utf8Path, commands: Commands) -> Result<Did, CliError> {
    let Commands::Run { limit } = commands else {
        return Ok(Did::NotRun("commands are not run".to_owned()));
    };
    Ok(match inspection::run(argv, directory, limit)? {
        Ended::With(code) => Did::Ended(code),
        Ended::TimedOut => Did::NotRun(format!("it was still running after {} seconds", limit.as_secs())),
        Ended::NotStarted(reason) => Did::NotRun(format!("it could not be started: {reason}")),
    })
}

fn refused(request: &InspectionRequest, commands: Commands) -> String {
    match commands {
        Commands::Run { .. } if !request.is_owner_signed() => {
            "commands of sublayouts are never run, because no owner has signed them".to_owned()
        }
        _ => "commands other than `true` and `tar xzf FILE` run only with --run-inspections".to_owned(),
    }
}

/// What is in the scratch directory now, or why it cannot be told in a link's terms.
fn list(scratch: &Scratch) -> Result<Result<Artifacts, String>, CliError> {
    let mut artifacts = Vec::new();
    for (name, sha256) in scratch.list()? {
        match name.parse::<ArtifactPath>() {
            Ok(path) => artifacts.push((path, DigestSet::from_sha256(sha256))),
            Err(error) => return Ok(Err(format!("{name:?} cannot be the name of an artifact: {error}"))),
        }
    }
    Ok(Ok(artifacts.into_iter().collect()))
}
