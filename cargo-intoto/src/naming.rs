//! The one place that turns paths and command lines of this machine into names that may stand in a link.
//!
//! A link never holds an absolute path, a host name, a user name or a password. Files get workspace-relative names, `target/…`
//! wherever the target directory really is, or `outside/…`; in words, the known directories become `{workspace}`,
//! `{cargo-home}`, `{sysroot}` and `{build}`, and any other absolute path `{outside}/<file name>`.

mod words;

use std::borrow::Cow;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::workspace::Workspace;

/// The directories that names are relative to; all absolute.
#[derive(Debug, Clone)]
pub struct Roots {
    /// The workspace's root.
    pub workspace: Utf8PathBuf,
    /// Where cargo puts final artifacts.
    pub target: Utf8PathBuf,
    /// Where cargo puts everything else, when that is another directory.
    pub build: Option<Utf8PathBuf>,
    /// Cargo's home.
    pub cargo_home: Utf8PathBuf,
    /// The toolchain.
    pub sysroot: Option<Utf8PathBuf>,
    /// The user's home directory.
    pub home: Option<Utf8PathBuf>,
}

/// Names files and redacts words.
#[derive(Debug, Clone)]
pub struct Naming {
    workspace: Spellings,
    target: Spellings,
    build: Spellings,
    cargo_home: Spellings,
    sysroot: Spellings,
    home: Spellings,
    /// Each directory with what replaces it in words; longest first.
    replacements: Vec<(String, &'static str)>,
}

/// A directory as it was given and by its real path: programs print either.
type Spellings = Vec<Utf8PathBuf>;

impl Naming {
    /// Names relative to these directories.
    pub fn new(roots: Roots) -> Self {
        let mut naming = Self {
            workspace: spellings(Some(roots.workspace)),
            target: spellings(Some(roots.target)),
            build: spellings(roots.build),
            cargo_home: spellings(Some(roots.cargo_home)),
            sysroot: spellings(roots.sysroot),
            home: spellings(roots.home),
            replacements: Vec::new(),
        };
        let mut replacements: Vec<(String, &'static str)> = [
            (&naming.build, "{build}"),
            (&naming.workspace, "{workspace}"),
            (&naming.cargo_home, "{cargo-home}"),
            (&naming.sysroot, "{sysroot}"),
            (&naming.home, "{outside}"),
        ]
        .into_iter()
        .flat_map(|(spellings, word)| spellings.iter().map(move |path| (path.to_string(), word)))
        // The root directory itself hides nothing, and would be found in every path.
        .filter(|(path, _)| path != "/")
        .collect();
        replacements.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        naming.replacements = replacements;
        naming
    }

    /// Names relative to the directories of a workspace; `build` is the private build directory of a run.
    pub fn for_workspace(workspace: &Workspace, build: Option<Utf8PathBuf>, sysroot: Option<Utf8PathBuf>) -> Self {
        Self::new(Roots {
            workspace: workspace.root.clone(),
            target: workspace.target_directory.clone(),
            build,
            cargo_home: workspace.cargo_home.clone(),
            sysroot,
            home: std::env::home_dir().and_then(|home| Utf8PathBuf::try_from(home).ok()),
        })
    }

    /// The name of the file at `path` in a link; a relative path is one of the workspace.
    pub fn artifact(&self, path: &Utf8Path) -> String {
        let path = match self.workspace.first() {
            // Most paths come from a walk, ten thousand at a time.
            _ if is_clean(path) => Cow::Borrowed(path),
            Some(workspace) => Cow::Owned(clean(&workspace.join(path))),
            None => Cow::Owned(clean(path)),
        };
        let path = path.as_ref();
        if let Some(rest) = below(path, &self.build) {
            return format!("{{build}}/{rest}");
        }
        if let Some(rest) = below(path, &self.target) {
            return format!("target/{rest}");
        }
        if let Some(rest) = below(path, &self.workspace) {
            return if is_ambiguous(rest) {
                format!("outside/up-0/{rest}")
            } else {
                rest.to_string()
            };
        }
        if let Some(rest) = below(path, &self.cargo_home) {
            return format!("outside/cargo-home/{rest}");
        }
        if let Some(rest) = below(path, &self.sysroot) {
            return format!("outside/sysroot/{rest}");
        }
        self.outside(path)
    }

    /// `word` of a command line, or any other text with paths in it, with nothing of this machine left in it.
    pub fn word(&self, word: &str) -> String {
        words::redact(word, &self.replacements)
    }

    /// A pattern of names, which may begin with a slash and mean nothing of this machine: it is redacted only if it shows a known
    /// directory.
    pub fn pattern(&self, pattern: &str) -> String {
        if self
            .replacements
            .iter()
            .any(|(path, _)| pattern.contains(path.as_str()))
        {
            self.word(pattern)
        } else {
            pattern.to_owned()
        }
    }

    /// Every word of a command line, redacted.
    pub fn words<W: AsRef<str>>(&self, words: impl IntoIterator<Item = W>) -> Vec<String> {
        words.into_iter().map(|word| self.word(word.as_ref())).collect()
    }

