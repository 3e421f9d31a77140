//! All steps of a layout, one after the other, in one process: what `release` and `try` share.
//!
//! Every step is observed before the first key is opened, so that no step's processes can reach one.

use camino::{Utf8Path, Utf8PathBuf};

use crate::cli::step::manifest_words;
use crate::error::{CliError, ErrorKind};
use crate::finding::CargoCode;
use crate::layout_source::{LayoutSource, StepSource};
use crate::plan::{AuditWords, DenyWords, SbomWords, VetWords};
use crate::recording::{
    Audit, Build, Deny, Document, Fetch, Outcome, Package, Reports, Sbom, Settings, Step, Test, Vet, observe,
    of_unread, refuse_dirty, refuse_other_compilers,
};
use crate::store::Run;
use crate::ui::Ui;
use crate::workspace::{Workspace, WorkspaceArgs, cargo_program};

/// How a layout's steps are done.
#[derive(Debug, Clone, Default)]
pub(super) struct Options {
    /// How to record.
    pub(super) settings: Settings,
    /// Only these packages, whatever the layout's commands select.
    pub(super) packages: Vec<String>,
    /// Whether a dirty tree is packaged, and recorded as such.
    pub(super) allow_dirty: bool,
    /// Whether a test step in which no test ran is left out instead of refused.
    pub(super) tests_may_be_missing: bool,
}

/// What was observed of all steps.
#[derive(Debug)]
pub(super) struct Observations {
    /// The run they belong to.
    pub(super) run: Run,
    /// The steps that were done, in order.
    pub(super) outcomes: Vec<Outcome>,
    /// The steps that there was nothing to do for.
    pub(super) left_out: Vec<String>,
    /// The steps that are not cargo's and must be recorded by `run`.
    pub(super) elsewhere: Vec<String>,
    /// The commit, if the tree has one.
    pub(super) commit: Option<String>,
    /// Whether the tree differs from it.
    pub(super) dirty: bool,
    /// Whether there is git, and the tree differs from what it has; before the first commit it has nothing.
    differs_from_git: bool,
}

impl Observations {
    /// What tools said in the steps so far.
    fn documents(&self) -> impl Iterator<Item = &Document> {
        self.outcomes.iter().flat_map(|outcome| &outcome.observed.documents)
    }
}

/// Does every step of `source` that is cargo's.
///
/// # Errors
/// When a step fails or must not be recorded. A failing cargo is a failure here, and not the code that we end with.
pub(super) fn observe_all(ui: &Ui, source: &LayoutSource, options: &Options) -> Result<Observations, CliError> {
    let mut observations: Option<Observations> = None;
    let mut elsewhere = Vec::new();
    for step_source in source.steps() {
        let name = step_source.name.value.as_str();
        let Some((step, words)) = step_of(step_source, options, observations.as_ref())? else {
            elsewhere.push(name.to_owned());
            continue;
        };
        let result = observe(name, step.as_ref(), ui, &words, &options.settings, &mut |_, _| Ok(()));
        let (context, outcome) = match result {
            Err(error) if options.tests_may_be_missing && error.code() == Some(CargoCode::NoTestsRan) => {
                if let Some(observations) = &mut observations {
                    observations.left_out.push(name.to_owned());
                }
                ui.note(format!("no test ran, so the layout has no step `{name}`"));
                continue;
            }
            result => result.map_err(deciding)?,
        };
        // Found now, and not after an hour of compiling.
        if observations.is_none() && !options.allow_dirty && packages_clean_tree(source) {
            refuse_dirty(&context.tree)?;
        }
        let observations = observations.get_or_insert_with(|| Observations {
            run: context.run.clone(),
            outcomes: Vec::new(),
            left_out: Vec::new(),
            elsewhere: Vec::new(),
            commit: context.tree.commit().map(str::to_owned),
            dirty: context.tree.is_dirty(),
            differs_from_git: !context.tree.changes().is_empty(),
        });
        match outcome {
            Some(outcome) => observations.outcomes.push(outcome),
            None => observations.left_out.push(name.to_owned()),
        }
    }
    let mut observations = observations.ok_or_else(|| {
        CliError::cannot_decide(format!("the layout {} has no step of cargo's", source.path()))
            .hint("record its steps with `cargo intoto run`, then `cargo intoto verify`")
    })?;
    observations.elsewhere = elsewhere;
    Ok(observations)
}

/// Whether a step of the layout packages, and refuses a dirty tree.
fn packages_clean_tree(source: &LayoutSource) -> bool {
    source.steps().iter().any(|step| {
        matches!(step.command.as_slice(), [program, subcommand, words @ ..]
            if program == "cargo" && subcommand == "package" && !words.iter().any(|word| word == "--allow-dirty"))
    })
}

/// Shows what every step would do.
///
/// # Errors
/// When a step cannot be planned.
pub(super) fn show(ui: &Ui, source: &LayoutSource, options: &Options) -> Result<(), CliError> {
    for step_source in source.steps() {
        let name = step_source.name.value.as_str();
        let Some((step, words)) = step_of(step_source, options, None)? else {
            ui.data(&format!(
                "step      {name}\nnot cargo's: recorded by `cargo intoto run`\n\n"
            ))?;
            continue;
        };
        observe(name, step.as_ref(), ui, &words, &options.settings, &mut |_, plan| {
            ui.data(&format!("{plan}\n"))
        })?;
    }
    Ok(())
}

/// A child's failure in a command that decides is our failure; its code stands in the message.
fn deciding(error: CliError) -> CliError {
    if matches!(error.kind(), ErrorKind::Child(_)) {
        error.of_kind(ErrorKind::Failure)
    } else {
        error
    }
}

