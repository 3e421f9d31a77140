//! What a source tree can do to whoever types `cargo intoto verify` in it: put another program in our place.
//!
//! A cargo `[alias]` named `intoto`, or a toolchain with a `path`, makes `cargo intoto verify` run code of the tree, which then
//! prints what it likes. Once we run, it is too late for that call and in time for the next one: both are refused when a tree
//! with one is verified. Consumers call `cargo-intoto verify` from outside the tree, which neither can reach.

use camino::{Utf8Path, Utf8PathBuf};
use toml::{Table, Value};

use crate::finding::{CargoCode, CargoFinding};
use crate::foreign::{self, Unread};

/// No settings file of cargo or rustup is larger.
const MAX_BYTES: usize = 1 << 20;
/// How many files a configuration may include, one from another.
const MAX_INCLUDES: usize = 32;

/// Looks for both in the tree that `directory` lies in: there and above, up to the root of the repository or workspace.
pub fn examine(directory: &Utf8Path) -> Vec<CargoFinding> {
    let mut findings = Vec::new();
    for directory in within_tree(directory) {
        for name in [".cargo/config.toml", ".cargo/config"] {
            examine_configuration(&directory.join(name), &mut findings, &mut Vec::new());
        }
        for name in ["rust-toolchain.toml", "rust-toolchain"] {
            examine_toolchain(&directory.join(name), &mut findings);
        }
    }
    findings
}

/// The root of the tree that `directory` lies in, without links.
pub fn root(directory: &Utf8Path) -> Utf8PathBuf {
    within_tree(directory).pop().unwrap_or_else(|| directory.to_owned())
}

/// The innermost root around `directory`, without links: of the workspace, or of the repository that it is in.
pub fn innermost_root(directory: &Utf8Path) -> Utf8PathBuf {
    let directory = foreign::real(directory);
    let root = directory.ancestors().find(|path| is_root(path));
    root.unwrap_or(&directory).to_owned()
}

/// The directories from `directory` up to the tree's root. Without a recognisable root, there is no tree beyond the directory:
/// what lies above is the user's own.
fn within_tree(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let directory = foreign::real(directory);
    let ancestors: Vec<&Utf8Path> = directory.ancestors().collect();
    // The outermost one counts: a workspace may lie in a subdirectory of the repository.
    let depth = ancestors.iter().rposition(|path| is_root(path)).unwrap_or(0);
    ancestors[..=depth].iter().map(|path| (*path).to_owned()).collect()
}

fn is_root(path: &Utf8Path) -> bool {
    const MARKS: [&str; 6] = [
        ".git",
        ".hg",
        ".jj",
        "Cargo.lock",
        "layouts/release.layout",
        "layouts/release.toml",
    ];
    MARKS.iter().any(|name| path.join(name).exists())
}

fn examine_configuration(path: &Utf8Path, findings: &mut Vec<CargoFinding>, seen: &mut Vec<Utf8PathBuf>) {
    if seen.len() > MAX_INCLUDES || seen.iter().any(|earlier| earlier == path) {
        return;
    }
    seen.push(path.to_owned());
    if seen.len() > MAX_INCLUDES {
        let message = format!(
            "{path} is included, one file more than the {MAX_INCLUDES} that are looked into, so what it does to cargo is not known"
        );
        findings.push(CargoFinding::undecided(CargoCode::CargoAliasIntoto, message).about(path.as_str()));
        return;
    }
    let Some(configuration) = read(path, CargoCode::CargoAliasIntoto, findings) else {
        return;
    };
    // What is no TOML stops cargo before it runs anything.
    let Ok(configuration) = configuration.parse::<Table>() else {
        return;
    };
    if configuration
        .get("alias")
        .and_then(|alias| alias.get("intoto"))
        .is_some()
    {
        findings.push(
            CargoFinding::refusal(
                CargoCode::CargoAliasIntoto,
                format!("{path} gives cargo an alias `intoto`, so `cargo intoto` runs something else in this tree"),
            )
            .about(path.as_str())
            .hint("remove the alias; verify trees of others with `cargo-intoto verify` from outside of them"),
        );
    }
    for included in includes(&configuration) {
        let included = path.parent().unwrap_or(Utf8Path::new("")).join(included);
        examine_configuration(&included, findings, seen);
    }
}

/// The files that a configuration includes: a path, or a list of paths or tables with a path.
fn includes(configuration: &Table) -> Vec<&str> {
    match configuration.get("include") {
        Some(Value::Array(several)) => several.iter().filter_map(included_path).collect(),
        Some(one) => included_path(one).into_iter().collect(),
        None => Vec::new(),
    }
}

fn included_path(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("path")?.as_str())
}

fn examine_toolchain(path: &Utf8Path, findings: &mut Vec<CargoFinding>) {
    let Some(text) = read(path, CargoCode::ToolchainPath, findings) else {
        return;
    };
    // The old form is the bare name of a toolchain, in which no path is allowed.
    let Ok(toolchain) = text.parse::<Table>() else {
        return;
    };
    if toolchain
        .get("toolchain")
        .and_then(|toolchain| toolchain.get("path"))
        .is_some()
    {
        findings.push(
            CargoFinding::refusal(
                CargoCode::ToolchainPath,
                format!("{path} makes rustup run a cargo of its own choice, so `cargo` itself is another program in this tree"),
            )
            .about(path.as_str())
            .hint("name a released toolchain by `channel`; verify trees of others with `cargo-intoto verify` from outside of them"),
        );
    }
}

