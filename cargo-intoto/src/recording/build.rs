//! The step `build`.

use camino::Utf8Path;

use crate::collect::hash;
use crate::error::CliError;
use crate::exec::messages::{Artifact, Messages};
use crate::finding::CargoCode;
use crate::plan::{self, StepPlan};
use crate::recording::units::Units;
use crate::recording::{Artifacts, Context, Observed, Step, cargo_run, environment, inputs};

/// `cargo build` in an empty private build directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Build;

impl Step for Build {
    fn name(&self) -> &str {
        "build"
    }

    fn plan(&self, context: &Context<'_>) -> Result<StepPlan, CliError> {
        plan::build(&context.words, &context.run.build_directory())
    }

    fn perform(&self, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        inputs::check_before(context)?;
        context.run.empty_build_directory()?;
        let messages = cargo_run::with_messages(context, plan, &mut cargo_run::PassOn)?;
        // Nothing is known yet, so a fresh unit is one that somebody else put there.
        let mut units = Units::default();
        let directory = context.run.build_directory();
        units.check_fresh(&messages.artifacts, &directory, &context.hashing())?;
        units.remember(&directory, &context.hashing())?;
        let inputs = inputs::collect(context, &messages)?;
        let products = products(context, &messages)?;
        units.store(&context.run)?;
        Ok(Some(Observed {
            byproducts: inputs.byproducts(context, &messages),
            materials: inputs.materials,
            products,
            environment: environment::of_compiling(context, "dev"),
            documents: Vec::new(),
        }))
    }
}

/// The final artifacts of workspace members, hashed as they lie on the disk.
fn products(context: &Context<'_>, messages: &Messages) -> Result<Artifacts, CliError> {
    let mut products = Artifacts::default();
    for artifact in messages.artifacts.iter().filter(|artifact| is_final(context, artifact)) {
        for path in artifact.filenames.iter().filter(|path| is_uplifted(context, path)) {
            // Debug symbols beside a program are a directory on some systems, and not what is handed out.
            if path.is_dir() {
                continue;
            }
            if !path.is_file() {
                return Err(missing(&format!(
                    "cargo announced {}, which is not there",
                    context.naming.artifact(path)
                )));
            }
            let digest = hash::file(path, None, &context.hashing())?.sha256;
            products.insert(&context.naming.artifact(path), digest)?;
        }
    }
    if products.is_empty() {
        return Err(missing("cargo build made no final artifact of a workspace member"));
    }
    Ok(products)
}

fn is_final(context: &Context<'_>, artifact: &Artifact) -> bool {
    !artifact.profile.test && context.workspace.is_member(&artifact.package_id.repr)
}

/// Whether a file lies where cargo puts final artifacts, and not in the run's build directory, which may be below that.
fn is_uplifted(context: &Context<'_>, path: &Utf8Path) -> bool {
    path.starts_with(&context.workspace.target_directory) && !path.starts_with(context.run.build_directory())
}

fn missing(message: &str) -> CliError {
    CliError::refused(CargoCode::ProductMissing, message)
}
