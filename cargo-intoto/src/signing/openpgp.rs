//! OpenPGP keys: in files that GnuPG exported, and in GnuPG's own keeping.

use camino::Utf8Path;
use intoto_core::key::{KeyIdStyle, OpenPgpCertificate, OpenPgpKey, PublicKey, SignError, Signer};
use intoto_core::name::KeyId;

use crate::error::CliError;
use crate::exec::gpg::Gpg;
use crate::foreign;
use crate::settings;

/// What says which of several keys is meant: a fingerprint, or its last 16 digits. Shorter ids and names can be anybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPgpId {
    digits: String,
    /// Whether only this very key or subkey is to sign: GnuPG's `!`.
    exact: bool,
}

impl OpenPgpId {
    /// Reads an id as GnuPG prints it, with or without blanks and `0x`.
    pub fn parse(text: &str) -> Result<Self, CliError> {
        let (digits, exact) = match text.strip_suffix('!') {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        let digits: String = digits.chars().filter(|c| !c.is_whitespace()).collect();
        let digits = digits.strip_prefix("0x").unwrap_or(&digits).to_ascii_lowercase();
        if matches!(digits.len(), 16 | 40) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self { digits, exact })
        } else {
            Err(CliError::usage(format!("`{text}` is no OpenPGP fingerprint")).hint(
                "give the 40 digits that `gpg --list-keys` shows, or the last 16 of them; names and short ids can be anybody's",
            ))
        }
    }

    fn fits(&self, id: &KeyId) -> bool {
        id.as_str().ends_with(&self.digits)
    }
}

/// The keys in a file that GnuPG exported: all of them, or those with these ids, each of which must be there once.
pub fn load_pubring(path: &Utf8Path, ids: &[OpenPgpId]) -> Result<Vec<PublicKey>, CliError> {
    let bytes = foreign::read(path, OpenPgpCertificate::MAX_BYTES)
        .map_err(|unread| CliError::cannot_decide(format!("the exported keys {path} {unread}")))?;
    select(&bytes, ids, &format!("`{path}`"))
}

/// The public keys with these ids from GnuPG.
pub fn load_from_gpg(home: Option<&Utf8Path>, ids: &[OpenPgpId]) -> Result<Vec<PublicKey>, CliError> {
    let gpg = Gpg::new(home);
    let mut keys = Vec::new();
    for id in ids {
        keys.extend(select(&gpg.export(&id.digits)?, std::slice::from_ref(id), "GnuPG")?);
    }
    Ok(keys)
}

/// The only key in these bytes.
pub(super) fn parse_one(bytes: &[u8], origin: &str) -> Result<PublicKey, CliError> {
    let keys = select(bytes, &[], &format!("`{origin}`"))?;
    match <[PublicKey; 1]>::try_from(keys) {
        Ok([key]) => Ok(key),
        Err(keys) => Err(CliError::cannot_decide(format!(
            "`{origin}` holds {} OpenPGP keys, and one is wanted",
            keys.len()
        ))
        .hint("export one: gpg --armor --export FINGERPRINT")
        .hint("`cargo intoto verify --gpg-pubring FILE` takes several")),
    }
}

fn select(bytes: &[u8], ids: &[OpenPgpId], origin: &str) -> Result<Vec<PublicKey>, CliError> {
    let failed = || CliError::cannot_decide(format!("failed to read the OpenPGP keys of {origin}"));
    if bytes.is_empty() {
        return Err(not_there(ids, origin));
    }
    let certificates = OpenPgpCertificate::read_all(bytes).map_err(|error| failed().because(error))?;
    if ids.is_empty() {
        return certificates
            .into_iter()
            .map(|certificate| certificate.key.map(PublicKey::OpenPgp))
            .collect::<Result<_, _>>()
            .map_err(|error| failed().because(error).hint(SELF_SIGNATURE_HINT));
    }
    let mut keys = Vec::new();
    for id in ids {
        let mut fitting = certificates.iter().filter(|certificate| match &certificate.key {
            Ok(key) => key.key_ids().any(|known| id.fits(known)),
            Err(_) => certificate.fingerprint.as_ref().is_some_and(|known| id.fits(known)),
        });
        match (fitting.next(), fitting.next()) {
            (None, _) => return Err(not_there(std::slice::from_ref(id), origin)),
            (Some(_), Some(_)) => {
                return Err(
                    CliError::cannot_decide(format!("several OpenPGP keys of {origin} fit `{}`", id.digits))
                        .hint("give the whole fingerprint"),
                );
            }
            (Some(only), None) => match &only.key {
                Ok(key) => keys.push(PublicKey::OpenPgp(key.clone())),
                Err(error) => return Err(failed().because(error.clone()).hint(SELF_SIGNATURE_HINT)),
            },
        }
    }
    Ok(keys)
}

