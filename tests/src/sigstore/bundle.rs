//! Bundles made by hand, with whatever in them is to be wrong.

use std::io;

use intoto_core::encoding::base64;
use intoto_core::key::{SecretKey, Signer as _};
use serde_json::{Value, json};

use super::client::{self, Holder};
use super::{Addresses, Log};

/// The type of a statement's payload.
pub const STATEMENT: &str = "application/vnd.in-toto+json";

/// What is to be signed, and by whom.
pub struct Order<'a> {
    /// The servers.
    pub addresses: &'a Addresses,
    /// Which of the logs.
    pub log: Log,
    /// The type in the envelope.
    pub payload_type: &'a str,
    /// The payload.
    pub payload: &'a [u8],
    /// Who signs.
    pub key: fn() -> SecretKey,
    /// How one knows whose the key is.
    pub holder: &'a Holder,
}

impl Order<'_> {
    /// Signs, has it timestamped and logged, and writes the bundle.
    ///
    /// # Errors
    /// When one of the servers refuses.
    pub fn bundle(&self) -> io::Result<Value> {
        let signature = self.signature()?;
        let timestamp = client::timestamp(&self.addresses.timestamps, &signature)?;
        self.bundle_with(&signature, &timestamp)
    }

    /// The signature alone.
    ///
    /// # Errors
    /// When the key in memory does not sign.
    pub fn signature(&self) -> io::Result<Vec<u8>> {
        let signature = (self.key)().sign(&pae(self.payload_type, self.payload));
        Ok(signature.map_err(io::Error::other)?.as_slice().to_vec())
    }

    /// The bundle with a signature that was made before, and its timestamp.
    ///
    /// # Errors
    /// When the log refuses.
    pub fn bundle_with(&self, signature: &[u8], timestamp: &[u8]) -> io::Result<Value> {
        let envelope = json!({
            "payload": base64::encode(self.payload),
            "payloadType": self.payload_type,
            "signatures": [{ "sig": base64::encode(signature) }],
        });
        let entry = match self.log {
            Log::V1 => {
                let address = self.addresses.rekor_v1.as_deref().unwrap_or_default();
                client::log_v1(address, &envelope, self.holder)?
            }
            Log::V2 => {
                let pae = pae(self.payload_type, self.payload);
                client::log_v2(&self.addresses.rekor_v2, &pae, signature, self.holder)?
            }
        };
        let mut material = match self.holder {
            Holder::Certificate(der) => json!({ "certificate": { "rawBytes": base64::encode(der) } }),
            Holder::Key(spki) => {
                let hint = intoto_core::digest::sha256(spki);
                json!({ "publicKey": { "hint": base64::encode(&hint) } })
            }
        };
        material["tlogEntries"] = json!([entry]);
        material["timestampVerificationData"] =
            json!({ "rfc3161Timestamps": [{ "signedTimestamp": base64::encode(timestamp) }] });
        Ok(json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
            "dsseEnvelope": envelope,
        }))
    }
}

/// What an envelope's signature is about.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// A link of the step `package` that made this file, as a statement.
#[must_use]
pub fn link_statement(name: &str, content: &[u8]) -> Vec<u8> {
    step_statement("package", &[], (name, content))
}

/// A link of a step that made the last of these files from the others, as a statement.
#[must_use]
pub fn step_statement(step: &str, materials: &[(&str, &[u8])], product: (&str, &[u8])) -> Vec<u8> {
    let file =
        |(name, content): &(&str, &[u8])| json!({ "name": name, "digest": { "sha256": crate::sha256_hex(content) } });
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [file(&product)],
        "predicateType": "https://in-toto.io/attestation/link/v0.3",
        "predicate": {
            "name": step,
            "command": ["cargo", step],
            "materials": materials.iter().map(file).collect::<Vec<_>>(),
            "byproducts": {},
            "environment": {},
        },
    });
    statement.to_string().into_bytes()
}
