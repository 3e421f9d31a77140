//! Inspections: what a layout wants done with the artifacts in hand. `true` and the unpacking of an artifact are done in
//! process; anything else is a command of somebody else's choosing, and runs only if the user says so.

mod archive;
mod budget;
mod command;
mod scratch;
#[cfg(test)]
mod tests;

use camino::Utf8Path;
use intoto_core::artifacts::Artifacts;
use intoto_core::digest::DigestSet;
use intoto_core::path::ArtifactPath;
use intoto_core::verify::{InspectionAnswer, InspectionRequest};

use self::archive::{Compression, Unpack};
use self::budget::{Beyond, Budget};
use self::command::{Command, recognise};
use self::scratch::Scratch;
use super::{Artifact, Commands};
use crate::error::CliError;
use crate::exec::inspection::{self, Ended};

/// What tar returns when it fails.
const TAR_FAILED: i64 = 2;

/// Carries out the inspections, one after the other, in one scratch directory, until one fails.
///
/// # Errors
/// When the machine fails; what an inspection does is an answer.
pub(super) fn carry_out(
    requests: &[InspectionRequest],
    artifacts: &[Artifact],
    commands: Commands,
) -> Result<Vec<InspectionAnswer>, CliError> {
    within(Budget::default(), requests, artifacts, commands)
}

fn within(
    budget: Budget,
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
    let mut workshop = Workshop {
        scratch,
        commands,
        budget,
        listed: None,
        is_ours: true,
    };
    let mut answers = Vec::with_capacity(requests.len());
    let mut requests = requests.iter();
    for request in requests.by_ref() {
        let (answer, goes_on) = match workshop.carry_out(request) {
            Ok(Done {
                code,
                materials,
                products,
            }) => (request.done(code, materials, products), code == 0),
            Err(Undone::NotRun(reason)) => (request.not_run(reason), true),
            Err(Undone::Beyond(reason)) => (request.beyond_limit(reason), false),
            Err(Undone::Failed(error)) => return Err(error),
        };
        answers.push(answer);
        if !goes_on {
            break;
        }
    }
    // As in the reference implementation: nothing that comes later makes good for it.
    answers.extend(requests.map(|request| request.not_run("one before it did not succeed")));
    workshop.scratch.close()?;
    Ok(answers)
}

/// Whether a command that is not done in process may run: never one that a functionary put into a sublayout, because no owner
/// has seen it.
fn may_run(request: &InspectionRequest, commands: Commands) -> bool {
    matches!(commands, Commands::Run { .. }) && request.is_owner_signed()
}

/// Where inspections are carried out.
struct Workshop {
    scratch: Scratch,
    commands: Commands,
    budget: Budget,
    /// What is there, as long as nothing can have changed it.
    listed: Option<Artifacts>,
    /// Whether nothing but this program has worked here: what somebody else's command has started may go on when it has ended.
    is_ours: bool,
}

/// What an inspection did, and what was there before and after.
struct Done {
    code: i64,
    materials: Artifacts,
    products: Artifacts,
}

/// Why an inspection came to no end.
enum Undone {
    NotRun(String),
    /// It asks for more than all of them may take.
    Beyond(String),
    /// The machine failed.
    Failed(CliError),
}

impl From<Beyond> for Undone {
    fn from(beyond: Beyond) -> Self {
        Self::Beyond(beyond.to_string())
    }
}

impl From<CliError> for Undone {
    fn from(error: CliError) -> Self {
        Self::Failed(error)
    }
}

impl Workshop {
    fn carry_out(&mut self, request: &InspectionRequest) -> Result<Done, Undone> {
        let command = recognise(request.run());
        if command == Command::Other && !may_run(request, self.commands) {
            return Err(Undone::NotRun(refused(request, self.commands)));
        }
        let materials = self.list()?;
        let code = self.run(request, command)?;
        Ok(Done {
            code,
            materials,
            products: self.list()?,
        })
    }

    fn run(&mut self, request: &InspectionRequest, command: Command<'_>) -> Result<i64, Undone> {
        let directory = match (&command, self.scratch.path()) {
            (Command::True, _) => return Ok(0),
            (_, Some(directory)) => directory,
            (_, None) => return Err(Undone::NotRun(refused(request, self.commands))),
        };
        self.listed = None;
        if let Command::Untar { file, compression } = command {
            return untar(file, compression, directory, &self.budget);
        }
        self.is_ours = false;
        run(request.run(), directory, self.commands)
    }

    /// What is in the scratch directory now, in a link's terms.
    fn list(&mut self) -> Result<Artifacts, Undone> {
        if let Some(listed) = &self.listed {
            // Every list is kept until all rules are judged.
            self.budget.names(listed.len())?;
            return Ok(listed.clone());
        }
        let artifact = |(name, sha256): (String, [u8; 32])| match name.parse::<ArtifactPath>() {
            Ok(path) => Ok((path, DigestSet::from_sha256(sha256))),
            Err(error) => Err(Undone::NotRun(format!(
                "{name:?} cannot be the name of an artifact: {error}"
            ))),
        };
        let names = self.scratch.list(&self.budget)?.into_iter();
        let listed: Artifacts = names.map(artifact).collect::<Result<_, _>>()?;
        self.listed = self.is_ours.then(|| listed.clone());
        Ok(listed)
    }
}

fn untar(file: &str, compression: Compression, directory: &Utf8Path, budget: &Budget) -> Result<i64, Undone> {
    let path = directory.join(file);
    if !path.is_file() {
        // As tar does, whose words about it nobody sees.
        return Ok(TAR_FAILED);
    }
    match archive::unpack(&path, compression, directory, budget) {
        Ok(()) => Ok(0),
        Err(Unpack::Broken(_)) => Ok(TAR_FAILED),
        Err(Unpack::Beyond(beyond)) => Err(beyond.into()),
        Err(unpack @ (Unpack::Unsupported(_) | Unpack::Io(_))) => {
            Err(Undone::NotRun(format!("{file} was not unpacked: {unpack}")))
        }
    }
}

fn run(argv: &[String], directory: &Utf8Path, commands: Commands) -> Result<i64, Undone> {
    let Commands::Run { limit } = commands else {
        return Err(Undone::NotRun("commands are not run".to_owned()));
    };
    match inspection::run(argv, directory, limit)? {
        Ended::With(code) => Ok(code),
        Ended::TimedOut => {
            let reason = format!("it was still running after {} seconds", limit.as_secs());
            Err(Undone::NotRun(reason))
        }
        Ended::NotStarted(reason) => Err(Undone::NotRun(format!("it could not be started: {reason}"))),
    }
}

fn refused(request: &InspectionRequest, commands: Commands) -> String {
    match commands {
        Commands::Run { .. } if !request.is_owner_signed() => {
            "commands of sublayouts are never run, because no owner has signed them".to_owned()
        }
        _ => "commands other than `true` and `tar xzf FILE` run only with --run-inspections".to_owned(),
    }
}
