//! The step `fetch`: the tree as it is, and every locked package checked on disk.

use serde_json::{Map, Value, json};

use crate::collect::dependencies::{self, PackageKind, Report, Selection};
use crate::collect::hash::hex;
use crate::collect::{originals, outside};
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::plan::{self, StepPlan};
use crate::recording::repair::repair;
use crate::recording::{Artifacts, Context, Observed, Step, cargo_run};
use crate::workspace::lock::Lock;
use crate::workspace::{Workspace, WorkspaceArgs};

/// As many problems are named one by one.
const NAMED: usize = 20;

/// `cargo fetch`, and what may be done about what is found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fetch {
    /// Whether packages that differ are removed, so that cargo makes them anew.
    pub repair: bool,
    /// Whether vendored files without a `.crate` to compare with are recorded as sources of the workspace.
    pub vendored_as_source: bool,
}

impl Step for Fetch {
    fn name(&self) -> &str {
        "fetch"
    }

    fn starts_run(&self) -> bool {
        true
    }

    fn compiles(&self) -> bool {
        false
    }

    fn repairs(&self) -> bool {
        self.repair
    }

    fn plan(&self, context: &Context<'_>) -> Result<StepPlan, CliError> {
        plan::fetch(&context.words)
    }

    fn perform(&self, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        let workspace = selected(context)?;
        cargo_run::plain(context, plan)?;
        let report = self.established(context, &workspace, plan)?;
        if Lock::read(&workspace.lock_path())?.sha256() != context.workspace.lock.sha256() {
            return Err(
                CliError::refused(CargoCode::LockChanged, "Cargo.lock changed while `fetch` ran")
                    .hint("run `cargo intoto fetch` again"),
            );
        }
        let mut products = Artifacts::default();
        for (purl, digest) in report.established() {
            if let Some(sha256) = digest.sha256() {
                products.insert(purl.as_str(), sha256)?;
            }
        }
        let counts = report.counts();
        context.ui.status(
            "Verified",
            format!("{} packages, {} files", counts.packages, counts.verified),
        );
        Ok(Some(Observed {
            materials: materials(context)?,
            products,
            byproducts: byproducts(context, &report),
            environment: Map::new(),
            documents: Vec::new(),
        }))
    }
}

impl Fetch {
    /// The report on packages that are all what they should be.
    fn established(&self, context: &Context<'_>, workspace: &Workspace, plan: &StepPlan) -> Result<Report, CliError> {
        let check = || dependencies::check(workspace, Selection::All, &context.checking());
        let mut report = check()?;
        if self.repair && repair(context, workspace, &report)? {
            cargo_run::plain(context, plan)?;
            report = check()?;
        }
        if report.unverified().next().is_some() && !context.flags.offline {
            context.ui.status("Fetching", "the .crates behind vendored sources");
            match originals::fetch(workspace, &context.configuration, &context.cargo) {
                Ok(()) => report = check()?,
                Err(error) if self.vendored_as_source => context.ui.warn(error),
                Err(error) => context.ui.error(&error),
            }
        }
        if self.vendored_as_source {
            for package in report.unverified() {
                context.ui.warn(format!(
                    "{} is recorded as source of this workspace, not as a package",
                    package.purl
                ));
            }
            report.take_vendored_as_source();
        }
        explain(context, &report);
        report.require_sound()?;
        Ok(report)
    }
}

/// The packages for the selected platforms; all of them when none is selected.
fn selected(context: &Context<'_>) -> Result<Workspace, CliError> {
    if context.flags.targets.is_empty() {
        return Ok(context.workspace.clone());
    }
    let args = WorkspaceArgs {
        manifest_path: context.flags.manifest_path.clone(),
        offline: context.flags.offline,
        platforms: context.flags.targets.clone(),
        cargo_flags: context.flags.for_metadata(),
        members_only: false,
    };
    Workspace::load(&args, context.cargo.program())
}

/// Says what is wrong, file by file.
fn explain(context: &Context<'_>, report: &Report) {
    for (package, problem) in report.problems().take(NAMED) {
        let verb = match problem.difference.as_ref().map(|difference| difference.kind) {
            Some(dependencies::DifferenceKind::Modified) => "Modified",
            Some(dependencies::DifferenceKind::Missing) => "Missing",
            Some(dependencies::DifferenceKind::Extra) => "Extra",
            None => "Refused",
        };
        let what = problem
            .difference
            .as_ref()
            .map_or(problem.message.as_str(), |difference| difference.path.as_str());
        context
            .ui
            .refusal(verb, escape(&format!("{} {what} [{}]", package.purl, problem.code)));
    }
    let more = report.problems().count().saturating_sub(NAMED);
    if more > 0 {
        context.ui.refusal("…", format!("and {more} more"));
    }
}

/// File names come from disk and may try to write to the terminal.
fn escape(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect()
}

fn materials(context: &Context<'_>) -> Result<Artifacts, CliError> {
    let mut materials = Artifacts::default();
    for (path, sha256) in context.tree.materials()? {
        materials.insert(&context.naming.artifact(path.into()), sha256)?;
    }
    for (path, sha256) in outside::files(&context.workspace, &context.configuration, &context.hashing())? {
        materials.insert(&context.naming.artifact(&path), sha256)?;
    }
    Ok(materials)
}

fn byproducts(context: &Context<'_>, report: &Report) -> Map<String, Value> {
    let counts = report.counts();
    let of = |kind| report.packages.iter().filter(|package| package.kind == kind).count();
    let mut byproducts = Map::new();
    byproducts.insert(
        "packages".to_owned(),
        json!({
            "registry": of(PackageKind::Registry),
            "git": of(PackageKind::Git),
            "vendored": of(PackageKind::Vendored),
        }),
    );
    byproducts.insert(
        "files".to_owned(),
        json!({
            "verified": counts.verified,
            "modified": counts.modified,
            "extra": counts.extra,
            "missing": counts.missing,
        }),
    );
    byproducts.insert("tree".to_owned(), json!(hex(&context.tree.digest())));
    byproducts
}
