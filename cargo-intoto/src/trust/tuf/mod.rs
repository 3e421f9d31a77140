//! Entries whose owners, layout and Sigstore root come from a repository of The Update Framework (TUF).
//!
//! The user pins one root; from there on the repository may rotate every key, its own included, and nobody between can put back, hold back or
//! mix what it says. Only `trust update` asks the repository. Every other command checks again, offline, what was fetched, and
//! believes it as long as none of it has expired.

#[cfg(feature = "sigstore")]
mod client;
#[cfg(feature = "sigstore")]
mod direct;
#[cfg_attr(
    not(feature = "sigstore"),
    expect(dead_code, reason = "only the client asks for all of it")
)]
mod local;
mod owners;
mod place;
#[cfg(feature = "sigstore")]
mod transport;

use camino::Utf8Path;
use intoto_core::digest::sha256;
use intoto_core::envelope::Envelope;
use intoto_core::key::{FulcioIdentity, PublicKey};
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;

#[cfg(feature = "sigstore")]
pub use self::direct::Direct;
pub use self::owners::{OwnersList, ReplacedList};
pub use self::place::{Place, Project};

use self::local::Local;
use self::owners::{Group, Owners};
use crate::error::CliError;
#[cfg(not(feature = "sigstore"))]
use crate::finding::CargoCode;
use crate::trust::entry::{Entry, Origin};
use crate::trust::scope::Scope;

/// Where an entry's owners come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TufSource {
    metadata: Place,
    targets: Place,
    project: Option<Project>,
    sigstore_root: bool,
}

impl TufSource {
    /// A repository, and what is taken from it.
    ///
    /// # Errors
    /// When nothing is.
    pub fn new(
        metadata: Place,
        targets: Place,
        project: Option<Project>,
        sigstore_root: bool,
    ) -> Result<Self, CliError> {
        if project.is_none() && !sigstore_root {
            return Err(CliError::usage("nothing is taken from the TUF repository"));
        }
        Ok(Self {
            metadata,
            targets,
            project,
            sigstore_root,
        })
    }

    /// Where its metadata lie.
    pub fn metadata(&self) -> &Place {
        &self.metadata
    }

    /// Where its targets lie.
    pub fn targets(&self) -> &Place {
        &self.targets
    }

    /// The project whose owners and layout are taken.
    pub fn project(&self) -> Option<&Project> {
        self.project.as_ref()
    }

    /// Whether the root of Sigstore is taken.
    pub fn brings_sigstore_root(&self) -> bool {
        self.sigstore_root
    }
}

/// The metadata of one role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleState {
    /// `root`, `timestamp`, `snapshot`, `targets`, or the name of a delegated role.
    pub name: String,
    /// Its version.
    pub version: u64,
    /// After this it is believed no longer.
    pub expires: Timestamp,
}

/// What a repository said when it was asked last, checked again.
#[derive(Debug, Clone)]
pub struct Brought {
    /// Whose metadata it rests on.
    pub roles: Vec<RoleState>,
    /// When the repository was asked.
    pub updated: Timestamp,
    /// The file of the current layout, if the repository has one.
    pub layout: Option<Vec<u8>>,
    /// The Sigstore bundle that signs the layout, if the repository has one.
    pub layout_signature: Option<Vec<u8>>,
    /// Sigstore's root, if it is taken from here.
    pub sigstore_root: Option<Vec<u8>>,
    owners: Option<Owners>,
}

impl Brought {
    /// Until when it is believed without asking again.
    pub fn good_until(&self) -> Option<Timestamp> {
        self.roles.iter().map(|role| role.expires).min()
    }

    /// The keys and the identities of those who own the project now, and how many of them must sign.
    pub fn owners(&self) -> Option<(&[PublicKey], &[FulcioIdentity], u32)> {
        let now = &self.owners.as_ref()?.now;
        Some((&now.keys, &now.identities, now.threshold))
    }

    /// The crates that the owners speak for by the repository's word; the entry's scope may have fewer.
    pub fn scope(&self) -> &[Scope] {
        self.owners.as_ref().map_or(&[], |owners| &owners.scope)
    }

