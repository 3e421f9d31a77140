//! Keys that are neither in files nor GnuPG's, as one kind of thing: found before a step runs, opened after it.

use std::time::Duration;

use intoto_core::key::Signer;

use crate::error::CliError;
use crate::signing::agent::AgentKey;
use crate::signing::process::ProcessKey;
use crate::signing::variable::VariableKey;

/// How long a helper or an agent may take for an errand, in seconds.
const VARIABLE: &str = "CARGO_INTOTO_SIGNER_TIMEOUT";
/// Long enough to find a token and touch it.
const DEFAULT_SECONDS: u64 = 60;
const MAX_SECONDS: u64 = 3600;

/// A key that was chosen by its URI, and is still closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherKey {
    /// In an environment variable.
    Variable(VariableKey),
    /// Behind a helper that signs.
    Process(ProcessKey),
    /// In an SSH agent.
    Agent(AgentKey),
}

impl OtherKey {
    /// Finds what a URI of these schemes names, reading no secret and starting nothing; `None` for other schemes.
    pub(super) fn find(scheme: &str, rest: &str) -> Result<Option<Self>, CliError> {
        Ok(Some(match scheme {
            "env" => Self::Variable(VariableKey::find(rest)?),
            "process" => Self::Process(ProcessKey::find(rest)?),
            "ssh-agent" => Self::Agent(AgentKey::find(rest)?),
            _ => return Ok(None),
        }))
    }

    /// The URI.
    pub fn name(&self) -> String {
        match self {
            Self::Variable(key) => key.name(),
            Self::Process(key) => key.name(),
            Self::Agent(key) => key.name(),
        }
    }

    /// Reads the key, or asks whoever holds it. Call it when no process of a recorded command is left.
    pub fn open(&self) -> Result<Box<dyn Signer>, CliError> {
        match self {
            Self::Variable(key) => key.open(),
            Self::Process(key) => key.open(),
            Self::Agent(key) => Ok(Box::new(key.clone())),
        }
    }
}

/// How long a helper or an agent may take for an errand.
pub(super) fn time_limit() -> Result<Duration, CliError> {
    let seconds = match std::env::var(VARIABLE) {
        Ok(text) => text
            .parse()
            .ok()
            .filter(|seconds| (1..=MAX_SECONDS).contains(seconds))
            .ok_or_else(|| CliError::usage(format!("{VARIABLE} is not a number of seconds from 1 to {MAX_SECONDS}")))?,
        Err(_) => DEFAULT_SECONDS,
    };
    Ok(Duration::from_secs(seconds))
}
