//! Whose signatures on the layout are demanded: the keys that the user names, or those of the user's trust store.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::{sha256, to_hex};
use intoto_core::envelope::Envelope;
use intoto_core::identity::IdentityVerifier;
use intoto_core::key::{FulcioIdentity, KeyIdStyle, PublicKey};
use intoto_core::limits::Limits;
use intoto_core::name::KeyId;
use intoto_core::time::Timestamp;
use intoto_core::verdict::Outcome;

use super::identities::{self, Beside, OwnerIdentity};
use super::{Owner, ReferenceTime, Report};
use crate::error::{CliError, ErrorKind};
use crate::finding::{CargoCode, CargoFinding};
use crate::signing::{OpenPgpId, load_from_gpg, load_public_key, load_pubring};
use crate::trust::{Asked, Entry, Origin, Store};

/// Owners that are known by OpenPGP keys.
#[derive(Debug, Clone, Copy)]
pub struct GpgOwners<'a> {
    /// The ids of keys. With none, every key in the file.
    pub ids: &'a [String],
    /// A file that GnuPG exported, in place of GnuPG itself.
    pub pubring: Option<&'a Utf8Path>,
    /// GnuPG's home directory, if it is not the user's own.
    pub home: Option<&'a Utf8Path>,
}

impl GpgOwners<'_> {
    /// Whether nobody is named.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.pubring.is_none()
    }

    fn load(&self) -> Result<Vec<Owner>, CliError> {
        let ids = self
            .ids
            .iter()
            .map(|id| OpenPgpId::parse(id))
            .collect::<Result<Vec<_>, _>>()?;
        let keys = match self.pubring {
            Some(pubring) => load_pubring(pubring, &ids)?,
            None => load_from_gpg(self.home, &ids)?,
        };
        let origin = self.pubring.map_or("GnuPG", Utf8Path::as_str);
        let owner = |key: PublicKey| Owner {
            label: format!("{} of {origin}", key.key_id(KeyIdStyle::Legacy)),
            key,
            file: None,
        };
        Ok(keys.into_iter().map(owner).collect())
    }
}

/// Whose signatures are demanded, and who remembers what was accepted.
#[derive(Debug)]
pub struct Owners {
    /// The keys, all of which must have signed.
    pub keys: Vec<Owner>,
    /// The identities, all of which must have signed.
    pub identities: Vec<OwnerIdentity>,
    /// The entry of the trust store that they come from.
    entry: Option<(Store, Entry)>,
}

/// What of a key may sign, where it has parts.
fn signing_ids(key: &PublicKey) -> BTreeSet<&KeyId> {
    match key {
        PublicKey::OpenPgp(key) => key.signing_ids().collect(),
        _ => BTreeSet::new(),
    }
}

/// What identifies a layout, whatever signatures stand around it.
fn signed_sha256(layout: &[u8], limits: &Limits) -> Option<[u8; 32]> {
    let envelope = Envelope::parse(layout, limits).ok()?;
    Some(sha256(envelope.signed_bytes()))
}

impl Owners {
    /// Before when the evidence has to have been signed, if they were the owners until then and are no longer.
    pub fn signed_before(&self) -> Option<Timestamp> {
        match &self.entry {
            Some((_, entry)) => match entry.origin {
                Origin::Former { signed_before } => signed_before,
                _ => None,
            },
            None => None,
        }
    }

