//! `cargo intoto trust`: whose layouts are believed, for which crates.

mod owners;
mod tuf;

use camino::Utf8PathBuf;
use intoto_core::key::{FulcioIdentity, KeyIdStyle, PublicKey};
use intoto_core::time::Timestamp;

use crate::cli::key::find_public;
use crate::error::CliError;
use crate::escape::plain;
use crate::exit::Exit;
use crate::report::words;
use crate::settings;
use crate::signing::{NEVER_SIGNS, SIGNING_SUBKEY, never_signs};
use crate::trust::{Entry, Origin, Scope, Store, TrustArgs, exact_identities, identity_verifier};
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
    /// Show an entry, and what its TUF repository says
    Show(NameArgs),
    /// Ask the TUF repositories of all entries, or of one, again
    Update(UpdateArgs),
    /// Print a list of owners, as a TUF repository hands it out
    Owners(owners::OwnersArgs),
    /// Believe an entry's owners no longer
    Remove(NameArgs),
}

#[derive(Debug, clap::Args)]
struct AddArgs {
    /// Name of the entry
    name: String,
    /// An owner's public key: a file, or the name of a key of your own; may be repeated
    #[arg(
        long = "key",
        value_name = "FILE",
        required_unless_present_any = ["tuf", "identities"],
        conflicts_with = "tuf"
    )]
    keys: Vec<String>,
    /// An owner's identity in Sigstore, letter by letter: a mail address, or the URI of a workflow; each with its --issuer
    #[arg(
        long = "identity",
        id = "identities",
        value_name = "IDENTITY",
        requires = "issuers",
        conflicts_with = "tuf"
    )]
    identities: Vec<String>,
    /// The URL of the OpenID issuer that vouches for the --identity in front of it
    #[arg(long = "issuer", id = "issuers", value_name = "URL", requires = "identities")]
    issuers: Vec<String>,
    /// A crate that the owners speak for, as pkg:cargo/NAME; may be repeated
    #[arg(long = "scope", value_name = "PURL", required_unless_present = "sigstore_root")]
    scope: Vec<String>,
    /// How many of the keys must have signed [default: all]
    #[arg(long, value_name = "N", conflicts_with = "tuf")]
    threshold: Option<u32>,
    #[command(flatten)]
    tuf: TufArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "TUF")]
struct TufArgs {
    /// TUF repository that says who the owners are, in place of --key: an https URL or a directory
    #[arg(long, value_name = "URL|DIR", requires = "root")]
    tuf: Option<String>,
    /// The repository's root metadata, by which all else is judged; get it from somebody whom you trust
    #[arg(long, value_name = "FILE", requires = "tuf")]
    root: Option<Utf8PathBuf>,
    /// Where the repository's targets lie [default: targets/ below --tuf]
    #[arg(long, value_name = "URL|DIR", requires = "tuf")]
    targets: Option<String>,
    /// The folder of the project's targets [default: the entry's name]
    #[arg(long, value_name = "NAME", requires_all = ["tuf", "scope"])]
    project: Option<String>,
    /// Take Sigstore's root from the repository: its target trusted_root.json
    #[arg(long, requires = "tuf")]
    sigstore_root: bool,
}

#[derive(Debug, clap::Args)]
struct NameArgs {
    /// Name of the entry
    name: String,
}

#[derive(Debug, clap::Args)]
struct UpdateArgs {
    /// Name of the entry [default: every entry with a TUF repository]
    name: Option<String>,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    match &args.command {
        TrustCommand::Add(add_args) => add(&args.store, add_args, ui),
        TrustCommand::List => list(&args.store, ui),
        TrustCommand::Show(show_args) => show(&args.store, show_args, ui),
        TrustCommand::Update(update_args) => tuf::update(&args.store, update_args.name.as_deref(), ui),
        TrustCommand::Owners(owners_args) => owners::run(owners_args, ui),
        TrustCommand::Remove(remove_args) => remove(&args.store, remove_args, ui),
    }
}

fn add(store: &TrustArgs, args: &AddArgs, ui: &Ui) -> Result<Exit, CliError> {
    if args.name.is_empty() || args.name.chars().any(char::is_control) {
        return Err(CliError::usage("an entry needs a name without control characters"));
    }
    let scope = scopes(&args.scope)?;
    if let (Some(repository), Some(root)) = (&args.tuf.tuf, &args.tuf.root) {
        return tuf::add(store, &args.name, scope, (repository, root), &args.tuf, ui);
    }
    let keys = find_all(&args.keys)?;
    let identities = exact_identities(&args.identities, &args.issuers, ("--identity", "--issuer"))?;
    let threshold = threshold(args.threshold, keys.len() + identities.len())?;
    let entry = Entry {
        name: args.name.clone(),
        scope,
        keys,
        identities,
        threshold,
        added: now()?,
        accepted: Vec::new(),
        origin: Origin::Pinned,
    };
    let path = store.path()?;
    add_entry(&path, entry)?;
    ui.status(
        "Trusting",
        format_args!("`{}` for {}", args.name, args.scope.join(", ")),
    );
    Ok(Exit::Success)
}

