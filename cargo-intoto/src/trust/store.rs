//! The store as a file: read strictly, changed under a lock, replaced in one step.

use std::fs::{self, File};

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::time::Timestamp;

use crate::error::CliError;
use crate::finding::CargoCode;
use crate::settings::{self, Exposure};
use crate::trust::clock;
use crate::trust::entry::{Entry, Origin};
use crate::trust::form;
use crate::trust::scope::Scope;
use crate::trust::tuf::{self, Brought, TufSource};

const WHAT: &str = "trust store";

/// Which trust store.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct TrustArgs {
    /// Trust store to use instead of your own
    #[arg(long, value_name = "FILE", help_heading = "Trust")]
    pub trust_store: Option<Utf8PathBuf>,
}

impl TrustArgs {
    /// The file that is meant.
    pub fn path(&self) -> Result<Utf8PathBuf, CliError> {
        match &self.trust_store {
            Some(path) => Ok(path.clone()),
            None => settings::trust_store_path(),
        }
    }

    /// Reads the store that is meant; one that was named must exist.
    pub fn load(&self) -> Result<Store, CliError> {
        let store = Store::load(&self.path()?)?;
        if self.trust_store.is_some() && !store.exists {
            return Err(
                CliError::cannot_decide(format!("there is no trust store at `{}`", store.path))
                    .hint("`cargo intoto trust add` makes it with its first entry"),
            );
        }
        Ok(store)
    }
}

/// What the store is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The file of the layout.
    pub layout: &'a [u8],
    /// As of when it is judged.
    pub at: Timestamp,
}

/// A trust store that was read.
#[derive(Debug, Clone)]
pub struct Store {
    path: Utf8PathBuf,
    exists: bool,
    entries: Vec<Entry>,
}

