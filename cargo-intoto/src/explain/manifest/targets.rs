//! The library, binaries, examples, tests and benches.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::{Comparison, Surroundings, inside_package};

/// A kind of target: its key, its discovery switch, the directory it is discovered in, and the file that is discovered besides.
struct Kind {
    key: &'static str,
    switch: &'static str,
    directory: &'static str,
    single: Option<&'static str>,
}

const KINDS: [Kind; 5] = [
    Kind {
        key: "lib",
        switch: "autolib",
        directory: "",
        single: Some("src/lib.rs"),
    },
    Kind {
        key: "bin",
        switch: "autobins",
        directory: "src/bin",
        single: Some("src/main.rs"),
    },
    Kind {
        key: "example",
        switch: "autoexamples",
        directory: "examples",
        single: None,
    },
    Kind {
        key: "test",
        switch: "autotests",
        directory: "tests",
        single: None,
    },
    Kind {
        key: "bench",
        switch: "autobenches",
        directory: "benches",
        single: None,
    },
];

/// Compares the targets: those of the source, as far as their files are packaged, and those that cargo discovers.
pub(super) fn compare(
    source: &Table,
    published: &Table,
    source_package: &Table,
    published_package: &Table,
    surroundings: &Surroundings<'_>,
    comparison: &mut Comparison,
) {
    let text = |key: &str| published_package.get(key).and_then(Value::as_str);
    let package = text("name").unwrap_or_default();
    // In the 2015 edition, naming one target of a kind switches discovery of that kind off.
    let edition_2015 = text("edition").is_none_or(|edition| edition == "2015");
    for kind in &KINDS {
        let declared = match targets(source, kind, package) {
            Ok(targets) => targets,
            Err(value) => {
                comparison.equal(kind.key, Some(value), published.get(kind.key));
                continue;
            }
        };
        let found = match targets(published, kind, package) {
            Ok(targets) => targets,
            Err(value) => {
                comparison.differ(kind.key, "targets with distinct names", Some(value));
                continue;
            }
        };
        let switch = |package: &Table| package.get(kind.switch).and_then(Value::as_bool);
        let discovers = switch(source_package).unwrap_or(!edition_2015 || kind.key == "lib" || declared.is_empty());
        let discovered = if discovers {
            discover(kind, package, surroundings.files)
        } else {
            BTreeMap::new()
        };

        for (name, target) in &found {
            match declared.get(name) {
                Some(declared) => one(kind, name, package, declared, target, surroundings, comparison),
                None if is_discovered(target, discovered.get(name)) => {
                    comparison.change(field(kind, name), "discovered and listed");
                }
                None => comparison.differ(field(kind, name), "nothing", Some(&Value::Table((*target).clone()))),
            }
        }
        for (name, target) in declared.iter().filter(|(name, _)| !found.contains_key(*name)) {
            let packaged = |path: &String| surroundings.files.contains(path.as_str());
            if paths(kind, name, package, target).iter().any(packaged) {
                comparison.differ(field(kind, name), "the target of the source", None);
            } else {
                comparison.change(field(kind, name), "left out, because its file is not packaged");
            }
        }
        // Where discovery stays on, whoever builds the crate discovers the rest; older versions of cargo left it at that.
        if switch(published_package) == Some(false) {
            let paths: BTreeSet<String> = declared.values().copied().filter_map(path_of).collect();
            for (name, files) in &discovered {
                // A file that a declared target already uses is not discovered under its own name as well.
                let used = |file: &&str| paths.contains(*file);
                // There is one library, whatever its name is.
                let listed = match kind.key {
                    "lib" => !(found.is_empty() && declared.is_empty()),
                    _ => found.contains_key(name) || declared.contains_key(name),
                };
                if !listed && !name.starts_with('.') && !files.iter().all(used) {
                    comparison.differ(field(kind, name), "the target that cargo discovers", None);
                }
            }
        }
    }
}

/// Whether a target says no more than what discovery of these files leads to.
fn is_discovered(target: &Table, files: Option<&BTreeSet<&str>>) -> bool {
    let path = target.get("path").and_then(Value::as_str);
    target.keys().all(|key| key == "name" || key == "path")
        && files.is_some_and(|files| path.is_none_or(|path| files.contains(path)))
}

/// The targets of one kind by name.
///
/// # Errors
/// The offending value, if it is of the wrong type, or names one target twice.
fn targets<'a>(manifest: &'a Table, kind: &Kind, package: &str) -> Result<BTreeMap<String, &'a Table>, &'a Value> {
    let mut by_name = BTreeMap::new();
    match manifest.get(kind.key) {
        None => {}
        Some(Value::Table(library)) if kind.key == "lib" => {
            by_name.insert(name_of(library).unwrap_or_else(|| package.replace('-', "_")), library);
        }
        Some(value @ Value::Array(targets)) if kind.key != "lib" => {
            for target in targets {
                let target = target.as_table().ok_or(value)?;
                if by_name.insert(name_of(target).ok_or(value)?, target).is_some() {
                    return Err(value);
                }
            }
        }
        Some(value) => return Err(value),
    }
    Ok(by_name)
}

