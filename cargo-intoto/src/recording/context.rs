//! What every step is recorded in: the workspace, its tree, its run, the toolchain and what changes the build unseen.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::configuration::{self, Configuration};
use crate::collect::overrides::{self, Override};
use crate::collect::progress::Progress;
use crate::collect::toolchain::Toolchain;
use crate::collect::tree::Tree;
use crate::error::CliError;
use crate::exec::cargo::Cargo;
use crate::finding::CargoCode;
use crate::naming::{Naming, Roots};
use crate::plan::cargo_flags::{self, CargoFlags};
use crate::store::run::runs_directory;
use crate::store::{Run, RunId};
use crate::ui::Ui;
use crate::workspace::{Workspace, WorkspaceArgs, cargo_home};

/// What the caller decides about a recording.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether what changes the build unseen is recorded instead of refused.
    pub allow_wrapper: bool,
    /// Whether only the plan is wanted: nothing is run or written.
    pub dry_run: bool,
    /// Where runs are kept; `target/intoto` when none is given.
    pub runs: Option<Utf8PathBuf>,
}

/// Everything that a step looks at.
pub struct Context<'a> {
    /// The terminal.
    pub ui: &'a Ui,
    /// The words after the step, as cargo gets them.
    pub words: Vec<String>,
    /// The same words, read.
    pub flags: CargoFlags,
    /// The toolchain's cargo.
    pub cargo: Cargo,
    /// The workspace.
    pub workspace: Workspace,
    /// Its tree as it was before the step.
    pub tree: Tree,
    /// The run that the step belongs to.
    pub run: Run,
    /// The compiler and cargo; none when the step has no use for them.
    pub toolchain: Option<Toolchain>,
    /// How files and words are named in the link.
    pub naming: Naming,
    /// Cargo's configuration, nearest first, with what its command line says.
    pub configuration: Vec<Configuration>,
    /// What changes the build unseen.
    pub overrides: Vec<Override>,
}

impl<'a> Context<'a> {
    /// Loads the workspace that `words` name, as it is now; its run is neither started nor joined yet.
    ///
    /// A step that does not use the toolchain is not told about packages beyond the workspace's members: starting cargo and rustc for that
    /// would cost more than recording ten thousand files.
    ///
    /// # Errors
    /// When there is no workspace, or something in the environment or configuration cannot be read.
    pub fn open(ui: &'a Ui, words: &[String], settings: &Settings, uses_toolchain: bool) -> Result<Self, CliError> {
        let flags = CargoFlags::parse(words)?;
        let cargo = Cargo::locate(ui);
        let directory = current_directory()?;
        if !(settings.allow_wrapper || settings.dry_run) {
            refuse_other_compilers(&flags.config)?;
        }
        let blame = |error| blame_configuration(error, &flags, &directory);
        let mut workspace = if uses_toolchain {
            load(&flags, &cargo, Vec::new()).map_err(blame)?
        } else {
            without_packages(&flags, &cargo, &directory).map_err(blame)?
        };
        // Runs stay where the workspace's other commands look for them, wherever this one's artifacts go.
        let runs = match &settings.runs {
            Some(runs) => runs.clone(),
            None => runs_directory(&workspace.target_directory),
        };
        if let Some(target) = &flags.target_directory {
            workspace.target_directory = std::path::absolute(target)
                .ok()
                .and_then(|path| Utf8PathBuf::try_from(path).ok())
                .ok_or_else(|| CliError::usage(format!("--target-dir {target} is no usable path")))?;
        }
        let tree = Tree::read(&workspace, &Progress::new(ui, "Hashing"))?;
        let id = RunId::of(
            tree.commit(),
            tree.is_dirty().then(|| tree.digest()).as_ref(),
            &workspace.lock.sha256(),
        );
        let run = Run::of(&runs, id);
        let mut configuration = configuration::command_line(&flags.config, &directory)?;
        refuse_own(&configuration)?;
        configuration.extend(configuration::files(&directory, &workspace.cargo_home)?);
        let rustc = configured_compiler(&configuration);
        // A configuration for some targets concerns us if one of them is the host.
        let toolchain = (uses_toolchain || overrides::depend_on_host(&configuration))
            .then(|| Toolchain::look_up(&cargo, rustc.as_deref()))
            .transpose()?;
        let build = run.build_directory();
        let sysroot = toolchain.as_ref().map(|toolchain| toolchain.sysroot.clone());
        let naming = Naming::for_workspace(&workspace, Some(build), sysroot);
        let overrides = find_overrides(
            &flags,
            &directory,
            &workspace,
            &tree,
            toolchain.as_ref(),
            &configuration,
            &naming,
        );
        Ok(Self {
            ui,
            words: words.to_vec(),
            flags,
            cargo,
            workspace,
            tree,
            run,
            toolchain,
            naming,
            configuration,
            overrides,
        })
    }

