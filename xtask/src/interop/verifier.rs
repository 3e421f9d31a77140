//! Who judges a chain, each by its own command line.

use camino::Utf8Path;

use super::{Chain, World};
use crate::failure::{Context, Failure};
use crate::process::{Ended, Run};

/// An implementation's verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verifier {
    /// `cargo-intoto verify`
    Ours,
    /// The same program under the name `in-toto-verify`.
    ByName,
    /// `in-toto-verify`
    Python,
    /// `in-toto-golang verify`
    Go,
}

/// What a verifier can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Exit code 0.
    Verified,
    /// Exit code 1.
    Refused,
    /// Ours alone tells this from a refusal: something that a decision needs is missing.
    Undecided,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Undecided => "undecided",
        }
    }
}

/// A verdict, and what the verifier printed.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    pub(crate) output: String,
}

impl Verifier {
    pub(crate) const ALL: [Self; 4] = [Self::Ours, Self::ByName, Self::Python, Self::Go];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::ByName => "by name",
            Self::Python => "Python",
            Self::Go => "Go",
        }
    }

    /// Judges the chain and the artifacts that a consumer holds, in a directory that contains nothing else.
    pub(crate) fn judge(self, world: &World, chain: &Chain) -> Result<Judgement, Failure> {
        let consumer = world.directory("consumer")?;
        for artifact in &chain.artifacts {
            let name = artifact.file_name().unwrap_or_default();
            std::fs::copy(artifact, consumer.join(name)).context(format!("copy {artifact}"))?;
        }
        let ended = self.run(world, chain, &consumer)?;
        Ok(Judgement {
            verdict: self.verdict(&ended)?,
            output: ended.tail(),
        })
    }

    fn run(self, world: &World, chain: &Chain, consumer: &Utf8Path) -> Result<Ended, Failure> {
        match self {
            Self::Ours => {
                let names = chain.artifacts.iter().filter_map(|artifact| artifact.file_name());
                world
                    .product()
                    .arg("verify")
                    .arg("--layout")
                    .arg(&chain.layout)
                    .arg("--key")
                    .arg(&chain.owner)
                    .arg("--link-dir")
                    .arg(&chain.links)
                    .args(names)
            }
            Self::ByName | Self::Python => self
                .in_toto_verify(world)
                .arg("--layout")
                .arg(&chain.layout)
                .arg("--verification-keys")
                .arg(&chain.owner)
                .arg("--link-dir")
                .arg(&chain.links),
            Self::Go => Run::new(world.tools.go("in-toto-golang"))
                .arg("verify")
                .arg("--layout")
                .arg(&chain.layout)
                .arg("--layout-keys")
                .arg(&chain.owner)
                .arg("--link-dir")
                .arg(&chain.links),
        }
        .directory(consumer)
        .keep()
    }

    /// The two programs that take the same flags.
    fn in_toto_verify(self, world: &World) -> Run {
        match self {
            Self::ByName => world.by_name("in-toto-verify"),
            _ => Run::new(world.tools.python("in-toto-verify")),
        }
    }

    /// What the exit code means; one that means none of them (a crash, bad usage) is a failure of the test itself.
    fn verdict(self, ended: &Ended) -> Result<Verdict, Failure> {
        match (self, ended.code) {
            (_, Some(0)) => Ok(Verdict::Verified),
            (_, Some(1)) => Ok(Verdict::Refused),
            (Self::Ours, Some(3)) => Ok(Verdict::Undecided),
            (_, code) => Err(Failure::new(format!(
                "{} gave no verdict (exit code {code:?})\n{}",
                self.name(),
                ended.tail()
            ))),
        }
    }
}
