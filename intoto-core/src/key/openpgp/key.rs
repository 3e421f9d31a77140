//! A key: the primary key and its subkeys, and what they have signed.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

use super::hash::HashAlgorithm;
use super::headers::{BINARY_DOCUMENT, Headers};
use super::material::Material;
use super::{OpenPgpError, OpenPgpSignature};
use crate::key::{KeyKind, SignatureError};
use crate::name::KeyId;
use crate::time::Timestamp;

/// An OpenPGP key: a primary key and the subkeys that it vouches for.
///
/// Two of them are equal when their primary keys have the same key material: subkeys, times and fingerprints do not make another holder.
///
/// ```
/// use intoto_core::encoding::{Object, Value};
/// use intoto_core::key::{KeyError, OpenPgpKey};
///
/// let key = Value::Object(Object::from_iter([("type", Value::from("elgamal")), ("method", Value::from("pgp+elgamal"))]));
/// assert!(matches!(OpenPgpKey::from_layout_value(&key), Err(KeyError::UnsupportedScheme { .. })));
/// ```
#[derive(Clone)]
pub struct OpenPgpKey {
    // The primary key comes first, so this is never empty.
    pub(super) parts: Arc<[Part]>,
}

/// The primary key or a subkey.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) fingerprint: KeyId,
    pub(super) material: Material,
    /// Old dictionaries do not say.
    pub(super) created: Option<Timestamp>,
    /// From when on it is void.
    pub(super) expires: Option<Timestamp>,
    /// What its holder said that it is for. Dictionaries of layouts do not say: there, every key may.
    pub(super) may_sign: bool,
}

impl OpenPgpKey {
    /// How many subkeys a key may have; people have two or three, and each makes a file to look for.
    pub const MAX_SUBKEYS: usize = 32;

    /// The fingerprint of the primary key, which is the key's id.
    pub fn fingerprint(&self) -> &KeyId {
        &self.primary().fingerprint
    }

