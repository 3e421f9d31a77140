//! The work that no verifier can avoid, done as plainly as the usual crates allow: read, parse with serde_json, canonical bytes,
//! decode the layout's keys, signatures. No model, no rules, no findings.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use camino::Utf8Path;
use intoto_core::digest::{from_hex, to_hex};
use intoto_core::key::{Ed25519Key, PublicKey, SecretKey, Signer};
use serde_json::{Value, json};

use crate::failure::{Context, Failure};
use crate::interop::{Container, files};

pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A file, taken apart.
struct Parsed {
    signed: Vec<u8>,
    signatures: Value,
    payload: Value,
}

/// Reads and parses a file, and makes the signed bytes.
fn parse(path: &Utf8Path, container: Container) -> Result<Parsed, Failure> {
    let bytes = std::fs::read(path).context(format!("read {path}"))?;
    let mut file: Value = serde_json::from_slice(&bytes).context(format!("parse {path}"))?;
    let (signed, payload) = match container {
        Container::Metablock => {
            let payload = file["signed"].take();
            (canonical(&payload), payload)
        }
        Container::Dsse => {
            let bytes = BASE64_STANDARD
                .decode(file["payload"].as_str().unwrap_or_default())
                .context(format!("decode {path}"))?;
            let payload = serde_json::from_slice(&bytes).context(format!("parse the payload of {path}"))?;
            (pae(&bytes), payload)
        }
    };
    Ok(Parsed {
        signed,
        signatures: file["signatures"].take(),
        payload,
    })
}

/// As [`parse`], of a layout, with the keys that it lists decoded: whoever reads a layout to verify by it needs them.
pub(super) fn parse_layout(path: &Utf8Path, container: Container) -> Result<(), Failure> {
    let parsed = parse(path, container)?;
    for key in parsed.payload["keys"]
        .as_object()
        .into_iter()
        .flat_map(|keys| keys.values())
    {
        let bytes = from_hex(key["keyval"]["public"].as_str().unwrap_or_default())
            .ok()
            .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
            .ok_or_else(|| Failure::new(format!("a key of {path} is no Ed25519 key")))?;
        std::hint::black_box(Ed25519Key::from_bytes(&bytes).context(format!("decode a key of {path}"))?);
    }
    Ok(())
}

/// Canonical bytes, a signature, and the file that holds both.
pub(super) fn sign(value: &Value, key: &SecretKey, id: &str, container: Container) -> Result<String, Failure> {
    let payload = canonical(value);
    let file = match container {
        Container::Dsse => {
            let signature = key.sign(&pae(&payload)).context("sign")?;
            json!({
                "payload": BASE64_STANDARD.encode(&payload),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{ "keyid": id, "sig": BASE64_STANDARD.encode(&signature) }],
            })
            .to_string()
        }
        Container::Metablock => {
            let signature = to_hex(&key.sign(&payload).context("sign")?);
            let signatures = json!([{ "keyid": id, "sig": signature }]);
            format!("{{\"signatures\":{signatures},\"signed\":{value}}}")
        }
    };
    Ok(file)
}

/// Parses the layout and every link and checks the first signature of each.
pub(super) fn verify(
    directory: &Utf8Path,
    container: Container,
    owner: &PublicKey,
    functionary: &PublicKey,
) -> Result<(), Failure> {
    check(&directory.join("root.layout"), container, owner)?;
    for link in files(&directory.join("links"), "link")? {
        check(&link, container, functionary)?;
    }
    Ok(())
}

fn check(path: &Utf8Path, container: Container, key: &PublicKey) -> Result<(), Failure> {
    let Parsed { signed, signatures, .. } = parse(path, container)?;
    let text = signatures[0]["sig"].as_str().unwrap_or_default();
    let signature = match container {
        Container::Dsse => BASE64_STANDARD
            .decode(text)
            .context(format!("decode a signature of {path}"))?,
        Container::Metablock => from_hex(text).context(format!("decode a signature of {path}"))?,
    };
    key.verify(&signed, &signature).context(format!("verify {path}"))
}

/// The DSSE pre-authentication encoding.
pub(super) fn pae(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// OLPC canonical JSON; serde_json's maps are sorted already.
pub(super) fn canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    canonical_into(value, &mut bytes);
    bytes
}

fn canonical_into(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::String(text) => string_into(text, bytes),
        Value::Array(items) => {
            bytes.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                canonical_into(item, bytes);
            }
            bytes.push(b']');
        }
        Value::Object(members) => {
            bytes.push(b'{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                string_into(name, bytes);
                bytes.push(b':');
                canonical_into(member, bytes);
            }
            bytes.push(b'}');
        }
        plain => bytes.extend_from_slice(plain.to_string().as_bytes()),
    }
}

fn string_into(text: &str, bytes: &mut Vec<u8>) {
    bytes.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            bytes.push(b'\\');
        }
        bytes.push(byte);
    }
    bytes.push(b'"');
}
