//! The frame around every step: what must be the same after it as before.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::collect::content::Mode;
use crate::collect::overrides;
use crate::collect::toolchain::Toolchain;
use crate::collect::{hash, walk};
use crate::error::CliError;
use crate::exec::process_group;
use crate::finding::CargoCode;
use crate::plan::{CargoFlags, ProductQuery, StepPlan};
use crate::recording::{Artifacts, Context, Settings, environment, repair};
use crate::store::LinkStore;
use crate::ui::Ui;

/// A kind of step.
pub trait Step {
    /// Its name in the layout.
    fn name(&self) -> &str;

    /// Whether it starts the run that later steps join.
    fn starts_run(&self) -> bool {
        false
    }

    /// Whether the toolchain makes what it makes.
    fn compiles(&self) -> bool {
        true
    }

    /// Whether it removes what is damaged in cargo's cache.
    fn repairs(&self) -> bool {
        false
    }

    /// Whether cargo or the compiler has a part in it, or a name may need to be told from a file of theirs.
    fn uses_toolchain(&self) -> bool {
        true
    }

    /// What it will do.
    ///
    /// # Errors
    /// When that cannot be done with these words in this workspace.
    fn plan(&self, context: &Context<'_>) -> Result<StepPlan, CliError>;

    /// Does it, and says what it saw; `None` when there was nothing to do and the step is left out.
    ///
    /// # Errors
    /// When it fails or must not be recorded.
    fn perform(&self, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError>;
}

/// What a step saw.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// What it used.
    pub materials: Artifacts,
    /// What it made.
    pub products: Artifacts,
    /// What else is worth knowing.
    pub byproducts: Map<String, Value>,
    /// What it ran in, beyond what every link says.
    pub environment: Map<String, Value>,
    /// Products that were read and are not on disk yet: they are put beside the links when these are signed.
    pub documents: Vec<Document>,
}

/// What a tool said, as a file of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The file's name.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl Document {
    /// The digest of its content.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

/// A step that succeeded, not signed yet.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The step's name.
    pub step: String,
    /// The command as the link records it.
    pub command: Vec<String>,
    /// What it saw.
    pub observed: Observed,
}

/// Performs `step` under `name` with `words`, checking that tree and links stay what they are while it runs.
///
/// `announce` is told the context and the plan before anything runs.
///
/// # Errors
/// When the step fails, or must not be recorded.
pub fn observe<'a>(
    name: &str,
    step: &dyn Step,
    ui: &'a Ui,
    words: &[String],
    settings: &Settings,
    announce: &mut dyn FnMut(&Context<'a>, &StepPlan) -> Result<(), CliError>,
) -> Result<(Context<'a>, Option<Outcome>), CliError> {
    process_group::forbid_inspection();
    let open = || Context::open(ui, words, settings, step.uses_toolchain());
    let context = match open() {
        Ok(context) => context,
        Err(error) => {
            let manifest_path = CargoFlags::parse(words)?.manifest_path;
            let repairs = step.repairs() && !settings.dry_run;
            repair::of_unread(ui, error, manifest_path.as_deref(), repairs)?;
            open()?
        }
    };
    let plan = step.plan(&context)?;
    announce(&context, &plan)?;
    if settings.dry_run {
        return Ok((context, None));
    }
    if step.starts_run() {
        context.run.start()?;
    } else {
        context.run.join()?;
    }
    let _lock = context.run.lock()?;
    ui.status("Recording", format!("{name} in run {}", context.run.id()));
    if settings.allow_wrapper {
        for found in &context.overrides {
            ui.warn(format!(
                "{} = {} ({}) is allowed and recorded",
                found.name, found.value, found.origin
            ));
        }
    } else {
        overrides::refuse(&context.overrides)?;
    }
    let links = links(&context)?;
    let programs = context
        .toolchain
        .as_ref()
        .filter(|_| step.compiles())
        .map(Toolchain::digests);
    let performed = step.perform(&context, &plan);
    if let Err(error) = &performed
        && error.code() == Some(CargoCode::CheckFailed)
    {
        withdraw(&context, name, &plan)?;
    }
    let Some(mut observed) = performed? else {
        return Ok((context, None));
    };
    if links_differ(&links, &context)? {
        return Err(CliError::refused(
            CargoCode::LinksChangedDuringStep,
            format!(
                "files in the link directory of the run changed while `{}` ran",
                step.name()
            ),
        )
        .hint("a build script or test writes there: look at what it does, then record the whole run again"));
    }
    tree_unchanged(&context, name, &observed.products)?;
    observed
        .environment
        .extend(environment::of_every_step(&context, programs));
    observed.byproducts.entry("return-value").or_insert(json!(0));
    let outcome = Outcome {
        step: name.to_owned(),
        command: context.naming.words(&plan.command),
        observed,
    };
    Ok((context, Some(outcome)))
}