fn path_of(target: &Table) -> Option<String> {
    inside_package(target.get("path")?.as_str()?)
}

fn name_of(target: &Table) -> Option<String> {
    target.get("name").and_then(Value::as_str).map(str::to_owned)
}

/// Compares one target that both manifests have.
fn one(
    kind: &Kind,
    name: &str,
    package: &str,
    declared: &Table,
    found: &Table,
    surroundings: &Surroundings<'_>,
    comparison: &mut Comparison,
) {
    let keys: BTreeSet<&str> = declared.keys().chain(found.keys()).map(|key| current(key)).collect();
    for key in keys {
        let field = format!("{}.{key}", field(kind, name));
        let (expected, found) = (either(declared, key), either(found, key));
        match key {
            "name" => {}
            "path" => {
                let possible = paths(kind, name, package, declared);
                // Older versions of cargo kept declared targets whose file is not packaged; that adds nothing to build.
                let agrees = |path: &str| {
                    inside_package(path).is_some_and(|path| {
                        possible.contains(&path) && (expected.is_some() || surroundings.files.contains(path.as_str()))
                    })
                };
                match found.and_then(Value::as_str) {
                    Some(path) if agrees(path) => {
                        if expected != found {
                            comparison.change(field, "path written out");
                        }
                    }
                    // Left to discovery by older versions of cargo, as the source leaves it.
                    None if expected.is_none() => {}
                    _ => comparison.differ(field, possible.join(" or "), found),
                }
            }
            _ if found.is_none() && !KNOWN.contains(&key) => comparison.change(field, "unknown to cargo and left out"),
            _ => comparison.equal(field, expected, found),
        }
    }
}

const KNOWN: [&str; 12] = [
    "crate-type",
    "filename",
    "test",
    "doctest",
    "bench",
    "doc",
    "doc-scrape-examples",
    "proc-macro",
    "harness",
    "required-features",
    "edition",
    "plugin",
];

/// Keys that cargo also takes with an underscore.
fn current(key: &str) -> &str {
    match key {
        "crate_type" => "crate-type",
        "proc_macro" => "proc-macro",
        other => other,
    }
}

fn either<'a>(target: &'a Table, key: &str) -> Option<&'a Value> {
    target.get(key).or_else(|| match key {
        "crate-type" => target.get("crate_type"),
        "proc-macro" => target.get("proc_macro"),
        _ => None,
    })
}

/// The files that a declared target may be in, in cargo's order.
fn paths(kind: &Kind, name: &str, package: &str, target: &Table) -> Vec<String> {
    if let Some(path) = target.get("path").and_then(Value::as_str) {
        return inside_package(path).into_iter().collect();
    }
    let mut paths = Vec::new();
    if !kind.directory.is_empty() {
        paths.push(format!("{}/{name}.rs", kind.directory));
        paths.push(format!("{}/{name}/main.rs", kind.directory));
    }
    match kind.key {
        "lib" => paths.extend(["src/lib.rs".to_owned(), format!("src/{name}.rs")]),
        "bin" if name == package => paths.push("src/main.rs".to_owned()),
        // Kept by cargo for old manifests.
        "bin" => paths.extend([
            format!("src/{name}.rs"),
            "src/bin/main.rs".to_owned(),
            "src/main.rs".to_owned(),
        ]),
        "bench" => paths.push("src/bench.rs".to_owned()),
        _ => {}
    }
    paths
}

/// What cargo discovers of a kind: names, each with the files that give it.
fn discover<'a>(kind: &Kind, package: &'a str, files: &BTreeSet<&'a str>) -> BTreeMap<String, BTreeSet<&'a str>> {
    let mut found: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for path in files.iter().copied() {
        let name = if kind.single == Some(path) {
            Some(if kind.key == "lib" {
                package.replace('-', "_")
            } else {
                package.to_owned()
            })
        } else if kind.directory.is_empty() {
            None
        } else {
            let below = path
                .strip_prefix(kind.directory)
                .and_then(|rest| rest.strip_prefix('/'));
            below
                .and_then(|rest| rest.strip_suffix("/main.rs").or_else(|| rest.strip_suffix(".rs")))
                .filter(|name| !name.contains('/'))
                .map(str::to_owned)
        };
        if let Some(name) = name {
            found.entry(name).or_default().insert(path);
        }
    }
    found
}

fn field(kind: &Kind, name: &str) -> String {
    match kind.key {
        "lib" => "lib".to_owned(),
        key => format!("{key}.{name}"),
    }
}
