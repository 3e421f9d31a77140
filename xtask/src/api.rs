//! No type of another crate stands in the public API of `intoto-core`, so that no update of a dependency breaks who embeds it.
//!
//! Read from rustdoc's JSON, which the stable compiler writes only when asked as its own build does. What it looks like changes between
//! compilers; that it was not understood shows in how little was found, and is a failure.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;
use serde_json::Value;

use crate::failure::{Context, Failure};
use crate::process::Run;
use crate::root::Root;
use crate::say;

/// Whose types may stand there.
const ALLOWED: &[&str] = &["alloc", "core", "intoto_core", "std"];

/// With fewer mentions of types than this, the JSON was not understood. There are thousands.
const ENOUGH: usize = 1000;

/// Fails if a type or trait of another crate is mentioned.
pub(crate) fn check(root: &Root) -> Result<(), Failure> {
    // Only rustdoc sees the variable: build scripts of dependencies look at it, and would have all of them compiled again.
    let rustdoc = root.target().join("rustdoc-json.sh");
    write_script(&rustdoc)?;
    Run::cargo()
        .args(["rustdoc", "-p", "intoto-core", "--all-features", "--locked", "--"])
        .args(["-Z", "unstable-options", "--output-format", "json"])
        .env("RUSTDOC", &rustdoc)
        .directory(root.path())
        .show()?;
    let path = root.target().join("doc/intoto_core.json");
    let text = fs::read_to_string(&path).context(format!("read {path}"))?;
    let json: Value = serde_json::from_str(&text).context(format!("parse {path}"))?;
    let (mentions, foreign) = foreign(&json)?;
    if mentions < ENOUGH {
        let found = format!("only {mentions} types were found in {path}");
        return Err(Failure::new(found).hint("the compiler's JSON has changed: see xtask/src/api.rs"));
    }
    for mention in &foreign {
        say::row(mention);
    }
    if foreign.is_empty() {
        say::status(
            "Api",
            format!("{mentions} mentions of types, all of intoto-core and the standard library"),
        );
        Ok(())
    } else {
        Err(
            Failure::new("types of other crates stand in the public API of intoto-core")
                .hint("wrap them: an update of a dependency must not be a breaking change"),
        )
    }
}

fn write_script(path: &Utf8Path) -> Result<(), Failure> {
    let script = "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc \"$@\"\n";
    fs::write(path, script).context(format!("write {path}"))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).context(format!("write {path}"))
}

/// How many types and traits are mentioned, and where which of other crates are.
fn foreign(json: &Value) -> Result<(usize, BTreeSet<String>), Failure> {
    let items = json["index"]
        .as_object()
        .ok_or_else(|| Failure::new("the JSON has no index"))?;
    let (mut count, mut found) = (0, BTreeSet::new());
    for item in items.values().filter(|item| item["crate_id"] == 0) {
        // Those that another crate has for every type there is.
        if !item["inner"]["impl"]["blanket_impl"].is_null() {
            continue;
        }
        let mut ids = Vec::new();
        mentioned(&item["inner"], &mut ids);
        count += ids.len();
        for id in ids {
            let path = &json["paths"][id.to_string()];
            let name = path["crate_id"].as_u64().map(|number| match number {
                0 => "intoto_core",
                number => json["external_crates"][number.to_string()]["name"]
                    .as_str()
                    .unwrap_or("?"),
            });
            if name.is_some_and(|name| ALLOWED.contains(&name)) {
                continue;
            }
            let file = item["span"]["filename"].as_str().unwrap_or("?");
            let line = item["span"]["begin"][0].as_u64().unwrap_or(0);
            let words = path["path"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let words = words.collect::<Vec<_>>().join("::");
            found.insert(format!("{file}:{line}: {} `{words}`", name.unwrap_or("unknown")));
        }
    }
    Ok((count, found))
}

/// The ids of the types and traits in a signature: what has a path and arguments, and what `use` passes on.
fn mentioned(value: &Value, ids: &mut Vec<u64>) {
    match value {
        Value::Object(members) => {
            let is_path = members.contains_key("path") && members.contains_key("args");
            let is_use = members.contains_key("source") && members.contains_key("is_glob");
            if is_path || is_use {
                ids.extend(members.get("id").and_then(Value::as_u64));
            }
            members.values().for_each(|member| mentioned(member, ids));
        }
        Value::Array(values) => values.iter().for_each(|value| mentioned(value, ids)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_type_of_another_crate_is_found() {
        let path = |id: u32, args: Value| json!({ "path": "T", "id": id, "args": args });
        let item =
            |inner: Value| json!({ "crate_id": 0, "inner": inner, "span": { "filename": "a.rs", "begin": [3, 1] } });
        let argument =
            json!({ "angle_bracketed": { "args": [{ "type": { "resolved_path": path(2, Value::Null) } }] } });
        let cases = [
            (
                item(json!({ "function": { "sig": { "output": { "resolved_path": path(1, Value::Null) } } } })),
                None,
            ),
            (
                item(json!({ "struct_field": { "resolved_path": path(1, argument) } })),
                Some("a.rs:3: other `other::Type`"),
            ),
            (
                item(json!({ "impl": { "trait": path(2, Value::Null), "blanket_impl": null } })),
                Some("a.rs:3: other `other::Type`"),
            ),
            (
                item(json!({ "impl": { "trait": path(2, Value::Null), "blanket_impl": { "generic": "T" } } })),
                None,
            ),
            (
                item(json!({ "use": { "source": "other::Type", "is_glob": false, "id": 2 } })),
                Some("a.rs:3: other `other::Type`"),
            ),
            (
                item(json!({ "struct_field": { "resolved_path": path(9, Value::Null) } })),
                Some("a.rs:3: unknown ``"),
            ),
        ];
        for (item, expected) in cases {
            let json = json!({
                "index": { "0": item },
                "paths": { "1": { "crate_id": 1, "path": ["core"] }, "2": { "crate_id": 2, "path": ["other", "Type"] } },
                "external_crates": { "1": { "name": "core" }, "2": { "name": "other" } },
            });
            let (_, found) = foreign(&json).unwrap();
            assert_eq!(found.first().map(String::as_str), expected, "{item}");
        }
    }
}