/// The public keys that are named, each once.
fn find_all(words: &[String]) -> Result<Vec<PublicKey>, CliError> {
    let mut keys: Vec<PublicKey> = Vec::new();
    for text in words {
        let key = find_public(text)?;
        if keys.contains(&key) {
            return Err(CliError::usage(format!("the key `{text}` is given twice")));
        }
        if keys.iter().any(|other| other.shares_holder(&key)) {
            return Err(CliError::usage(format!(
                "the key `{text}` is in one hand with another one: they share key material"
            ))
            .hint("name one key for each owner"));
        }
        if never_signs(&key) {
            let message = format!("the key `{text}` is not for signing: {NEVER_SIGNS}");
            return Err(CliError::usage(message).hint(SIGNING_SUBKEY));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn scopes(words: &[String]) -> Result<Vec<Scope>, CliError> {
    let mut scope: Vec<Scope> = words.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    scope.sort();
    scope.dedup();
    Ok(scope)
}

/// How many of the keys must sign; all, unless something else is said.
fn threshold(given: Option<u32>, owners: usize) -> Result<u32, CliError> {
    let all = u32::try_from(owners).unwrap_or(u32::MAX);
    let threshold = given.unwrap_or(all);
    if threshold < 1 || threshold > all {
        return Err(CliError::usage(format!(
            "a threshold of {threshold} cannot be met by {}",
            count(owners, "key")
        ))
        .hint("leave `--threshold` out to demand the signatures of all keys"));
    }
    Ok(threshold)
}

/// Puts a new entry into the store at `path`; a name is never taken over.
pub(super) fn add_entry(path: &camino::Utf8Path, entry: Entry) -> Result<(), CliError> {
    Store::add(path, entry)
}

fn list(args: &TrustArgs, ui: &Ui) -> Result<Exit, CliError> {
    let store = args.load()?;
    if store.entries().is_empty() {
        ui.note(format_args!("the trust store `{}` has no entries", store.path()));
        return Ok(Exit::Success);
    }
    let mut text = String::new();
    for entry in store.entries() {
        text.push_str(&describe(&store, entry)?);
    }
    if store.entries().iter().any(names_identities) {
        text.push_str(&sigstore(args, ui)?);
    }
    ui.data(&text)?;
    Ok(Exit::Success)
}

/// Whether what the entry's owners sign is verified by a root of Sigstore.
fn names_identities(entry: &Entry) -> bool {
    !entry.identities.is_empty() || matches!(&entry.origin, Origin::Tuf(_))
}

/// The root of Sigstore that identities are verified by, and of when it is.
fn sigstore(args: &TrustArgs, ui: &Ui) -> Result<String, CliError> {
    let now = now()?;
    let chosen = match identity_verifier(None, args)?.chosen(now) {
        Ok(chosen) => chosen,
        Err(error) => return Ok(format!("Sigstore: NOT IN USE: {}\n", plain(&error.to_string()))),
    };
    let mut text = String::new();
    for root in &chosen {
        text.push_str(&format!("Sigstore: {}\n", plain(&words::of_root(root))));
        if root.is_old(now) {
            ui.warn(format!("{} is old: get the instance's present one", root.name));
        }
    }
    Ok(text)
}

fn show(trust: &TrustArgs, args: &NameArgs, ui: &Ui) -> Result<Exit, CliError> {
    let store = trust.load()?;
    let entry = store.entry(&args.name)?;
    let mut text = describe(&store, entry)?;
    if names_identities(entry) {
        text.push_str(&sigstore(trust, ui)?);
    }
    ui.data(&text)?;
    // What is shown as over is no success of somebody who asks about this entry.
    match &entry.origin {
        Origin::Tuf(source) => store.brought(entry, source, now()?).map(|_| Exit::Success),
        _ => Ok(Exit::Success),
    }
}

fn describe(store: &Store, entry: &Entry) -> Result<String, CliError> {
    let whose = match &entry.origin {
        Origin::Tuf(_) => "by TUF".to_owned(),
        _ if entry.identities.is_empty() => format!("{} of {}", entry.threshold, count(entry.keys.len(), "key")),
        _ => format!(
            "{} of {}",
            entry.threshold,
            count(entry.keys.len() + entry.identities.len(), "owner")
        ),
    };
    let mut text = format!("{}: {whose}, added {}\n", entry.name.escape_debug(), entry.added);
    for scope in &entry.scope {
        text.push_str(&format!("    for   {scope}\n"));
    }
    for key in &entry.keys {
        text.push_str(&key_line(key));
    }
    for identity in &entry.identities {
        text.push_str(&identity_line(identity));
    }
    if let Origin::Tuf(source) = &entry.origin {
        text.push_str(&tuf::describe(store, entry, source)?);
    }
    if let Some(current) = entry.accepted.last() {
        text.push_str(&format!(
            "    last accepted {}, a layout that expires on {}\n",
            current.accepted, current.expires
        ));
    }
    Ok(text)
}

fn identity_line(identity: &FulcioIdentity) -> String {
    format!("    who   {}\n", plain(&words::of_identity(identity)))
}

fn key_line(key: &PublicKey) -> String {
    format!("    key   {} {}\n", key.kind(), key.key_id(KeyIdStyle::Legacy))
}

fn remove(store: &TrustArgs, args: &NameArgs, ui: &Ui) -> Result<Exit, CliError> {
    Store::remove(&store.path()?, &args.name)?;
    ui.status("Removed", format_args!("the trust entry `{}`", args.name));
    Ok(Exit::Success)
}

/// The time by this machine's clock.
pub(super) fn now() -> Result<Timestamp, CliError> {
    settings::now()
}
