//! `cargo intoto gate`: puts the release gate into cargo's configuration, looks at what goes around it, takes it out.

use std::io::Read;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::cli::sequence::absolute;
use crate::error::CliError;
use crate::escape::plain;
use crate::exit::Exit;
use crate::foreign::{self, Unread};
use crate::gate::{self, GateArgs, Installed, Others, Status, on_search_path};
use crate::settings;
use crate::signing::load_public_key;
use crate::ui::Ui;
use crate::verification::author_tree::AuthorTree;
use crate::workspace::cargo_home;

/// No file of settings is larger.
const MAX_BYTES: usize = 4 << 20;
/// As it is called on the search path.
const PROGRAM: &str = "cargo-intoto";
/// Cargo's name for its default registry, which has settings of its own.
const DEFAULT: &str = "crates-io";

/// Let cargo publish only what the layout allows
///
/// The gate is this program in the place of cargo's credential provider. Cargo asks it for a token before each upload; it gives one only for
/// exactly the bytes that the verified chain made. See docs/gate.md.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: GateCommand,
}

#[derive(Debug, clap::Subcommand)]
enum GateCommand {
    /// Make the gate the credential provider of a registry
    Install(Box<InstallArgs>),
    /// Say whether the gate is in effect, and which ways around it are open
    Status(StatusArgs),
    /// Take the gate out of cargo's configuration
    Remove(RemoveArgs),
    /// Take a token back when a process has ended
    #[command(hide = true)]
    Revoke(RevokeArgs),
}

/// Edits your own cargo configuration, or the workspace's with --local. What else stands in the file stays.
#[derive(Debug, clap::Args)]
struct InstallArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Take the place of another provider
    #[arg(long)]
    replace: bool,
    #[command(flatten)]
    gate: GateArgs,
}