/// Takes back what an earlier check of the same run said: what passed yesterday may fail today in the same tree.
fn withdraw(context: &Context<'_>, step: &str, plan: &StepPlan) -> Result<(), CliError> {
    let links = context.run.links();
    let earlier = links.names()?;
    let is_of_step = |name: &&String| {
        name.strip_prefix(step)
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|rest| rest.split('.').count() == 2)
    };
    for name in earlier.iter().filter(is_of_step) {
        links.supersede(name)?;
        context
            .ui
            .note(format!("the earlier link {name} of this run is withdrawn"));
    }
    if let ProductQuery::Report(report) = &plan.products {
        links.supersede(report)?;
    }
    Ok(())
}

/// The link files of the run, by name and digest.
fn links(context: &Context<'_>) -> Result<BTreeMap<Utf8PathBuf, [u8; 32]>, CliError> {
    let directory = context.run.directory();
    let own = [
        context.run.build_directory(),
        context.run.package_directory(),
        context.run.test_directory(),
        context.run.scratch(),
    ];
    let paths = walk::Walk::everything_below(directory).skipping(&own).files()?;
    let paths: Vec<Utf8PathBuf> = paths
        .into_iter()
        .map(|path| directory.join(path))
        .filter(|path| *path != context.run.units_file())
        .collect();
    Ok(hash::files(&paths, &context.hashing())?.into_iter().collect())
}

fn links_differ(before: &BTreeMap<Utf8PathBuf, [u8; 32]>, context: &Context<'_>) -> Result<bool, CliError> {
    Ok(links(context)? != *before)
}

/// Checks that the tree is what it was, but for the files that the step is there to make.
fn tree_unchanged(context: &Context<'_>, step: &str, products: &Artifacts) -> Result<(), CliError> {
    let after = context.tree.files_now(&context.workspace, &context.hashing())?;
    let before = context.tree.files();
    if after == *before {
        return Ok(());
    }
    let differing = before.iter().filter(|(path, file)| after.get(*path) != Some(file));
    let added = after.keys().filter(|path| !before.contains_key(*path));
    let (made, changed): (Vec<&str>, Vec<&str>) = differing
        .map(|(path, _)| path)
        .chain(added)
        .map(String::as_str)
        .partition(|path| {
            // A user may give another file the same name, which says nothing about this one.
            let product = products.sha256(&context.naming.artifact(Utf8Path::new(path)));
            after.get(*path).is_some_and(|file| match file.mode {
                // The product is what the link leads to.
                Mode::Link => product.is_some(),
                Mode::Regular | Mode::Executable => product == Some(file.sha256),
            })
        });
    if let Some(first) = made.first() {
        context.ui.warn(format!(
            "`{step}` made {first} in the tree, so later steps belong to another run; let git ignore it, or put it elsewhere"
        ));
    }
    if changed.is_empty() {
        return Ok(());
    }
    let shown = changed.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let more = changed.len().saturating_sub(5);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Err(CliError::refused(
        CargoCode::SourceChangedDuringStep,
        format!("files of the workspace changed while `{step}` ran: {shown}{more}"),
    )
    .hint("a build script that writes into the tree should write to OUT_DIR, and the output of this command should not go to a file there; after an edit, run `cargo intoto fetch` and record again"))
}
