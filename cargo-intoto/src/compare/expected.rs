//! Which files of a commit cargo would package: all that git tracks in the package's directory, without other packages in it, less what
//! the manifest leaves out.
//!
//! The rules are those of cargo's `list_files`: `include` and `exclude` are patterns of gitignore's kind, and with `include` nothing
//! else counts.

use std::collections::BTreeSet;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use toml::{Table, Value};

use super::source::{Place, Source};
use crate::error::CliError;
use crate::exec::git::EntryKind;

/// Links to directories within directories, at most.
const DEEPEST: usize = 8;
/// Files, and links on the way to them; a `.crate` that is read has half as many.
const MOST_ENTRIES: usize = 200_000;
/// Patterns of one manifest, and bytes of one: no manifest of a person has more, and each is a regular expression.
const MOST_PATTERNS: usize = 10_000;
const LONGEST_PATTERN: usize = 4096;

/// What the manifest says about which files to package.
pub(super) struct Filter {
    include: Option<Gitignore>,
    exclude: Gitignore,
}

impl Filter {
    /// Reads `include` and `exclude`, which a member may inherit from the workspace.
    ///
    /// # Errors
    /// When one of them is no list of patterns.
    pub(super) fn of(manifest: &Table, workspace: Option<&Table>) -> Result<Self, CliError> {
        let include = patterns(manifest, workspace, "include")?;
        let exclude = patterns(manifest, workspace, "exclude")?;
        Ok(Self {
            // As cargo has it, an empty list is none.
            include: (!include.is_empty()).then(|| build(&include)).transpose()?,
            exclude: build(&exclude)?,
        })
    }

    /// Whether the file at this path below the package's directory is packaged.
    fn takes(&self, path: &str) -> bool {
        if path == "Cargo.toml" {
            return true;
        }
        match &self.include {
            Some(include) => {
                !path.starts_with("target/") && include.matched_path_or_any_parents(path, false).is_ignore()
            }
            None => !self.exclude.matched_path_or_any_parents(path, false).is_ignore(),
        }
    }
}

/// The files that cargo would package from `directory`, by their path below it. `Cargo.lock` at the top is not among them, because it
/// depends on cargo's version whether it is packaged, and whether it is this one.
///
/// # Errors
/// When a link cannot be read, or links lead to more files than anybody packages.
pub(super) fn packaged(source: &mut Source, directory: &str, filter: &Filter) -> Result<BTreeSet<String>, CliError> {
    let mut listing = Listing::default();
    listing.add(source, directory, "", 0)?;
    let mut listed = listing.files;
    let nested: Vec<String> = listed
        .iter()
        .filter_map(|path| path.strip_suffix("Cargo.toml"))
        .filter(|folder| folder.ends_with('/'))
        .map(str::to_owned)
        .collect();
    listed.retain(|path| {
        path != "Cargo.lock" && !nested.iter().any(|folder| path.starts_with(folder.as_str())) && filter.takes(path)
    });
    Ok(listed)
}

#[derive(Default)]
struct Listing {
    files: BTreeSet<String>,
    /// Links that lead to each other multiply without a file.
    seen: usize,
}

impl Listing {
    /// Adds the files below `directory` under `prefix`; links to directories are gone into, as cargo does.
    fn add(&mut self, source: &mut Source, directory: &str, prefix: &str, depth: usize) -> Result<(), CliError> {
        let entries: Vec<(String, EntryKind)> = source
            .below(directory)
            .map(|(path, kind)| (path.to_owned(), kind))
            .collect();
        for (path, kind) in entries {
            self.seen += 1;
            if self.seen > MOST_ENTRIES {
                return Err(CliError::cannot_decide(format!(
                    "the package's directory in the commit has more than {MOST_ENTRIES} files and links"
                )));
            }
            let relative = format!("{prefix}{}", &path[directory.len()..]);
            let behind = match kind {
                EntryKind::Submodule => continue,
                EntryKind::Link => Some(source.locate(&path)?),
                EntryKind::Regular | EntryKind::Executable => None,
            };
            match behind {
                Some(Place::Directory(real)) if depth < DEEPEST && !is_above(&real, &path) => {
                    self.add(source, &format!("{real}/"), &format!("{relative}/"), depth + 1)?;
                }
                Some(Place::Directory(_)) => {}
                _ => {
                    self.files.insert(relative);
                }
            }
        }
        Ok(())
    }
}