#[derive(Debug, clap::Args)]
struct PlaceArgs {
    /// The registry, as cargo's configuration calls it [default: crates-io]
    #[arg(long, value_name = "NAME")]
    registry: Option<String>,
    /// Edit the workspace's .cargo/config.toml instead of your own
    #[arg(long)]
    local: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  the gate is in effect, and no way around it was found
  1  there is a way around it, or no gate")]
struct StatusArgs {
    /// The registry, as cargo's configuration calls it [default: crates-io]
    #[arg(long, value_name = "NAME")]
    registry: Option<String>,
}

#[derive(Debug, clap::Args)]
struct RemoveArgs {
    #[command(flatten)]
    place: PlaceArgs,
}

#[derive(Debug, clap::Args)]
struct RevokeArgs {
    /// The process
    #[arg(long, value_name = "PID")]
    after: u32,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    match args.command {
        GateCommand::Install(args) => install(&args, ui),
        GateCommand::Status(args) => status(&args, ui),
        GateCommand::Remove(args) => remove(&args, ui),
        GateCommand::Revoke(args) => revoke(&args),
    }
}

fn install(args: &InstallArgs, ui: &Ui) -> Result<Exit, CliError> {
    let registry = registry(args.place.registry.as_deref())?;
    if args.place.local && args.gate.say_whom_to_trust() {
        return Err(CliError::usage("a file of the tree says nothing about whose layouts count for it")
            .hint("leave out `--key`, `--trust-store` and what else says whom to trust: whoever publishes trusts the owner by `cargo intoto trust add`")
            .hint("leave out `--local`: your own configuration may say it"));
    }
    let file = File::of(&args.place)?;
    let gate = rebased(&args.gate, file.root.as_deref())?;
    let mut words = vec![program(args.place.local, ui)?];
    words.extend(gate.to_words());
    // What cargo will hand on must be understood by then.
    GateArgs::parse(&words[1..])?;
    let others = match args.replace {
        true => Others::Replaced,
        false => Others::Kept,
    };
    let (text, did) = gate::install(&file.text, registry, &words, others).map_err(|error| file.about(error))?;
    if did == Installed::Unchanged {
        ui.status("Unchanged", format_args!("{}: the gate is there already", file.path));
        return Ok(Exit::Success);
    }
    file.write(&text)?;
    if let Installed::Replaced(old) = &did {
        ui.note(format_args!("it took the place of `{old}`"));
    }
    ui.status(
        "Installed",
        format_args!("the gate for {} in {}", registry.unwrap_or(DEFAULT), file.path),
    );
    ui.note("`cargo intoto gate status` says which ways around it are open");
    if args.place.local {
        ui.note(format_args!("commit {} before you record the next release", file.path));
    }
    Ok(Exit::Success)
}

fn status(args: &StatusArgs, ui: &Ui) -> Result<Exit, CliError> {
    let registry = registry(args.registry.as_deref())?;
    let called = registry.unwrap_or(DEFAULT);
    let status = Status::find(&absolute(Utf8Path::new("."))?, registry)?;
    let mut text = match &status.provider {
        Some(provider) => format!(
            "provider of {called}: {}\n    set by {}\n",
            plain(&provider.words.join(" ")),
            plain(&provider.origin)
        ),
        None => format!("provider of {called}: none is configured\n"),
    };
    for bypass in &status.bypasses {
        text.push_str(&format!(
            "open: {}\n    to close it, {}\n",
            plain(&bypass.what),
            plain(&bypass.how_to_close)
        ));
    }
    for note in &status.notes {
        text.push_str(&format!("note: {}\n", plain(note)));
    }
    let closed = status.is_closed();
    text.push_str(match closed {
        true => "the gate is in effect\n",
        false => "the gate can be gone around\n",
    });
    ui.data(&text)?;
    Ok(if closed { Exit::Success } else { Exit::Refused })
}

fn remove(args: &RemoveArgs, ui: &Ui) -> Result<Exit, CliError> {
    let registry = registry(args.place.registry.as_deref())?;
    let file = File::of(&args.place)?;
    let called = registry.unwrap_or(DEFAULT);
    match gate::remove(&file.text, registry).map_err(|error| file.about(error))? {
        Some(text) => {
            file.write(&text)?;
            ui.status("Removed", format_args!("the gate for {called} from {}", file.path));
        }
        None => ui.status(
            "Unchanged",
            format_args!("{}: there is no gate for {called}", file.path),
        ),
    }
    Ok(Exit::Success)
}

/// Started by the gate itself, which ends before cargo uploads: waits for cargo's end. The token comes by standard input, so that it
/// stands in no list of processes.
fn revoke(args: &RevokeArgs) -> Result<Exit, CliError> {
    let mut line = zeroize::Zeroizing::new(String::new());
    let failed = |error| CliError::failure("failed to read what is to be revoked").because(error);
    std::io::stdin()
        .take(MAX_BYTES as u64)
        .read_to_string(&mut line)
        .map_err(failed)?;
    gate::revoke_when_ended(args.after, &line)?;
    Ok(Exit::Success)
}

/// The name under `registries`; none for the default one, whose settings stand elsewhere.
fn registry(name: Option<&str>) -> Result<Option<&str>, CliError> {
    let Some(name) = name.filter(|name| *name != DEFAULT) else {
        return Ok(None);
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match !name.is_empty() && name.chars().all(is_name) {
        true => Ok(Some(name)),
        false => Err(CliError::usage(format!("`{name}` is no name of a registry"))
            .hint("give the name under `[registries]` in cargo's configuration")),
    }
}

/// A file of cargo's configuration.
struct File {
    path: Utf8PathBuf,
    text: String,
    /// The workspace that it belongs to, if it is no file of the user's own.
    root: Option<Utf8PathBuf>,
}

impl File {
    fn of(place: &PlaceArgs) -> Result<Self, CliError> {
        let here = absolute(Utf8Path::new("."))?;
        let (directory, root) = if place.local {
            let root = AuthorTree::find(&here, None)?.root().to_owned();
            (root.join(".cargo"), Some(root))
        } else {
            (cargo_home()?, None)
        };
        // Cargo prefers the name without extension when both are there.
        let old = directory.join("config");
        let path = if old.is_file() {
            old
        } else {
            directory.join("config.toml")
        };
        // People keep such files elsewhere, with a link in their place.
        let path = path.canonicalize_utf8().unwrap_or(path);
        let text = match foreign::read(&path, MAX_BYTES) {
            Ok(bytes) => String::from_utf8(bytes)
                .map_err(|error| CliError::cannot_decide(format!("{path} is not UTF-8")).because(error))?,
            Err(Unread::Missing) => String::new(),
            Err(unread) => return Err(unread.about(&path)),
        };
        Ok(Self { path, text, root })
    }

    fn about(&self, error: CliError) -> CliError {
        let mut about = CliError::new(error.kind(), format!("failed to edit {}", self.path));
        for hint in error.hints() {
            about = about.hint(hint);
        }
        about.because(error)
    }

    fn write(&self, text: &str) -> Result<(), CliError> {
        if let Some(directory) = self.path.parent() {
            std::fs::create_dir_all(directory)
                .map_err(|error| CliError::failure(format!("failed to create {directory}")).because(error))?;
        }
        settings::replace(&self.path, text.as_bytes(), mode(&self.path))
    }
}

/// A file that others may not read stays so.
fn mode(path: &Utf8Path) -> u32 {
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(path) {
        use std::os::unix::fs::PermissionsExt;
        return metadata.permissions().mode() & 0o777;
    }
    let _ = path;
    0o644
}

/// The arguments with paths that mean the same from wherever cargo is started: those of a workspace's file start at its root, and the user's
/// own are absolute, but for what lies in each workspace.
fn rebased(args: &GateArgs, root: Option<&Utf8Path>) -> Result<GateArgs, CliError> {
    let fixed = |path: &Utf8PathBuf| -> Result<Utf8PathBuf, CliError> {
        let path = without_detours(&absolute(path)?);
        Ok(match root {
            Some(root) => path.strip_prefix(root).map(Utf8Path::to_owned).unwrap_or(path),
            None => path,
        })
    };
    let in_each = |path: &Option<Utf8PathBuf>| match (path, root) {
        (Some(path), Some(_)) => fixed(path).map(Some),
        (path, _) => Ok(path.clone()),
    };
    for key in &args.whom.keys {
        load_public_key(key)?;
    }
    args.whom.owners.identities()?;
    let mut rebased = args.clone();
    rebased.layout = in_each(&args.layout)?;
    rebased.link_dir = in_each(&args.link_dir)?;
    rebased.build_dir = in_each(&args.build_dir)?;
    rebased.whom = args.whom.with_paths(fixed)?;
    rebased.intermediates = args.intermediates.iter().map(fixed).collect::<Result<_, _>>()?;
    Ok(rebased)
}

/// A path without `..`: what is there decides where a link leads, and what is not there yet is taken by its words.
fn without_detours(path: &Utf8Path) -> Utf8PathBuf {
    path.canonicalize_utf8().unwrap_or_else(|_| {
        let mut direct = Utf8PathBuf::new();
        for component in path.components() {
            match component {
                Utf8Component::ParentDir => {
                    direct.pop();
                }
                other => direct.push(other),
            }
        }
        direct
    })
}

/// What cargo is to start: this program, by its name where that finds it, else by its path. A file that others share has the name.
fn program(local: bool, ui: &Ui) -> Result<String, CliError> {
    let failed = || CliError::failure("failed to find this program");
    let own = std::env::current_exe().map_err(|error| failed().because(error))?;
    let is_own = on_search_path(PROGRAM).is_some_and(|found| found.canonicalize().ok() == own.canonicalize().ok());
    if is_own || local {
        if !is_own {
            ui.warn(format_args!(
                "`{PROGRAM}` on the search path is not this program, and cargo will start that one"
            ));
        }
        return Ok(PROGRAM.to_owned());
    }
    own.into_os_string()
        .into_string()
        .map_err(|path| failed().because(format!("{} is not UTF-8", path.display())))
}
