//! Keys that a command line names, by where they are.

use crate::error::CliError;
use crate::signing::{GpgKey, KeyFile, KeyUri, OtherKey, SigstoreKey};

/// Keys in the order in which they are opened; one that is named twice is there once.
#[derive(Debug, Clone, Default)]
pub struct ChosenKeys {
    /// Files, which may ask for a passphrase.
    pub files: Vec<KeyFile>,
    /// Keys that GnuPG keeps.
    pub gpg: Vec<GpgKey>,
    /// Keys in variables, helpers and agents.
    pub others: Vec<OtherKey>,
    /// Identities, and keys that are witnessed.
    pub sigstore: Vec<SigstoreKey>,
}

impl ChosenKeys {
    /// Finds the keys of these names and URIs; their secrets stay closed.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn find(keys: &[String]) -> Result<Self, CliError> {
        let mut found = Self::default();
        for text in keys {
            match KeyUri::parse(text)? {
                KeyUri::File(path) => add(&mut found.files, KeyFile::find(&path)?),
                KeyUri::Gpg(id) => add(&mut found.gpg, GpgKey::find(&id)?),
                KeyUri::Other(key) => add(&mut found.others, *key),
                KeyUri::Sigstore(key) => add(&mut found.sigstore, *key),
            }
        }
        Ok(found)
    }
}

fn add<K: PartialEq>(keys: &mut Vec<K>, key: K) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}
