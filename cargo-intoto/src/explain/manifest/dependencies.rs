//! The dependency tables: what cargo removes from them, and what it may not add.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{Comparison, Surroundings, inherits, shown, table};
use crate::workspace::Purl;
use crate::workspace::lock::registry;

/// The three sections, each with its old spelling.
const SECTIONS: [[&str; 2]; 3] = [
    ["dependencies", "dependencies"],
    ["dev-dependencies", "dev_dependencies"],
    ["build-dependencies", "build_dependencies"],
];

/// Fields that lead to code elsewhere, which cargo removes.
const REMOVED: [&str; 6] = ["path", "git", "branch", "tag", "rev", "base"];

/// Fields that cargo writes, all as the source has them.
const KEPT: [&str; 10] = [
    "version",
    "registry-index",
    "features",
    "optional",
    "default-features",
    "package",
    "public",
    "artifact",
    "lib",
    "target",
];

/// Compares all dependency tables, those for single targets as well; returns the development dependencies that were left out.
pub(super) fn compare<'a>(
    source: &'a Table,
    published: &Table,
    surroundings: &Surroundings<'_>,
    comparison: &mut Comparison,
) -> BTreeSet<&'a str> {
    let mut dropped = sections("", source, published, surroundings, comparison);
    let empty = Table::new();
    let targets = table(source, &["target"]);
    let found = table(published, &["target"]).unwrap_or(&empty);
    let names: BTreeSet<&String> = targets.into_iter().flat_map(Table::keys).chain(found.keys()).collect();
    for name in names {
        let prefix = format!("target.{name}.");
        let found = found.get(name).and_then(Value::as_table).unwrap_or(&empty);
        match targets.and_then(|targets| targets.get(name)).and_then(Value::as_table) {
            Some(declared) => dropped.extend(sections(&prefix, declared, found, surroundings, comparison)),
            None => comparison.equal(prefix.trim_end_matches('.'), None, Some(&Value::Table(found.clone()))),
        }
        for key in found
            .keys()
            .filter(|key| !SECTIONS.iter().flatten().any(|section| section == key))
        {
            comparison.differ(format!("{prefix}{key}"), "nothing", found.get(key));
        }
    }
    // A name that is left out in one table and kept in another still means something to a feature.
    let others = found.values().filter_map(Value::as_table);
    for parent in others.chain([published]) {
        for section in SECTIONS.iter().flatten() {
            for kept in table(parent, &[section]).into_iter().flat_map(Table::keys) {
                dropped.remove(kept.as_str());
            }
        }
    }
    dropped
}

/// Compares the three sections below one parent.
fn sections<'a>(
    prefix: &str,
    source: &'a Table,
    published: &Table,
    surroundings: &Surroundings<'_>,
    comparison: &mut Comparison,
) -> BTreeSet<&'a str> {
    let mut dropped = BTreeSet::new();
    let empty = Table::new();
    for [section, old] in SECTIONS {
        let declared = table(source, &[section, old]);
        let found = table(published, &[section, old]).unwrap_or(&empty);
        for name in found.keys() {
            if !declared.is_some_and(|declared| declared.contains_key(name)) {
                comparison.differ(format!("{prefix}{section}.{name}"), "nothing", found.get(name));
            }
        }
        for (name, dependency) in declared.into_iter().flatten() {
            let field = format!("{prefix}{section}.{name}");
            match (resolve(name, dependency, surroundings), found.get(name)) {
                (Some(declared), Some(found)) => one(&field, name, &declared, found, surroundings, comparison),
                (Some(declared), None) if section == "dev-dependencies" && declared.may_be_dropped() => {
                    comparison.change(field, "left out, because it has no version");
                    dropped.insert(name.as_str());
                }
                (Some(_), None) => comparison.differ(field, shown(Some(dependency)), None),
                (None, found) => comparison.differ(field, "a version or a table", found),
            }
        }
    }
    dropped
}

/// A dependency of the source in one form, with what it inherits.
struct Declared {
    fields: Table,
    /// The dependency is inherited and the workspace root is not at hand: only the fields of the member are known.
    open: bool,
    /// Other values of `default-features` that inheriting may lead to.
    default_features: Option<Value>,
}

impl Declared {
    /// Whether cargo leaves it out as a development dependency: it leads to code elsewhere and has no version.
    fn may_be_dropped(&self) -> bool {
        self.open
            || (!self.fields.contains_key("version")
                && (self.fields.contains_key("path") || self.fields.contains_key("git")))
    }
}

