//! The parts that vectors are made of: fixed keys, a small chain of two steps, and envelopes around any bytes whatsoever.

use intoto_core::digest::{sha256, to_hex};
use intoto_core::encoding::{base64, pae, strict_json, to_canonical, to_json};
use intoto_core::key::{KeyIdStyle, SecretKey, Signer as _};
use intoto_core::limits::Limits;
use serde_json::{Value, json};

/// A fixed key of somebody.
pub struct Person {
    secret: SecretKey,
    style: KeyIdStyle,
}

/// Signs layouts.
pub fn owner() -> Person {
    Person::ed25519(1)
}

/// Carries out the step `write`.
pub fn alice() -> Person {
    Person::ed25519(2)
}

/// Carries out the step `package`.
pub fn bob() -> Person {
    Person {
        secret: SecretKey::p256_from_scalar([3; 32]).expect("3… is a scalar"),
        style: KeyIdStyle::Legacy,
    }
}

/// A second functionary, where a layout needs one.
pub fn carol() -> Person {
    Person::ed25519(4)
}

/// Is named by no layout.
pub fn mallory() -> Person {
    Person::ed25519(5)
}

impl Person {
    fn ed25519(seed: u8) -> Self {
        Self {
            secret: SecretKey::ed25519_from_seed([seed; 32]),
            style: KeyIdStyle::Legacy,
        }
    }

    /// Somebody with any key.
    pub fn of(secret: SecretKey) -> Self {
        Self {
            secret,
            style: KeyIdStyle::Legacy,
        }
    }

    /// The same person under the other key-id style.
    pub fn under_python_id(self) -> Self {
        Self {
            style: KeyIdStyle::Python,
            ..self
        }
    }

    /// The key id.
    pub fn id(&self) -> String {
        self.secret.public_key().key_id(self.style).as_str().to_owned()
    }

    /// The public key's PEM.
    pub fn pem(&self) -> String {
        self.secret.public_key().to_spki_pem()
    }

    /// The public key as a layout has it.
    pub fn in_layout(&self) -> Value {
        let mut key = from_core(&self.secret.public_key().to_layout_value(self.style));
        if let Some(key) = key.as_object_mut() {
            key.insert("keyid".into(), self.id().into());
        }
        key
    }

    /// The name of this person's link of a step.
    pub fn link_file(&self, step: &str) -> String {
        format!("{step}.{}.link", &self.id()[..8])
    }

    /// This person's signature of any bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.secret.sign(message).expect("keys in memory sign")
    }
}

/// A DSSE envelope around any bytes. Signatures stand under the id that is given, whoever makes them.
pub fn dsse_under(payload: &[u8], signers: &[(&Person, &str)]) -> Vec<u8> {
    let payload_type = "application/vnd.in-toto+json";
    let signatures: Vec<Value> = signers
        .iter()
        .map(|(person, id)| json!({ "keyid": id, "sig": base64::encode(&person.sign(&pae(payload_type, payload))) }))
        .collect();
    text(&json!({ "payload": base64::encode(payload), "payloadType": payload_type, "signatures": signatures }))
}

/// A DSSE envelope around any bytes.
pub fn dsse(payload: &[u8], signers: &[&Person]) -> Vec<u8> {
    let ids: Vec<String> = signers.iter().map(|person| person.id()).collect();
    let signers: Vec<(&Person, &str)> = signers.iter().copied().zip(ids.iter().map(String::as_str)).collect();
    dsse_under(payload, &signers)
}

/// A Metablock whose `signed` is this text, with signatures over the canonical form of `meant`.
pub fn metablock_of(signed: &str, meant: &Value, signers: &[&Person]) -> Vec<u8> {
    let message = canonical(meant);
    let signatures: Vec<Value> = signers
        .iter()
        .map(|person| json!({ "keyid": person.id(), "sig": to_hex(&person.sign(&message)) }))
        .collect();
    format!("{{\"signatures\":{},\"signed\":{signed}}}", Value::from(signatures)).into_bytes()
}

