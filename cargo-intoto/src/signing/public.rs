//! Public key files: SPKI PEM.

use camino::Utf8Path;
use intoto_core::key::{KeyError, PublicKey};

use crate::error::CliError;

/// No public key file is larger; certificates and bundles are something else.
const MAX_BYTES: u64 = 64 << 10;

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
    use std::fs::OpenOptions;
    use std::io::Read;

    let failed = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return CliError::cannot_decide(format!("there is no public key at `{path}`"))
                .hint("`cargo intoto key show NAME` prints the public half of a key of your own");
        }
        CliError::cannot_decide(format!("failed to read the public key file `{path}`")).because(error)
    };
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A FIFO put there would block the open for ever.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(CliError::cannot_decide(format!(
            "the public key file `{path}` is not a regular file"
        )));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(
            CliError::cannot_decide(format!("the public key file `{path}` is larger than {MAX_BYTES} bytes"))
                .hint(FORM_HINT),
        );
    }
    Ok(bytes)
}
