//! A validator of the part of JSON Schema that `docs/verdict.schema.json` uses, and stricter: members that the schema does not
//! name are errors, so that none is added without being described.

use camino::Utf8Path;
use serde_json::Value;

/// The schema in `docs/`.
pub(super) struct Schema(Value);

impl Schema {
    pub(super) fn of_verdict() -> Self {
        let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/verdict.schema.json");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")))
    }

    /// Asserts that the text is JSON that the schema describes, and returns it.
    #[track_caller]
    pub(super) fn check(&self, text: &str) -> Value {
        let value: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let mut problems = Vec::new();
        self.validate(&self.0, &value, "$", &mut problems);
        assert!(problems.is_empty(), "{problems:#?}\n{text}");
        value
    }

    fn validate(&self, schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let pointer = reference.strip_prefix('#').expect("references stay inside the schema");
            let target = self
                .0
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{reference} leads nowhere"));
            return self.validate(target, value, at, problems);
        }
        if let Some(choices) = schema["anyOf"].as_array() {
            let fits = |choice| {
                let mut found = Vec::new();
                self.validate(choice, value, at, &mut found);
                found.is_empty()
            };
            if !choices.iter().any(fits) {
                problems.push(format!("{at}: {value} fits none of {choices:?}"));
            }
            return;
        }
        if let Some(expected) = schema.get("const").filter(|expected| *expected != value) {
            problems.push(format!("{at}: {value} is not {expected}"));
        }
        if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
            problems.push(format!("{at}: {value} is none of {}", schema["enum"]));
        }
        if !is_of_type(&schema["type"], value) {
            problems.push(format!("{at}: {value} is no {}", schema["type"]));
        }
        if schema["minimum"]
            .as_i64()
            .zip(value.as_i64())
            .is_some_and(|(minimum, value)| value < minimum)
        {
            problems.push(format!("{at}: {value} is too small"));
        }
        if schema["pattern"] == "^[0-9a-f]{64}$" {
            let is_digest =
                |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            if !value.as_str().is_some_and(is_digest) {
                problems.push(format!("{at}: {value} is no digest"));
            }
        } else {
            assert!(
                schema.get("pattern").is_none(),
                "{at}: the validator knows one pattern only"
            );
        }
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.validate(&schema["items"], item, &format!("{at}[{index}]"), problems);
        }
        let Some(members) = value.as_object() else { return };
        for required in schema["required"].as_array().into_iter().flatten() {
            let name = required.as_str().expect("names are texts");
            if !members.contains_key(name) {
                problems.push(format!("{at}: {name} is missing"));
            }
        }
        for (name, member) in members {
            let described = schema["properties"]
                .get(name)
                .or_else(|| schema.get("additionalProperties"));
            match described {
                Some(described) => self.validate(described, member, &format!("{at}.{name}"), problems),
                None => problems.push(format!("{at}.{name} is not described")),
            }
        }
    }
}

fn is_of_type(expected: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the validator does not know the type {other}"),
    };
    match expected {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().any(|name| is(name.as_str().expect("types are texts"))),
        _ => true,
    }
}
