//! Whether every key that must have signed a layout did.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::digest::sha256;
use crate::envelope::{Container, Envelope, Verified};
use crate::key::PublicKey;
use crate::layout::Layout;
use crate::limits::Limits;
use crate::payload::Payload;
use crate::time::Timestamp;
use crate::verdict::{Finding, FindingCode, KeyReport};

use super::problem::Problem;

/// A layout that every demanded key signed: all owner keys, or the functionary of a sublayout.
#[derive(Debug, Clone)]
pub(super) struct AuthenticLayout {
    pub(super) layout: Arc<Layout>,
    pub(super) container: Container,
    /// Identifies the layout whatever signatures stand around it.
    pub(super) signed_sha256: [u8; 32],
    pub(super) signed_by: Vec<KeyReport>,
}

impl AuthenticLayout {
    /// A layout read from an envelope after a signature on it was verified: there is no other way to make one.
    pub(super) fn new(layout: Layout, verified: &Verified<&Envelope<'_>>) -> Self {
        Self {
            layout: Arc::new(layout),
            container: verified.content().container(),
            signed_sha256: sha256(verified.signed_bytes()),
            signed_by: alloc::vec![KeyReport::new(verified)],
        }
    }
}

/// Verifies the signatures of **all** owner keys, each under any of its key ids, and reads the layout only then.
pub(super) fn owner_signed(
    bytes: &[u8],
    owner_keys: &[PublicKey],
    at: Timestamp,
    limits: &Limits,
) -> Result<AuthenticLayout, Vec<Finding>> {
    if owner_keys.is_empty() {
        let finding = Finding::undecided(
            FindingCode::NoOwnerKey,
            "no owner key was given, so no layout is trusted",
        )
        .hint("name the layout owner's public key, or add it to the trust store");
        return Err(alloc::vec![finding]);
    }
    let one = |problem: Problem| alloc::vec![problem.into_finding()];
    let envelope = Envelope::parse(bytes, limits).map_err(|error| one(Problem::from(&error)))?;
    let mut verified = Vec::new();
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for key in owner_keys.iter().filter(|key| seen.insert(*key)) {
        match envelope.verify_at(key, &key.key_ids(), at) {
            Ok(signed) => verified.push(signed),
            Err(error) => findings.push(Problem::of_owner_signature(&error, &envelope, key).into_finding()),
        }
    }
    // One signature that does not hold is enough, however many others do.
    let Some(signed) = verified.first().filter(|_| findings.is_empty()) else {
        return Err(findings);
    };
    let value = signed.value().map_err(|error| one(Problem::from(&error)))?;
    match Payload::from_value(&value, limits).map_err(|error| one(Problem::from(&error)))? {
        Payload::Layout(layout) => {
            let signed_by = verified.iter().map(KeyReport::new).collect();
            Ok(AuthenticLayout {
                signed_by,
                ..AuthenticLayout::new(layout, signed)
            })
        }
        Payload::Link(link) | Payload::Statement(link) => {
            let message = format!("expected a layout, found the link of step `{}`", link.name);
            Err(one(Problem::refusal(FindingCode::MetadataInvalid, message)))
        }
    }
}
