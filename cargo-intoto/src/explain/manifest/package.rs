//! The `[package]` table.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{Comparison, Surroundings, inherits, inside_package, shown, table};

/// Switches for discovered targets. Cargo lists what it found and switches discovery off; whether the list is complete is
/// checked with the targets.
pub(super) const DISCOVERY: [&str; 5] = ["autolib", "autobins", "autoexamples", "autotests", "autobenches"];

pub(super) fn compare(source: &Table, published: &Table, surroundings: &Surroundings<'_>, comparison: &mut Comparison) {
    let keys: BTreeSet<&String> = source.keys().chain(published.keys()).collect();
    for key in keys {
        let field = format!("package.{key}");
        let (expected, found) = (source.get(key), published.get(key));
        if INHERITED.contains(&key.as_str()) && expected.is_some_and(inherits) {
            inherited(key, &field, found, surroundings, comparison);
            continue;
        }
        match key.as_str() {
            "workspace" if found.is_none() => comparison.change(field, "left out"),
            "readme" => readme(&field, expected, found, surroundings, comparison),
            "license-file" => path(&field, expected, found, comparison),
            "build" => build(&field, expected, found, surroundings, comparison),
            "edition" if expected.is_none() && found.and_then(Value::as_str) == Some("2015") => {
                comparison.change(field, "the default, written out");
            }
            "version" if expected.is_none() && found.and_then(Value::as_str) == Some("0.0.0") => {
                comparison.change(field, "the default, written out");
            }
            "resolver" if expected.is_none() => resolver(&field, found, surroundings, comparison),
            switch if DISCOVERY.contains(&switch) && found.and_then(Value::as_bool) == Some(false) => {
                if expected != found {
                    comparison.change(field, "off, because the targets are listed");
                }
            }
            _ if expected.is_some() && found.is_none() && !is_kept(key) => {
                comparison.change(field, "unknown to cargo and left out");
            }
            _ => comparison.equal(field, expected, found),
        }
    }
}

/// Fields that a member may take from the workspace. Others mean what they say, whatever they look like: `metadata` may well
/// have a member `workspace`.
const INHERITED: [&str; 16] = [
    "edition",
    "rust-version",
    "version",
    "authors",
    "publish",
    "exclude",
    "include",
    "description",
    "homepage",
    "documentation",
    "readme",
    "keywords",
    "categories",
    "license",
    "license-file",
    "repository",
];

/// The other fields that cargo keeps, beside the inherited ones and the switches of [`DISCOVERY`].
const KEPT: [&str; 10] = [
    "name",
    "build",
    "metabuild",
    "default-target",
    "forced-target",
    "links",
    "im-a-teapot",
    "default-run",
    "resolver",
    "metadata",
];

/// Whether cargo keeps the field: a missing one is a difference then, while one that cargo does not know may be left out.
fn is_kept(key: &str) -> bool {
    [&INHERITED[..], &KEPT, &DISCOVERY]
        .iter()
        .any(|fields| fields.contains(&key))
}

/// A field that the source takes from the workspace root.
fn inherited(
    key: &str,
    field: &str,
    found: Option<&Value>,
    surroundings: &Surroundings<'_>,
    comparison: &mut Comparison,
) {
    comparison.change(field, "inherited from the workspace");
    let is_text = |value: &Value| value.is_str();
    let is_list = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_str));
    let (typed, kind): (bool, &str) = match key {
        "authors" | "categories" | "keywords" | "exclude" | "include" => {
            (found.is_some_and(is_list), "a list of texts")
        }
        "publish" => (
            found.is_some_and(|value| is_list(value) || value.is_bool()),
            "a list of texts or a boolean",
        ),
        "readme" => (
            found.is_some_and(|value| value.is_bool() || points_into(value, surroundings)),
            "the name of a file of the crate",
        ),
        "license-file" => (
            found.is_some_and(|value| points_into(value, surroundings)),
            "the name of a file of the crate",
        ),
        _ => (found.is_some_and(is_text), "a text"),
    };
    if !typed {
        return comparison.differ(field, format!("{kind}, inherited from the workspace"), found);
    }
    let Some(root) = surroundings.workspace else {
        return;
    };
    let inherited = table(root, &["workspace"])
        .and_then(|workspace| table(workspace, &["package"]))
        .and_then(|package| package.get(key));
    match key {
        // Their paths are relative to the root there and to the package here: only the file's name stays.
        "readme" | "license-file" => {
            let name = |value: Option<&Value>| {
                let text = value.and_then(Value::as_str);
                text.map(|text| text.rsplit('/').next().unwrap_or(text).to_owned())
            };
            if name(inherited) != name(found) && inherited.is_some_and(Value::is_str) {
                comparison.differ(field, shown(inherited), found);
            }
        }
        _ => comparison.equal(field, inherited, found),
    }
}