impl Store {
    /// Reads the store at `path`; a file that is not there is an empty store.
    ///
    /// # Errors
    /// When others may write the file, or when anything in it is not understood.
    pub fn load(path: &Utf8Path) -> Result<Self, CliError> {
        let Some(bytes) = settings::read(path, WHAT, Exposure::Trusted)? else {
            return Ok(Self {
                path: path.to_owned(),
                exists: false,
                entries: Vec::new(),
            });
        };
        let malformed = || {
            CliError::cannot_decide(format!("the trust store `{path}` is damaged"))
                .with_code(CargoCode::TrustStoreMalformed)
                .hint("put back a copy, or move the file away and add the entries again; nothing is trusted until then")
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| malformed().because(error))?;
        let entries = form::read(text).map_err(|error| malformed().because(error))?;
        Ok(Self {
            path: path.to_owned(),
            exists: true,
            entries,
        })
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Every entry, in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries whose scope covers every one of the crates with these purls (a version in a purl does not matter).
    ///
    /// # Errors
    /// When there is none: nobody is trusted for these crates, and the hint is the command that would change that.
    pub fn keys_for(&self, purls: &[String], asked: &Asked<'_>) -> Result<Vec<Entry>, CliError> {
        let crates = purls
            .iter()
            .map(|purl| Scope::of_purl(purl))
            .collect::<Result<Vec<_>, _>>()?;
        let mut covering = Vec::new();
        let mut unusable = None;
        for entry in self.entries.iter().filter(|entry| entry.covers(&crates)) {
            match &entry.origin {
                Origin::Pinned | Origin::Fetched { .. } | Origin::Former { .. } => covering.push(entry.clone()),
                // What is not known to be fresh does not count; other entries may.
                Origin::Tuf(source) => match self.brought(entry, source, asked.at) {
                    Ok(brought) => covering.extend(brought.entries(entry, asked.at, asked.layout)),
                    Err(error) => unusable = unusable.or(Some(error)),
                },
            }
        }
        // The repository may name fewer crates than the user.
        covering.retain(|entry| entry.covers(&crates));
        if !covering.is_empty() {
            return Ok(covering);
        }
        if let Some(error) = unusable {
            return Err(error);
        }
        let mut names: Vec<&str> = crates.iter().map(Scope::as_str).collect();
        names.sort_unstable();
        names.dedup();
        let scopes: Vec<String> = names.iter().map(|name| format!("--scope '{name}'")).collect();
        let about = match names.as_slice() {
            [] => "nothing".to_owned(),
            [one] => (*one).to_owned(),
            several => format!("all of {}", several.join(", ")),
        };
        let error = CliError::cannot_decide(format!(
            "nobody is trusted for {about}: no entry of the trust store `{}` covers it",
            self.path
        ))
        .with_code(CargoCode::OwnerUnknown);
        let elsewhere = self.elsewhere(&crates);
        let error = if elsewhere.is_empty() {
            error
        } else {
            error.hint(format!(
                "if a crate of another registry is meant, say so: {}",
                elsewhere.join(" ")
            ))
        };
        Err(error.hint(format!(
            "if you trust the owner's key, run `cargo intoto trust add NAME --key FILE {}`, or give it with `--key FILE`",
            scopes.join(" ")
        )))
    }

    /// What the TUF repository of `entry` said when it was asked last, if that is believed both now and at `at`.
    ///
    /// # Errors
    /// When it has expired, or was damaged, or when the clock was set back.
    pub fn brought(&self, entry: &Entry, source: &TufSource, at: Timestamp) -> Result<Brought, CliError> {
        let now = settings::now()?;
        clock::check(&self.path, now)?;
        clock::remember(&self.path, now);
        // A verdict as of a time to come rests on what will be known then.
        tuf::offline(&self.path, &entry.name, source, now.max(at))
    }

    /// The current layout that the entry `name` brings by TUF, and the Sigstore bundle that signs it, if there is one.
    ///
    /// # Errors
    /// When it brings none, or what it brought has expired.
    pub fn layout_of(&self, name: &str) -> Result<(Vec<u8>, Option<Vec<u8>>), CliError> {
        let entry = self.entry(name)?;
        let none = || CliError::cannot_decide(format!("the trust entry `{}` brings no layout", name.escape_debug()));
        let Origin::Tuf(source) = &entry.origin else {
            return Err(none().hint("only an entry with a TUF repository can"));
        };
        let brought = self.brought(entry, source, settings::now()?)?;
        let layout = brought.layout.ok_or_else(|| {
            let wanted = source
                .project()
                .map(|project| format!("its TUF repository has no target `{}`", project.layout()));
            match wanted {
                Some(wanted) => none().because(wanted),
                None => none(),
            }
            .with_code(CargoCode::TufTargetMissing)
        })?;
        Ok((layout, brought.layout_signature))
    }

    /// The entry with this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn entry(&self, name: &str) -> Result<&Entry, CliError> {
        self.entries.iter().find(|entry| entry.name == name).ok_or_else(|| {
            CliError::usage(format!("the trust store has no entry `{}`", name.escape_debug()))
                .hint("`cargo intoto trust list` shows the entries")
        })
    }

    /// Adds an entry whose owners come by TUF, once its repository was asked with success by the root that the user trusts.
    ///
    /// # Errors
    /// When the name is taken, or the repository is refused. Nothing is added then.
    pub fn add_tuf(path: &Utf8Path, entry: Entry, source: &TufSource, root: Vec<u8>) -> Result<Brought, CliError> {
        tuf::check_name(&entry.name)?;
        let store = Self::load(path)?;
        if store.entries.iter().any(|other| other.name == entry.name) {
            return Err(taken(path, &entry.name));
        }
        if let Some(directory) = path.parent().filter(|parent| !parent.as_str().is_empty()) {
            settings::create_directory(directory)?;
        }
        let now = settings::now()?;
        clock::check(path, now)?;
        let brought = tuf::begin(path, &entry.name, source, root, now)?;
        clock::remember(path, now);
        Self::add(path, entry)?;
        Ok(brought)
    }

