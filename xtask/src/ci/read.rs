//! Reading what a pipeline's file says, strictly.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::failure::Failure;

/// An object with no members but these.
pub(super) fn object<'v>(value: &'v Value, what: &str, members: &[&str]) -> Result<&'v Map<String, Value>, Failure> {
    let object = value
        .as_object()
        .ok_or_else(|| Failure::new(format!("{what} is no mapping")))?;
    match object.keys().find(|key| !members.contains(&key.as_str())) {
        Some(key) => Err(Failure::new(format!("{what} has `{key}`, which is not read here"))),
        None => Ok(object),
    }
}

/// A mapping to texts, numbers and truth values, as texts.
pub(super) fn strings(value: Option<&Value>) -> Result<BTreeMap<String, String>, Failure> {
    let Some(value) = value else {
        return Ok(BTreeMap::new());
    };
    let object = value
        .as_object()
        .ok_or_else(|| Failure::new(format!("{value} is no mapping")))?;
    object
        .iter()
        .map(|(key, value)| match value {
            Value::String(text) => Ok((key.clone(), text.clone())),
            Value::Bool(_) | Value::Number(_) => Ok((key.clone(), value.to_string())),
            _ => Err(Failure::new(format!("`{key}` is no text"))),
        })
        .collect()
}

/// A list of texts.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, Failure> {
    let list = value
        .as_array()
        .ok_or_else(|| Failure::new(format!("{value} is no list")))?;
    list.iter()
        .map(|value| {
            let text = value.as_str().map(str::to_owned);
            text.ok_or_else(|| Failure::new(format!("{value} is no text")))
        })
        .collect()
}
