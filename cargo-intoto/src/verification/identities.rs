//! Identities: which owners have one, the Sigstore bundles beside the layout, and what verifies such evidence.

use std::fmt::Debug;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::envelope::{Bundle as SigstoreBundle, Envelope};
use intoto_core::identity::{CheckedFacts, IdentityVerifier};
use intoto_core::key::{FulcioIdentity, PublicKey};
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;

use crate::error::CliError;
use crate::finding::CargoCode;
use crate::foreign::{ForeignDirectory, Unread};
use crate::store::Bundle;
use crate::store::bundle::Role;
pub use crate::trust::RootSeen;
use crate::trust::RootedVerifier;
use crate::verification::Owner;
use crate::verification::owners::Owners;

/// What the name of a Sigstore bundle ends in.
const SUFFIX: &str = ".sigstore.json";

/// More bundles beside a layout than it has owners.
const MOST: usize = 64;

/// An owner who signs with an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnerIdentity {
    /// Who: as the user wrote it, or the name of a trust entry.
    pub label: String,
    /// Whom the layout's certificate must be about.
    pub identity: FulcioIdentity,
}

/// Everything about identities that a verification depends on.
#[derive(Debug, Clone)]
pub struct Identities {
    /// The identities that must all have signed the layout.
    pub owners: Vec<OwnerIdentity>,
    /// The Sigstore bundles beside the layout, by their names.
    pub beside: Vec<(String, Vec<u8>)>,
    /// What verifies Sigstore evidence.
    pub verifier: Arc<dyn RootedVerifier>,
}

/// Where the bundles beside a layout are looked for, once it is known that an owner did not sign in its file.
#[derive(Debug)]
pub enum Beside {
    /// Beside the layout's file.
    File(Utf8PathBuf),
    /// In the bundle with the evidence.
    Bundle(Arc<Bundle>),
    /// What came with a layout from elsewhere, if anything did, and what it is called.
    Fetched(String, Option<Vec<u8>>),
}

impl Beside {
    /// Reads them for these owners of the layout.
    ///
    /// # Errors
    /// As [`read`](Self::read), if one of the owners has not signed in the layout's file.
    pub fn read_for(
        &self,
        owners: &Owners,
        layout: &[u8],
        at: Timestamp,
        limits: &Limits,
    ) -> Result<Vec<(String, Vec<u8>)>, CliError> {
        match self.read(limits) {
            Err(_) if need_no_bundle(owners, layout, at, limits) => Ok(Vec::new()),
            read => read,
        }
    }

    /// Reads them.
    ///
    /// # Errors
    /// When there are too many, or one is there and cannot be read: it may be the one that counts.
    pub fn read(&self, limits: &Limits) -> Result<Vec<(String, Vec<u8>)>, CliError> {
        match self {
            Self::Bundle(bundle) => in_bundle(bundle),
            Self::File(layout) => beside_file(layout, limits),
            Self::Fetched(name, bytes) => Ok(bytes.iter().map(|bytes| (name.clone(), bytes.clone())).collect()),
        }
    }
}

/// The members with signatures on the layout. Each is asked about by each owner, with the whole layout.
fn in_bundle(bundle: &Bundle) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let members = bundle.of_role(Role::Signature);
    let found: Vec<_> = members
        .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
        .take(MOST + 1)
        .collect();
    if found.len() > MOST {
        return Err(CliError::cannot_decide(format!(
            "the bundle {} has more than {MOST} Sigstore bundles with signatures on its layout",
            bundle.path()
        ))
        .with_code(CargoCode::BundleTooLarge));
    }
    Ok(found)
}

/// `release.layout.sigstore.json`, and `release.layout.01234567.sigstore.json` where several have signed.
fn beside_file(layout: &Utf8Path, limits: &Limits) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    let failed = |what: &dyn std::fmt::Display| {
        CliError::cannot_decide(format!(
            "failed to read the Sigstore bundles beside the layout {layout}: {what}"
        ))
    };
    let (Some(file), parent) = (layout.file_name(), layout.parent()) else {
        return Ok(Vec::new());
    };
    let parent = parent.filter(|parent| !parent.as_str().is_empty());
    let directory = ForeignDirectory::open(parent.unwrap_or(Utf8Path::new("."))).map_err(|error| failed(&error))?;
    let is_beside = |name: &str| {
        let middle = name.strip_prefix(file).and_then(|rest| rest.strip_suffix(SUFFIX));
        middle.is_some_and(|middle| middle.is_empty() || is_short_id(middle))
    };
    let names = match directory.names(&[], is_beside, MOST) {
        Ok(names) if names.len() > MOST => return Err(failed(&format_args!("there are more than {MOST}"))),
        Ok(names) => names,
        Err(Unread::Missing) => Vec::new(),
        Err(unread) => return Err(failed(&unread)),
    };
    let read = |name: String| match directory.read(&[], &name, limits.json_bytes) {
        Ok(bytes) => Ok((name, bytes)),
        Err(unread) => Err(failed(&format_args!("{name} {unread}"))),
    };
    names.into_iter().map(read).collect()
}

