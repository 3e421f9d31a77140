//! The manifest that cargo wrote into a `.crate`, compared with the one it was written from, field by field.
//!
//! Cargo rewrites `Cargo.toml` when it packages: paths and git references leave the dependencies, inherited fields are filled
//! in, discovered targets are listed. `docs/crate-explained.md` has the complete list; any other difference is a refusal.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

mod dependencies;
mod package;
mod targets;

/// What the comparison may look at besides the two manifests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// The names of all files of the `.crate`, without its top folder.
    pub(crate) files: &'a BTreeSet<&'a str>,
    /// The manifest of the workspace root. It is at hand where the `.crate` is made, and then inherited fields are compared
    /// with it; elsewhere an inherited field is only known to be of the right type.
    pub(crate) workspace: Option<&'a Table>,
    /// What the chain recorded of packages, by package URL.
    pub(crate) dependencies: &'a BTreeMap<String, [u8; 32]>,
}

/// One field that differs in a way that cargo's rewriting does not explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The field, as in `dependencies.serde.version`.
    pub(crate) field: String,
    /// What the source leads to.
    pub(crate) expected: String,
    /// What the `.crate` holds.
    pub(crate) found: String,
}

/// The outcome of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Fields that cargo rewrote, and how: all of them in the documented list.
    pub(crate) changes: Vec<String>,
    /// Everything else.
    pub(crate) differences: Vec<Difference>,
}

/// Compares the manifest in a `.crate` with its source.
pub(crate) fn compare(source: &Table, published: &Table, surroundings: &Surroundings<'_>) -> Comparison {
    let mut comparison = Comparison::default();
    let empty = Table::new();
    let source_package = table(source, &["package", "project"]).unwrap_or(&empty);
    let published_package = table(published, &["package"]).unwrap_or(&empty);
    package::compare(source_package, published_package, surroundings, &mut comparison);
    targets::compare(
        source,
        published,
        source_package,
        published_package,
        surroundings,
        &mut comparison,
    );
    let dropped = dependencies::compare(source, published, surroundings, &mut comparison);
    features(source, published, &dropped, &mut comparison);
    lints(source, published, surroundings, &mut comparison);
    rest(source, published, &mut comparison);
    comparison
}

impl Comparison {
    fn change(&mut self, field: impl Into<String>, what: &str) {
        self.changes.push(format!("{}: {what}", field.into()));
    }

    fn differ(&mut self, field: impl Into<String>, expected: impl Into<String>, found: Option<&Value>) {
        self.differences.push(Difference {
            field: field.into(),
            expected: expected.into(),
            found: shown(found),
        });
    }

    /// Records a difference unless both sides are equal; an empty table counts as absent.
    fn equal(&mut self, field: impl Into<String>, source: Option<&Value>, published: Option<&Value>) {
        let present = |value: &&Value| !value.as_table().is_some_and(Table::is_empty);
        if source.filter(present) != published.filter(present) {
            self.differ(field, shown(source), published);
        }
    }
}

/// The features, less those that switch on something of a development dependency that cargo left out.
fn features(source: &Table, published: &Table, dropped: &BTreeSet<&str>, comparison: &mut Comparison) {
    let empty = Table::new();
    let expected = table(source, &["features"]).unwrap_or(&empty);
    let found = table(published, &["features"]).unwrap_or(&empty);
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for name in names {
        let field = format!("features.{name}");
        let (Some(Value::Array(all)), Some(Value::Array(kept))) = (expected.get(name), found.get(name)) else {
            comparison.differ(field, shown(expected.get(name)), found.get(name));
            continue;
        };
        let of_dropped = |value: &&Value| {
            let dependency = value.as_str().and_then(|text| text.split_once('/'));
            dependency.is_some_and(|(name, _)| dropped.contains(name.strip_suffix('?').unwrap_or(name)))
        };
        if all == kept {
            continue;
        }
        if all.iter().filter(|value| !of_dropped(value)).eq(kept) {
            comparison.change(field, "without those of a development dependency that was left out");
        } else {
            comparison.differ(field, shown(expected.get(name)), found.get(name));
        }
    }
}

/// The lint levels, which a member may inherit as a whole.
fn lints(source: &Table, published: &Table, surroundings: &Surroundings<'_>, comparison: &mut Comparison) {
    let found = published.get("lints");
    if !source.get("lints").is_some_and(inherits) {
        return equal_lints(source.get("lints"), found, comparison);
    }
    comparison.change("lints", "inherited from the workspace");
    match surroundings.workspace {
        Some(root) => {
            let inherited = table(root, &["workspace"]).and_then(|workspace| workspace.get("lints"));
            equal_lints(inherited, found, comparison);
        }
        None => {
            let groups = |value: &Value| {
                value
                    .as_table()
                    .is_some_and(|t| t.values().all(Value::is_table) && !inherits(value))
            };
            if !found.is_none_or(groups) {
                comparison.differ("lints", "a table of lint levels", found);
            }
        }
    }
}

