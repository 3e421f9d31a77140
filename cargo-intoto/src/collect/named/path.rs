//! Paths as text: what becomes of a path on the way into a link.

use crate::error::CliError;

/// The path without what means nothing in it, as Python's `os.path.normpath` has it: by its text alone, whatever lies there.
pub(super) fn normal(path: &str) -> String {
    // Two slashes in front may mean something else than one; three may not.
    let root = match path.bytes().take_while(|byte| *byte == b'/').count() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let mut components: Vec<&str> = Vec::new();
    for component in path.split('/') {
        match component {
            "" | "." => {}
            ".." if components.last().is_some_and(|last| *last != "..") => {
                components.pop();
            }
            ".." if !root.is_empty() => {}
            component => components.push(component),
        }
    }
    let text = format!("{root}{}", components.join("/"));
    if text.is_empty() { ".".to_owned() } else { text }
}

/// `name` below `directory`, both normal.
pub(super) fn join(directory: &str, name: &str) -> String {
    match directory {
        "." => name.to_owned(),
        "/" | "//" => format!("{directory}{name}"),
        directory => format!("{directory}/{name}"),
    }
}

/// Prefixes that are cut off names.
#[derive(Debug, Clone, Default)]
pub struct Prefixes(Vec<String>);

impl Prefixes {
    /// Takes prefixes of which none begins with another, because the order would decide which of them is cut.
    ///
    /// # Errors
    /// When one begins with another.
    pub fn new(prefixes: Vec<String>) -> Result<Self, CliError> {
        for (index, one) in prefixes.iter().enumerate() {
            for other in &prefixes[index + 1..] {
                if one.starts_with(other.as_str()) || other.starts_with(one.as_str()) {
                    return Err(CliError::usage(format!(
                        "of the prefixes `{one}` and `{other}`, which are to be cut off names, one begins with the other"
                    ))
                    .hint("name only one of them"));
                }
            }
        }
        Ok(Self(prefixes))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name without the prefix that it begins with; a prefix is text and need not end where a directory does.
    pub(super) fn strip<'n>(&self, name: &'n str) -> &'n str {
        self.0
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix.as_str()))
            .unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normal_as_in_python() {
        for (path, expected) in [
            ("", "."),
            (".", "."),
            ("./a", "a"),
            ("a/", "a"),
            ("a//b/./c", "a/b/c"),
            ("a/../b", "b"),
            ("../a/..", ".."),
            ("../../a", "../../a"),
            ("/../a", "/a"),
            ("//a", "//a"),
            ("///a", "/a"),
            ("/", "/"),
            ("a/..", "."),
        ] {
            assert_eq!(normal(path), expected, "{path}");
        }
        assert_eq!(join(".", "a"), "a");
        assert_eq!(join("/", "a"), "/a");
        assert_eq!(join("b", "a"), "b/a");
    }

    #[test]
    fn one_prefix_is_cut_and_none_begins_with_another() {
        let prefixes = |words: &[&str]| Prefixes::new(words.iter().map(|word| (*word).to_owned()).collect());
        let two = prefixes(&["a/", "b"]).unwrap();
        for (name, expected) in [("a/x", "x"), ("bx", "x"), ("b", ""), ("c/a/x", "c/a/x")] {
            assert_eq!(two.strip(name), expected);
        }
        for words in [&["a", "ab"][..], &["ab", "a"], &["a", "a"], &["", "a"]] {
            assert_eq!(prefixes(words).unwrap_err().exit().code(), 2, "{words:?}");
        }
    }
}
