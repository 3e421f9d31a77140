//! Bundles without any server: a private Sigstore's keys in one hand, and a log with one entry. For tests that need a bundle of something that exists only
//! while they run.

use intoto_core::digest::{sha256, to_hex};
use intoto_core::encoding::base64;
use intoto_core::key::{SecretKey, Signer as _};
use serde_json::{Value, json};

use crate::certificates;
use crate::fixed;
use crate::sigstore::bundle::{STATEMENT, pae};
use crate::sigstore::client::Leaf;
use crate::sigstore::{Addresses, authority};

/// Who issues the identities of people.
pub const ISSUER: &str = "https://accounts.example";

/// Who signs.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// Somebody with this mail address, by a key that is thrown away.
    Person(&'a str),
    /// Somebody who keeps this key.
    Key(&'a SecretKey),
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub enum What<'a> {
    /// A statement, in an envelope.
    Statement(&'a [u8]),
    /// A file, beside it.
    File(&'a [u8]),
}

fn addresses() -> Addresses {
    Addresses {
        issuer: ISSUER.to_owned(),
        rekor_v1: Some("https://log.example".to_owned()),
        ..Addresses::default()
    }
}

/// The root by which all of this verifies.
#[must_use]
pub fn trusted_root() -> Value {
    authority::trusted_root(&addresses())
}

/// A bundle that was logged at `time`, in seconds since 1970.
///
/// # Panics
/// When the keys in memory do not sign.
#[must_use]
pub fn bundle(by: By<'_>, what: What<'_>, time: i64) -> Value {
    let person = || fixed::p256("somebody with an identity");
    let (message, payload) = match what {
        What::Statement(payload) => (pae(STATEMENT, payload), Some(payload)),
        What::File(file) => (file.to_vec(), None),
    };
    let (signature, verifier, mut material) = match by {
        By::Person(email) => {
            let certificate = Leaf {
                valid: (time - 1, time + 599),
                ..Leaf::usual(&addresses(), email, || fixed::p256("somebody with an identity"))
            };
            let der = certificate.issue();
            let material = json!({ "certificate": { "rawBytes": base64::encode(&der) } });
            (sign(&person(), &message), certificates::pem(&der), material)
        }
        By::Key(key) => {
            let spki = key.public_key().to_spki_der();
            let material = json!({ "publicKey": { "hint": base64::encode(&sha256(&spki)) } });
            (sign(key, &message), key.public_key().to_spki_pem(), material)
        }
    };
    let (kind, version, body) = match payload {
        Some(payload) => ("dsse", "0.0.1", dsse(payload, &signature, &verifier)),
        None => ("hashedrekord", "0.0.1", hashedrekord(&message, &signature, &verifier)),
    };
    material["tlogEntries"] = json!([entry((kind, version), body.to_string().as_bytes(), time)]);
    let mut bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": material,
    });
    match payload {
        Some(payload) => {
            bundle["dsseEnvelope"] = json!({
                "payload": base64::encode(payload),
                "payloadType": STATEMENT,
                "signatures": [{ "sig": base64::encode(&signature) }],
            });
        }
        None => {
            bundle["messageSignature"] = json!({
                "messageDigest": { "algorithm": "SHA2_256", "digest": base64::encode(&sha256(&message)) },
                "signature": base64::encode(&signature),
            });
        }
    }
    bundle
}

fn sign(key: &SecretKey, message: &[u8]) -> Vec<u8> {
    key.sign(message).expect("keys in memory sign").as_slice().to_vec()
}

fn hash(bytes: &[u8]) -> Value {
    json!({ "algorithm": "sha256", "value": to_hex(&sha256(bytes)) })
}

fn dsse(payload: &[u8], signature: &[u8], verifier: &str) -> Value {
    json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": hash(payload),
            "payloadHash": hash(payload),
            "signatures": [{ "signature": base64::encode(signature), "verifier": base64::encode(verifier.as_bytes()) }],
        },
    })
}

fn hashedrekord(file: &[u8], signature: &[u8], verifier: &str) -> Value {
    json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": { "hash": hash(file) },
            "signature": {
                "content": base64::encode(signature),
                "publicKey": { "content": base64::encode(verifier.as_bytes()) },
            },
        },
    })
}

/// The only entry of a log of the first version, as bundles have it.
fn entry((kind, version): (&str, &str), body: &[u8], time: i64) -> Value {
    let log = authority::rekor_v1_key();
    let id = authority::key_id(&log);
    let root = sha256(&[&[0], body].concat());
    let note = format!("log.example\n1\n{}\n", base64::encode(&root));
    let signed = [&id[..4], &sign(&log, note.as_bytes())].concat();
    let checkpoint = format!("{note}\n\u{2014} log.example {}\n", base64::encode(&signed));
    // What is promised, in the one form that has no choices: sorted, without blanks.
    let promise = format!(
        r#"{{"body":"{}","integratedTime":{time},"logID":"{}","logIndex":0}}"#,
        base64::encode(body),
        to_hex(&id)
    );
    json!({
        "logIndex": "0",
        "logId": { "keyId": base64::encode(&id) },
        "kindVersion": { "kind": kind, "version": version },
        "integratedTime": time.to_string(),
        "inclusionPromise": { "signedEntryTimestamp": base64::encode(&sign(&log, promise.as_bytes())) },
        "inclusionProof": {
            "logIndex": "0",
            "rootHash": base64::encode(&root),
            "treeSize": "1",
            "hashes": [],
            "checkpoint": { "envelope": checkpoint },
        },
        "canonicalizedBody": base64::encode(body),
    })
}
