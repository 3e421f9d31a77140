//! Making envelopes: new ones, and ones with other signatures.

use alloc::string::String;
use alloc::vec::Vec;

use crate::digest::to_hex;
use crate::encoding::{
    CanonicalError, Object, Value, base64, canonical_json, pae, strict_json, to_canonical, to_json_spaced,
};
use crate::envelope::{Container, Content, Envelope, EnvelopeError, PAYLOAD_TYPE, dsse, metablock};
use crate::key::{self, SignatureError, Signer};
use crate::limits::Limits;
use crate::name::KeyId;

/// Signs metadata and returns the file, byte for byte in the shape that the reference implementation writes.
///
/// Each signer signs under the id beside it; a layout that every implementation is to find its key in is signed by one key under two ids.
/// The same metadata and keys always give the same file.
pub fn sign(payload: &Value<'_>, signers: &[(&dyn Signer, KeyId)], container: Container) -> Result<Vec<u8>, SignError> {
    let file = match container {
        Container::Dsse => {
            // Floats would be legal here, but the reference implementation refuses them in either container.
            canonical_json::check(payload)?;
            let payload = to_json_spaced(payload).into_bytes();
            let signatures = make(&pae(PAYLOAD_TYPE, &payload), signers, container)?;
            dsse::write(&payload, signatures)
        }
        Container::Metablock => {
            let signatures = make(&to_canonical(payload)?, signers, container)?;
            metablock::write(payload.clone(), signatures)
        }
    };
    Ok(file.into_bytes())
}

/// The file that [`sign`] would make, with an empty list of signatures, for signing elsewhere with [`replace`] or [`append`].
pub fn unsigned(payload: &Value<'_>, container: Container) -> Result<Vec<u8>, SignError> {
    sign(payload, &[], container)
}

/// Adds signatures to a file. Its content is signed as it stands, its other signatures stay as they are, and one under an id that signs now
/// is replaced, because the reference implementation refuses two under one id.
pub fn append(file: &[u8], signers: &[(&dyn Signer, KeyId)], limits: &Limits) -> Result<Vec<u8>, SignError> {
    let root = strict_json::parse(file, limits).map_err(EnvelopeError::from)?;
    let entries = root
        .as_object()
        .and_then(|root| root.get("signatures"))
        .and_then(Value::as_array)
        .unwrap_or(&[]);
    let is_replaced = |entry: &Value<'_>| {
        let id = entry
            .as_object()
            .and_then(|entry| entry.get("keyid"))
            .and_then(Value::as_str);
        signers.iter().any(|(_, key_id)| id == Some(key_id.as_str()))
    };
    let kept = entries.iter().filter(|entry| !is_replaced(entry)).cloned().collect();
    sign_again(file, kept, signers, limits)
}

/// Signs the content of a file as it stands and drops its earlier signatures.
pub fn replace(file: &[u8], signers: &[(&dyn Signer, KeyId)], limits: &Limits) -> Result<Vec<u8>, SignError> {
    sign_again(file, Vec::new(), signers, limits)
}

/// Why a file could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The metadata holds a number that cannot be signed.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The file to sign again is not an envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// A signer failed.
    #[error("key {key_id}: {source}")]
    Signer {
        /// The id under which it was to sign.
        key_id: KeyId,
        /// What it says.
        source: key::SignError,
    },
    /// A signer returned something that is not its key's signature; writing it would make evidence that nobody accepts.
    #[error("key {key_id}: the signer returned a signature that does not verify: {source}")]
    DoesNotVerify {
        /// The id under which it was to sign.
        key_id: KeyId,
        /// What is wrong with it.
        source: SignatureError,
    },
    /// OpenPGP signs Metablocks only: no implementation accepts such a signature on a DSSE envelope.
    #[error("key {key_id}: OpenPGP keys sign in the form Metablock only")]
    OpenPgpInDsse {
        /// The id under which it was to sign.
        key_id: KeyId,
    },
    /// Two signatures under one id; the reference implementation refuses such a file.
    #[error("two signatures under the key id {key_id}")]
    RepeatedKeyId {
        /// The id.
        key_id: KeyId,
    },
}

