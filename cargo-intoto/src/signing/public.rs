//! Public key files: SPKI PEM.

use camino::Utf8Path;
use intoto_core::key::{KeyError, PublicKey};

use crate::error::CliError;
use crate::foreign::{self, Unread};

/// No public key file is larger; certificates and bundles are something else.
const MAX_BYTES: usize = 64 << 10;

/// Reads the public key at `path`.
pub fn load_public_key(path: &Utf8Path) -> Result<PublicKey, CliError> {
    let bytes = read_bounded(path)?;
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
    PublicKey::from_spki_pem(text).map_err(|error| {
        let hint = match &error {
            KeyError::UnsupportedAlgorithm { .. } => "ed25519 and P-256 keys can be used",
            _ => FORM_HINT,
        };
        CliError::cannot_decide(format!("failed to read the public key in `{origin}`"))
            .because(error)
            .hint(hint)
    })
}

const FORM_HINT: &str = "a public key is a PEM file with `-----BEGIN PUBLIC KEY-----`";

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
