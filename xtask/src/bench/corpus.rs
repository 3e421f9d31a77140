//! The corpora: layouts and links of known shapes, signed in both containers so that every implementation accepts them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::{sha256, to_hex};
use intoto_core::encoding::to_json;
use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
use serde_json::{Value, json};

use super::floor;
use crate::failure::{Context, Failure};
use crate::interop::{Container, write};

/// A shape of layout and links.
#[derive(Debug, Clone, Copy)]
pub(super) struct Corpus {
    pub(super) name: &'static str,
    steps: usize,
    artifacts: usize,
    /// How the last step's materials are matched with the products of the step before.
    rules: Rules,
    /// Whether parsing and signing its layout are rows of their own.
    pub(super) has_layout_rows: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// One MATCH for all artifacts.
    One,
    /// As many MATCH rules as there are directories.
    PerDirectory(usize),
    /// As many ALLOW rules as there are directories.
    AllowPerDirectory(usize),
    /// One, and others that match nothing, up to the length of a layout of 103 KB with 50 steps.
    Padded,
}

/// Every corpus.
pub(super) const CORPORA: &[Corpus] = &[
    Corpus {
        name: "steps-10",
        steps: 10,
        artifacts: 10,
        rules: Rules::One,
        has_layout_rows: true,
    },
    Corpus {
        name: "steps-50",
        steps: 50,
        artifacts: 40,
        rules: Rules::Padded,
        has_layout_rows: true,
    },
    Corpus {
        name: "steps-200",
        steps: 200,
        artifacts: 10,
        rules: Rules::One,
        has_layout_rows: false,
    },
    Corpus {
        name: "steps-1000",
        steps: 1000,
        artifacts: 2,
        rules: Rules::One,
        has_layout_rows: false,
    },
    Corpus {
        name: "artifacts-10",
        steps: 2,
        artifacts: 10,
        rules: Rules::One,
        has_layout_rows: true,
    },
    Corpus {
        name: "artifacts-1000",
        steps: 2,
        artifacts: 1000,
        rules: Rules::One,
        has_layout_rows: false,
    },
    Corpus {
        name: "artifacts-20000",
        steps: 2,
        artifacts: 20_000,
        rules: Rules::One,
        has_layout_rows: false,
    },
    Corpus {
        name: "match-200",
        steps: 2,
        artifacts: 20_000,
        rules: Rules::PerDirectory(200),
        has_layout_rows: false,
    },
    Corpus {
        name: "allow-200",
        steps: 2,
        artifacts: 20_000,
        rules: Rules::AllowPerDirectory(200),
        has_layout_rows: false,
    },
];

/// The owner's and the functionaries' keys.
pub(super) struct Keys {
    pub(super) owner: SecretKey,
    pub(super) functionary: SecretKey,
}

impl Keys {
    /// The same keys on every run.
    pub(super) fn new() -> Self {
        Self {
            owner: SecretKey::ed25519_from_seed([1; 32]),
            functionary: SecretKey::ed25519_from_seed([2; 32]),
        }
    }
}

/// Writes every corpus below `directory`, and the owner's key pair.
pub(super) fn write_all(directory: &Utf8Path, keys: &Keys) -> Result<(), Failure> {
    let private = directory.join("alice");
    write(&private, keys.owner.to_pkcs8_pem().as_bytes())?;
    // The product uses no private key that others may read.
    fs::set_permissions(&private, Permissions::from_mode(0o600)).context(format!("protect {private}"))?;
    write(&directory.join("alice.pub"), keys.owner.public_key().to_spki_pem())?;
    for corpus in CORPORA {
        for container in Container::ALL {
            corpus.write(&corpus.directory(directory, container), container, keys)?;
        }
    }
    Ok(())
}

impl Corpus {
    /// Where it is, below the directory of all.
    pub(super) fn directory(&self, all: &Utf8Path, container: Container) -> Utf8PathBuf {
        all.join(self.name).join(container.name())
    }

    /// The layout's canonical bytes.
    pub(super) fn canonical_layout(&self, keys: &Keys) -> Vec<u8> {
        floor::canonical(&self.layout(keys))
    }