fn sign_again<'a>(
    file: &'a [u8],
    mut signatures: Vec<Value<'a>>,
    signers: &[(&dyn Signer, KeyId)],
    limits: &Limits,
) -> Result<Vec<u8>, SignError> {
    let envelope = Envelope::parse(file, limits)?;
    signatures.extend(make(envelope.signed_bytes(), signers, envelope.container())?);
    let text: String = match &envelope.content {
        Content::Dsse { payload_at } => dsse::write(&envelope.signed_bytes[*payload_at..], signatures),
        Content::Metablock { signed } => metablock::write(signed.clone(), signatures),
    };
    Ok(text.into_bytes())
}

fn make(
    message: &[u8],
    signers: &[(&dyn Signer, KeyId)],
    container: Container,
) -> Result<Vec<Value<'static>>, SignError> {
    let mut made: Vec<(&dyn Signer, &KeyId, Vec<u8>)> = Vec::with_capacity(signers.len());
    for (signer, key_id) in signers {
        if made.iter().any(|(_, earlier, _)| *earlier == key_id) {
            return Err(SignError::RepeatedKeyId { key_id: key_id.clone() });
        }
        // Before it is asked: its owner may have to type a passphrase.
        #[cfg(feature = "openpgp")]
        if container != Container::Metablock && matches!(signer.public_key(), key::PublicKey::OpenPgp(_)) {
            return Err(SignError::OpenPgpInDsse { key_id: key_id.clone() });
        }
        // One key under two ids signs once: a token may ask its owner each time.
        let same_key = made
            .iter()
            .find(|(earlier, _, _)| earlier.public_key() == signer.public_key());
        let signature = match same_key {
            Some((_, _, signature)) => signature.clone(),
            None => sign_once(message, *signer, key_id)?,
        };
        made.push((*signer, key_id, signature));
    }
    made.into_iter()
        .map(|(signer, key_id, signature)| match signer.public_key() {
            #[cfg(feature = "openpgp")]
            key::PublicKey::OpenPgp(_) => open_pgp_entry(key_id, &signature),
            _ => Ok(entry(key_id, &signature, signer.certificate(), container)),
        })
        .collect()
}

fn sign_once(message: &[u8], signer: &dyn Signer, key_id: &KeyId) -> Result<Vec<u8>, SignError> {
    let signature = signer.sign(message).map_err(|source| SignError::Signer {
        key_id: key_id.clone(),
        source,
    })?;
    signer
        .public_key()
        .verify(message, &signature)
        .map_err(|source| SignError::DoesNotVerify {
            key_id: key_id.clone(),
            source,
        })?;
    Ok(signature)
}

/// An OpenPGP signature stands under the fingerprint of the very key that made it, or nobody finds that key.
#[cfg(feature = "openpgp")]
fn open_pgp_entry(key_id: &KeyId, packet: &[u8]) -> Result<Value<'static>, SignError> {
    let does_not_verify = |source: SignatureError| SignError::DoesNotVerify {
        key_id: key_id.clone(),
        source,
    };
    let signature = key::OpenPgpSignature::from_packet(packet).map_err(|error| does_not_verify(error.into()))?;
    if signature.issuer().as_ref() != Some(key_id) {
        return Err(does_not_verify(key::OpenPgpError::OtherKey.into()));
    }
    Ok(Value::Object(Object::from_iter([
        ("keyid", Value::from(String::from(key_id.as_str()))),
        ("other_headers", Value::from(to_hex(signature.other_headers()))),
        ("signature", Value::from(to_hex(signature.signature()))),
    ])))
}

fn entry(key_id: &KeyId, signature: &[u8], certificate: Option<&str>, container: Container) -> Value<'static> {
    let text = match container {
        Container::Dsse => base64::encode(signature),
        Container::Metablock => to_hex(signature),
    };
    let key_id = Value::from(String::from(key_id.as_str()));
    let mut entry = Object::from_iter([("keyid", key_id), ("sig", Value::from(text))]);
    if let Some(certificate) = certificate {
        entry.insert("cert", Value::from(String::from(certificate)));
    }
    Value::Object(entry)
}
