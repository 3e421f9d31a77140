//! A statement, for people.

use std::fmt::Write;

use intoto_core::encoding::Value;

use super::Detail;
use super::link::object;
use crate::escape::plain;
use crate::ui::count;

/// What it is about, and what kind of predicate it has. A member that is not there is shown as such.
pub(super) fn describe(value: &Value<'_>, detail: Detail) -> String {
    let member = |name: &str| value.as_object().and_then(|object| object.get(name));
    let text_of = |name: &str| member(name).and_then(Value::as_str).unwrap_or("(none)");
    // Writing to a string cannot fail, here and below.
    let mut text = format!("statement {}\n", plain(text_of("_type")));
    let _ = writeln!(text, "predicate {}", plain(text_of("predicateType")));
    let subjects = member("subject").and_then(Value::as_array).unwrap_or_default();
    let _ = writeln!(text, "{}", count(subjects.len(), "subject"));
    let most = detail.most(subjects.len());
    for subject in &subjects[..most] {
        let object = subject.as_object();
        let get = |name: &str| object.and_then(|object| object.get(name));
        let name = get("name")
            .or_else(|| get("uri"))
            .and_then(Value::as_str)
            .unwrap_or("(no name)");
        let digests: Vec<String> = get("digest")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|digests| digests.iter())
            .map(|(algorithm, hex)| format!("{}:{}", plain(algorithm), plain(hex.as_str().unwrap_or("(none)"))))
            .collect();
        let _ = writeln!(text, "    {}  {}", plain(name), digests.join(" "));
    }
    if most < subjects.len() {
        let _ = writeln!(text, "    and {} more, which -v shows", subjects.len() - most);
    }
    text
}

/// The predicate as it stands.
pub(super) fn predicate(value: &Value<'_>) -> String {
    let mut text = String::new();
    if let Some(predicate) = value.as_object().and_then(|object| object.get("predicate")) {
        object(&mut text, "what it says", predicate);
    }
    text
}
