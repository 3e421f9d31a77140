//! The same work by `intoto-core`.

use camino::Utf8Path;
use intoto_core::encoding::Value;
use intoto_core::envelope::{self, Envelope};
use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
use intoto_core::layout::Layout;
use intoto_core::limits::Limits;

use crate::failure::{Context, Failure};
use crate::interop::Container;

/// Reads and parses a signed layout, as far as its signed bytes and its model.
pub(super) fn parse(path: &Utf8Path) -> Result<Layout, Failure> {
    let bytes = std::fs::read(path).context(format!("read {path}"))?;
    let limits = Limits::default();
    let envelope = Envelope::parse(&bytes, &limits).context(format!("parse {path}"))?;
    let value = envelope
        .payload_value()
        .context(format!("parse the payload of {path}"))?;
    Layout::from_value(&value, &limits).context(format!("read the layout in {path}"))
}

/// Signs a layout.
pub(super) fn sign(value: &Value<'_>, key: &SecretKey, container: Container) -> Result<Vec<u8>, Failure> {
    let container = match container {
        Container::Dsse => envelope::Container::Dsse,
        Container::Metablock => envelope::Container::Metablock,
    };
    let id = key.public_key().key_id(KeyIdStyle::Python);
    envelope::sign(value, &[(key as &dyn Signer, id)], container).context("sign")
}

pub(super) fn verify(_directory: &Utf8Path, _owner: &SecretKey) -> Result<(), Failure> {
    Err(Failure::new("verification has not landed"))
}
