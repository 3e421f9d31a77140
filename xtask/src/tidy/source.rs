//! The tracked files as the rules see them.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::failure::{Context, Failure};
use crate::root::Root;

/// Directories that hold nothing of ours.
const SKIPPED: &[&str] = &["target", ".git", "corpus", "artifacts"];

/// A Rust file.
#[derive(Debug)]
pub(super) struct Source {
    /// Relative to the repository's root.
    pub(super) path: Utf8PathBuf,
    /// All of it.
    pub(super) text: String,
}

/// Everything the rules look at.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) sources: Vec<Source>,
    /// `docs/findings.md`
    pub(super) findings: String,
    /// The names in `tests/bundles` and `tests/vectors`.
    pub(super) vectors: Vec<String>,
}

impl Tree {
    pub(super) fn read(root: &Root) -> Result<Self, Failure> {
        let mut tree = Self::default();
        tree.walk(root.path(), root.path())?;
        tree.sources.sort_by(|one, other| one.path.cmp(&other.path));
        let findings = root.join("docs/findings.md");
        tree.findings = fs::read_to_string(&findings).context(format!("read {findings}"))?;
        for directory in ["tests/bundles", "tests/vectors"] {
            let vectors = root.join(directory);
            if !vectors.is_dir() {
                continue;
            }
            for entry in vectors.read_dir_utf8().context(format!("read {vectors}"))? {
                tree.vectors
                    .push(entry.context(format!("read {vectors}"))?.file_name().to_owned());
            }
        }
        tree.vectors.sort();
        Ok(tree)
    }

    fn walk(&mut self, root: &Utf8Path, directory: &Utf8Path) -> Result<(), Failure> {
        for entry in directory.read_dir_utf8().context(format!("read {directory}"))? {
            let entry = entry.context(format!("read {directory}"))?;
            let path = entry.path();
            let kind = entry.file_type().context(format!("look at {path}"))?;
            if kind.is_dir() && !SKIPPED.contains(&entry.file_name()) {
                self.walk(root, path)?;
            } else if kind.is_file() && path.extension() == Some("rs") {
                let text = fs::read_to_string(path).context(format!("read {path}"))?;
                let path = path.strip_prefix(root).unwrap_or(path).to_owned();
                self.sources.push(Source { path, text });
            }
        }
        Ok(())
    }
}

impl Source {
    #[cfg(test)]
    pub(super) fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.into(),
            text: text.to_owned(),
        }
    }

    /// The lines before the unit tests, which come last in a file.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
    }

    /// As [`Source::code`], without comments.
    pub(super) fn statements(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code().map(|(number, line)| (number, without_comment(line)))
    }

    /// The package directory and the module in it: `("cargo-intoto", "plan")` for `cargo-intoto/src/plan/fetch.rs`.
    pub(super) fn module(&self) -> Option<(&str, &str)> {
        let mut parts = self.path.components().map(|part| part.as_str());
        let package = parts.next()?;
        if parts.next()? != "src" {
            return None;
        }
        let module = parts.next()?;
        Some((package, module.strip_suffix(".rs").unwrap_or(module)))
    }
}

/// A line up to `//`, unless that stands in a string such as a URL.
fn without_comment(line: &str) -> &str {
    let mut quotes = 0;
    let bytes = line.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'"' if index == 0 || bytes[index - 1] != b'\\' => quotes += 1,
            b'/' if quotes % 2 == 0 && bytes.get(index + 1) == Some(&b'/') => return &line[..index],
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_end_a_line_and_urls_do_not() {
        for (line, expected) in [
            ("let a = 1; // one", "let a = 1; "),
            ("let a = \"http://x\"; // b", "let a = \"http://x\"; "),
            ("/// crate::cli", ""),
            ("plain", "plain"),
        ] {
            assert_eq!(without_comment(line), expected);
        }
    }

    #[test]
    fn modules_are_the_first_part_below_src() {
        let module = |path| {
            Source::new(path, "")
                .module()
                .map(|(package, module)| format!("{package} {module}"))
        };
        assert_eq!(
            module("cargo-intoto/src/plan/fetch.rs").as_deref(),
            Some("cargo-intoto plan")
        );
        assert_eq!(module("intoto-core/src/link.rs").as_deref(), Some("intoto-core link"));
        assert_eq!(module("tests/suite/main.rs"), None);
    }
}