    /// The fingerprints of the primary key and of its subkeys, in this order: the ids under which the key signs.
    pub fn key_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.parts.iter().map(|part| &part.fingerprint)
    }

    /// The fingerprints of the subkeys.
    pub fn subkey_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.key_ids().skip(1)
    }

    /// The fingerprints of the primary key and of the subkeys, as far as they are for signing.
    pub fn signing_ids(&self) -> impl Iterator<Item = &KeyId> {
        self.signing_parts().map(|part| &part.fingerprint)
    }

    fn signing_parts(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| part.may_sign)
    }

    /// The key of which nothing but the primary key or subkey with that fingerprint may sign, if it is for signing at all.
    #[must_use]
    pub fn restricted_to(&self, id: &KeyId) -> Self {
        let mut parts = self.parts.to_vec();
        for part in &mut parts {
            part.may_sign &= part.fingerprint == *id;
        }
        Self { parts: parts.into() }
    }

    /// The primary key or subkeys that may sign at that time, the newest first.
    pub fn signing_ids_at(&self, at: Timestamp) -> Vec<&KeyId> {
        let mut able: Vec<&Part> = self
            .signing_parts()
            .filter(|part| self.check_valid_at(part, at).is_ok())
            .collect();
        able.sort_by_key(|part| core::cmp::Reverse(part.created));
        able.into_iter().map(|part| &part.fingerprint).collect()
    }

    /// When the primary key was made, if that is known.
    pub fn created(&self) -> Option<Timestamp> {
        self.primary().created
    }

    /// From when on the primary key is void, if ever.
    pub fn expires(&self) -> Option<Timestamp> {
        self.primary().expires
    }

    /// The kind of the primary key.
    pub fn kind(&self) -> KeyKind {
        self.primary().material.kind()
    }

    /// Checks a signature over a message by the primary key or subkey with that fingerprint, as it stands at that time.
    ///
    /// The headers of the signature are part of what is signed; they must say that it is a version 4 signature over a document, by this kind of key,
    /// with SHA-256, made between the key's creation and `at`. Whoever has expired at `at`, or was created after it, has not signed.
    pub fn verify_at(
        &self,
        key_id: &KeyId,
        signature: &OpenPgpSignature,
        message: &[u8],
        at: Timestamp,
    ) -> Result<(), SignatureError> {
        let (part, headers) = self.check(key_id, signature, message)?;
        self.check_valid_at(part, at)?;
        headers.check_made_at(at, part.created)?;
        Ok(())
    }

    /// As [`Self::verify_at`], with times left alone: only for a signature that was made just now.
    pub(in crate::key) fn verify_packet(&self, packet: &[u8], message: &[u8]) -> Result<(), SignatureError> {
        let signature = OpenPgpSignature::from_packet(packet)?;
        let issuer = signature.issuer().ok_or(OpenPgpError::Headers {
            reason: "they do not name the key that signed",
        })?;
        self.check(&issuer, &signature, message)?;
        Ok(())
    }

    /// Everything but the times.
    fn check<'s>(
        &self,
        key_id: &KeyId,
        signature: &'s OpenPgpSignature,
        message: &[u8],
    ) -> Result<(&Part, Headers<'s>), SignatureError> {
        let part = self
            .parts
            .iter()
            .find(|part| part.fingerprint == *key_id)
            .ok_or(OpenPgpError::OtherKey)?;
        if !part.may_sign {
            return Err(OpenPgpError::Usage.into());
        }
        let headers = Headers::parse(signature.other_headers())?;
        headers.check_type(BINARY_DOCUMENT)?;
        headers.check_issuer(&part.fingerprint)?;
        if headers.hash != HashAlgorithm::Sha256 {
            return Err(OpenPgpError::Headers {
                reason: "the hash is not SHA-256",
            }
            .into());
        }
        part.check_signature(&headers, &[message], signature.signature())?;
        Ok((part, headers))
    }

    /// A subkey is never valid for longer than the key that vouches for it.
    fn check_valid_at(&self, part: &Part, at: Timestamp) -> Result<(), OpenPgpError> {
        self.primary().check_valid_at(at)?;
        part.check_valid_at(at)
    }

    pub(super) fn primary(&self) -> &Part {
        // The constructors put the primary key first.
        &self.parts[0]
    }

    pub(in crate::key) fn primary_spki_der(&self) -> Vec<u8> {
        self.primary().material.to_spki_der()
    }

    /// The key material of the primary key and of each subkey.
    pub(in crate::key) fn materials(&self) -> impl Iterator<Item = &Material> {
        self.parts.iter().map(|part| &part.material)
    }
}

impl Part {
    fn check_valid_at(&self, at: Timestamp) -> Result<(), OpenPgpError> {
        match (self.created, self.expires) {
            (Some(created), _) if created > at => Err(OpenPgpError::KeyNotYetValid { created, at }),
            (_, Some(expired)) if expired <= at => Err(OpenPgpError::KeyExpired { expired, at }),
            _ => Ok(()),
        }
    }

    /// Checks the mathematics of a signature over `content` followed by its own headers.
    pub(super) fn check_signature(
        &self,
        headers: &Headers<'_>,
        content: &[&[u8]],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        if headers.algorithm != self.material.algorithm() {
            return Err(OpenPgpError::Headers {
                reason: "the algorithm is not the key's",
            }
            .into());
        }
        let digest = headers.digest(content);
        self.material.verify(headers.hash, &digest, signature)
    }
}

impl PartialEq for OpenPgpKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for OpenPgpKey {}

impl PartialOrd for OpenPgpKey {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for OpenPgpKey {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.primary().material.cmp(&other.primary().material)
    }
}

impl Hash for OpenPgpKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.primary().material.hash(state);
    }
}

impl fmt::Debug for OpenPgpKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenPgpKey")?;
        f.debug_list().entries(self.key_ids().map(KeyId::as_str)).finish()
    }
}
