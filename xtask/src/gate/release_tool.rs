//! The tools that people release with.

use camino::{Utf8Path, Utf8PathBuf};

use super::server::TOKEN;
use crate::failure::Failure;
use crate::interop::World;
use crate::process::Run;
use crate::root::Root;
use crate::tools;

/// A way to publish all crates of a workspace.
#[derive(Debug, Clone)]
pub(super) enum ReleaseTool {
    /// `cargo publish -p`, once per crate.
    CargoOneByOne,
    /// `cargo publish --workspace`
    CargoWorkspace,
    /// `cargo intoto publish --workspace`
    Ours,
    /// `release-plz release`
    ReleasePlz(Utf8PathBuf),
    /// `cargo release publish`
    CargoRelease(Utf8PathBuf),
}

impl ReleaseTool {
    /// Every tool, installed; `full` for those that must be compiled.
    pub(super) fn all(root: &Root, world: &World, full: bool) -> Result<Vec<Self>, Failure> {
        let mut all = vec![
            Self::CargoOneByOne,
            Self::CargoWorkspace,
            Self::Ours,
            Self::ReleasePlz(world.tools.python("release-plz")),
        ];
        if full {
            all.push(Self::CargoRelease(tools::cargo_tool(root, "cargo-release")?));
        }
        Ok(all)
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::CargoOneByOne => "cargo publish",
            Self::CargoWorkspace => "cargo publish --workspace",
            Self::Ours => "cargo intoto publish",
            Self::ReleasePlz(_) => "release-plz release",
            Self::CargoRelease(_) => "cargo release publish",
        }
    }

    /// Whether cargo sees all crates at once, so that none is uploaded when one of them is refused.
    pub(super) fn is_all_or_nothing(&self) -> bool {
        matches!(self, Self::CargoWorkspace | Self::Ours | Self::CargoRelease(_))
    }

    /// Whether the project's code runs while a token is about.
    pub(super) fn verifies_by_building(&self) -> bool {
        !matches!(self, Self::Ours)
    }

    /// The commands that publish the crates `names`, which are all of them or, when it goes on, those that are not up.
    pub(super) fn commands(&self, world: &World, tree: &Utf8Path, names: &[&str]) -> Vec<Run> {
        let packages = |run: Run| names.iter().fold(run, |run, name| run.args(["--package", name]));
        let runs = match self {
            Self::CargoOneByOne => names
                .iter()
                .map(|name| world.command("cargo").args(["publish", "--package", name]))
                .collect(),
            Self::CargoWorkspace if names.len() > 1 => vec![world.command("cargo").args(["publish", "--workspace"])],
            Self::CargoWorkspace => vec![packages(world.command("cargo").arg("publish"))],
            Self::Ours => vec![world.product().args(["publish", "--workspace"])],
            // It finds out by itself what is published already.
            Self::ReleasePlz(program) => vec![
                world
                    .command(program)
                    .args(["release", "--forge", "gitea", "--git-token", "none"])
                    .env("NO_COLOR", "1"),
            ],
            Self::CargoRelease(program) => {
                let run = world
                    .command(program)
                    .args(["release", "publish", "--execute", "--no-confirm"]);
                vec![packages(run)]
            }
        };
        runs.into_iter()
            .map(|run| run.directory(tree).env("CARGO_REGISTRIES_HERE_TOKEN", TOKEN))
            .collect()
    }
}