    /// The keys in these files, and these of GnuPG.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn named(files: &[Utf8PathBuf], gpg: &GpgOwners<'_>) -> Result<Self, CliError> {
        let mut keys = files
            .iter()
            .map(|file| {
                Ok(Owner {
                    label: file.to_string(),
                    key: load_public_key(file)?,
                    file: Some(file.clone()),
                })
            })
            .collect::<Result<Vec<Owner>, CliError>>()?;
        keys.extend(gpg.load()?);
        // The same key twice is still one signature.
        let mut distinct: Vec<Owner> = Vec::new();
        for owner in keys {
            match distinct.iter().find(|other| other.key == owner.key) {
                None => distinct.push(owner),
                Some(other) if signing_ids(&other.key) == signing_ids(&owner.key) => {}
                Some(other) => {
                    return Err(CliError::usage(format!(
                        "{} and {} are one key, of which different parts are demanded",
                        other.label, owner.label
                    ))
                    .hint("name one part for each owner"));
                }
            }
        }
        Ok(Self {
            keys: distinct,
            identities: Vec::new(),
            entry: None,
        })
    }

    /// These, and these identities.
    #[must_use]
    pub fn and_identities(mut self, identities: Vec<FulcioIdentity>) -> Self {
        for identity in identities {
            let owner = OwnerIdentity {
                label: identity.identity().unwrap_or_default().to_owned(),
                identity,
            };
            if !self.identities.iter().any(|other| other.identity == owner.identity) {
                self.identities.push(owner);
            }
        }
        self
    }

    /// The keys of an entry whose scope covers every crate under verification. Of several, one that enough signatures on the
    /// layout agree with is taken.
    ///
    /// # Errors
    /// When no entry covers them; the hint is the command that would change that.
    pub fn of_store(
        store: Store,
        purls: &[String],
        signed: &Signed<'_>,
        at: Timestamp,
        limits: &Limits,
    ) -> Result<Self, CliError> {
        let layout = signed.layout;
        if purls.is_empty() {
            return Err(CliError::cannot_decide(
                "nothing says which crates are under verification, so the trust store cannot be asked",
            )
            .with_code(CargoCode::OwnerUnknown)
            .hint(format!(
                "say it with --subject {}, give a .crate, or give the owner's key with --key FILE",
                only_scope(&store).unwrap_or("pkg:cargo/NAME")
            )));
        }
        let (entry, keys, identities) = {
            let entries = store.keys_for(purls, &Asked { layout, at })?;
            let envelope = Envelope::parse(layout, limits).ok();
            let signed_by = |entry: &Entry| -> Result<Signers, CliError> {
                let by_key = |key: &PublicKey| {
                    envelope
                        .as_ref()
                        .is_some_and(|envelope| envelope.verify_at(key, &key.key_ids(), at).is_ok())
                };
                let in_file = |index: &usize| by_key(&entry.keys[*index]);
                let mut keys: Vec<usize> = (0..entry.keys.len()).filter(in_file).collect();
                let mut identities = Vec::new();
                // What lies beside the layout matters only to those who have not signed in it.
                let is_enough = entry.threshold > 0 && keys.len() >= entry.threshold as usize;
                if !is_enough || !entry.identities.is_empty() {
                    let (by_bundle, by_identity) = signed.beside(entry, at, limits)?;
                    keys.extend(by_bundle);
                    keys.sort_unstable();
                    keys.dedup();
                    identities = by_identity;
                }
                Ok(Signers { keys, identities })
            };
            let current = signed_sha256(layout, limits);
            let mut enough: Option<(&Entry, Signers)> = None;
            for entry in &entries {
                let signers = signed_by(entry)?;
                let threshold = usize::try_from(entry.threshold).unwrap_or(usize::MAX);
                if signers.count() < threshold || signers.count() == 0 {
                    continue;
                }
                // Present owners who have replaced this layout say nothing for it; the former ones whom they name may, for what was signed in
                // their time.
                let is_replaced = |entry: &Entry| {
                    signed.older == Older::Refused
                        && matches!(entry.origin, Origin::Fetched { layout } if layout.is_some() && layout != current)
                };
                let is_former_of = |first: &Entry| {
                    is_replaced(first) && first.name == entry.name && matches!(entry.origin, Origin::Former { .. })
                };
                match &enough {
                    None => {
                        let is_settled = !is_replaced(entry);
                        enough = Some((entry, signers));
                        if is_settled {
                            break;
                        }
                    }
                    Some((first, _)) if is_former_of(first) => {
                        enough = Some((entry, signers));
                        break;
                    }
                    Some(_) => {}
                }
            }
            // With too few signatures everywhere, the verdict says which ones are missing.
            let (entry, signers) = match (enough, entries.first()) {
                (Some(found), _) => found,
                (None, Some(first)) => (first, Signers::all(first)),
                (None, None) => {
                    return Err(CliError::cannot_decide("nobody is trusted").with_code(CargoCode::OwnerUnknown));
                }
            };
            let identities = signers.identities.iter().map(|index| OwnerIdentity {
                label: format!("`{}` of the trust store", entry.name),
                identity: entry.identities[*index].clone(),
            });
            let keys = signers.keys.iter().map(|index| Owner {
                label: format!("`{}` of the trust store", entry.name),
                key: entry.keys[*index].clone(),
                file: None,
            });
            (entry.clone(), keys.collect(), identities.collect())
        };
        Ok(Self {
            keys,
            identities,
            entry: Some((store, entry)),
        })
    }

    /// Refuses a layout that is older than what the entry of the trust store has accepted before, and remembers one that was verified
    /// at the present time. Both are done under one lock: of two verifications at the same time, the one of the older layout
    /// finds the newer one accepted, or is over before.
    ///
    /// # Errors
    /// When the layout was verified and the trust store cannot be written. What was verified stays verified.
    pub fn settle(&self, report: &mut Report, older: Older) -> Result<(), CliError> {
        let (Some((store, entry)), Some(layout)) = (&self.entry, report.verdict.layout()) else {
            return Ok(());
        };
        let (sha256, expires) = (layout.signed_sha256, layout.expires);
        let origin = entry.origin.clone();
        let check = |entry: &Entry| match older {
            // What the store remembers, with what its TUF repository says: the file has the one, and `entry` the other.
            Older::Refused => {
                let mut entry = entry.clone();
                entry.origin.clone_from(&origin);
                entry.check_not_older(&sha256, expires).err()
            }
            Older::Accepted => None,
        };
        let mut refused = check(entry);
        let mut result = Ok(());
        let is_latest = entry.accepted.last().is_some_and(|accepted| accepted.sha256 == sha256);
        if let (ReferenceTime::Now(now), Outcome::Verified, None) = (report.time, report.outcome(), &refused)
            && !is_latest
            && !matches!(origin, Origin::Former { .. })
        {
            result = Store::update(store.path(), |entries| {
                // An entry that was removed meanwhile has nothing to remember.
                if let Some(entry) = entries.iter_mut().find(|other| other.name == entry.name) {
                    refused = check(entry);
                    if refused.is_none() {
                        entry.accept(sha256, expires, now);
                    }
                }
                Ok(())
            });
        }
        if let Some(error) = refused {
            report
                .findings
                .push(finding(&error, error.code().unwrap_or(CargoCode::LayoutOlder)));
        }
        result
    }
}