fn points_into(value: &Value, surroundings: &Surroundings<'_>) -> bool {
    value.as_str().is_some_and(|path| surroundings.files.contains(path))
}

/// A readme is named, switched off, or found under its usual names; one from outside the package moves to its top.
fn readme(
    field: &str,
    source: Option<&Value>,
    found: Option<&Value>,
    surroundings: &Surroundings<'_>,
    comparison: &mut Comparison,
) {
    const USUAL: [&str; 3] = ["README.md", "README.txt", "README"];
    match source {
        Some(Value::Boolean(true)) if found.and_then(Value::as_str) == Some(USUAL[0]) => {
            comparison.change(field, "the usual name, written out");
        }
        Some(_) => path(field, source, found, comparison),
        None => {
            let usual = USUAL.into_iter().find(|name| surroundings.files.contains(name));
            match found {
                None => {}
                Some(Value::Boolean(false)) if usual.is_none() => comparison.change(field, "none there, written out"),
                Some(Value::String(name)) if usual == Some(name.as_str()) => {
                    comparison.change(field, "found under its usual name");
                }
                // Older versions of cargo wrote nothing of the kind: a readme of another name was always named.
                Some(_) => comparison.differ(field, usual.unwrap_or("nothing"), found),
            }
        }
    }
}

/// A path, cleaned; one from outside the package moves to its top.
fn path(field: &str, source: Option<&Value>, found: Option<&Value>, comparison: &mut Comparison) {
    if source == found {
        return;
    }
    let Some(written) = source.and_then(Value::as_str) else {
        return comparison.equal(field, source, found);
    };
    let expected =
        inside_package(written).unwrap_or_else(|| written.rsplit(['/', '\\']).next().unwrap_or(written).to_owned());
    if found.and_then(Value::as_str) == Some(expected.as_str()) {
        comparison.change(field, "path made relative to the package");
    } else {
        comparison.differ(field, expected, found);
    }
}

/// The build script: named, switched off or discovered; one that is not in the package is switched off.
fn build(
    field: &str,
    source: Option<&Value>,
    found: Option<&Value>,
    surroundings: &Surroundings<'_>,
    comparison: &mut Comparison,
) {
    const USUAL: &str = "build.rs";
    let packaged = |path: &str| inside_package(path).filter(|path| surroundings.files.contains(path.as_str()));
    let expected = match source {
        Some(Value::Boolean(false)) => None,
        None | Some(Value::Boolean(true)) => packaged(USUAL),
        Some(Value::String(path)) => packaged(path),
        Some(other) => return comparison.equal(field, Some(other), found),
    };
    let holds = match (found, &expected) {
        (Some(Value::String(found)), Some(expected)) => found == expected || packaged(found).as_ref() == Some(expected),
        (Some(Value::Boolean(found)), None) => !found,
        // Older versions of cargo leave the discovery to whoever builds, with the same result.
        (None, _) => source.is_none(),
        _ => false,
    };
    if !holds {
        comparison.differ(field, expected.as_deref().unwrap_or("false"), found);
    } else if source != found {
        comparison.change(field, "the build script as it was found");
    }
}

/// The resolver is the workspace's; cargo writes it where the package's own edition implies another.
fn resolver(field: &str, found: Option<&Value>, surroundings: &Surroundings<'_>, comparison: &mut Comparison) {
    let known = found
        .and_then(Value::as_str)
        .is_some_and(|text| ["1", "2", "3"].contains(&text));
    let root = surroundings.workspace.and_then(|root| {
        let declared = table(root, &["workspace"]).and_then(|workspace| workspace.get("resolver"));
        declared.or_else(|| table(root, &["package"])?.get("resolver"))
    });
    if known && root.is_none_or(|root| Some(root) == found) {
        comparison.change(field, "the workspace's, written out");
    } else {
        comparison.differ(field, shown(root), found);
    }
}
