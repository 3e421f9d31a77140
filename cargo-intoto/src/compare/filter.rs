//! `include` and `exclude` of a manifest: patterns of gitignore's kind, and with `include` nothing else counts.

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use toml::{Table, Value};

use crate::error::CliError;

/// Patterns of one manifest, and bytes of one: no manifest of a person has more, and each is a regular expression.
const MOST_PATTERNS: usize = 10_000;
const LONGEST_PATTERN: usize = 4096;

/// What the manifest says about which files to package.
#[derive(Debug)]
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

    /// Whether cargo goes through the directories on disk, and does not ask git.
    pub(super) fn walks(&self) -> bool {
        self.include.is_some()
    }

    /// Why the file at this path below the package's directory is not packaged, if it is not. `behind` is the length of the link to a
    /// directory that leads to it: cargo then looks at the directories behind it one by one, and never at what lies in an excluded one.
    pub(super) fn leaves_out(&self, path: &str, behind: Option<usize>) -> Option<&'static str> {
        if path == "Cargo.toml" {
            return None;
        }
        let Some(include) = &self.include else {
            let excludes =
                |path: &str, is_directory| self.exclude.matched_path_or_any_parents(path, is_directory).is_ignore();
            let mut directories = path.match_indices('/').map(|(at, _)| at);
            let is_out = excludes(path, false)
                || behind.is_some_and(|behind| directories.any(|at| at >= behind && excludes(&path[..at], true)));
            return is_out.then_some("`package.exclude` leaves it out");
        };
        if path.starts_with("target/") {
            return Some("cargo takes nothing from target/ by `package.include`");
        }
        let is_in = include.matched_path_or_any_parents(path, false).is_ignore();
        (!is_in).then_some("`package.include` does not name it")
    }
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

    fn filter(lines: &str) -> Filter {
        Filter::of(&format!("[package]\n{lines}\n").parse().unwrap(), None).unwrap()
    }

    #[test]
    fn patterns_are_those_of_gitignore() {
        for (lines, path, is_out) in [
            ("", ".hidden", false),
            ("exclude = ['*']", "Cargo.toml", false),
            ("exclude = ['*']", "a/Cargo.toml", true),
            ("exclude = ['build.rs']", "build.rs", true),
            ("exclude = ['build.rs']", "Build.rs", false),
            ("exclude = ['build.rs']", "a/build.rs", true),
            ("exclude = ['/build.rs']", "a/build.rs", false),
            ("exclude = ['a/*.rs']", "b/a/x.rs", false),
            ("exclude = ['a/']", "b/a/x.rs", true),
            ("exclude = ['a/']", "b/a", false),
            ("exclude = ['docs', '!docs/keep']", "docs/keep", false),
            ("exclude = ['docs', '!docs/keep']", "docs/x", true),
            ("include = ['docs', '!docs/x']", "docs/x", true),
            ("include = ['docs', '!docs/x']", "docs/keep", false),
            ("include = ['docs']\nexclude = ['docs/x']", "docs/x", false),
            ("include = ['*']", "target/x", true),
            ("exclude = ['x']", "target/y", false),
        ] {
            assert_eq!(
                filter(lines).leaves_out(path, None).is_some(),
                is_out,
                "{lines}: {path}"
            );
        }
        // Behind a link cargo looks at the directories as it walks, so nothing in an excluded one can be let in again.
        let filter = filter("exclude = ['link/docs', '!link/docs/keep']");
        assert!(filter.leaves_out("link/docs/keep", None).is_none());
        assert!(filter.leaves_out("link/docs/keep", Some(4)).is_some());
    }

    #[test]
    fn lists_are_inherited_or_refused() {
        let inherited: Table = "[package]\nexclude.workspace = true\n".parse().unwrap();
        let workspace: Table = "[workspace.package]\nexclude = ['x']\n".parse().unwrap();
        let filter = Filter::of(&inherited, Some(&workspace)).unwrap();
        assert!(filter.leaves_out("x", None).is_some());
        for bad in ["exclude = 'x'", "include = [1]", "exclude = ['{a']"] {
            let manifest = format!("[package]\n{bad}\n").parse().unwrap();
            assert!(Filter::of(&manifest, None).is_err(), "{bad}");
        }
    }
}
