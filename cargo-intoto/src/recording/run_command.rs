//! Any other step: a command with the files that the user names.

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::hash;
use crate::collect::walk::Walk;
use crate::error::CliError;
use crate::exec::any;
use crate::finding::CargoCode;
use crate::plan::{MaterialQuery, ProductQuery, StepPlan};
use crate::recording::{Artifacts, Context, Observed, Step, cargo_run};

/// `run --step NAME -m PATH… -p PATH… -- COMMAND`.
#[derive(Debug, Clone)]
pub struct RunCommand {
    /// The step's name.
    pub step: String,
    /// Files and directories to hash before the command.
    pub materials: Vec<Utf8PathBuf>,
    /// Files and directories to hash after it.
    pub products: Vec<Utf8PathBuf>,
    /// The program and its arguments.
    pub command: Vec<String>,
}

impl Step for RunCommand {
    fn name(&self) -> &str {
        &self.step
    }

    fn compiles(&self) -> bool {
        false
    }

    fn plan(&self, _context: &Context<'_>) -> Result<StepPlan, CliError> {
        Ok(StepPlan {
            step: self.step.clone(),
            command: self.command.clone(),
            arguments: Vec::new(),
            environment: Vec::new(),
            materials: MaterialQuery::Paths(self.materials.clone()),
            products: ProductQuery::Paths(self.products.clone()),
        })
    }

    fn perform(&self, context: &Context<'_>, _plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or_else(|| CliError::usage("there is no command to run"))?;
        let materials = artifacts(context, &self.materials, &|name| {
            CliError::usage(format!("there is no file or directory {name} to be a material"))
        })?;
        let ended = any::run(program, arguments)?;
        cargo_run::check(ended, &self.step)?;
        let products = artifacts(context, &self.products, &|name| {
            CliError::refused(
                CargoCode::ProductMissing,
                format!("`{}` made no file or directory {name}", self.step),
            )
        })?;
        Ok(Some(Observed {
            materials,
            products,
            ..Observed::default()
        }))
    }
}

/// The files at the paths, and those below the directories among them, whether git ignores them or not.
fn artifacts(
    context: &Context<'_>,
    paths: &[Utf8PathBuf],
    missing: &dyn Fn(&str) -> CliError,
) -> Result<Artifacts, CliError> {
    let mut files = Vec::new();
    for path in paths {
        let path = absolute(path)?;
        if path.is_dir() {
            // The recorder's own files are no part of anybody's step.
            let own = [
                context
                    .run
                    .directory()
                    .parent()
                    .unwrap_or(context.run.directory())
                    .to_owned(),
                path.join(".git"),
            ];
            files.extend(
                Walk::everything_below(&path)
                    .skipping(&own)
                    .files()?
                    .into_iter()
                    .map(|file| path.join(file)),
            );
        } else if path.is_file() {
            files.push(path);
        } else {
            return Err(missing(&context.naming.artifact(&path)));
        }
    }
    let mut artifacts = Artifacts::default();
    for (path, digest) in hash::files(&files, &context.hashing())? {
        artifacts.insert(&context.naming.artifact(&path), digest)?;
    }
    Ok(artifacts)
}

/// Relative paths are the user's, who may stand in a directory below the workspace's root.
fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, CliError> {
    std::path::absolute(path)
        .ok()
        .and_then(|path| Utf8PathBuf::try_from(path).ok())
        .ok_or_else(|| CliError::usage(format!("{path} is no usable path")))
}
