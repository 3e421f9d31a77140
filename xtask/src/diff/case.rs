//! One case: a layout, links and files in hand, and what was done to them.

use std::collections::{BTreeMap, BTreeSet};

use intoto_core::digest::to_hex;
use intoto_core::encoding::{base64, pae, strict_json, to_canonical};
use intoto_core::envelope::{Container, PAYLOAD_TYPE};
use intoto_core::key::KeyIdStyle;
use intoto_core::limits::Limits;
use serde_json::{Value, json};

use super::people::Person;

/// What both verifiers are given.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// The keys that must have signed the layout, each with the style of the id that the other verifier looks for.
    pub(super) owners: Vec<(Person, KeyIdStyle)>,
    /// The layout's file.
    pub(super) layout: Document,
    /// The files of the link directory, by path.
    pub(super) links: BTreeMap<String, Document>,
    /// The files of the directory in which inspections run, with their content.
    pub(super) in_hand: BTreeMap<String, String>,
    /// Values for parameters; `None` leaves the layout's braces alone in the reference implementation.
    pub(super) parameters: Option<BTreeMap<String, String>>,
    /// What was done to an honest chain, by name.
    pub(super) faults: BTreeSet<&'static str>,
}

/// A signed file in the making.
#[derive(Debug, Clone)]
pub(super) struct Document {
    /// What is signed.
    pub(super) payload: Value,
    /// Changes of the payload's text that its signers sign too.
    pub(super) signed_edits: Vec<Edit>,
    /// The container.
    pub(super) container: Container,
    /// Who signs, and under which id.
    pub(super) signers: Vec<(Person, String)>,
    /// Changes of the file's text after it was signed.
    pub(super) edits: Vec<Edit>,
}

/// A change of text: the first occurrence is replaced. With nothing to look for, the text is put at the end.
#[derive(Debug, Clone)]
pub(super) struct Edit {
    pub(super) from: String,
    pub(super) to: String,
}

impl Document {
    /// A document with one signature.
    pub(super) fn new(payload: Value, container: Container, signer: (Person, &str)) -> Self {
        Self {
            payload,
            signed_edits: Vec::new(),
            container,
            signers: vec![(signer.0, signer.1.to_owned())],
            edits: Vec::new(),
        }
    }

    /// The file.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let text = edited(self.payload.to_string(), &self.signed_edits);
        let message = match self.container {
            Container::Dsse => pae(PAYLOAD_TYPE, text.as_bytes()),
            // An edited text may have no canonical form; its signers meant the value.
            _ => canonical(&self.payload).unwrap_or_else(|| text.clone().into_bytes()),
        };
        let signatures: Vec<Value> = self
            .signers
            .iter()
            .map(|(person, id)| {
                let signature = person.sign(&message);
                let shown = match self.container {
                    Container::Dsse => base64::encode(&signature),
                    _ => to_hex(&signature),
                };
                json!({ "keyid": id, "sig": shown })
            })
            .collect();
        let signatures = Value::from(signatures);
        let file = match self.container {
            Container::Dsse => {
                let payload = base64::encode(text.as_bytes());
                json!({ "payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": signatures }).to_string()
            }
            _ => format!("{{\"signatures\":{signatures},\"signed\":{text}}}"),
        };
        edited(file, &self.edits).into_bytes()
    }
}

fn edited(mut text: String, edits: &[Edit]) -> String {
    for Edit { from, to } in edits {
        if from.is_empty() {
            text.push_str(to);
        } else {
            text = text.replacen(from, to, 1);
        }
    }
    text
}

fn canonical(value: &Value) -> Option<Vec<u8>> {
    let text = value.to_string();
    let value = strict_json::parse(text.as_bytes(), &Limits::default()).ok()?;
    to_canonical(&value).ok()
}

impl Case {
    /// The layout's file and the link files by path.
    pub(super) fn files(&self) -> (Vec<u8>, BTreeMap<String, Vec<u8>>) {
        let links = self.links.iter().map(|(path, link)| (path.clone(), link.bytes()));
        (self.layout.bytes(), links.collect())
    }
}
