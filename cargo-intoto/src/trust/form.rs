//! The trust store's file: TOML, read strictly and written whole.

use intoto_core::key::{FulcioIdentity, PublicKey};
use intoto_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use crate::error::CliError;
use crate::signing::{parse_public_key, public_key_text};
use crate::trust::entry::{AcceptedLayout, Entry, Origin};
use crate::trust::scope::Scope;
use crate::trust::tuf::{Place, Project, TufSource};

/// The form that this version reads and writes.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStore {
    format: u32,
    #[serde(default, rename = "entry", skip_serializing_if = "Vec::is_empty")]
    entries: Vec<RawEntry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    name: String,
    scope: Vec<String>,
    /// Of the keys; none beside `tuf`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threshold: Option<u32>,
    added: Datetime,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    keys: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tuf: Option<RawTuf>,
    #[serde(default, rename = "identity", skip_serializing_if = "Vec::is_empty")]
    identities: Vec<RawIdentity>,
    #[serde(default, rename = "accepted", skip_serializing_if = "Vec::is_empty")]
    accepted: Vec<RawAccepted>,
}

/// An owner without a key.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawIdentity {
    issuer: String,
    identity: String,
}

impl RawIdentity {
    /// The form of exact identities; none for one with constraints, which no owner has.
    pub(super) fn of_all(identities: &[FulcioIdentity]) -> Option<Vec<Self>> {
        let raw = identities.iter().map(|identity| {
            Some(Self {
                issuer: identity.issuer().to_owned(),
                identity: identity.identity()?.to_owned(),
            })
        });
        raw.collect()
    }

    /// The identities, each once.
    pub(super) fn read_all(raw: &[Self]) -> Result<Vec<FulcioIdentity>, CliError> {
        let mut identities: Vec<FulcioIdentity> = Vec::new();
        for raw in raw {
            let identity = FulcioIdentity::exact(&raw.issuer, &raw.identity)
                .map_err(|error| CliError::cannot_decide("an identity is unusable").because(error))?;
            if identities.contains(&identity) {
                return Err(CliError::cannot_decide("an identity is listed twice"));
            }
            identities.push(identity);
        }
        Ok(identities)
    }
}

/// A TUF repository, in the place of keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTuf {
    metadata: String,
    targets: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sigstore_root: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAccepted {
    layout: String,
    expires: Datetime,
    at: Datetime,
}

