//! Signing by Sigstore, as commands do it: sign, verify what came back, and only then hand out something to store.

use intoto_core::name::KeyId;

use crate::error::CliError;
use crate::signing::sigstore::{Content, Instance, SignedBundle, SigstoreKey};
use crate::ui::Ui;

/// Verifies a bundle that was just made, as whoever gets it will.
pub trait Witness {
    /// Verifies `bundle` of `content`, and tells the id that its file is named by: that under which the layout lists whom the bundle shows,
    /// else the id of exactly that.
    ///
    /// # Errors
    /// When it does not verify.
    fn name(&self, bundle: &SignedBundle, content: Content<'_>) -> Result<KeyId, CliError>;
}

/// Who signs by Sigstore.
#[derive(Clone, Copy)]
pub struct Bundles<'a> {
    /// The identities and keys.
    pub keys: &'a [SigstoreKey],
    /// The services.
    pub instance: &'a Instance,
    /// Who looks at what they make.
    pub witness: &'a dyn Witness,
}

/// A bundle that was verified, and the id that its file is named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedBundle {
    /// The id.
    pub key_id: KeyId,
    /// The bundle's JSON.
    pub json: Vec<u8>,
}

impl Bundles<'_> {
    /// Signs `content`, once by each. Call it when no process of a recorded command is left.
    ///
    /// # Errors
    /// When one of them cannot sign, or what came back does not verify.
    pub fn sign(&self, content: Content<'_>, ui: &Ui) -> Result<Vec<NamedBundle>, CliError> {
        self.keys
            .iter()
            .map(|key| {
                let bundle = key.sign(content, self.instance, ui)?;
                let key_id = self.witness.name(&bundle, content)?;
                Ok(NamedBundle {
                    key_id,
                    json: bundle.json,
                })
            })
            .collect()
    }
}