/// The text of a settings file, or nothing if there is none; one that cargo could read and we would not is a finding.
fn read(path: &Utf8Path, code: CargoCode, findings: &mut Vec<CargoFinding>) -> Option<String> {
    match foreign::read(path, MAX_BYTES) {
        Ok(bytes) => String::from_utf8(bytes).ok(),
        Err(Unread::Missing | Unread::NotRegular("a directory" | "below something that is no directory")) => None,
        Err(unread) => {
            findings.push(
                CargoFinding::undecided(code, format!("{path} {unread}, so what it does to cargo is not known"))
                    .about(path.as_str()),
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use camino::Utf8Path;

    use super::examine;

    /// Writes files into a tree with a repository at its root; returns the codes found from `from`.
    fn codes(files: &[(&str, &str)], from: &str) -> Vec<&'static str> {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = Utf8Path::from_path(scratch.path()).expect("a UTF-8 temporary directory");
        fs::create_dir_all(root.join("tree/.git")).expect("created");
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("below the root")).expect("created");
            fs::write(path, text).expect("written");
        }
        fs::create_dir_all(root.join(from)).expect("created");
        examine(&root.join(from))
            .into_iter()
            .map(|finding| finding.code.as_str())
            .collect()
    }

    #[test]
    fn aliases_and_toolchain_paths_are_found() {
        let alias = "[alias]\nintoto = [\"run\", \"--quiet\"]\n";
        /// Files of the tree, the directory that is looked at, and the codes to be found.
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);
        let cases: &[Case<'_>] = &[
            (&[], "tree", &[]),
            (&[("tree/.cargo/config.toml", alias)], "tree", &["cargo-alias-intoto"]),
            (
                &[("tree/.cargo/config.toml", alias)],
                "tree/crates/a/src",
                &["cargo-alias-intoto"],
            ),
            (
                &[("tree/.cargo/config", "alias.intoto = 'x'")],
                "tree",
                &["cargo-alias-intoto"],
            ),
            (&[("tree/.cargo/config.toml", "[alias]\nb = \"build\"\n")], "tree", &[]),
            // Not of the tree: the user's own, above it.
            (&[(".cargo/config.toml", alias)], "tree", &[]),
            (
                &[
                    ("tree/.cargo/config.toml", "include = \"more.toml\""),
                    ("tree/.cargo/more.toml", alias),
                ],
                "tree",
                &["cargo-alias-intoto"],
            ),
            (
                &[
                    (
                        "tree/.cargo/config.toml",
                        "include = [{ path = \"more.toml\", optional = true }]",
                    ),
                    (
                        "tree/.cargo/more.toml",
                        "include = [\"config.toml\"]\n[alias]\nintoto = \"x\"",
                    ),
                ],
                "tree",
                &["cargo-alias-intoto"],
            ),
            (
                &[("tree/rust-toolchain.toml", "[toolchain]\npath = \"evil\"\n")],
                "tree",
                &["toolchain-path"],
            ),
            (
                &[("tree/rust-toolchain", "[toolchain]\npath = \"evil\"\n")],
                "tree/src",
                &["toolchain-path"],
            ),
            (&[("tree/rust-toolchain", "stable\n")], "tree", &[]),
            (
                &[("tree/rust-toolchain.toml", "[toolchain]\nchannel = \"1.95\"\n")],
                "tree",
                &[],
            ),
            (&[("tree/.cargo/config.toml", "not toml")], "tree", &[]),
        ];
        for (files, from, expected) in cases {
            assert_eq!(&codes(files, from), expected, "{files:?} from {from}");
        }
    }

    #[test]
    fn a_tree_may_be_deep() {
        let below = format!("tree/{}", ["d"; 100].join("/"));
        let alias = [("tree/.cargo/config.toml", "alias.intoto = 'x'")];
        assert_eq!(codes(&alias, &below), ["cargo-alias-intoto"]);
    }

    /// One file more than are looked into might be the one.
    #[test]
    fn more_included_files_than_are_looked_into_are_told() {
        let files: Vec<(String, String)> = (0..super::MAX_INCLUDES)
            .map(|n| {
                (
                    format!("tree/.cargo/{n}.toml"),
                    format!("include = \"{}.toml\"\n", n + 1),
                )
            })
            .collect();
        let mut files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        files.push(("tree/.cargo/config.toml", "include = \"1.toml\"\n"));
        let last = format!("tree/.cargo/{}.toml", super::MAX_INCLUDES);
        files.push((&last, "[alias]\nintoto = \"x\"\n"));
        assert_eq!(codes(&files, "tree"), ["cargo-alias-intoto"]);
        // Not the alias: that nobody looked.
        let begun = files.iter().filter(|(name, _)| !name.ends_with("/2.toml"));
        assert_eq!(codes(&begun.copied().collect::<Vec<_>>(), "tree"), [""; 0]);
    }

    #[test]
    fn a_settings_file_that_cannot_be_read_is_told() {
        let large = " ".repeat(super::MAX_BYTES + 1);
        assert_eq!(
            codes(&[("tree/.cargo/config.toml", &large)], "tree"),
            ["cargo-alias-intoto"]
        );
    }
}
