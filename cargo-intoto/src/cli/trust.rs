//! `cargo intoto trust`: whose layouts are believed, for which crates.

use intoto_core::key::{KeyIdStyle, PublicKey};
use intoto_core::time::Timestamp;

use crate::cli::key::find_public;
use crate::error::CliError;
use crate::exit::Exit;
use crate::settings;
use crate::trust::{Entry, Scope, Store, TrustArgs};
use crate::ui::{Ui, count};

/// Manage whose layouts you believe, for which crates
///
/// The trust store is one file of yours. Nothing in a source tree decides what is trusted.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    store: TrustArgs,
    #[command(subcommand)]
    command: TrustCommand,
}

#[derive(Debug, clap::Subcommand)]
enum TrustCommand {
    /// Believe the layouts of these owners for these crates
    Add(AddArgs),
    /// List whom you believe
    List,
    /// Believe an entry's owners no longer
    Remove(RemoveArgs),
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// Name of the entry
    name: String,
    /// An owner's public key: a file, or the name of a key of your own; may be repeated
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<String>,
    /// A crate that the owners speak for, as pkg:cargo/NAME; may be repeated
    #[arg(long = "scope", value_name = "PURL", required = true)]
    scope: Vec<String>,
    /// How many of the keys must have signed [default: all]
    #[arg(long, value_name = "N")]
    threshold: Option<u32>,
}

#[derive(Debug, clap::Args)]
struct RemoveArgs {
    /// Name of the entry
    name: String,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    match &args.command {
        TrustCommand::Add(add_args) => add(&args.store, add_args, ui),
        TrustCommand::List => list(&args.store, ui),
        TrustCommand::Remove(remove_args) => remove(&args.store, remove_args, ui),
    }
}

fn add(store: &TrustArgs, args: &AddArgs, ui: &Ui) -> Result<Exit, CliError> {
    if args.name.is_empty() || args.name.chars().any(char::is_control) {
        return Err(CliError::usage("an entry needs a name without control characters"));
    }
    let mut keys: Vec<PublicKey> = Vec::new();
    for text in &args.keys {
        let key = find_public(text)?;
        if keys.contains(&key) {
            return Err(CliError::usage(format!("the key `{text}` is given twice")));
        }
        keys.push(key);
    }
    let mut scope: Vec<Scope> = args.scope.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    scope.sort();
    scope.dedup();
    let all = u32::try_from(keys.len()).unwrap_or(u32::MAX);
    let threshold = args.threshold.unwrap_or(all);
    if threshold < 1 || threshold > all {
        return Err(CliError::usage(format!(
            "a threshold of {threshold} cannot be met by {}",
            count(keys.len(), "key")
        ))
        .hint("leave `--threshold` out to demand the signatures of all keys"));
    }
    let entry = Entry {
        name: args.name.clone(),
        scope,
        keys,
        threshold,
        added: now()?,
        accepted: Vec::new(),
    };
    let path = store.path()?;
    add_entry(&path, entry)?;
    ui.status(
        "Trusting",
        format_args!("`{}` for {}", args.name, args.scope.join(", ")),
    );
    Ok(Exit::Success)
}

/// Puts a new entry into the store at `path`; a name is never taken over.
pub(super) fn add_entry(path: &camino::Utf8Path, entry: Entry) -> Result<(), CliError> {
    Store::update(path, |entries| {
        if entries.iter().any(|other| other.name == entry.name) {
            return Err(CliError::usage(format!(
                "the trust store `{path}` has an entry `{}` already",
                entry.name.escape_debug()
            ))
            .hint("choose another name, or remove that entry first with `cargo intoto trust remove NAME`"));
        }
        entries.push(entry);
        Ok(())
    })
}

fn list(store: &TrustArgs, ui: &Ui) -> Result<Exit, CliError> {
    let store = store.load()?;
    if store.entries().is_empty() {
        ui.note(format_args!("the trust store `{}` has no entries", store.path()));
        return Ok(Exit::Success);
    }
    let mut text = String::new();
    for entry in store.entries() {
        text.push_str(&describe(entry));
    }
    ui.data(&text)?;
    Ok(Exit::Success)
}

fn describe(entry: &Entry) -> String {
    let mut text = format!(
        "{}: {} of {}, added {}\n",
        entry.name.escape_debug(),
        entry.threshold,
        count(entry.keys.len(), "key"),
        entry.added
    );
    for scope in &entry.scope {
        text.push_str(&format!("    for   {scope}\n"));
    }
    for key in &entry.keys {
        text.push_str(&format!(
            "    key   {} {}\n",
            key.kind(),
            key.key_id(KeyIdStyle::Legacy)
        ));
    }
    if let Some(current) = entry.accepted.last() {
        text.push_str(&format!(
            "    last accepted {}, a layout that expires on {}\n",
            current.accepted, current.expires
        ));
    }
    text
}

fn remove(store: &TrustArgs, args: &RemoveArgs, ui: &Ui) -> Result<Exit, CliError> {
    Store::update(&store.path()?, |entries| {
        let before = entries.len();
        entries.retain(|entry| entry.name != args.name);
        if entries.len() == before {
            return Err(
                CliError::usage(format!("the trust store has no entry `{}`", args.name.escape_debug()))
                    .hint("`cargo intoto trust list` shows the entries"),
            );
        }
        Ok(())
    })?;
    ui.status("Removed", format_args!("the trust entry `{}`", args.name));
    Ok(Exit::Success)
}

/// The time by this machine's clock.
pub(super) fn now() -> Result<Timestamp, CliError> {
    settings::now()
}
