//! OpenPGP keys: in files that GnuPG exported, and in GnuPG's own keeping.

use camino::Utf8Path;
use intoto_core::key::{CertificateError, KeyIdStyle, OpenPgpCertificate, OpenPgpKey, PublicKey, SignError, Signer};
use intoto_core::name::KeyId;

use crate::error::CliError;
use crate::exec::gpg::Gpg;
use crate::foreign;
use crate::settings;

/// What says which of several keys is meant: a fingerprint, or its last 16 digits. Shorter ids and names can be anybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPgpId {
    digits: String,
    /// Whether it names this very part of a key, and no other one of it.
    is_exact: bool,
}

impl OpenPgpId {
    /// Reads an id as GnuPG prints it, with or without blanks and `0x`; the mark `!` behind it means this part of a key alone.
    pub fn parse(text: &str) -> Result<Self, CliError> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let (digits, is_exact) = match digits.strip_suffix('!') {
            Some(digits) => (digits, true),
            None => (&*digits, false),
        };
        let digits = digits.strip_prefix("0x").unwrap_or(digits).to_ascii_lowercase();
        if matches!(digits.len(), 16 | 40) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self { digits, is_exact })
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

/// Why no signature by a key can count.
pub const NEVER_SIGNS: &str = "its holder said so, and of each of its subkeys";
/// What a key that is not for signing lacks.
pub const SIGNING_SUBKEY: &str = "`gpg --quick-add-key FINGERPRINT ed25519 sign` makes a subkey that is";

/// Whether its holder said of every part of a key that it is not for signing.
pub fn never_signs(key: &PublicKey) -> bool {
    matches!(key, PublicKey::OpenPgp(key) if key.signing_ids().next().is_none())
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
    let certificates = match ids {
        [] => OpenPgpCertificate::read_all(bytes),
        ids => OpenPgpCertificate::read_chosen(bytes, |known| ids.iter().any(|id| id.fits(known))),
    };
    let certificates = certificates.map_err(|error| match error {
        CertificateError::TooMuch { .. } => failed()
            .because(error)
            .hint("name the keys that you mean by their fingerprints, or export them alone"),
        error => failed().because(error),
    })?;
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
                Ok(key) => keys.push(PublicKey::OpenPgp(chosen(key, id))),
                Err(error) => return Err(failed().because(error.clone()).hint(SELF_SIGNATURE_HINT)),
            },
        }
    }
    Ok(keys)
}

/// The key as far as the id means it.
fn chosen(key: &OpenPgpKey, id: &OpenPgpId) -> OpenPgpKey {
    match key.key_ids().find(|known| id.is_exact && id.fits(known)) {
        Some(part) => key.restricted_to(part),
        None => key.clone(),
    }
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
    /// Finds what `gpg:ID` names: whatever GnuPG takes for an id of one of your secret keys, or nothing for the first; and behind it `?home=DIR` for
    /// another home directory than your own.
    ///
    /// Of a key with several subkeys that may sign and are at hand, the newest signs, as with GnuPG itself; `FINGERPRINT!` names the very one.
    pub fn find(text: &str) -> Result<Self, CliError> {
        let (id, home) = match text.split_once("?home=") {
            Some((id, home)) => (id, Some(Utf8Path::new(home))),
            None => (text, None),
        };
        let gpg = Gpg::new(home);
        let mut secrets = gpg.secret_fingerprints(Some(id).filter(|id| !id.is_empty()))?;
        if id.is_empty() {
            secrets.truncate(1);
        }
        let Some(first) = secrets.first() else {
            return Err(CliError::usage(format!("GnuPG has no secret key `{id}`"))
                .hint("`gpg --list-secret-keys` shows what is there"));
        };
        let listed = OpenPgpId::parse(first)?;
        let keys = select(&gpg.export(first)?, std::slice::from_ref(&listed), "GnuPG")?;
        let Some(PublicKey::OpenPgp(key)) = keys.into_iter().next() else {
            return Err(not_there(&[listed], "GnuPG"));
        };
        // By its own fingerprint: an id such as a name may fit several keys.
        let own = gpg.secret_fingerprints(Some(key.fingerprint().as_str()))?;
        if secrets.iter().any(|secret| !own.contains(secret)) {
            return Err(CliError::usage(format!("several of your OpenPGP keys fit `{id}`")).hint("give a fingerprint"));
        }
        let exact = match id.strip_suffix('!') {
            Some(_) => Some(OpenPgpId::parse(id)?),
            None => None,
        };
        let key_id = signing_id(&key, exact.as_ref(), &own)?;
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

fn signing_id(key: &OpenPgpKey, exact: Option<&OpenPgpId>, secrets: &[String]) -> Result<KeyId, CliError> {
    let now = settings::now()?;
    let able = key.signing_ids_at(now);
    let at_hand = |candidate: &&&KeyId| secrets.iter().any(|secret| secret == candidate.as_str());
    let chosen = if let Some(id) = exact {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_long() {
        let fingerprint = "3E00FC96DB9BB7CF9175047BA64C8B49A508F650";
        for text in [
            fingerprint,
            "A64C8B49A508F650",
            "0xA64C8B49A508F650",
            "3E00 FC96 DB9B B7CF 9175  047B A64C 8B49 A508 F650",
            "A64C8B49A508F650!",
        ] {
            let id = OpenPgpId::parse(text).expect("an id");
            assert!(
                id.fits(&fingerprint.to_ascii_lowercase().parse().expect("a key id")),
                "{text}"
            );
        }
        for text in [
            "",
            "A508F650",
            "alice@example.org",
            "3E00FC96DB9BB7CF9175047BA64C8B49A508F65G",
        ] {
            assert!(OpenPgpId::parse(text).is_err(), "{text}");
        }
    }
}