/// A step, and the words that cargo or its workspace gets.
type Planned = (Box<dyn Step>, Vec<String>);

/// The step that a layout's command means, with cargo's words; none when it is nothing that is recorded here.
///
/// # Errors
/// When the command has words that no recorded step may have.
fn step_of(
    source: &StepSource,
    options: &Options,
    earlier: Option<&Observations>,
) -> Result<Option<Planned>, CliError> {
    let [program, subcommand, words @ ..] = source.command.as_slice() else {
        return Ok(None);
    };
    if program != "cargo" {
        return Ok(None);
    }
    if let Some(tool) = tool_of(subcommand, words)? {
        return Ok(Some(tool));
    }
    let step: Box<dyn Step> = match subcommand.as_str() {
        "fetch" => return Ok(Some((Box::new(Fetch::default()), words.to_vec()))),
        "build" => Box::new(Build),
        "test" => Box::new(Test),
        "package" => Box::new(Package {
            reports: Reports::of_step(source, earlier.into_iter().flat_map(Observations::documents)),
        }),
        _ => return Ok(None),
    };
    let mut words = narrowed(words, &options.packages);
    // Cargo's own check looks at git's words; ours was made of the bytes and allows it only here.
    let is_dirty = earlier.is_some_and(|earlier| earlier.differs_from_git);
    if subcommand == "package" && options.allow_dirty && is_dirty && !words.iter().any(|word| word == "--allow-dirty") {
        words.push("--allow-dirty".to_owned());
    }
    Ok(Some((step, words)))
}

/// The step of a tool beside cargo, with the words that say which workspace it judges.
fn tool_of(subcommand: &str, words: &[String]) -> Result<Option<Planned>, CliError> {
    let (step, manifest_path): (Box<dyn Step>, _) = match subcommand {
        "deny" => {
            let words = DenyWords::parse(words)?;
            let manifest_path = words.manifest_path.clone();
            (Box::new(Deny::new(words)), manifest_path)
        }
        "audit" => {
            let words = AuditWords::parse(words)?;
            let manifest_path = words.manifest_path.clone();
            (Box::new(Audit::new(words)), manifest_path)
        }
        "vet" => {
            let words = VetWords::parse(words)?;
            let manifest_path = words.manifest_path.clone();
            (Box::new(Vet::new(words)), manifest_path)
        }
        "cyclonedx" => {
            let words = SbomWords::parse(words)?;
            let manifest_path = words.manifest_path.clone();
            (Box::new(Sbom::new(words)), manifest_path)
        }
        _ => return Ok(None),
    };
    Ok(Some((step, manifest_words(manifest_path.as_deref()))))
}

/// `words` with only `packages` selected; unchanged when there are none.
fn narrowed(words: &[String], packages: &[String]) -> Vec<String> {
    if packages.is_empty() {
        return words.to_vec();
    }
    let mut narrowed = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--workspace" | "--all" => {}
            "-p" | "--package" | "--exclude" => {
                rest.next();
            }
            other if other.starts_with("--package=") || other.starts_with("--exclude=") => {}
            _ => narrowed.push(word.clone()),
        }
    }
    let end = narrowed.iter().position(|word| word == "--").unwrap_or(narrowed.len());
    let selection = packages.iter().flat_map(|package| ["-p".to_owned(), package.clone()]);
    narrowed.splice(end..end, selection);
    narrowed
}

/// Loads the workspace at `manifest_path` and makes its root the current directory, as the layout's commands want it.
///
/// # Errors
/// When there is no workspace, or a compiler that a recorded step refuses would be asked about it.
pub(super) fn enter(ui: &Ui, manifest_path: Option<&Utf8Path>, allow_wrapper: bool) -> Result<Workspace, CliError> {
    if !allow_wrapper {
        refuse_other_compilers(&[])?;
    }
    let args = WorkspaceArgs {
        manifest_path: manifest_path.map(Utf8Path::to_owned),
        ..WorkspaceArgs::default()
    };
    let workspace = match Workspace::load(&args, &cargo_program()) {
        Ok(workspace) => workspace,
        Err(error) => {
            of_unread(ui, error, manifest_path, false)?;
            Workspace::load(&args, &cargo_program())?
        }
    };
    std::env::set_current_dir(&workspace.root)
        .map_err(|error| CliError::failure(format!("failed to go to {}", workspace.root)).because(error))?;
    Ok(workspace)
}

/// A path of the user's, before the current directory changes.
///
/// # Errors
/// When it cannot be made absolute.
pub(super) fn absolute(path: &Utf8Path) -> Result<Utf8PathBuf, CliError> {
    std::path::absolute(path)
        .ok()
        .and_then(|path| Utf8PathBuf::try_from(path).ok())
        .ok_or_else(|| CliError::usage(format!("{path} is no usable path")))
}

/// A key that is given as a path means the same after the current directory changed; a name stays a name.
pub(super) fn absolute_key(key: &str) -> String {
    match absolute(Utf8Path::new(key)) {
        Ok(path) if path.is_file() => path.into_string(),
        _ => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layouts_commands_are_narrowed_to_packages() {
        for (words, packages, expected) in [
            ("--workspace --locked", "", "--workspace --locked"),
            ("--workspace --locked", "a", "--locked -p a"),
            ("-p x --exclude y --package=z --release", "a b", "--release -p a -p b"),
            ("--release -- --nocapture", "a", "--release -p a -- --nocapture"),
        ] {
            let split = |text: &str| text.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(narrowed(&split(words), &split(packages)), split(expected), "{words}");
        }
    }
}
