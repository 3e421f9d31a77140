//! Public key files: PEM (SPKI, PKCS#1, or in a certificate), OpenPGP keys as GnuPG exports them, and keys as layouts carry them.

use camino::Utf8Path;
use intoto_core::encoding::{strict_json, to_json_pretty};
use intoto_core::key::{KeyError, OpenPgpCertificate, OpenPgpKey, PublicKey};
use intoto_core::limits::Limits;

use crate::error::CliError;
use crate::foreign::{self, Unread};
use crate::signing::openpgp;

/// No public key file is larger; certificates and bundles are something else, and so are OpenPGP keys with hundreds of other people's
/// signatures, which `gpg --export-options export-minimal` leaves out.
const MAX_BYTES: usize = 64 << 10;

/// Reads the public key at `path`.
pub fn load_public_key(path: &Utf8Path) -> Result<PublicKey, CliError> {
    let bytes = read_bounded(path)?;
    if OpenPgpCertificate::looks_like(&bytes) {
        return openpgp::parse_one(&bytes, path.as_str());
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| CliError::cannot_decide(format!("the public key file `{path}` is not text")).hint(FORM_HINT))?;
    parse_public_key(text, path.as_str())
}

/// Reads the public key in `text`, which came from `origin`.
pub fn parse_public_key(text: &str, origin: &str) -> Result<PublicKey, CliError> {
    if text.contains("PRIVATE KEY-----") {
        return Err(
            CliError::cannot_decide(format!("`{origin}` holds a private key, and a public key is wanted")).hint(
                "`cargo intoto key show FILE` prints the public half; a private key never belongs into a repository",
            ),
        );
    }
    if text.trim_start().starts_with('{') {
        return parse_dictionary(text).map_err(|error| {
            CliError::cannot_decide(format!("failed to read the public key in `{origin}`"))
                .because(error)
                .hint(FORM_HINT)
        });
    }
    PublicKey::from_pem(text).map_err(|error| {
        let hint = match &error {
            KeyError::UnsupportedAlgorithm { .. } => "ed25519, ECDSA (P-256, P-384, P-521) and RSA keys can be used",
            KeyError::RsaTooSmall { .. } | KeyError::RsaExponent | KeyError::SmallOrder => {
                "others can sign with such a key: make a new one with `cargo intoto key generate NAME`"
            }
            _ => FORM_HINT,
        };
        CliError::cannot_decide(format!("failed to read the public key in `{origin}`"))
            .because(error)
            .hint(hint)
    })
}

/// The text of a public key, as [`parse_public_key`] reads it: SPKI PEM, or for an OpenPGP key the dictionary that layouts carry, with what its holder
/// said about its use.
pub fn public_key_text(key: &PublicKey) -> String {
    match key {
        PublicKey::OpenPgp(key) => to_json_pretty(&key.to_value_with_usage()) + "\n",
        key => key.to_spki_pem(),
    }
}

fn parse_dictionary(text: &str) -> Result<PublicKey, String> {
    let value = strict_json::parse(text.as_bytes(), &Limits::default()).map_err(|error| error.to_string())?;
    let is_openpgp = value.as_object().is_some_and(|key| key.get("method").is_some());
    let key = match is_openpgp {
        true => OpenPgpKey::from_value_with_usage(&value).map(PublicKey::OpenPgp),
        false => PublicKey::from_layout_value(&value),
    };
    key.map_err(|error| error.to_string())
}

const FORM_HINT: &str = "a public key is a PEM file with `-----BEGIN PUBLIC KEY-----`, `-----BEGIN RSA PUBLIC KEY-----` or `-----BEGIN CERTIFICATE-----`, or what `gpg --armor --export FINGERPRINT` writes";

fn read_bounded(path: &Utf8Path) -> Result<Vec<u8>, CliError> {
    foreign::read(path, MAX_BYTES).map_err(|unread| match unread {
        Unread::Missing => CliError::cannot_decide(format!("there is no public key at `{path}`"))
            .hint("`cargo intoto key show NAME` prints the public half of a key of your own"),
        Unread::TooLarge { .. } => unread
            .about(format_args!("the public key file `{path}`"))
            .hint(FORM_HINT),
        _ => unread.about(format_args!("the public key file `{path}`")),
    })
}
