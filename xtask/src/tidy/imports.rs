//! Which module may know which: the data flow of docs/architecture.md, as tables.

use super::Source;

/// The modules of `intoto-core`, each of which may import only those of its own line and the lines above.
const CORE_ORDER: &[&[&str]] = &[
    &["limits"],
    &["encoding"],
    &["digest", "member", "name", "path", "time"],
    &["artifacts", "pattern"],
    &["key"],
    &["x509", "identity"],
    &["envelope"],
    &["link", "layout"],
    &["predicate"],
    &["statement"],
    &["payload"],
    &["record"],
    &["rules"],
    &["verdict"],
    &["verify"],
];

/// What each module of `cargo-intoto` must not import. Recording and verification know nothing of each other; what both need
/// (collect, explain, store, signing, workspace) knows neither; and only the command line knows all.
const CARGO_INTOTO: &[(&str, &[&str])] = &[
    (
        "bundling",
        &[
            "ci",
            "cli",
            "collect",
            "compare",
            "exec",
            "explain",
            "gate",
            "layout_source",
            "plan",
            "publish",
            "recording",
            "trust",
            "workspace",
        ],
    ),
    (
        "ci",
        &[
            "cli",
            "collect",
            "exec",
            "explain",
            "plan",
            "recording",
            "report",
            "signing",
            "store",
            "trust",
            "ui",
            "verification",
            "workspace",
        ],
    ),
    (
        "collect",
        &[
            "cli",
            "explain",
            "layout_source",
            "plan",
            "recording",
            "report",
            "signing",
            "store",
            "trust",
            "verification",
        ],
    ),
    (
        "compare",
        &[
            "cli",
            "layout_source",
            "plan",
            "recording",
            "report",
            "signing",
            "store",
            "trust",
            "verification",
        ],
    ),
    ("error", ALL_BUT_CODES),
    (
        "exec",
        &[
            "cli",
            "collect",
            "explain",
            "layout_source",
            "recording",
            "report",
            "signing",
            "store",
            "trust",
            "verification",
        ],
    ),
    ("exit", ALL_BUT_CODES),
    (
        "explain",
        &[
            "cli",
            "exec",
            "layout_source",
            "plan",
            "recording",
            "report",
            "signing",
            "store",
            "trust",
            "verification",
        ],
    ),
    ("finding", ALL_BUT_CODES),
    ("foreign", ALL_BUT_CODES),
    ("gate", &["cli", "drop_in", "plan", "recording"]),
    (
        "layout_source",
        &[
            "cli",
            "collect",
            "exec",
            "plan",
            "recording",
            "report",
            "store",
            "trust",
            "verification",
        ],
    ),
    (
        "naming",
        &[
            "cli",
            "exec",
            "plan",
            "recording",
            "report",
            "signing",
            "store",
            "trust",
            "verification",
        ],
    ),
    ("net", ALL_BUT_CODES),
    (
        "plan",
        &[
            "cli",
            "collect",
            "exec",
            "explain",
            "recording",
            "report",
            "signing",
            "store",
            "trust",
            "ui",
            "verification",
        ],
    ),
    (
        "publish",
        &[
            "cli",
            "layout_source",
            "plan",
            "recording",
            "report",
            "trust",
            "verification",
        ],
    ),
    (
        "rebuild",
        &[
            "cli",
            "layout_source",
            "plan",
            "recording",
            "report",
            "trust",
            "verification",
        ],
    ),
    ("recording", &["cli", "report", "trust", "verification"]),
    (
        "report",
        &[
            "cli",
            "collect",
            "exec",
            "layout_source",
            "plan",
            "recording",
            "signing",
            "store",
            "trust",
            "workspace",
        ],
    ),
    (
        "settings",
        &[
            "cli",
            "collect",
            "exec",
            "plan",
            "recording",
            "report",
            "signing",
            "store",
            "trust",
            "verification",
        ],
    ),
    (
        "signing",
        &[
            "cli",
            "collect",
            "explain",
            "plan",
            "recording",
            "report",
            "store",
            "trust",
            "verification",
        ],
    ),
    (
        "store",
        &[
            "cli",
            "exec",
            "explain",
            "plan",
            "recording",
            "report",
            "signing",
            "trust",
            "verification",
        ],
    ),
    (
        "trust",
        &[
            "cli",
            "collect",
            "exec",
            "explain",
            "plan",
            "recording",
            "report",
            "store",
            "verification",
        ],
    ),
    (
        "ui",
        &[
            "cli",
            "collect",
            "exec",
            "explain",
            "layout_source",
            "plan",
            "recording",
            "report",
            "signing",
            "store",
            "trust",
        ],
    ),
    ("verification", &["cli", "plan", "recording", "report"]),
    (
        "workspace",
        &[
            "cli",
            "collect",
            "explain",
            "layout_source",
            "plan",
            "recording",
            "report",
            "signing",
            "store",
            "trust",
        ],
    ),
];

