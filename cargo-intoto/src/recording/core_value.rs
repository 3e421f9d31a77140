//! JSON from serde's model to the core's.

use std::borrow::Cow;

use intoto_core::encoding::{Object, Value};
use serde_json::{Map, Value as Json};

/// The same members for the core.
pub(super) fn core_object(json: Map<String, Json>) -> Object<'static> {
    let mut object = Object::new();
    for (key, value) in json {
        object.insert(key, core_value(value));
    }
    object
}

/// The same value. Numbers here are counts; a float, which no link may hold, becomes text.
pub(super) fn core_value(json: Json) -> Value<'static> {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(value),
        Json::Number(number) if number.is_f64() => Value::String(Cow::Owned(number.to_string())),
        Json::Number(number) => Value::Integer(Cow::Owned(number.to_string())),
        Json::String(text) => Value::String(Cow::Owned(text)),
        Json::Array(values) => Value::Array(values.into_iter().map(core_value).collect()),
        Json::Object(values) => Value::Object(core_object(values)),
    }
}

#[cfg(test)]
mod tests {
    use intoto_core::encoding::to_json;

    use super::*;

    #[test]
    fn values_stay_what_they_are() {
        let json = serde_json::json!({ "b": [1, -2, true, null], "a": { "ü": "x\"y" }, "c": 0.5 });
        assert_eq!(
            to_json(&core_value(json)),
            r#"{"a":{"\u00fc":"x\"y"},"b":[1,-2,true,null],"c":"0.5"}"#
        );
    }
}