    /// The ids of the packages that the selected targets and the machine that compiles may need.
    ///
    /// # Errors
    /// When cargo cannot tell.
    pub fn packages_of_targets(&self) -> Result<BTreeSet<String>, CliError> {
        let mut platforms: BTreeSet<String> = targets(&self.flags, &self.configuration).into_iter().collect();
        platforms.extend(self.toolchain.as_ref().map(|toolchain| toolchain.host.clone()));
        // A target given as a file has a name that cargo's filter does not know.
        let platforms = if platforms.iter().any(|platform| platform.ends_with(".json")) {
            Vec::new()
        } else {
            platforms.into_iter().collect()
        };
        let workspace = load(&self.flags, &self.cargo, platforms)?;
        Ok(workspace.packages.into_iter().map(|package| package.id).collect())
    }

    /// A progress bar for checking packages.
    pub fn checking(&self) -> Progress {
        Progress::new(self.ui, "Checking")
    }

    /// A progress bar for hashing.
    pub fn hashing(&self) -> Progress {
        Progress::new(self.ui, "Hashing")
    }
}

/// The workspace as cargo sees it with these flags.
fn load(flags: &CargoFlags, cargo: &Cargo, platforms: Vec<String>) -> Result<Workspace, CliError> {
    Workspace::load(&metadata_args(flags, platforms), cargo.program())
}

/// The workspace for a step that looks at no package of it.
fn without_packages(flags: &CargoFlags, cargo: &Cargo, directory: &Utf8Path) -> Result<Workspace, CliError> {
    let args = WorkspaceArgs {
        members_only: true,
        ..metadata_args(flags, Vec::new())
    };
    let is_usual =
        args.cargo_flags.is_empty() && has_usual_directories(&configuration::files(directory, &cargo_home()?)?);
    if is_usual && let Some(plain) = Workspace::plain(directory, flags.manifest_path.as_deref())? {
        return Ok(plain);
    }
    Workspace::load(&args, cargo.program())
}

/// Whether cargo puts artifacts into `target` below the root: nothing in the environment or the configuration says otherwise.
fn has_usual_directories(configuration: &[Configuration]) -> bool {
    let variables = ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_BUILD_DIR"];
    let keys = [["build", "target-dir"], ["build", "build-dir"]];
    variables.iter().all(|name| std::env::var_os(name).is_none())
        && configuration
            .iter()
            .all(|configuration| keys.iter().all(|key| configuration.get(key).is_none()))
}

fn metadata_args(flags: &CargoFlags, platforms: Vec<String>) -> WorkspaceArgs {
    WorkspaceArgs {
        manifest_path: flags.manifest_path.clone(),
        offline: flags.offline,
        platforms,
        cargo_flags: flags.for_metadata(),
        members_only: false,
    }
}

/// Refuses compilers and wrappers before cargo asks them about the workspace: one that does not work would hide that it is there.
///
/// # Errors
/// When there is one, or cargo's configuration cannot be read.
pub(crate) fn refuse_other_compilers(config: &[String]) -> Result<(), CliError> {
    let directory = current_directory()?;
    let cargo_home = cargo_home()?;
    let mut configuration = configuration::command_line(config, &directory)?;
    configuration.extend(configuration::files(&directory, &cargo_home)?);
    let naming = Naming::new(Roots {
        workspace: directory.clone(),
        target: directory.join("target"),
        build: None,
        cargo_home,
        sysroot: None,
        home: std::env::home_dir().and_then(|home| Utf8PathBuf::try_from(home).ok()),
    });
    overrides::refuse(&overrides::compilers(&overrides::Sources {
        environment: &environment(),
        configuration: &configuration,
        directory: &directory,
        targets: &[],
        is_of_tree: &|_| true,
        naming: &naming,
    }))
}

