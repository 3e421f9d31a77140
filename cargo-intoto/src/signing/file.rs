//! Private key files: PKCS#8 PEM, encrypted (PBES2, ours with scrypt) or plain, and the older forms SEC 1 and PKCS#1.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader, Read as _};

use camino::{Utf8Path, Utf8PathBuf};
use clap::ValueEnum;
use intoto_core::key::{self, KeyError, SecretKey};
use pkcs8::{EncryptedPrivateKeyInfoRef, LineEnding, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::settings::{self, Exposure};
use crate::signing::old_pem::{self, OldPem, OldPemError};
use crate::signing::passphrase;

const WHAT: &str = "private key";
pub(super) const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// Which kind of key to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyKindArg {
    /// Edwards curve 25519 (RFC 8032)
    Ed25519,
    /// The NIST curve P-256 with SHA-256
    EcdsaP256,
    /// The NIST curve P-384 with SHA-384
    EcdsaP384,
    /// The NIST curve P-521 with SHA-512
    EcdsaP521,
    /// RSA with 3072 bits, PSS and SHA-256
    #[value(name = "rsa-3072")]
    Rsa3072,
    /// RSA with 4096 bits, PSS and SHA-256
    #[value(name = "rsa-4096")]
    Rsa4096,
}

/// A private key file that was found and is nobody else's, but is not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    path: Utf8PathBuf,
}

