//! The one place that turns paths and command lines of this machine into names that may stand in a link.
//!
//! A link never holds an absolute path, a host name, a user name or a password. Files get workspace-relative names, `target/…`
//! wherever the target directory really is, or `outside/…`; in words, the known directories become `{workspace}`,
//! `{cargo-home}`, `{sysroot}` and `{build}`, and any other absolute path `{outside}/<file name>`.

mod words;

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
    roots: Roots,
    /// Each root, also by its real path, with what replaces it in words; longest first.
    replacements: Vec<(String, &'static str)>,
}

impl Naming {
    /// Names relative to these directories.
    pub fn new(roots: Roots) -> Self {
        let mut replacements = Vec::new();
        let mut add = |path: Option<&Utf8PathBuf>, word: &'static str| {
            for path in path
                .into_iter()
                .flat_map(|path| [Some(path.clone()), path.canonicalize_utf8().ok()])
            {
                // The root directory itself hides nothing, and would be found in every path.
                if let Some(path) = path.filter(|path| path.parent().is_some()) {
                    replacements.push((clean(&path).into_string(), word));
                }
            }
        };
        add(roots.build.as_ref(), "{build}");
        // As names do: the default target directory lies in the workspace anyway.
        add(Some(&roots.target), "{target}");
        add(Some(&roots.workspace), "{workspace}");
        add(Some(&roots.cargo_home), "{cargo-home}");
        add(roots.sysroot.as_ref(), "{sysroot}");
        add(roots.home.as_ref(), "{outside}");
        replacements.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        replacements.dedup();
        Self { roots, replacements }
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
        let path = clean(&self.roots.workspace.join(path));
        let roots = &self.roots;
        if let Some(rest) = roots.build.as_ref().and_then(|build| below(&path, build)) {
            return format!("{{build}}/{rest}");
        }
        if let Some(rest) = below(&path, &roots.target) {
            return format!("target/{rest}");
        }
        if let Some(rest) = below(&path, &roots.workspace) {
            let is_ambiguous = match rest.components().next() {
                Some(Utf8Component::Normal(first)) => {
                    matches!(first, "outside" | "target") || first.contains([':', '{'])
                }
                _ => false,
            };
            // A directory of the workspace must not pose as a package URL, a product or a file from elsewhere.
            return if is_ambiguous {
                format!("outside/up-0/{rest}")
            } else {
                rest.to_string()
            };
        }
        if let Some(rest) = below(&path, &roots.cargo_home) {
            return format!("outside/cargo-home/{rest}");
        }
        if let Some(rest) = roots.sysroot.as_ref().and_then(|sysroot| below(&path, sysroot)) {
            return format!("outside/sysroot/{rest}");
        }
        self.outside(&path)
    }

    /// `word` of a command line, or any other text with paths in it, with nothing of this machine left in it.
    pub fn word(&self, word: &str) -> String {
        words::redact(word, &self.replacements)
    }

    /// Every word of a command line, redacted.
    pub fn words<W: AsRef<str>>(&self, words: impl IntoIterator<Item = W>) -> Vec<String> {
        words.into_iter().map(|word| self.word(word.as_ref())).collect()
    }

    /// A file beyond every known directory: by its path below the common ancestor, unless that would show the user's home.
    fn outside(&self, path: &Utf8Path) -> String {
        let workspace = clean(&self.roots.workspace);
        for (levels, ancestor) in workspace.ancestors().enumerate() {
            let Some(rest) = below(path, ancestor) else { continue };
            if let Some(home) = &self.roots.home
                && !below_or_same(ancestor, home)
                && let Some(rest) = below(path, home)
            {
                return format!("outside/home/{rest}");
            }
            return format!("outside/up-{levels}/{rest}");
        }
        format!("outside/{}", path.file_name().unwrap_or("unnamed"))
    }
}

/// The part of `path` below `root`; none for the root itself.
fn below<'a>(path: &'a Utf8Path, root: &Utf8Path) -> Option<&'a Utf8Path> {
    path.strip_prefix(clean(root))
        .ok()
        .filter(|rest| !rest.as_str().is_empty())
}

fn below_or_same(path: &Utf8Path, root: &Utf8Path) -> bool {
    path.starts_with(clean(root))
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
    use super::*;

    fn naming() -> Naming {
        Naming::new(Roots {
            workspace: "/home/alice/code/ws".into(),
            target: "/var/cache/out".into(),
            build: Some("/home/alice/code/ws/target/intoto/1/build".into()),
            cargo_home: "/home/alice/.cargo".into(),
            sysroot: Some("/home/alice/.rustup/toolchains/x".into()),
            home: Some("/home/alice".into()),
        })
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
        let mut roots = naming().roots;
        roots.workspace = "/srv/ws".into();
        let naming = Naming::new(roots);
        assert_eq!(naming.artifact("/home/alice/notes/x".into()), "outside/home/notes/x");
    }
}
