//! Sigstore bundles by a key of one's own: the key says who signed, and others, in a log or with a timestamp, say when.
//!
//! That the key made the signature is verified here, over the very bytes that are read. The [`IdentityVerifier`] adds the time and nothing else.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Bundle, BundleError, Envelope, SignatureBody, Verified};
use crate::digest::{sha256, to_hex};
use crate::encoding::value::excerpt;
use crate::encoding::{Object, Value, base64};
use crate::identity::{Bound, CheckedKeyFacts, IdentityRefusal, IdentityVerifier, KeyFacts};
use crate::key::{KeyIdStyle, PublicKey};
use crate::time::Timestamp;

/// By what a bundle says that it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Material {
    /// By the key of a certificate, which is the verifier's to read.
    Certificate,
    /// By a key that the reader has to have already; the hint says which, if it is there.
    Key { hint: String },
}

/// An envelope by a key, and when it was signed.
pub type Witnessed<'e, 'a> = (Verified<&'e Envelope<'a>>, KeyFacts);

/// Reads who is said to have signed.
pub(super) fn material(material: &Object<'_>) -> Result<Material, BundleError> {
    let Some(key) = material.get("publicKey") else {
        return Ok(Material::Certificate);
    };
    if ["certificate", "x509CertificateChain"]
        .iter()
        .any(|member| material.get(member).is_some())
    {
        return Err(BundleError::Material);
    }
    let hint = key.as_object().map(|key| key.get("hint").map(Value::as_str));
    match hint {
        Some(None) => Ok(Material::Key { hint: String::new() }),
        Some(Some(Some(hint))) => Ok(Material::Key { hint: hint.into() }),
        None | Some(Some(None)) => Err(BundleError::Member {
            member: "publicKey",
            expected: "an object with a `hint` that is a string",
        }),
    }
}

/// The bytes of a signature over a file.
pub(super) fn message(signature: &Object<'_>) -> Option<Vec<u8>> {
    signature
        .get("signature")
        .and_then(Value::as_str)
        .and_then(base64::decode)
}

impl<'a> Bundle<'a> {
    /// Whether it says that a key signed it, in the place of somebody with a certificate.
    pub fn is_by_key(&self) -> bool {
        matches!(self.material, Material::Key { .. })
    }

    /// The bundle's envelope as signed by that key, if the key signed it and the verifier vouches for a time.
    ///
    /// Of a bundle without an envelope nothing is said.
    pub fn check_by_key(
        &self,
        key: &PublicKey,
        verifier: &dyn IdentityVerifier,
        at: Timestamp,
    ) -> Option<Result<Witnessed<'_, 'a>, IdentityRefusal>> {
        let (envelope, payload) = self.with_payload()?;
        let signature = envelope.signatures.first().map(|signature| match signature.body() {
            SignatureBody::Bytes(bytes) => Ok(bytes.as_slice()),
            SignatureBody::Unreadable { reason } => Err(*reason),
            SignatureBody::OpenPgp(_) => Err("it is an OpenPGP signature"),
        });
        let checked = self
            .signed_by(key, &envelope.signed_bytes, signature.unwrap_or(Err("there is none")))
            .and_then(|()| {
                let content = (payload, Bound::Dsse(sha256(payload)));
                CheckedKeyFacts::of(self.received, key, content, verifier, at)
            });
        Some(checked.map(|facts| {
            let verified = Verified::new(envelope, key.clone(), key.key_id(KeyIdStyle::Legacy));
            (verified, facts.facts().clone())
        }))
    }

    /// When that key signed the bytes of a file in a bundle beside it, if it did and the verifier vouches for a time.
    pub fn check_file_by_key(
        &self,
        file: &[u8],
        key: &PublicKey,
        verifier: &dyn IdentityVerifier,
        at: Timestamp,
    ) -> Option<Result<CheckedKeyFacts, IdentityRefusal>> {
        if self.envelope.is_some() {
            return None;
        }
        let signature = self.message.as_deref().ok_or("there is none in base64");
        let checked = self.signed_by(key, file, signature).and_then(|()| {
            let content = (file, Bound::Message(sha256(file)));
            CheckedKeyFacts::of(self.received, key, content, verifier, at)
        });
        Some(checked)
    }

    fn signed_by(
        &self,
        key: &PublicKey,
        message: &[u8],
        signature: Result<&[u8], &'static str>,
    ) -> Result<(), IdentityRefusal> {
        let Material::Key { hint } = &self.material else {
            return Err(IdentityRefusal::OtherSigner {
                expected: "a key",
                found: "an identity",
            });
        };
        if !hint.is_empty() && !is_of(hint, key) {
            return Err(IdentityRefusal::OtherKey { hint: excerpt(hint) });
        }
        let signature = signature.map_err(|reason| IdentityRefusal::Unreadable { reason })?;
        if !key.signs_bundles() {
            return Err(IdentityRefusal::Unreadable {
                reason: "OpenPGP keys sign no bundles",
            });
        }
        key.verify(message, signature).map_err(IdentityRefusal::Signature)
    }
}

impl Envelope<'_> {
    /// The file as signed by a key with a bundle beside it, about which these facts are.
    pub(crate) fn signed_beside_by_key(&self, facts: &CheckedKeyFacts) -> Result<Verified<&Self>, IdentityRefusal> {
        if facts.facts().bound != Bound::Message(sha256(self.received)) {
            return Err(IdentityRefusal::OtherContent);
        }
        let key = facts.key();
        Ok(Verified::new(self, key.clone(), key.key_id(KeyIdStyle::Legacy)))
    }
}

/// Whether a hint means that key: one of its ids, or as cosign writes it, the digest of the key in DER.
fn is_of(hint: &str, key: &PublicKey) -> bool {
    let digest = || sha256(&key.to_spki_der());
    key.key_ids().iter().any(|id| id.as_str() == hint) || hint == base64::encode(&digest()) || hint == to_hex(&digest())
}