impl KeyFile {
    /// Finds the file and checks who may touch it; the secret stays unread.
    pub fn find(path: &Utf8Path) -> Result<Self, CliError> {
        if !path.exists() {
            return Err(CliError::cannot_decide(format!("there is no private key at `{path}`"))
                .hint("`cargo intoto key list` shows your keys; `cargo intoto key generate NAME` makes one"));
        }
        let label = pem_label(path);
        // Before the mode: a public key may be read by everybody, and whoever named one made another mistake.
        if label.as_deref().is_some_and(|label| label.ends_with("PUBLIC KEY")) {
            return Err(is_public(path.as_str()));
        }
        settings::check_secret(path, WHAT)?;
        let label = label.ok_or_else(|| cannot_read(path.as_str(), "it is no PEM file").hint(FORM_HINT))?;
        if label == ENCRYPTED {
            passphrase::check_obtainable(&format!("the private key `{path}`"))?;
        }
        Ok(Self { path: path.to_owned() })
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Reads the secret, asking for the passphrase when the file is encrypted.
    pub fn open(&self) -> Result<SecretKey, CliError> {
        let Some(bytes) = settings::read(&self.path, WHAT, Exposure::Secret)? else {
            return Err(CliError::cannot_decide(format!(
                "the private key `{}` is gone",
                self.path
            )));
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| self.unreadable("it is not text").hint(FORM_HINT))?;
        let origin = self.path.as_str();
        decode_private(text, origin, &|| passphrase::existing(&format!("the key {origin}")))
    }

    fn unreadable(&self, why: &str) -> CliError {
        cannot_read(self.path.as_str(), why)
    }
}

/// Reads a private key as the reference implementation's tools do: whoever may read the file, and with the passphrase that was given
/// or none.
///
/// # Errors
/// When it cannot be read, is encrypted and no passphrase was given, or is not and one was.
pub(crate) fn read_private_key(path: &Utf8Path, passphrase: Option<&str>) -> Result<SecretKey, CliError> {
    let origin = path.as_str();
    let Some(bytes) = settings::read(path, WHAT, Exposure::Unchecked)? else {
        return Err(CliError::cannot_decide(format!("there is no private key at `{path}`")));
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| cannot_read(origin, "it is not text").hint(FORM_HINT))?;
    let asked_for = Cell::new(false);
    let ask = || {
        asked_for.set(true);
        let given = passphrase.ok_or_else(|| cannot_read(origin, "it is encrypted, and no password was given"))?;
        Ok(Zeroizing::new(given.to_owned()))
    };
    let key = if old_pem::is_old(text) {
        let label = key::pem_label(text).map_err(|_| cannot_read(origin, "it is no PEM file").hint(FORM_HINT))?;
        let unread = |error: OldPemError| cannot_read(origin, &error.to_string()).hint(NEW_FORM_HINT);
        let old = OldPem::parse(text, label).map_err(unread)?;
        let plain = old.decrypt(&ask()?).map_err(unread)?;
        decode_private(&plain, origin, &ask)?
    } else {
        decode_private(text, origin, &ask)?
    };
    if passphrase.is_some() && !asked_for.get() {
        return Err(cannot_read(origin, "a password was given, and it is not encrypted"));
    }
    Ok(key)
}

/// What the first line of a PEM file says it is; nothing for any other file. No secret stands in that line.
fn pem_label(path: &Utf8Path) -> Option<String> {
    // The longest label of any key, with its dashes, is half as long.
    const LINE: u64 = 80;
    path.metadata().ok().filter(|metadata| metadata.is_file())?;
    let file = std::fs::File::open(path).ok()?;
    let mut line = String::new();
    BufReader::with_capacity(1, file.take(LINE)).read_line(&mut line).ok()?;
    let label = line.trim_end().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
    Some(label.to_owned())
}

fn is_public(origin: &str) -> CliError {
    cannot_read(origin, "it is a public key").hint("name the private key file; it ends in `.key`")
}

fn cannot_read(origin: &str, why: &str) -> CliError {
    CliError::cannot_decide(format!("failed to read the private key `{origin}`: {why}"))
}

const KIND_HINT: &str = "only ed25519, ECDSA (P-256, P-384, P-521) and RSA keys can be used: make one with `cargo intoto key generate NAME`";
pub(super) const FORM_HINT: &str = "a private key is a PEM file with `-----BEGIN PRIVATE KEY-----`, `-----BEGIN ENCRYPTED PRIVATE KEY-----` (PKCS#8), `-----BEGIN EC PRIVATE KEY-----` (SEC 1) or `-----BEGIN RSA PRIVATE KEY-----` (PKCS#1)";
const ENCRYPTED_HINT: &str =
    "this old encryption is weak and not read: rewrite the file with `openssl pkcs8 -topk8 -in FILE -out NEW`";

const NEW_FORM_HINT: &str = "`openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out NEW` encrypts it anew";

/// Reads the PEM `text` of a private key, which came from `origin`.
pub(super) fn decode_private(
    text: &str,
    origin: &str,
    passphrase: &dyn Fn() -> Result<Zeroizing<String>, CliError>,
) -> Result<SecretKey, CliError> {
    let failed = |why: &str| cannot_read(origin, why);
    let unusable = |error: KeyError| {
        let hint = match error {
            KeyError::Encrypted => ENCRYPTED_HINT,
            _ => KIND_HINT,
        };
        failed("it cannot be used").because(error).hint(hint)
    };
    let label = key::pem_label(text).map_err(|_| failed("it is no PEM file").hint(FORM_HINT))?;
    let key = match label {
        "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => SecretKey::from_pem(text).map_err(unusable),
        ENCRYPTED => {
            let plain = decrypt(text, passphrase, &failed)?;
            SecretKey::from_pkcs8_der(plain.as_bytes()).map_err(unusable)
        }
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Err(is_public(origin)),
        "OPENSSH PRIVATE KEY" => Err(failed(&format!("its form is `{label}`")).hint(FORM_HINT)),
        other => Err(failed(&format!("it holds `{}`", other.escape_debug())).hint(FORM_HINT)),
    }?;
    Ok(key.hedged(*random()?))
}

fn decrypt(
    text: &str,
    passphrase: &dyn Fn() -> Result<Zeroizing<String>, CliError>,
    failed: &dyn Fn(&str) -> CliError,
) -> Result<SecretDocument, CliError> {
    let (_, document) = SecretDocument::from_pem(text).map_err(|error| failed("it is damaged").because(error))?;
    let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
        .map_err(|error| failed("its encryption is not known").because(error))?;
    if info.encryption_algorithm.pbes1().is_some() {
        // Before anybody is asked for a passphrase.
        return Err(
            failed("it is encrypted with a cipher that keeps nobody out (PBES1: DES or RC2)").hint(NEW_FORM_HINT),
        );
    }
    info.decrypt(passphrase()?.as_bytes()).map_err(|error| {
        failed("the passphrase is wrong, or the file is damaged")
            .because(error)
            .hint(format!(
                "the passphrase comes from the terminal or from {}",
                passphrase::VARIABLE
            ))
    })
}

/// The PKCS#8 PEM of `key`: encrypted under `passphrase`, or plain without one.
pub fn encode_private(key: &SecretKey, passphrase: Option<&str>) -> Result<Zeroizing<String>, CliError> {
    let Some(passphrase) = passphrase else {
        return Ok(Zeroizing::new(String::from(&*key.to_pkcs8_pem())));
    };
    let failed = || CliError::failure("failed to encrypt the private key");
    let plain = key.to_pkcs8_der();
    let info = PrivateKeyInfoRef::try_from(&plain[..]).map_err(|error| failed().because(error))?;
    let encrypted = info
        .encrypt(passphrase.as_bytes())
        .map_err(|error| failed().because(error))?;
    encrypted
        .to_pem(ENCRYPTED, LineEnding::LF)
        .map_err(|error| failed().because(error))
}

/// A new key of the given kind from the operating system's randomness. One of RSA takes seconds.
pub fn generate(kind: KeyKindArg) -> Result<SecretKey, CliError> {
    let unlucky = |_: KeyError| CliError::failure("failed to make a key from the randomness of this system");
    match kind {
        KeyKindArg::Ed25519 => Ok(SecretKey::ed25519_from_seed(*random()?)),
        KeyKindArg::EcdsaP256 => scalar(SecretKey::p256_from_scalar),
        KeyKindArg::EcdsaP384 => scalar(SecretKey::p384_from_scalar),
        // The order of the curve has 521 bits, and this array 528.
        KeyKindArg::EcdsaP521 => scalar(|mut scalar: [u8; 66]| {
            scalar[0] &= 1;
            SecretKey::p521_from_scalar(scalar)
        }),
        KeyKindArg::Rsa3072 => SecretKey::rsa_from_seed(3072, *random()?).map_err(unlucky),
        KeyKindArg::Rsa4096 => SecretKey::rsa_from_seed(4096, *random()?).map_err(unlucky),
    }
}

/// One number in 2^32, or fewer, is no scalar of the curve; the next one is.
fn scalar<const N: usize>(to_key: impl Fn([u8; N]) -> Result<SecretKey, KeyError>) -> Result<SecretKey, CliError> {
    loop {
        if let Ok(key) = to_key(*random()?) {
            return Ok(key);
        }
    }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, CliError> {
    let mut bytes = Zeroizing::new([0_u8; N]);
    getrandom::fill(&mut *bytes)
        .map_err(|error| CliError::failure("failed to get randomness for a key").because(error))?;
    Ok(bytes)
}

/// A throw-away key that is never written anywhere.
pub fn ephemeral() -> Result<SecretKey, CliError> {
    generate(KeyKindArg::Ed25519)
}
