//! The key directory: `NAME.key` (private) beside `NAME.pub` (SPKI PEM), for this user alone.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::key::{PublicKey, SecretKey, Signer};

use crate::error::CliError;
use crate::settings;
use crate::signing::{encode_private, is_key_name, load_public_key};

/// The user's key directory.
#[derive(Debug, Clone)]
pub struct KeyDirectory {
    path: Utf8PathBuf,
}

/// A key of the key directory, by its public half.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// The name, as `--key` takes it.
    pub name: String,
    /// The private key file.
    pub private: Utf8PathBuf,
    /// The public key, when `NAME.pub` is there and readable.
    pub public: Option<PublicKey>,
}

impl KeyDirectory {
    /// The directory in the platform's configuration directory.
    pub fn of_user() -> Result<Self, CliError> {
        Ok(Self {
            path: settings::keys_directory()?,
        })
    }

    /// The directory itself.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Where the private key `name` lies.
    pub fn private_path(&self, name: &str) -> Utf8PathBuf {
        self.path.join(format!("{name}.key"))
    }

    /// Where the public key `name` lies.
    pub fn public_path(&self, name: &str) -> Utf8PathBuf {
        self.path.join(format!("{name}.pub"))
    }

    /// Refuses names that are no plain file names, and names that are taken.
    pub fn check_free(&self, name: &str) -> Result<(), CliError> {
        if !is_key_name(name) {
            return Err(CliError::usage(format!("`{}` cannot name a key", name.escape_debug()))
                .hint("use letters, digits, `-`, `_`, `.`, `@` and `+`, with no dot or dash in front"));
        }
        for path in [self.private_path(name), self.public_path(name)] {
            if fs::symlink_metadata(&path).is_ok() {
                return Err(
                    CliError::usage(format!("`{path}` exists already and is not overwritten"))
                        .hint("choose another name; a key that nothing needs any more can be moved away by hand"),
                );
            }
        }
        Ok(())
    }

    /// Writes the new key `name`, encrypted when there is a passphrase.
    pub fn store(&self, name: &str, key: &SecretKey, passphrase: Option<&str>) -> Result<StoredKey, CliError> {
        self.check_free(name)?;
        let private = encode_private(key, passphrase)?;
        settings::create_directory(&self.path)?;
        let stored = StoredKey {
            name: name.to_owned(),
            private: self.private_path(name),
            public: Some(key.public_key().clone()),
        };
        settings::create_new(&stored.private, private.as_bytes(), 0o600)?;
        settings::create_new(
            &self.public_path(name),
            key.public_key().to_spki_pem().as_bytes(),
            0o644,
        )?;
        Ok(stored)
    }

    /// Every key of the directory, by name; none when there is no directory.
    pub fn keys(&self) -> Result<Vec<StoredKey>, CliError> {
        let failed = |error: io::Error| {
            CliError::cannot_decide(format!("failed to list the key directory `{}`", self.path)).because(error)
        };
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut keys = Vec::new();
        for entry in entries {
            let file_name = entry.map_err(failed)?.file_name();
            let Some(name) = file_name.to_str().and_then(|file| file.strip_suffix(".key")) else {
                continue;
            };
            if is_key_name(name) {
                keys.push(StoredKey {
                    name: name.to_owned(),
                    private: self.private_path(name),
                    public: load_public_key(&self.public_path(name)).ok(),
                });
            }
        }
        keys.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(keys)
    }
}