/// A point and eight digits of an identity's id.
fn is_short_id(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.strip_prefix('.')
        .is_some_and(|digits| digits.len() == 8 && digits.bytes().all(is_digit))
}

/// Which of these identities have signed the layout, so that an entry of the trust store whose threshold is less than all of them can be
/// asked for those. What counts is decided by the core, which asks again.
pub fn signed(
    identities: &[FulcioIdentity],
    layout: &[u8],
    beside: &[(String, Vec<u8>)],
    verifier: &dyn IdentityVerifier,
    at: Timestamp,
    limits: &Limits,
) -> Vec<usize> {
    if identities.is_empty() {
        return Vec::new();
    }
    let facts: Vec<CheckedFacts> = beside
        .iter()
        .filter_map(|(_, bytes)| {
            let bundle = SigstoreBundle::parse(bytes, limits).ok()?;
            bundle.check_file(layout, verifier, at)?.ok()
        })
        .collect();
    let has_signed = |index: &usize| facts.iter().any(|facts| facts.are_about(&identities[*index]).is_ok());
    (0..identities.len()).filter(has_signed).collect()
}

/// Which of these keys have signed the layout in a bundle beside it, likewise.
pub fn signed_by_keys(
    keys: &[PublicKey],
    layout: &[u8],
    beside: &[(String, Vec<u8>)],
    verifier: &dyn IdentityVerifier,
    at: Timestamp,
    limits: &Limits,
) -> Vec<usize> {
    let bundles: Vec<SigstoreBundle<'_>> = beside
        .iter()
        .filter_map(|(_, bytes)| SigstoreBundle::parse(bytes, limits).ok())
        .filter(SigstoreBundle::is_by_key)
        .collect();
    let has_signed = |index: &usize| {
        let mut bundles = bundles.iter();
        bundles.any(|bundle| {
            let checked = bundle.check_file_by_key(layout, &keys[*index], verifier, at);
            checked.is_some_and(|checked| checked.is_ok())
        })
    };
    (0..keys.len()).filter(has_signed).collect()
}

/// Whether all owners are keys that have signed in the layout's file, so that it does not matter what lies beside it.
fn need_no_bundle(owners: &Owners, layout: &[u8], at: Timestamp, limits: &Limits) -> bool {
    let Ok(envelope) = Envelope::parse(layout, limits) else {
        return false;
    };
    let in_file = |owner: &Owner| envelope.verify_at(&owner.key, &owner.key.key_ids(), at).is_ok();
    owners.identities.is_empty() && owners.keys.iter().all(in_file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bundle::Draft;

    #[test]
    fn bundles_in_a_bundle_are_bounded() {
        for (count, is_read) in [(0, true), (MOST, true), (MOST + 1, false)] {
            let mut draft = Draft {
                top: "a-1.0.0.intoto".to_owned(),
                ..Draft::default()
            };
            draft
                .files
                .push((Role::Layout, "release.layout".to_owned(), Vec::new()));
            let signature = |number| {
                (
                    Role::Signature,
                    format!("release.layout.{number:08x}.sigstore.json"),
                    Vec::new(),
                )
            };
            draft.files.extend((0..count).map(signature));
            let bundle =
                Bundle::parse(Utf8Path::new("a.intoto.tar"), draft.pack().expect("in order")).expect("our own");
            let read = Beside::Bundle(Arc::new(bundle)).read(&Limits::default());
            assert_eq!(read.map(|read| read.len()).ok(), is_read.then_some(count));
        }
    }

    #[test]
    fn bundles_are_found_beside_their_layout_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let root = Utf8Path::from_path(directory.path()).expect("UTF-8");
        for name in [
            "release.layout",
            "release.layout.sigstore.json",
            "release.layout.0123abcd.sigstore.json",
            "release.layout.0123ABCD.sigstore.json",
            "release.layout.0123abc.sigstore.json",
            "other.layout.sigstore.json",
            "release.layout.sigstore.json.bak",
        ] {
            std::fs::write(root.join(name), name).expect("a file");
        }
        let found = Beside::File(root.join("release.layout"))
            .read(&Limits::default())
            .expect("found");
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["release.layout.0123abcd.sigstore.json", "release.layout.sigstore.json"]
        );
    }
}