/// Errors, codes and exit codes know nothing but each other.
const ALL_BUT_CODES: &[&str] = &[
    "cli",
    "collect",
    "exec",
    "explain",
    "layout_source",
    "naming",
    "plan",
    "recording",
    "report",
    "settings",
    "signing",
    "store",
    "trust",
    "ui",
    "verification",
    "workspace",
];

/// The violations of one file.
pub(super) fn check(source: &Source) -> Vec<String> {
    let Some((package, module)) = source.module() else {
        return Vec::new();
    };
    let forbidden = |imported: &str| match package {
        "intoto-core" => core_forbids(module, imported),
        "cargo-intoto" => cargo_intoto_forbids(module, imported),
        _ => false,
    };
    imports(source)
        .into_iter()
        .filter(|(_, imported)| forbidden(imported))
        .map(|(line, imported)| format!("{}:{line}: {module} must not know {imported}", source.path))
        .collect()
}

fn core_forbids(module: &str, imported: &str) -> bool {
    let rank = |name: &str| CORE_ORDER.iter().position(|line| line.contains(&name));
    match (rank(module), rank(imported)) {
        (Some(own), Some(other)) => other > own,
        _ => false,
    }
}

fn cargo_intoto_forbids(module: &str, imported: &str) -> bool {
    // The command line calls everything; nothing but the library's entry calls it.
    if imported == "cli" && !matches!(module, "cli" | "lib" | "main") {
        return true;
    }
    CARGO_INTOTO
        .iter()
        .any(|(name, forbidden)| *name == module && forbidden.contains(&imported))
}

/// The modules that a file names after `crate::`, with the line of each.
fn imports(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let lines: Vec<(usize, &str)> = source.statements().collect();
    for (index, (number, line)) in lines.iter().enumerate() {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            if rest.starts_with('{') {
                let mut group = rest.to_owned();
                group.extend(lines[index + 1..].iter().take(40).map(|(_, line)| *line));
                found.extend(group_names(&group).into_iter().map(|name| (*number, name)));
            } else {
                found.push((*number, identifier(rest)));
            }
        }
    }
    found
}

/// The first identifiers of `{a, b::{c}, d::e}`.
fn group_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut expects_name = false;
    for (at, character) in text.char_indices() {
        match character {
            '{' => {
                depth += 1;
                expects_name = depth == 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            ',' => expects_name = depth == 1,
            _ if expects_name && (character.is_alphabetic() || character == '_') => {
                names.push(identifier(&text[at..]));
                expects_name = false;
            }
            _ => {}
        }
    }
    names
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violations(path: &str, text: &str) -> usize {
        check(&Source::new(path, text)).len()
    }

    #[test]
    fn modules_know_only_what_they_may() {
        for (path, text, expected) in [
            ("cargo-intoto/src/plan/build.rs", "use crate::exec::cargo;", 1),
            ("cargo-intoto/src/plan/build.rs", "use crate::workspace::Workspace;", 0),
            (
                "cargo-intoto/src/plan/build.rs",
                "use crate::{error::CliError, ui::Ui};",
                1,
            ),
            ("cargo-intoto/src/plan/build.rs", "// as crate::exec does", 0),
            ("cargo-intoto/src/anything.rs", "crate::cli::main()", 1),
            ("cargo-intoto/src/lib.rs", "crate::cli::main()", 0),
            ("intoto-core/src/encoding/pae.rs", "use crate::verify::Session;", 1),
            ("intoto-core/src/verify/session.rs", "use crate::encoding::pae;", 0),
            (
                "intoto-core/src/encoding/pae.rs",
                "#[cfg(test)]\nmod tests { use crate::verify::Session; }",
                0,
            ),
        ] {
            assert_eq!(violations(path, text), expected, "{path}: {text}");
        }
    }

    #[test]
    fn groups_over_several_lines_are_read() {
        let source = Source::new("x/src/y.rs", "use crate::{\n    a::{b, c},\n    d,\n};\nuse e::f;");
        let names: Vec<String> = imports(&source).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["a", "d"]);
    }
}