/// Reads the text of a store.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, CliError> {
    let raw: RawStore = toml::from_str(text)
        .map_err(|error| CliError::cannot_decide("it is not the TOML of a trust store").because(error))?;
    if raw.format != FORMAT {
        return Err(CliError::cannot_decide(format!(
            "it has format {}, and this version reads format {FORMAT}",
            raw.format
        )));
    }
    let mut entries: Vec<Entry> = Vec::new();
    for raw in raw.entries {
        let entry = read_entry(raw)?;
        if entries.iter().any(|other| other.name == entry.name) {
            return Err(CliError::cannot_decide(format!(
                "it has two entries called `{}`",
                entry.name.escape_debug()
            )));
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn read_entry(raw: RawEntry) -> Result<Entry, CliError> {
    let wrong = |what: String| CliError::cannot_decide(format!("its entry `{}` {what}", raw.name.escape_debug()));
    let mut keys: Vec<PublicKey> = Vec::new();
    for pem in &raw.keys {
        let key = parse_public_key(pem, "the trust store")
            .map_err(|error| wrong("has an unusable key".to_owned()).because(error))?;
        if keys.iter().any(|other| other.shares_holder(&key)) {
            return Err(wrong("lists a key twice, or two keys of one holder".to_owned()));
        }
        keys.push(key);
    }
    let identities = RawIdentity::read_all(&raw.identities)
        .map_err(|error| wrong("has an unusable identity".to_owned()).because(error))?;
    let (threshold, origin) = match (raw.threshold, &raw.tuf) {
        (Some(threshold), None) => (
            check_threshold(threshold, keys.len() + identities.len()).map_err(wrong)?,
            Origin::Pinned,
        ),
        (None, None) => return Err(wrong("has no threshold".to_owned())),
        (None, Some(tuf)) if keys.is_empty() && identities.is_empty() => {
            let source =
                read_tuf(tuf).map_err(|error| wrong("has an unusable TUF repository".to_owned()).because(error))?;
            (0, Origin::Tuf(source))
        }
        (_, Some(_)) => {
            return Err(wrong(
                "has owners of its own beside those of a TUF repository".to_owned(),
            ));
        }
    };
    if raw.scope.is_empty() && !matches!(&raw.tuf, Some(tuf) if tuf.project.is_none()) {
        return Err(wrong("covers no crate".to_owned()));
    }
    let scope = raw
        .scope
        .iter()
        .map(|text| {
            text.parse::<Scope>()
                .map_err(|error| wrong("has an unusable scope".to_owned()).because(error))
        })
        .collect::<Result<_, _>>()?;
    let accepted = raw
        .accepted
        .iter()
        .map(|layout| {
            let sha256 = read_digest(&layout.layout)
                .ok_or_else(|| wrong("remembers a layout without a sha256 digest".to_owned()))?;
            let time = |datetime: &Datetime| {
                read_time(datetime).ok_or_else(|| wrong("remembers a layout without a time in UTC".to_owned()))
            };
            Ok(AcceptedLayout {
                sha256,
                expires: time(&layout.expires)?,
                accepted: time(&layout.at)?,
            })
        })
        .collect::<Result<_, CliError>>()?;
    let added = read_time(&raw.added).ok_or_else(|| wrong("was added at no time in UTC".to_owned()))?;
    Ok(Entry {
        scope,
        keys,
        identities,
        threshold,
        added,
        accepted,
        origin,
        name: raw.name,
    })
}

/// The threshold, if so many owners can meet it.
pub(super) fn check_threshold(threshold: u32, owners: usize) -> Result<u32, String> {
    if threshold < 1 || threshold as usize > owners {
        return Err(format!(
            "has a threshold of {threshold} for {}",
            crate::ui::count(owners, "owner")
        ));
    }
    Ok(threshold)
}

fn read_tuf(raw: &RawTuf) -> Result<TufSource, CliError> {
    TufSource::new(
        raw.metadata.parse::<Place>()?,
        raw.targets.parse::<Place>()?,
        raw.project.as_deref().map(str::parse::<Project>).transpose()?,
        raw.sigstore_root,
    )
}

/// The text of a store with these entries.
pub(super) fn write(entries: &[Entry]) -> Result<String, CliError> {
    let failed = || CliError::failure("failed to write the trust store as TOML");
    let time = |time: Timestamp| {
        time.to_string()
            .parse::<Datetime>()
            .map_err(|error| failed().because(error))
    };
    let entries = entries
        .iter()
        .map(|entry| {
            Ok(RawEntry {
                name: entry.name.clone(),
                scope: entry.scope.iter().map(Scope::to_string).collect(),
                threshold: match entry.origin {
                    Origin::Tuf(_) => None,
                    Origin::Pinned | Origin::Fetched { .. } | Origin::Former { .. } => Some(entry.threshold),
                },
                added: time(entry.added)?,
                keys: entry.keys.iter().map(public_key_text).collect(),
                identities: RawIdentity::of_all(&entry.identities).ok_or_else(failed)?,
                tuf: match &entry.origin {
                    Origin::Tuf(source) => Some(RawTuf {
                        metadata: source.metadata().to_string(),
                        targets: source.targets().to_string(),
                        project: source.project().map(Project::to_string),
                        sigstore_root: source.brings_sigstore_root(),
                    }),
                    Origin::Pinned | Origin::Fetched { .. } | Origin::Former { .. } => None,
                },
                accepted: entry
                    .accepted
                    .iter()
                    .map(|layout| {
                        Ok(RawAccepted {
                            layout: format!("sha256:{}", intoto_core::digest::to_hex(&layout.sha256)),
                            expires: time(layout.expires)?,
                            at: time(layout.accepted)?,
                        })
                    })
                    .collect::<Result<_, CliError>>()?,
            })
        })
        .collect::<Result<_, CliError>>()?;
    let raw = RawStore {
        format: FORMAT,
        entries,
    };
    let body = toml::to_string_pretty(&raw).map_err(|error| failed().because(error))?;
    Ok(format!(
        "# Whose in-toto layouts you believe, for which crates. `cargo intoto trust` edits this file.\n{body}"
    ))
}

pub(super) fn read_digest(text: &str) -> Option<[u8; 32]> {
    let bytes = intoto_core::digest::from_hex(text.strip_prefix("sha256:")?).ok()?;
    bytes.try_into().ok()
}

pub(super) fn read_time(datetime: &Datetime) -> Option<Timestamp> {
    datetime.to_string().parse().ok()
}

#[cfg(test)]
mod tests {
    use intoto_core::key::OpenPgpCertificate;

    use super::*;

    fn openpgp(export: &[u8]) -> PublicKey {
        let certificates = OpenPgpCertificate::read_all(export).expect("our own sample");
        PublicKey::OpenPgp(
            certificates
                .into_iter()
                .next()
                .expect("one key")
                .key
                .expect("a good one"),
        )
    }

    /// The text of a store with one entry.
    fn store(keys: Vec<PublicKey>, threshold: u32) -> String {
        let entry = Entry {
            name: "hello".to_owned(),
            scope: vec!["pkg:cargo/hello".parse().expect("a scope")],
            keys,
            identities: Vec::new(),
            threshold,
            added: Timestamp::from_unix(0),
            accepted: Vec::new(),
            origin: Origin::Pinned,
        };
        write(&[entry]).expect("a store")
    }

    /// Otherwise a primary key that only certifies, whose signatures are refused when its export is given, would sign for its owner here.
    #[test]
    fn a_key_that_is_not_for_signing_stays_one() {
        let carl = openpgp(include_bytes!("../../../intoto-core/src/key/openpgp/samples/carl.asc"));
        let entries = read(&store(vec![carl.clone()], 1)).expect("our own store");
        let [PublicKey::OpenPgp(kept)] = &entries[0].keys[..] else {
            panic!("one OpenPGP key")
        };
        let PublicKey::OpenPgp(carl) = carl else { unreachable!() };
        assert_eq!(kept.signing_ids().count(), 2);
        assert!(
            kept.signing_ids()
                .all(|id| carl.subkey_ids().any(|subkey| subkey == id))
        );
    }

    /// A threshold of two is not met by one private key in two forms.
    #[test]
    fn owners_are_holders() {
        let key = openpgp(include_bytes!("../../../intoto-core/src/key/openpgp/samples/owner.asc"));
        let other = openpgp(include_bytes!("../../../intoto-core/src/key/openpgp/samples/alice.asc"));
        let plain = PublicKey::from_pem(&key.to_spki_pem()).expect("our own PEM");
        assert_ne!(plain, key);
        assert!(read(&store(vec![key.clone(), other], 2)).is_ok());
        for keys in [
            vec![key.clone(), plain.clone()],
            vec![plain, key.clone()],
            vec![key.clone(), key],
        ] {
            let error = read(&store(keys, 2)).expect_err("one holder");
            assert!(error.to_string().contains("two keys of one holder"), "{error}");
        }
    }
}