/// A layout, and what may be signatures on it.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// The layout's bytes.
    pub layout: &'a [u8],
    /// Where Sigstore bundles beside it are.
    pub beside: &'a Beside,
    /// What verifies them.
    pub verifier: &'a dyn IdentityVerifier,
    /// What becomes of a layout that was replaced.
    pub older: Older,
}

impl Signed<'_> {
    /// Which of the entry's keys and identities have signed in bundles beside the layout, by their places in it.
    fn beside(&self, entry: &Entry, at: Timestamp, limits: &Limits) -> Result<(Vec<usize>, Vec<usize>), CliError> {
        let (layout, verifier) = (self.layout, self.verifier);
        let beside = self.beside.read(limits)?;
        Ok((
            identities::signed_by_keys(&entry.keys, layout, &beside, verifier, at, limits),
            identities::signed(&entry.identities, layout, &beside, verifier, at, limits),
        ))
    }
}

/// Who of an entry has signed, by their places in it.
struct Signers {
    keys: Vec<usize>,
    identities: Vec<usize>,
}

impl Signers {
    fn all(entry: &Entry) -> Self {
        Self {
            keys: (0..entry.keys.len()).collect(),
            identities: (0..entry.identities.len()).collect(),
        }
    }

    fn count(&self) -> usize {
        self.keys.len() + self.identities.len()
    }
}

/// What becomes of a layout that is older than one accepted before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Older {
    /// It is refused.
    Refused,
    /// The user accepts it.
    Accepted,
}

/// The crate that the store speaks for, when there is one only.
fn only_scope(store: &Store) -> Option<&str> {
    match store.entries() {
        [entry] => match entry.scope.as_slice() {
            [scope] => Some(scope.as_str()),
            _ => None,
        },
        _ => None,
    }
}

/// Refuses a layout that is not the one with this sha256: of the file, or of what is signed in it, which stays the same when it
/// is signed again.
pub fn check_layout_sha256(layout: &[u8], expected: &str, limits: &Limits, findings: &mut Vec<CargoFinding>) {
    let of_file = to_hex(&sha256(layout));
    let signed = Envelope::parse(layout, limits)
        .ok()
        .map(|envelope| to_hex(&sha256(envelope.signed_bytes())));
    if !expected.eq_ignore_ascii_case(&of_file) && !signed.is_some_and(|signed| expected.eq_ignore_ascii_case(&signed))
    {
        findings.push(CargoFinding::refusal(
            CargoCode::LayoutDigestMismatch,
            format!("the layout has the sha256 {of_file}, and --layout-sha256 demands {expected}"),
        ));
    }
}

/// A refusal that was met as an error, in the form of a finding.
fn finding(error: &CliError, code: CargoCode) -> CargoFinding {
    let finding = match error.kind() {
        ErrorKind::Refused => CargoFinding::refusal(code, error.to_string()),
        _ => CargoFinding::undecided(code, error.to_string()),
    };
    match error.hints().first() {
        Some(hint) => finding.hint(hint),
        None => finding,
    }
}
