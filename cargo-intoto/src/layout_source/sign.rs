//! Signing a layout: once under each style of key id, because no style is found by every implementation.

use intoto_core::envelope::{self, Container};
use intoto_core::key::{KeyIdStyle, Signer};
use intoto_core::name::KeyId;

use crate::error::CliError;
use crate::layout_source::LayoutSource;

/// The bytes of the signed layout. The same source, keys and container always give the same bytes.
pub fn sign(source: &LayoutSource, owners: &[&dyn Signer], container: Container) -> Result<Vec<u8>, CliError> {
    let layout = source.to_layout();
    let mut signers: Vec<(&dyn Signer, KeyId)> = Vec::new();
    for owner in owners {
        // Python looks for its own id, Go and everything older for the legacy one, or what Go's command line makes of it.
        let styles = [KeyIdStyle::Python, KeyIdStyle::Legacy].map(|style| owner.key_id(style));
        for key_id in styles.into_iter().chain(owner.public_key().go_command_line_id()) {
            // An OpenPGP key has one id in every style.
            if !signers.iter().any(|(_, other)| *other == key_id) {
                signers.push((*owner, key_id));
            }
        }
    }
    envelope::sign(&layout.to_value(), &signers, container)
        .map_err(|error| CliError::failure(format!("failed to sign the layout of `{}`", source.path())).because(error))
}