    /// A file beyond every known directory: by its path below the common ancestor, unless that would show the user's home.
    fn outside(&self, path: &Utf8Path) -> String {
        if self.home.iter().any(|home| home == path) {
            return "outside/home".to_owned();
        }
        let mut ancestors = self
            .workspace
            .iter()
            .flat_map(|workspace| workspace.ancestors().enumerate());
        let Some((levels, ancestor)) = ancestors.find(|(_, ancestor)| path != *ancestor && path.starts_with(ancestor))
        else {
            return format!("outside/{}", path.file_name().unwrap_or("unnamed"));
        };
        let is_in_home = self.home.iter().any(|home| ancestor.starts_with(home));
        match below(path, &self.home) {
            Some(rest) if !is_in_home => format!("outside/home/{rest}"),
            _ => format!("outside/up-{levels}/{}", path.strip_prefix(ancestor).unwrap_or(path)),
        }
    }
}

/// A directory of the workspace must not pose as a package URL, a product or a file from elsewhere.
fn is_ambiguous(path: &Utf8Path) -> bool {
    match path.components().next() {
        Some(Utf8Component::Normal(first)) => matches!(first, "outside" | "target") || first.contains([':', '{']),
        _ => false,
    }
}

fn spellings(path: Option<Utf8PathBuf>) -> Spellings {
    let mut spellings: Spellings = path.iter().map(|path| clean(path)).collect();
    spellings.extend(path.and_then(|path| path.canonicalize_utf8().ok()));
    spellings.dedup();
    spellings
}

/// The part of `path`, which is clean, below one of the roots; none for a root itself.
fn below<'a>(path: &'a Utf8Path, roots: &Spellings) -> Option<&'a Utf8Path> {
    roots
        .iter()
        // The text tells nearly always that it is not this root, and costs less to compare than components.
        .filter(|root| cfg!(windows) || path.as_str().starts_with(root.as_str()))
        .find_map(|root| path.strip_prefix(root).ok())
        .filter(|rest| !rest.as_str().is_empty())
}

/// Whether [`clean`] would give the same path back, as an absolute one.
fn is_clean(path: &Utf8Path) -> bool {
    let mut components = path.as_str().split('/');
    !cfg!(windows) && components.next() == Some("") && components.all(|component| !matches!(component, "" | "." | ".."))
}

/// Removes `.` and resolves `..` by the text alone, as the names of files that may be gone must be.
pub(crate) fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let mut result = Utf8PathBuf::new();
    for component in path.components() {
        match component {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                if result.file_name().is_some() {
                    result.pop();
                }
            }
            other => result.push(other),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn roots() -> Roots {
        Roots {
            workspace: "/home/alice/code/ws".into(),
            target: "/var/cache/out".into(),
            build: Some("/home/alice/code/ws/target/intoto/1/build".into()),
            cargo_home: "/home/alice/.cargo".into(),
            sysroot: Some("/home/alice/.rustup/toolchains/x".into()),
            home: Some("/home/alice".into()),
        }
    }

    fn naming() -> Naming {
        Naming::new(roots())
    }

    #[test]
    fn files_are_named_by_where_they_lie() {
        for (path, expected) in [
            ("/home/alice/code/ws/src/lib.rs", "src/lib.rs"),
            ("src/lib.rs", "src/lib.rs"),
            ("./a/../b", "b"),
            ("/var/cache/out/release/x", "target/release/x"),
            ("/home/alice/code/ws/target/x", "outside/up-0/target/x"),
            ("/home/alice/code/ws/outside/x", "outside/up-0/outside/x"),
            ("/home/alice/code/ws/pkg:cargo/x", "outside/up-0/pkg:cargo/x"),
            ("/home/alice/code/ws/target/intoto/1/build/x", "{build}/x"),
            ("/home/alice/.cargo/config.toml", "outside/cargo-home/config.toml"),
            ("/home/alice/.rustup/toolchains/x/lib/a", "outside/sysroot/lib/a"),
            ("/home/alice/code/.cargo/config.toml", "outside/up-1/.cargo/config.toml"),
            ("../other/x", "outside/up-1/other/x"),
            ("/etc/hosts", "outside/up-4/etc/hosts"),
            ("/home/bob/x", "outside/up-3/bob/x"),
        ] {
            assert_eq!(naming().artifact(path.into()), expected, "{path}");
        }
    }

    #[test]
    fn the_home_directory_is_not_shown_from_a_workspace_elsewhere() {
        let mut roots = roots();
        roots.workspace = "/srv/ws".into();
        let naming = Naming::new(roots);
        assert_eq!(naming.artifact("/home/alice/notes/x".into()), "outside/home/notes/x");
    }

    #[test]
    fn a_linked_workspace_has_the_same_names_by_either_path() {
        let scratch = crate::testing::Scratch::new();
        let file = scratch.write("real/src/lib.rs", "");
        std::os::unix::fs::symlink("real", scratch.path().join("link")).unwrap();
        let mut roots = roots();
        roots.workspace = scratch.path().join("link");
        let naming = Naming::new(roots);
        for path in [
            file.as_path(),
            &scratch.path().join("link/src/lib.rs"),
            "src/lib.rs".into(),
        ] {
            assert_eq!(naming.artifact(path), "src/lib.rs");
        }
        assert_eq!(naming.word(file.as_str()), "{workspace}/src/lib.rs");
    }

    proptest! {
        #[test]
        fn no_name_is_absolute_or_shows_the_user(
            root in prop::sample::select(vec![
                "", "/", "/home/alice/code/ws", "/home/alice/.cargo", "/home/alice", "/home", "/var/cache/out", "/srv", "..", "../..",
            ]),
            rest in "(/[a-c.]{0,3}){0,4}",
            elsewhere in any::<bool>(),
        ) {
            let mut roots = roots();
            if elsewhere {
                roots.workspace = "/srv/ws".into();
            }
            let name = Naming::new(roots).artifact(Utf8Path::new(&format!("{root}{rest}")));
            prop_assert!(!name.starts_with('/') && !name.contains("alice"), "{name}");
            prop_assert!(!name.split('/').any(|part| part == ".."), "{name}");
        }
    }
}
