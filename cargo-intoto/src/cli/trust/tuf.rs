//! Entries whose owners come from a TUF repository: adding them, asking again, and what they say.

use camino::{Utf8Path, Utf8PathBuf};

use super::{TufArgs, identity_line, key_line, now};
use crate::error::CliError;
use crate::exit::Exit;
use crate::foreign;
use crate::trust::{Brought, Entry, Origin, Place, Scope, Store, TrustArgs, TufSource};
use crate::ui::Ui;

/// Far above any root's metadata.
const MAX_ROOT_BYTES: usize = 256 << 10;

/// Adds the entry `name`: the repository, and the root by which it is judged.
pub(super) fn add(
    store: &TrustArgs,
    name: &str,
    scope: Vec<Scope>,
    (repository, root): (&str, &Utf8Path),
    args: &TufArgs,
    ui: &Ui,
) -> Result<Exit, CliError> {
    let here = current_directory()?;
    let (metadata, targets) = places(repository, args.targets.as_deref(), &here)?;
    let project = match scope.is_empty() {
        true => None,
        false => Some(args.project.as_deref().unwrap_or(name).parse()?),
    };
    let source = TufSource::new(metadata, targets, project, args.sigstore_root)?;
    let bytes = foreign::read(root, MAX_ROOT_BYTES).map_err(|unread| unread.about(format_args!("the root {root}")))?;
    let path = store.path()?;
    if args.sigstore_root {
        check_only_sigstore_root(&Store::load(&path)?)?;
    }
    let entry = Entry {
        name: name.to_owned(),
        scope,
        keys: Vec::new(),
        identities: Vec::new(),
        threshold: 0,
        added: now()?,
        accepted: Vec::new(),
        origin: Origin::Tuf(source.clone()),
    };
    let whose = match entry.scope.as_slice() {
        [] => "Sigstore's root".to_owned(),
        scope => scope.iter().map(Scope::as_str).collect::<Vec<_>>().join(", "),
    };
    let brought = Store::add_tuf(&path, entry, &source, bytes)?;
    for scope in unnamed(&source, &whose, &brought) {
        ui.warn(format!(
            "the repository's owners do not speak for {scope}, so nobody is trusted for it by this entry"
        ));
    }
    ui.status(
        "Trusting",
        format_args!(
            "the TUF repository {} for {whose}, {}",
            source.metadata(),
            until(&brought)
        ),
    );
    Ok(Exit::Success)
}

/// The crates that the user names and the repository does not.
fn unnamed<'a>(source: &TufSource, whose: &'a str, brought: &Brought) -> Vec<&'a str> {
    if source.project().is_none() {
        return Vec::new();
    }
    let named = |scope: &&str| !brought.scope().iter().any(|own| own.as_str() == *scope);
    whose.split(", ").filter(named).collect()
}

/// Two roots of Sigstore would leave it open which one counts.
fn check_only_sigstore_root(store: &Store) -> Result<(), CliError> {
    let brings = |entry: &&Entry| matches!(&entry.origin, Origin::Tuf(source) if source.brings_sigstore_root());
    match store.entries().iter().find(brings) {
        None => Ok(()),
        Some(other) => Err(CliError::usage(format!(
            "the trust entry `{}` brings Sigstore's root already",
            other.name.escape_debug()
        ))
        .hint("remove that entry first")),
    }
}

/// Asks the repository of one entry, or of all, again. The worst that came of it is the command's result.
pub(super) fn update(store: &TrustArgs, name: Option<&str>, ui: &Ui) -> Result<Exit, CliError> {
    let store = store.load()?;
    let entries: Vec<&Entry> = match name {
        Some(name) => vec![store.entry(name)?],
        None => store.entries().iter().collect(),
    };
    let mut failed: Option<CliError> = None;
    let mut asked = 0_usize;
    for entry in entries {
        let Origin::Tuf(source) = &entry.origin else {
            continue;
        };
        asked += 1;
        match store.update_tuf(entry, source) {
            Ok(brought) => ui.status("Updated", format_args!("`{}`, {}", entry.name, until(&brought))),
            Err(error) => {
                // One repository's trouble does not keep the others from being asked.
                if let Some(earlier) = failed.replace(error) {
                    ui.warn(format!("another entry was not updated: {earlier}"));
                }
            }
        }
    }
    match (failed, asked, name) {
        (Some(error), ..) => Err(error),
        (None, 0, Some(name)) => Err(CliError::usage(format!(
            "the trust entry `{}` has no TUF repository, so there is nobody to ask",
            name.escape_debug()
        ))),
        (None, 0, None) => {
            ui.note("no entry of the trust store has a TUF repository");
            Ok(Exit::Success)
        }
        (None, ..) => Ok(Exit::Success),
    }
}

/// What stands in the list about the entry's repository.
pub(super) fn describe(store: &Store, entry: &Entry, source: &TufSource) -> Result<String, CliError> {
    let mut text = format!("    tuf   {}\n", source.metadata());
    if *source.targets() != source.metadata().below("targets") {
        text.push_str(&format!("          targets in {}\n", source.targets()));
    }
    if let Some(project) = source.project() {
        text.push_str(&format!("          project {project}\n"));
    }
    let brought = match store.brought(entry, source, now()?) {
        Ok(brought) => brought,
        Err(error) => {
            text.push_str(&format!("    NOT IN USE: {error}\n"));
            return Ok(text);
        }
    };
    if let Some((keys, identities, threshold)) = brought.owners() {
        text.push_str(&format!("    owners, {threshold} of:\n"));
        keys.iter().for_each(|key| text.push_str(&key_line(key)));
        identities
            .iter()
            .for_each(|identity| text.push_str(&identity_line(identity)));
    }
    if let Some(layout) = &brought.layout {
        let sha256 = intoto_core::digest::to_hex(&intoto_core::digest::sha256(layout));
        text.push_str(&format!("    layout sha256:{sha256}\n"));
    }
    if brought.sigstore_root.is_some() {
        text.push_str("    Sigstore's root\n");
    }
    text.push_str(&format!("    asked {}\n", brought.updated));
    for role in &brought.roles {
        text.push_str(&format!(
            "    {} {}, expires {}\n",
            role.name.escape_debug(),
            role.version,
            role.expires
        ));
    }
    Ok(text)
}

fn until(brought: &Brought) -> String {
    let root = brought.roles.first().map_or(0, |role| role.version);
    match brought.good_until() {
        Some(time) => format!("root {root}, good until {time}"),
        None => format!("root {root}"),
    }
}

/// Where metadata and targets lie. In a directory they may be beside each other, as python-tuf's examples have them.
fn places(repository: &str, targets: Option<&str>, here: &Utf8Path) -> Result<(Place, Place), CliError> {
    let given = Place::named(repository, here)?;
    let metadata = match &given {
        Place::Directory(path) if !path.join("timestamp.json").exists() && path.join("metadata").is_dir() => {
            given.below("metadata")
        }
        _ => given.clone(),
    };
    let targets = match targets {
        Some(word) => Place::named(word, here)?,
        None => given.below("targets"),
    };
    Ok((metadata, targets))
}

fn current_directory() -> Result<Utf8PathBuf, CliError> {
    let failed = || CliError::failure("failed to find the current directory");
    let path = std::env::current_dir().map_err(|error| failed().because(error))?;
    Utf8PathBuf::from_path_buf(path).map_err(|path| failed().because(format!("{} is not UTF-8", path.display())))
}