    /// Puts a new entry into the store at `path`.
    ///
    /// # Errors
    /// When the name is taken.
    pub fn add(path: &Utf8Path, entry: Entry) -> Result<(), CliError> {
        Self::update(path, |entries| {
            if entries.iter().any(|other| other.name == entry.name) {
                return Err(taken(path, &entry.name));
            }
            entries.push(entry);
            Ok(())
        })
    }

    /// Asks the TUF repository of `entry` again.
    ///
    /// # Errors
    /// When what it says is refused, or it cannot be asked.
    pub fn update_tuf(&self, entry: &Entry, source: &TufSource) -> Result<Brought, CliError> {
        let now = settings::now()?;
        clock::check(&self.path, now)?;
        clock::remember(&self.path, now);
        tuf::update(&self.path, &entry.name, source, now)
    }

    /// Removes the entry `name`, and what its TUF repository said.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove(path: &Utf8Path, name: &str) -> Result<(), CliError> {
        let removed = Self::update(path, |entries| {
            let index = entries.iter().position(|entry| entry.name == name).ok_or_else(|| {
                CliError::usage(format!("the trust store has no entry `{}`", name.escape_debug()))
                    .hint("`cargo intoto trust list` shows the entries")
            })?;
            Ok(entries.remove(index))
        })?;
        match removed.origin {
            Origin::Tuf(_) => tuf::forget(path, name),
            _ => Ok(()),
        }
    }

    /// The root of Sigstore that an entry brings by TUF, with the entry's name; none when no entry does.
    ///
    /// # Errors
    /// When it has expired, or was damaged: another root must not take its place unnoticed.
    pub fn sigstore_root(&self, at: Timestamp) -> Result<Option<(&str, Vec<u8>)>, CliError> {
        for entry in &self.entries {
            if let Origin::Tuf(source) = &entry.origin
                && let Some(root) = self.brought(entry, source, at)?.sigstore_root
            {
                return Ok(Some((&entry.name, root)));
            }
        }
        Ok(None)
    }

    /// What would state the same crates in the registries that entries cover them in; empty when there is no such entry for one.
    fn elsewhere(&self, crates: &[Scope]) -> Vec<String> {
        crates
            .iter()
            .map(|wanted| {
                let scopes = self.entries.iter().flat_map(|entry| &entry.scope);
                let found = scopes.into_iter().find(|scope| scope.name() == wanted.name())?;
                Some(format!("--subject '{found}'"))
            })
            .collect::<Option<Vec<_>>>()
            .unwrap_or_default()
    }

    /// Reads the store at `path` again, lets `change` edit its entries, and puts the result in place in one step, under a lock.
    pub fn update<T>(
        path: &Utf8Path,
        change: impl FnOnce(&mut Vec<Entry>) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        if let Some(directory) = path.parent().filter(|parent| !parent.as_str().is_empty()) {
            settings::create_directory(directory)?;
        }
        let _lock = lock(path)?;
        let mut store = Self::load(path)?;
        let result = change(&mut store.entries)?;
        settings::replace(path, form::write(&store.entries)?.as_bytes(), 0o600)?;
        Ok(result)
    }
}

fn taken(path: &Utf8Path, name: &str) -> CliError {
    CliError::usage(format!(
        "the trust store `{path}` has an entry `{}` already",
        name.escape_debug()
    ))
    .hint("choose another name, or remove that entry first with `cargo intoto trust remove NAME`")
}

/// Held while the store is read, changed and replaced; released when the file is closed.
pub(super) fn lock(path: &Utf8Path) -> Result<File, CliError> {
    let lock_path = Utf8PathBuf::from(format!("{path}.lock"));
    let failed =
        |error: std::io::Error| CliError::failure(format!("failed to lock the trust store `{path}`")).because(error);
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(&lock_path).map_err(failed)?;
    file.lock().map_err(failed)?;
    Ok(file)
}