/// A Metablock.
pub fn metablock(signed: &Value, signers: &[&Person]) -> Vec<u8> {
    metablock_of(&signed.to_string(), signed, signers)
}

/// The JSON text of a value.
pub fn text(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// The canonical form of a value.
pub fn canonical(value: &Value) -> Vec<u8> {
    let text = value.to_string();
    let value = strict_json::parse(text.as_bytes(), &Limits::default()).expect("serde_json writes strict JSON");
    to_canonical(&value).expect("vectors with numbers that have no canonical form say what they mean")
}

fn from_core(value: &intoto_core::encoding::Value<'_>) -> Value {
    serde_json::from_str(&to_json(value)).expect("core writes JSON")
}

/// The digests of an artifact with this content.
pub fn digests(content: &str) -> Value {
    json!({ "sha256": to_hex(&sha256(content.as_bytes())) })
}

/// The layout of the chain that every vector starts from.
pub fn layout() -> Value {
    json!({
        "_type": "layout",
        "expires": "2030-01-01T00:00:00Z",
        "readme": "Two steps and the artifact in hand.",
        "keys": { alice().id(): alice().in_layout(), bob().id(): bob().in_layout() },
        "steps": [
            step("write", &[&alice()], &["write"], &["DISALLOW *"], &["CREATE src/*", "DISALLOW *"]),
            step(
                "package",
                &[&bob()],
                &["pack", "hello"],
                &["MATCH * WITH PRODUCTS FROM write", "DISALLOW *"],
                &["CREATE out/hello-*.crate", "DISALLOW *"],
            ),
        ],
        "inspect": [inspection("artifact", &["true"], &["MATCH hello-*.crate WITH PRODUCTS IN out FROM package", "DISALLOW *"])],
    })
}

/// A step with threshold 1.
pub fn step(name: &str, by: &[&Person], command: &[&str], materials: &[&str], products: &[&str]) -> Value {
    json!({
        "_type": "step",
        "name": name,
        "threshold": 1,
        "pubkeys": by.iter().map(|person| person.id()).collect::<Vec<_>>(),
        "expected_command": command,
        "expected_materials": rules(materials),
        "expected_products": rules(products),
    })
}

/// An inspection with the same rules for both lists.
pub fn inspection(name: &str, run: &[&str], expected: &[&str]) -> Value {
    json!({
        "_type": "inspection",
        "name": name,
        "run": run,
        "expected_materials": rules(expected),
        "expected_products": rules(expected),
    })
}

/// Rules, each a text that is split at blanks.
pub fn rules(rules: &[&str]) -> Value {
    rules
        .iter()
        .map(|rule| rule.split(' ').collect::<Vec<_>>())
        .collect::<Vec<_>>()
        .into()
}

/// What `write` produces.
pub fn sources() -> Value {
    json!({ "src/lib.rs": digests("lib"), "src/main.rs": digests("main") })
}

/// The link of `write`.
pub fn write_link() -> Value {
    link("write", &["write"], json!({}), sources())
}

/// The link of `package`.
pub fn package_link() -> Value {
    link(
        "package",
        &["pack", "hello"],
        sources(),
        json!({ "out/hello-1.0.crate": digests("crate") }),
    )
}

/// A link that names a commit and a run.
pub fn link(name: &str, command: &[&str], materials: Value, products: Value) -> Value {
    json!({
        "_type": "link",
        "name": name,
        "command": command,
        "materials": materials,
        "products": products,
        "byproducts": { "return-value": 0, "stdout": "", "stderr": "" },
        "environment": { "commit": "c0ffee", "run": "000000000001" },
    })
}

/// A layout as its owner signs it.
pub fn owned(layout: &Value) -> Vec<u8> {
    dsse(&text(layout), &[&owner()])
}
