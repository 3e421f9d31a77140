//! Signing by Sigstore, as commands do it: sign, verify what came back, and only then hand out something to store.

use intoto_core::name::KeyId;

use crate::error::CliError;
use crate::signing::sigstore::{Content, Instance, Signatory, SignedBundle, SigstoreKey};
use crate::ui::Ui;

/// Verifies a bundle that was just made, as whoever gets it will.
pub trait Witness {
    /// Verifies `bundle` of `content`, and tells whom it shows.
    ///
    /// # Errors
    /// When it does not verify.
    fn look(&self, bundle: &SignedBundle, content: Content<'_>) -> Result<Shown, CliError>;
}

/// Whom a bundle shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The id that the bundle's file is named by: that under which the layout lists whom it shows, else the id of exactly that.
    pub key_id: KeyId,
    /// Who it is.
    pub signatory: Signatory,
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
    /// Who signed.
    pub signatory: Signatory,
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
            .map(|key| self.verified(key.sign(content, self.instance, ui)?, content))
            .collect()
    }

    /// Signs the statements that `make` makes, once by each: it is told who signs when that is settled, and before anything is signed.
    ///
    /// # Errors
    /// As [`Bundles::sign`], and those of `make`.
    pub fn sign_for(
        &self,
        make: &mut dyn FnMut(&Signatory) -> Result<Vec<u8>, CliError>,
        ui: &Ui,
    ) -> Result<Vec<NamedBundle>, CliError> {
        self.keys
            .iter()
            .map(|key| {
                let (bundle, statement) = key.sign_for(&mut *make, self.instance, ui)?;
                self.verified(bundle, Content::Statement(&statement))
            })
            .collect()
    }

    fn verified(&self, bundle: SignedBundle, content: Content<'_>) -> Result<NamedBundle, CliError> {
        let shown = self.witness.look(&bundle, content)?;
        Ok(NamedBundle {
            key_id: shown.key_id,
            signatory: shown.signatory,
            json: bundle.json,
        })
    }
}
