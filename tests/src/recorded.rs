//! Links that were recorded, as JSON.

use std::fs;

use camino::Utf8Path;
use intoto_core::encoding::to_json;
use intoto_core::envelope::{Container, Envelope};
use intoto_core::limits::Limits;
use serde_json::Value;

/// What a file of metadata says, and its form.
pub fn payload(path: &Utf8Path) -> (Value, Container) {
    let bytes = fs::read(path).expect("readable");
    let envelope = Envelope::parse(&bytes, &Limits::default()).expect("an envelope");
    let payload = envelope.payload_value().expect("a payload");
    (
        serde_json::from_str(&to_json(&payload)).expect("JSON"),
        envelope.container(),
    )
}

/// The names of these materials or products.
pub fn names(artifacts: &Value) -> Vec<&str> {
    artifacts
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect()
}