/// Equal but for priorities of 0, the default, which cargo writes out.
fn equal_lints(source: Option<&Value>, published: Option<&Value>, comparison: &mut Comparison) {
    let without_default = |lints: Option<&Value>| {
        let mut lints = lints.cloned();
        let groups = lints.as_mut().and_then(Value::as_table_mut);
        for group in groups.into_iter().flat_map(|groups| groups.iter_mut()) {
            for (_, lint) in group.1.as_table_mut().into_iter().flatten() {
                if let Some(lint) = lint
                    .as_table_mut()
                    .filter(|lint| lint.get("priority") == Some(&Value::Integer(0)))
                {
                    lint.remove("priority");
                }
            }
        }
        lints
    };
    comparison.equal(
        "lints",
        without_default(source).as_ref(),
        without_default(published).as_ref(),
    );
}

/// Equal but for the level of debug information, which cargo writes as a number.
fn equal_profiles(source: Option<&Value>, published: Option<&Value>, comparison: &mut Comparison) {
    let with_numbers = |profiles: Option<&Value>| {
        let mut profiles = profiles.cloned();
        if let Some(profiles) = &mut profiles {
            number_debug_levels(profiles, 0);
        }
        profiles
    };
    comparison.equal(
        "profile",
        with_numbers(source).as_ref(),
        with_numbers(published).as_ref(),
    );
}

/// Profiles hold overrides for packages and build scripts, each a table of the same form.
fn number_debug_levels(value: &mut Value, depth: usize) {
    const DEEPEST: usize = 4;
    let Some(table) = value.as_table_mut().filter(|_| depth < DEEPEST) else {
        return;
    };
    for (key, value) in table.iter_mut() {
        let level = match &*value {
            Value::Boolean(false) => Some(0),
            Value::Boolean(true) => Some(2),
            Value::String(name) => ["none", "limited", "full"].iter().position(|level| level == name),
            _ => None,
        };
        match level.and_then(|level| i64::try_from(level).ok()) {
            Some(level) if key == "debug" => *value = Value::Integer(level),
            _ => number_debug_levels(value, depth + 1),
        }
    }
}

/// Everything that the other comparisons do not look at.
fn rest(source: &Table, published: &Table, comparison: &mut Comparison) {
    const COMPARED: [&str; 14] = [
        "package",
        "project",
        "lib",
        "bin",
        "example",
        "test",
        "bench",
        "dependencies",
        "dev-dependencies",
        "dev_dependencies",
        "build-dependencies",
        "build_dependencies",
        "target",
        "features",
    ];
    const LEFT_OUT: [&str; 3] = ["workspace", "patch", "replace"];
    const KEPT: [&str; 3] = ["cargo-features", "profile", "badges"];
    if published.contains_key("project") {
        comparison.differ("project", "nothing", published.get("project"));
    }
    let keys: BTreeSet<&String> = source.keys().chain(published.keys()).collect();
    for key in keys
        .into_iter()
        .filter(|key| *key != "lints" && !COMPARED.contains(&key.as_str()))
    {
        let found = published.get(key);
        if LEFT_OUT.contains(&key.as_str()) {
            match found {
                None => comparison.change(key, "left out"),
                Some(_) => comparison.differ(key, "nothing", found),
            }
        } else if found.is_none() && !KEPT.contains(&key.as_str()) {
            comparison.change(key, "unknown to cargo and left out");
        } else if key == "profile" {
            equal_profiles(source.get(key), found, comparison);
        } else {
            comparison.equal(key, source.get(key), found);
        }
    }
}

/// The first of these keys that holds a table.
fn table<'a>(parent: &'a Table, keys: &[&str]) -> Option<&'a Table> {
    keys.iter().find_map(|key| parent.get(*key)).and_then(Value::as_table)
}

/// Whether a field says `workspace = true`.
fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// A path of a manifest relative to its package, cleaned as cargo does; `None` if it leaves the package.
fn inside_package(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    if path.starts_with('/') {
        return None;
    }
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A value for a message, cut where it becomes unreadable.
fn shown(value: Option<&Value>) -> String {
    const LONGEST: usize = 120;
    let Some(value) = value else {
        return "nothing".to_owned();
    };
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