const SELF_SIGNATURE_HINT: &str = "a key whose own signatures are of the time of SHA-1 signs itself anew with `gpg --cert-digest-algo SHA256 --quick-set-expire FINGERPRINT 2y`";

fn not_there(ids: &[OpenPgpId], origin: &str) -> CliError {
    let ids: Vec<&str> = ids.iter().map(|id| id.digits.as_str()).collect();
    CliError::cannot_decide(format!("there is no OpenPGP key `{}` in {origin}", ids.join("`, `")))
}

/// A key that GnuPG keeps, chosen and checked, and not used yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GpgKey {
    gpg: Gpg,
    key: PublicKey,
    /// The primary key or subkey that signs.
    key_id: KeyId,
}

impl GpgKey {
    /// Finds what `gpg:ID` names: `ID`, or nothing for GnuPG's first key, and behind it `?home=DIR` for another home directory than the user's.
    ///
    /// Of a key with several subkeys that may sign and are at hand, the newest signs, as with GnuPG itself; `ID!` names the very one.
    pub fn find(text: &str) -> Result<Self, CliError> {
        let (id, home) = match text.split_once("?home=") {
            Some((id, home)) => (id, Some(Utf8Path::new(home))),
            None => (text, None),
        };
        let gpg = Gpg::new(home);
        let id = if id.is_empty() {
            let first = gpg.secret_fingerprints(None)?.into_iter().next();
            first.ok_or_else(|| CliError::usage("GnuPG has no secret key"))?
        } else {
            id.to_owned()
        };
        let id = OpenPgpId::parse(&id)?;
        let keys = select(&gpg.export(&id.digits)?, std::slice::from_ref(&id), "GnuPG")?;
        let Some(PublicKey::OpenPgp(key)) = keys.into_iter().next() else {
            return Err(not_there(&[id], "GnuPG"));
        };
        let secrets = gpg.secret_fingerprints(Some(&id.digits))?;
        let key_id = signing_id(&key, &id, &secrets)?;
        Ok(Self {
            gpg,
            key: PublicKey::OpenPgp(key),
            key_id,
        })
    }

    /// The public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The fingerprint of the primary key or subkey that signs.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }
}

fn signing_id(key: &OpenPgpKey, id: &OpenPgpId, secrets: &[String]) -> Result<KeyId, CliError> {
    let now = settings::now()?;
    let able = key.signing_ids_at(now);
    let at_hand = |candidate: &&&KeyId| secrets.iter().any(|secret| secret == candidate.as_str());
    let chosen = if id.exact {
        able.iter().filter(|candidate| id.fits(candidate)).find(at_hand)
    } else {
        // GnuPG prefers subkeys, so that the primary key can stay in its safe.
        let is_subkey = |candidate: &&&KeyId| **candidate != key.fingerprint();
        able.iter()
            .filter(is_subkey)
            .find(at_hand)
            .or_else(|| able.iter().find(at_hand))
    };
    chosen.map(|found| KeyId::clone(found)).ok_or_else(|| {
        CliError::usage(format!(
            "the OpenPGP key {} has nothing to sign with: no secret half at hand that may sign and is valid now",
            key.fingerprint()
        ))
        .hint("`gpg --list-secret-keys` shows what is there; `#` marks a secret half that is elsewhere")
    })
}

impl Signer for GpgKey {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// One id in every style: that of the key that signs.
    fn key_id(&self, _: KeyIdStyle) -> KeyId {
        self.key_id.clone()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.gpg
            .detach_sign(self.key_id.as_str(), message)
            .map_err(|reason| SignError::Failed { reason })
    }
}