    fn write(&self, directory: &Utf8Path, container: Container, keys: &Keys) -> Result<(), Failure> {
        let links = directory.join("links");
        fs::create_dir_all(&links).context(format!("create {links}"))?;
        let both = [KeyIdStyle::Python, KeyIdStyle::Legacy];
        write(
            &directory.join("root.layout"),
            sign(&self.layout(keys), &keys.owner, &both, container)?,
        )?;
        let id = keys.functionary.public_key().key_id(KeyIdStyle::Legacy);
        for step in 0..self.steps {
            let path = links.join(format!("{}.{}.link", step_name(step), id.short()));
            write(
                &path,
                sign(&self.link(step), &keys.functionary, &[KeyIdStyle::Legacy], container)?,
            )?;
        }
        Ok(())
    }

    fn layout(&self, keys: &Keys) -> Value {
        let public = keys.functionary.public_key();
        let id = public.key_id(KeyIdStyle::Legacy);
        let mut key: Value =
            serde_json::from_str(&to_json(&public.to_layout_value(KeyIdStyle::Legacy))).expect("our own JSON is JSON");
        key["keyid"] = id.as_str().into();
        let steps: Vec<Value> = (0..self.steps)
            .map(|step| {
                json!({
                    "_type": "step",
                    "name": step_name(step),
                    "pubkeys": [id.as_str()],
                    "threshold": 1,
                    "expected_command": [],
                    "expected_materials": self.materials(step),
                    "expected_products": [["ALLOW", "d*"], ["DISALLOW", "*"]],
                })
            })
            .collect();
        json!({
            "_type": "layout",
            "expires": "2036-01-01T00:00:00Z",
            "readme": "",
            "keys": { id.as_str(): key },
            "steps": steps,
            "inspect": [],
        })
    }

    fn materials(&self, step: usize) -> Vec<Value> {
        let disallow = json!(["DISALLOW", "*"]);
        let Some(previous) = step.checked_sub(1).map(step_name) else {
            return vec![disallow];
        };
        let matched = |pattern: String| json!(["MATCH", pattern, "WITH", "PRODUCTS", "FROM", previous]);
        let mut rules = match self.rules {
            Rules::One => vec![matched("*".to_owned())],
            Rules::PerDirectory(count) => (0..count).map(|index| matched(format!("d{index:03}/*"))).collect(),
            Rules::AllowPerDirectory(count) => (0..count)
                .map(|index| json!(["ALLOW", format!("d{index:03}/*")]))
                .collect(),
            Rules::Padded => {
                let mut rules: Vec<Value> = (0..24)
                    .map(|index| matched(format!("generated/part-{index:02}/*")))
                    .collect();
                rules.push(matched("*".to_owned()));
                rules
            }
        };
        rules.push(disallow);
        rules
    }

    /// Every step passes the same files on.
    fn link(&self, step: usize) -> Value {
        let artifacts: Value = (0..self.artifacts)
            .map(|index| {
                let name = format!("d{:03}/file-{index:05}.rs", index % 200);
                let digest = to_hex(&sha256(name.as_bytes()));
                (name, json!({ "sha256": digest }))
            })
            .collect::<serde_json::Map<_, _>>()
            .into();
        json!({
            "_type": "link",
            "name": step_name(step),
            "command": [],
            "materials": if step == 0 { json!({}) } else { artifacts.clone() },
            "products": artifacts,
            "byproducts": {},
            "environment": {},
        })
    }
}

fn step_name(step: usize) -> String {
    format!("step-{step:04}")
}

fn sign(value: &Value, key: &SecretKey, styles: &[KeyIdStyle], container: Container) -> Result<String, Failure> {
    let payload = floor::canonical(value);
    let message = match container {
        Container::Dsse => floor::pae(&payload),
        Container::Metablock => payload.clone(),
    };
    let signature = key.sign(&message).context("sign a corpus")?;
    let signatures: Vec<Value> = styles
        .iter()
        .map(|style| {
            let id = key.public_key().key_id(*style);
            let text = match container {
                Container::Dsse => BASE64_STANDARD.encode(&signature),
                Container::Metablock => to_hex(&signature),
            };
            json!({ "keyid": id.as_str(), "sig": text })
        })
        .collect();
    let file = match container {
        Container::Dsse => json!({
            "payload": BASE64_STANDARD.encode(&payload),
            "payloadType": floor::PAYLOAD_TYPE,
            "signatures": signatures,
        }),
        Container::Metablock => json!({ "signatures": signatures, "signed": value }),
    };
    Ok(file.to_string())
}
