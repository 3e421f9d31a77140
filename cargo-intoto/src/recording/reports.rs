//! What tools beside cargo said, as materials of a later step: so a package follows a check that passed, and not just stands beside it.

use std::collections::{BTreeMap, BTreeSet};

use intoto_core::layout::Rule;

use crate::collect::hash;
use crate::error::CliError;
use crate::layout_source::{LayoutSource, StepSource};
use crate::plan::REPORTS;
use crate::recording::{Artifacts, Context, Document};

/// Where a workspace keeps the source of its layout.
const LAYOUT: &str = "layouts/release.toml";

/// The reports that a step has as materials: those that its layout requires there by name, and no others.
#[derive(Debug, Clone, Default)]
pub struct Reports {
    /// The file names; without any, the workspace's own layout is asked about its package steps.
    required: Option<BTreeSet<String>>,
    /// What was made just now and is not in the run yet.
    made: BTreeMap<String, [u8; 32]>,
}

impl Reports {
    /// The reports that `step` requires, some of which may have been made just now.
    pub fn of_step<'d>(step: &StepSource, made: impl IntoIterator<Item = &'d Document>) -> Self {
        Self {
            required: Some(required(step).collect()),
            made: made
                .into_iter()
                .map(|document| (document.name.clone(), document.sha256()))
                .collect(),
        }
    }

    /// Adds the reports to the materials.
    ///
    /// # Errors
    /// When one is not there: the tool has not run, or has not passed.
    pub(super) fn add(&self, context: &Context<'_>, materials: &mut Artifacts) -> Result<(), CliError> {
        let required = match &self.required {
            Some(required) => required.clone(),
            None => required_by_workspace(context)?,
        };
        for name in required {
            let path = context.run.directory().join(&name);
            let digest = match self.made.get(&name) {
                Some(digest) => *digest,
                None if path.is_file() => hash::file(&path, None, &context.hashing())?.sha256,
                None => {
                    let tool = name.split(['-', '.']).next().unwrap_or_default();
                    return Err(CliError::cannot_decide(format!(
                        "the layout wants {REPORTS}/{name} before this step, and run {} has none",
                        context.run.id()
                    ))
                    .hint(format!("`cargo intoto {tool}` makes it, when the tool passes")));
                }
            };
            materials.insert(&format!("{REPORTS}/{name}"), digest)?;
        }
        Ok(())
    }
}

fn required_by_workspace(context: &Context<'_>) -> Result<BTreeSet<String>, CliError> {
    let path = context.workspace.root.join(LAYOUT);
    if !path.is_file() {
        return Ok(BTreeSet::new());
    }
    let source = LayoutSource::parse(&path)?;
    let packages = |step: &&StepSource| matches!(step.command.as_slice(), [cargo, package, ..] if cargo == "cargo" && package == "package");
    Ok(source.steps().iter().filter(packages).flat_map(required).collect())
}

/// The file names of the reports that the material rules of `step` require.
fn required(step: &StepSource) -> impl Iterator<Item = String> {
    step.materials.iter().filter_map(|rule| match &rule.rule {
        Rule::Require { artifact } => artifact
            .strip_prefix(REPORTS)?
            .strip_prefix('/')
            .filter(|name| !name.contains('/'))
            .map(str::to_owned),
        _ => None,
    })
}