    /// The entries that stand in the place of `entry` for a layout that is judged at `at`: those of former owners who counted then, the owners', and
    /// those of former owners for evidence that somebody saw in their time. Each covers the crates that both the user and the repository name.
    pub fn entries(&self, entry: &Entry, at: Timestamp, layout: &[u8]) -> Vec<Entry> {
        let Some(owners) = &self.owners else {
            return Vec::new();
        };
        let scope = || {
            let both = entry.scope.iter().filter(|scope| owners.scope.contains(scope));
            both.cloned().collect()
        };
        let fetched = |group: &Group, origin| Entry {
            name: entry.name.clone(),
            scope: scope(),
            keys: group.keys.clone(),
            identities: group.identities.clone(),
            threshold: group.threshold,
            added: entry.added,
            accepted: entry.accepted.clone(),
            origin,
        };
        let digests = [Some(sha256(layout)), signed_sha256(layout)];
        let is_listed =
            |former: &&owners::Former| digests.iter().flatten().any(|digest| former.layouts.contains(digest));
        let (then, since): (Vec<_>, Vec<_>) =
            (owners.former.iter().filter(is_listed)).partition(|former| at < former.until);
        // They come first: who owns the project still may have owned it then, and for this layout it is then that counts.
        let former = |former: &owners::Former, signed_before| fetched(&former.owners, Origin::Former { signed_before });
        let mut found: Vec<Entry> = then.into_iter().map(|group| former(group, None)).collect();
        let layout = self.layout.as_deref().and_then(signed_sha256);
        found.push(fetched(&owners.now, Origin::Fetched { layout }));
        found.extend(since.into_iter().map(|group| former(group, Some(group.until))));
        found
    }
}

/// The sha256 of what is signed in a layout's file.
fn signed_sha256(layout: &[u8]) -> Option<[u8; 32]> {
    let envelope = Envelope::parse(layout, &Limits::default()).ok()?;
    Some(sha256(envelope.signed_bytes()))
}

/// What `source` says now, by a root that the user trusts; remembered for the entry `name` of the trust store at `store`.
///
/// # Errors
/// When the repository is not what it should be, or cannot be asked. Nothing is remembered then.
pub(super) fn begin(
    store: &Utf8Path,
    name: &str,
    source: &TufSource,
    root: Vec<u8>,
    now: Timestamp,
) -> Result<Brought, CliError> {
    let mut local = Local::new(root)?;
    let brought = refresh(&mut local, source, now)?;
    local.write(store, name)?;
    Ok(brought)
}

/// Asks the repository of the entry `name` again.
///
/// # Errors
/// When what it says is refused, or it cannot be asked. What was fetched before stays as it is then, but for what must never be
/// forgotten: roots, and the version of the newest timestamp.
pub(super) fn update(store: &Utf8Path, name: &str, source: &TufSource, now: Timestamp) -> Result<Brought, CliError> {
    let _lock = Local::lock(store, name)?;
    let mut local = Local::read(store, name)?;
    let result = refresh(&mut local, source, now);
    local.write(store, name)?;
    result
}

/// What was fetched for the entry `name`, checked again as of `now`.
///
/// # Errors
/// When it has expired, is not there, or was damaged.
pub(super) fn offline(store: &Utf8Path, name: &str, source: &TufSource, now: Timestamp) -> Result<Brought, CliError> {
    replay(&Local::read(store, name)?, name, source, now)
}

/// Forgets what was fetched for the entry `name`.
pub(super) fn forget(store: &Utf8Path, name: &str) -> Result<(), CliError> {
    Local::remove(store, name)
}

/// Refuses a name that could not be the name of a file everywhere.
pub(super) fn check_name(name: &str) -> Result<(), CliError> {
    name.parse::<Project>().map(drop).map_err(|_| {
        CliError::usage(format!(
            "`{}` cannot be the name of an entry with a TUF repository",
            name.escape_debug()
        ))
        .hint("such a name has letters, digits, `-`, `_` and `.`, and begins with a letter or a digit")
    })
}

#[cfg(feature = "sigstore")]
use self::client::{refresh, replay};

#[cfg(not(feature = "sigstore"))]
fn refresh(_: &mut Local, _: &TufSource, _: Timestamp) -> Result<Brought, CliError> {
    Err(not_built_in())
}

#[cfg(not(feature = "sigstore"))]
fn replay(_: &Local, _: &str, _: &TufSource, _: Timestamp) -> Result<Brought, CliError> {
    Err(not_built_in().of_kind(crate::error::ErrorKind::CannotDecide))
}

#[cfg(not(feature = "sigstore"))]
fn not_built_in() -> CliError {
    CliError::usage("this build of cargo-intoto has no TUF client")
        .with_code(CargoCode::OwnerUnknown)
        .hint("install it with `cargo install cargo-intoto --features sigstore`, or take a released binary")
}

#[cfg(test)]
#[cfg(feature = "sigstore")]
mod tests;
