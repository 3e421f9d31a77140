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
    /// `in-toto-verify`
    Python,
    /// `in-toto-golang verify`
    Go,
}

/// A verdict, and what the verifier printed.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) accepts: bool,
    pub(crate) output: String,
}

impl Verifier {
    pub(crate) const ALL: [Self; 3] = [Self::Ours, Self::Python, Self::Go];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
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
            accepts: self.accepts(&ended)?,
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
            Self::Python => Run::new(world.tools.python("in-toto-verify"))
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

    /// Whether it accepted; an exit code that means neither yes nor no (a crash, bad usage) is a failure of the test itself.
    fn accepts(self, ended: &Ended) -> Result<bool, Failure> {
        match (self, ended.code) {
            (_, Some(0)) => Ok(true),
            (_, Some(1)) => Ok(false),
            (_, code) => Err(Failure::new(format!(
                "{} decided nothing (exit code {code:?})\n{}",
                self.name(),
                ended.tail()
            ))),
        }
    }
}