/// Whether a link leads to a directory that it lies in: cargo refuses to package that.
fn is_above(directory: &str, link: &str) -> bool {
    directory.is_empty() || link.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

fn patterns(manifest: &Table, workspace: Option<&Table>, key: &str) -> Result<Vec<String>, CliError> {
    let package = |table: &Table| table.get("package").or_else(|| table.get("project")).cloned();
    let mut value = package(manifest).and_then(|package| package.get(key).cloned());
    let inherits = |value: &Value| value.get("workspace").and_then(Value::as_bool) == Some(true);
    if value.as_ref().is_some_and(inherits) {
        value = workspace
            .and_then(|root| root.get("workspace")?.get("package")?.get(key))
            .cloned();
    }
    let bad = || {
        CliError::cannot_decide(format!(
            "package.{key} in the commit's Cargo.toml is no list of patterns"
        ))
    };
    let Some(value) = value else { return Ok(Vec::new()) };
    let values = value.as_array().ok_or_else(bad)?;
    if values.len() > MOST_PATTERNS {
        return Err(bad());
    }
    values
        .iter()
        .map(|value| {
            value
                .as_str()
                .filter(|text| text.len() <= LONGEST_PATTERN)
                .map(str::to_owned)
                .ok_or_else(bad)
        })
        .collect()
}

fn build(patterns: &[String]) -> Result<Gitignore, CliError> {
    let bad = |error: ignore::Error| {
        CliError::cannot_decide("a pattern in the commit's Cargo.toml is not understood").because(error)
    };
    let mut builder = GitignoreBuilder::new("");
    for pattern in patterns {
        builder.add_line(None, pattern).map_err(bad)?;
    }
    builder.build().map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::git::Repository;
    use crate::testing::Scratch;

    fn listed(scratch: &Scratch, directory: &str, manifest: &str) -> Vec<String> {
        scratch.commit_all();
        let id = scratch.git(&["rev-parse", "HEAD"]).trim().to_owned();
        let mut source = Source::read(&Repository::open(scratch.path()).unwrap(), &id).unwrap();
        let filter = Filter::of(&manifest.parse().unwrap(), None).unwrap();
        packaged(&mut source, directory, &filter).unwrap().into_iter().collect()
    }

    fn tree() -> Scratch {
        let scratch = Scratch::new();
        for path in [
            "p/Cargo.toml",
            "p/Cargo.lock",
            "p/src/lib.rs",
            "p/.hidden",
            "p/docs/a.md",
            "p/docs/b.txt",
            "p/inner/Cargo.toml",
            "p/inner/src/lib.rs",
            "q/other",
        ] {
            scratch.write(path, path);
        }
        scratch
    }

    #[test]
    fn all_that_git_tracks_but_other_packages() {
        let expected = [".hidden", "Cargo.toml", "docs/a.md", "docs/b.txt", "src/lib.rs"];
        assert_eq!(listed(&tree(), "p/", "[package]\nname = 'p'\n"), expected);
    }

    #[test]
    fn include_and_exclude_are_heeded() {
        for (line, expected) in [
            ("exclude = ['docs']", &[".hidden", "Cargo.toml", "src/lib.rs"][..]),
            (
                "exclude = ['/docs/*.md', '.*']",
                &["Cargo.toml", "docs/b.txt", "src/lib.rs"],
            ),
            ("include = ['src/**/*.rs']", &["Cargo.toml", "src/lib.rs"]),
            ("include = ['docs', '!*.md']", &["Cargo.toml", "docs/b.txt"]),
            (
                "include = []",
                &[".hidden", "Cargo.toml", "docs/a.md", "docs/b.txt", "src/lib.rs"],
            ),
        ] {
            assert_eq!(
                listed(&tree(), "p/", &format!("[package]\n{line}\n")),
                expected,
                "{line}"
            );
        }
        let inherited: Table = "[package]\nexclude.workspace = true\n".parse().unwrap();
        let workspace: Table = "[workspace.package]\nexclude = ['x']\n".parse().unwrap();
        assert!(!Filter::of(&inherited, Some(&workspace)).unwrap().takes("x"));
        for bad in ["exclude = 'x'", "include = [1]", "exclude = ['{a']"] {
            let manifest = format!("[package]\n{bad}\n").parse().unwrap();
            assert!(Filter::of(&manifest, None).is_err(), "{bad}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_to_directories_are_gone_into_and_circles_are_not() {
        use std::os::unix::fs::symlink;
        let scratch = tree();
        symlink("../q", scratch.path().join("p/linked")).unwrap();
        symlink("..", scratch.path().join("p/src/up")).unwrap();
        symlink("../../p", scratch.path().join("q/back")).unwrap();
        let found = listed(&scratch, "p/", "[package]\n");
        assert!(found.contains(&"linked/other".to_owned()), "{found:?}");
        assert!(found.contains(&"src/lib.rs".to_owned()), "{found:?}");
    }
}