/// Cargo may fail to read the workspace because its configuration exchanges packages; what exchanges them is then the news.
fn blame_configuration(error: CliError, flags: &CargoFlags, directory: &Utf8Path) -> CliError {
    let files = cargo_home().and_then(|home| configuration::files(directory, &home));
    let mut configuration = configuration::command_line(&flags.config, directory).unwrap_or_default();
    configuration.extend(files.unwrap_or_default());
    let found = [
        ("patch", CargoCode::PatchConfigured),
        ("source", CargoCode::SourceReplaced),
        ("paths", CargoCode::SourceReplaced),
    ]
    .into_iter()
    .find(|(key, _)| {
        configuration
            .iter()
            .any(|configuration| configuration.get(&[key]).is_some())
    });
    let Some((key, code)) = found else { return error };
    CliError::refused(
        code,
        format!("cargo's configuration sets `{key}`, and the workspace cannot be read with it"),
    )
    .because(error)
    .hint(format!(
        "take `{key}` out of cargo's configuration for the recorded step"
    ))
}

fn current_directory() -> Result<Utf8PathBuf, CliError> {
    let directory = std::env::current_dir()
        .map_err(|error| CliError::failure("failed to find the current directory").because(error))?;
    Utf8PathBuf::try_from(directory)
        .map_err(|error| CliError::cannot_decide("the current directory is not UTF-8").because(error))
}

/// The compiler that the environment or the configuration names, as cargo ranks them.
fn configured_compiler(configuration: &[Configuration]) -> Option<String> {
    let variable = std::env::var("RUSTC").ok().filter(|value| !value.is_empty());
    let key = || {
        let (value, _) = configuration::effective(&["build", "rustc"], configuration)?;
        value.as_str().filter(|value| !value.is_empty()).map(str::to_owned)
    };
    variable.or_else(key)
}

/// The targets that cargo may be told to build for, by its flags, its environment or its configuration; none for the host alone. Cargo joins
/// the lists of several files.
fn targets(flags: &CargoFlags, configuration: &[Configuration]) -> Vec<String> {
    let key = ["build", "target"];
    let values = configuration.iter().filter_map(|configuration| configuration.get(&key));
    let texts = values.flat_map(|value| match value {
        toml::Value::Array(values) => values.as_slice(),
        value => std::slice::from_ref(value),
    });
    let texts = texts.filter_map(toml::Value::as_str).map(str::to_owned);
    let of_environment = std::env::var(configuration::variable(&key)).ok();
    flags
        .targets
        .iter()
        .cloned()
        .chain(of_environment.filter(|value| !value.is_empty()))
        .chain(texts)
        .collect()
}

/// Refuses directories that the recorder sets itself, where `--config` names a file that sets them.
fn refuse_own(command_line: &[Configuration]) -> Result<(), CliError> {
    for key in ["build-dir", "target-dir"] {
        if command_line.iter().any(|given| given.get(&["build", key]).is_some()) {
            return Err(cargo_flags::own_directory(&format!("build.{key}")));
        }
    }
    Ok(())
}

fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

fn find_overrides(
    flags: &CargoFlags,
    directory: &Utf8Path,
    workspace: &Workspace,
    tree: &Tree,
    toolchain: Option<&Toolchain>,
    configuration: &[Configuration],
    naming: &Naming,
) -> Vec<Override> {
    let host = toolchain.map(|toolchain| toolchain.host.clone());
    // Cargo calls a target that is given as a file by the file's name.
    let name = |target: String| match target.strip_suffix(".json") {
        Some(path) => Utf8Path::new(path).file_name().unwrap_or(path).to_owned(),
        None => target,
    };
    let targets = targets(flags, configuration).into_iter().map(name);
    let targets: Vec<String> = targets.chain(host).collect();
    overrides::find(&overrides::Sources {
        environment: &environment(),
        configuration,
        directory,
        targets: &targets,
        is_of_tree: &|path| {
            path.strip_prefix(&workspace.root)
                .is_ok_and(|relative| tree.files().contains_key(relative.as_str()))
        },
        naming,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::configuration::Origin;

    /// A linker of any of them would be cargo's.
    #[test]
    fn the_targets_of_all_files_count() {
        let file = |text: &str| Configuration::new(Origin::File("f".into()), text.parse().expect("TOML"));
        let configuration = [
            file("build.target = ['near']"),
            file("build.jobs = 1"),
            file("build.target = ['far', 'further.json']"),
            file("build.target = 'furthest'"),
        ];
        let flags = CargoFlags::parse(&["--target=given".to_owned()]).expect("known words");
        let found = targets(&flags, &configuration);
        assert_eq!(found, ["given", "near", "far", "further.json", "furthest"]);
    }
}