fn resolve(name: &str, dependency: &Value, surroundings: &Surroundings<'_>) -> Option<Declared> {
    let mut fields = as_fields(dependency)?;
    if !inherits(dependency) {
        return Some(Declared {
            fields,
            open: false,
            default_features: None,
        });
    }
    fields.remove("workspace");
    let Some(root) = surroundings.workspace else {
        return Some(Declared {
            fields,
            open: true,
            default_features: None,
        });
    };
    let shared = table(root, &["workspace"]).and_then(|workspace| table(workspace, &["dependencies"]));
    let mut merged = as_fields(shared?.get(name)?)?;
    let default_features = fields.remove("default-features");
    for (key, value) in fields {
        match (key.as_str(), merged.get_mut(&key), value) {
            ("features", Some(Value::Array(all)), Value::Array(own)) => {
                for feature in own {
                    if !all.contains(&feature) {
                        all.push(feature);
                    }
                }
            }
            (_, _, value) => {
                merged.insert(key, value);
            }
        }
    }
    Some(Declared {
        fields: merged,
        open: false,
        default_features,
    })
}

fn as_fields(dependency: &Value) -> Option<Table> {
    match dependency {
        Value::String(version) => Some(Table::from_iter([(
            "version".to_owned(),
            Value::String(version.clone()),
        )])),
        Value::Table(fields) => {
            let mut fields = fields.clone();
            // The one old spelling that cargo knows; another, as `registry_index`, it passes over.
            if let Some(value) = fields.remove("default_features") {
                fields.entry("default-features").or_insert(value);
            }
            Some(fields)
        }
        _ => None,
    }
}

/// Compares one dependency that both manifests have.
fn one(
    field: &str,
    name: &str,
    declared: &Declared,
    found: &Value,
    surroundings: &Surroundings<'_>,
    comparison: &mut Comparison,
) {
    let Some(found_fields) = as_fields(found) else {
        return comparison.differ(field, "a version or a table", Some(found));
    };
    let source = &declared.fields;
    for key in source.keys().filter(|key| !found_fields.contains_key(*key)) {
        let field = format!("{field}.{key}");
        if REMOVED.contains(&key.as_str()) {
            comparison.change(field, "left out: from a registry, as everyone gets it");
        } else if key == "registry" {
            // Without the index, whoever uses the crate gets what the default registry has under this name.
            match found_fields.contains_key("registry-index") {
                true => comparison.change(field, "the registry's index instead of its local name"),
                false => comparison.differ(field, "the registry's index", None),
            }
        } else if KEPT.contains(&key.as_str()) && !(declared.open && key == "default-features") {
            comparison.differ(field, shown(source.get(key)), None);
        }
    }
    if declared.open {
        comparison.change(field, "inherited from the workspace");
    }
    for (key, value) in &found_fields {
        let field = format!("{field}.{key}");
        let expected = source.get(key);
        let holds = match key.as_str() {
            "registry-index" => match expected {
                Some(expected) => expected == value,
                None => {
                    let package = found_fields.get("package").and_then(Value::as_str).unwrap_or(name);
                    let may_be = |index| source.contains_key("path") || is_recorded(package, index, surroundings);
                    (source.contains_key("registry") || declared.open) && value.as_str().is_some_and(may_be)
                }
            },
            "features" if declared.open => includes(value, expected),
            "default-features" if declared.open => value.is_bool(),
            "default-features" => Some(value) == expected || Some(value) == declared.default_features.as_ref(),
            // A workspace dependency is never optional in itself: that is the member's to say.
            "version" | "package" if declared.open && expected.is_none() => value.is_str(),
            key if KEPT.contains(&key) => expected == Some(value),
            _ => false,
        };
        if !holds {
            comparison.differ(field, shown(expected), Some(value));
        }
    }
    if declared.open && !found_fields.contains_key("version") {
        comparison.differ(
            format!("{field}.version"),
            "a version, inherited from the workspace",
            None,
        );
    }
}

/// Whether an index is that of a registry which the chain has this package from. Of a package that the chain does not name,
/// nothing is known; the name of a registry means something on the author's machine only.
fn is_recorded(package: &str, index: &str, surroundings: &Surroundings<'_>) -> bool {
    let source = registry(index.strip_prefix("sparse+").unwrap_or(index));
    let registry_of = |purl: &str| {
        let url = purl.split_once("?repository_url=").map_or("", |(_, url)| url);
        let url = url.strip_prefix("sparse%2B").unwrap_or(url);
        url.strip_suffix("%2F").unwrap_or(url).to_owned()
    };
    let wanted = registry_of(Purl::new(package, "", &source).as_str());
    let prefix = format!("pkg:cargo/{package}@");
    let mut recorded = surroundings
        .dependencies
        .range(prefix.clone()..)
        .map(|(purl, _)| purl)
        .take_while(|purl| purl.starts_with(&prefix))
        .peekable();
    recorded.peek().is_none() || recorded.any(|purl| registry_of(purl) == wanted)
}

/// Whether a list holds at least the expected texts, and nothing but texts.
fn includes(found: &Value, expected: Option<&Value>) -> bool {
    let Some(found) = found.as_array() else {
        return false;
    };
    let expected = expected.and_then(Value::as_array);
    found.iter().all(Value::is_str) && expected.into_iter().flatten().all(|feature| found.contains(feature))
}
