//! Which files of a commit cargo would package: all that git tracks in the package's directory, without other packages in it, less what
//! the manifest leaves out.
//!
//! The rules are those of cargo's `list_files`. What cannot be told is neither demanded nor accepted.

use std::collections::{BTreeMap, BTreeSet};

use super::filter::Filter;
use super::source::{Place, Source};
use crate::collect::crate_file::ORIGINAL_MANIFEST;
use crate::error::CliError;
use crate::exec::git::EntryKind;

/// Links to directories within directories, at most.
const DEEPEST: usize = 8;
/// Files, and links on the way to them; a `.crate` that is read has half as many.
const MOST_ENTRIES: usize = 200_000;

const MANIFEST: &str = "Cargo.toml";
/// What cargo puts into a `.crate` itself. Whether it packages `Cargo.lock`, and which one, depends on its version and the workspace.
const MADE: [&str; 3] = ["Cargo.lock", ".cargo_vcs_info.json", ORIGINAL_MANIFEST];

/// The files that cargo would package of a package's directory.
pub(super) struct Expected {
    listing: Listing,
    filter: Filter,
    /// The directories of other packages, each with a slash at its end.
    nested: BTreeSet<String>,
}

/// Whether cargo would package a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It would.
    Packaged,
    /// It would not, and why.
    LeftOut(&'static str),
    /// It would not, by how cargo reads the patterns since 1.36, and which they are.
    LeftOutByPattern(&'static str),
    /// That cannot be told, and why.
    Unknown(&'static str),
}

impl Expected {
    /// Finds the files below `directory`.
    ///
    /// # Errors
    /// When a link cannot be read, or links lead to more files than anybody packages.
    pub(super) fn of(source: &mut Source, directory: &str, filter: Filter) -> Result<Self, CliError> {
        let mut listing = Listing::default();
        listing.add(source, directory, "", &mut Vec::new(), filter.walks())?;
        let nested = listing
            .files
            .keys()
            .filter_map(|path| path.strip_suffix(MANIFEST))
            .filter(|folder| folder.ends_with('/'))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            listing,
            filter,
            nested,
        })
    }

    /// The files that cargo would package, by their path in the `.crate`.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let paths = self.listing.files.keys().map(String::as_str);
        paths.filter(|path| self.answer(path) == Answer::Packaged)
    }

    /// Whether cargo would package what lies at this path below the directory.
    pub(super) fn answer(&self, path: &str) -> Answer {
        // Cargo takes its own manifest in the place of anything that is one where case does not count.
        if MADE.contains(&path) || (path != MANIFEST && path.eq_ignore_ascii_case(MANIFEST)) {
            return Answer::LeftOut("cargo puts its own file there");
        }
        let folders = || path.match_indices('/').map(|(at, _)| &path[..=at]);
        if folders().any(|folder| self.nested.contains(folder)) {
            return Answer::LeftOut("it belongs to another package, which has a Cargo.toml of its own");
        }
        let behind = self.listing.files.get(path).copied();
        if let Some(pattern) = self.filter.leaves_out(path, behind.flatten()) {
            return Answer::LeftOutByPattern(pattern);
        }
        if let Some(why) = folders().find_map(|folder| self.listing.unknown.get(folder)) {
            return Answer::Unknown(why);
        }
        match behind {
            Some(_) => Answer::Packaged,
            None => Answer::LeftOut("cargo would find no file in this place"),
        }
    }
}

#[derive(Default)]
struct Listing {
    /// With the length of the link to a directory that they lie behind, if they do.
    files: BTreeMap<String, Option<usize>>,
    /// Directories of which it is not known what cargo takes, each with a slash at its end.
    unknown: BTreeMap<String, &'static str>,
    /// Links that lead to each other multiply without a file.
    seen: usize,
}

/// A link to a directory, on the way to a file.
struct Step {
    /// The directory from which the link was found.
    start: String,
    /// Whether cargo walked through that directory on the disk, and did not ask git.
    is_walked: bool,
    /// Where the link lies.
    link: String,
    /// The length of its path below the package's directory.
    length: usize,
}

impl Step {
    /// Whether the directory is one that cargo is in already: such a link is passed over.
    fn is_within(&self, directory: &str) -> bool {
        self.is_walked && directory.starts_with(&self.start) && self.link.starts_with(directory)
    }
}

impl Listing {
    /// Adds the files below `directory` under `prefix`; links to directories are gone into, as cargo does. `way` are the links that led
    /// there.
    fn add(
        &mut self,
        source: &mut Source,
        directory: &str,
        prefix: &str,
        way: &mut Vec<Step>,
        is_walked: bool,
    ) -> Result<(), CliError> {
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
            let folder = relative.strip_suffix(MANIFEST).filter(|folder| folder.ends_with('/'));
            match (behind, folder) {
                (Some(Place::Directory(real)), None) => {
                    way.push(Step {
                        start: directory.to_owned(),
                        is_walked,
                        link: path,
                        length: relative.len(),
                    });
                    self.follow(source, &real, &format!("{relative}/"), way)?;
                    way.pop();
                }
                // Where cargo walks, it asks whether the link leads to something.
                (Some(Place::Nothing), Some(_)) if is_walked => {}
                (Some(Place::Unavailable(_)), Some(folder)) if is_walked => {
                    let why = "a Cargo.toml beside it or above is a link out of the repository";
                    self.unknown.insert(folder.to_owned(), why);
                }
                _ => {
                    let behind = way.first().map(|step| step.length);
                    self.files.insert(relative, behind);
                }
            }
        }
        Ok(())
    }

    fn follow(&mut self, source: &mut Source, real: &str, below: &str, way: &mut Vec<Step>) -> Result<(), CliError> {
        let directory = if real.is_empty() {
            String::new()
        } else {
            format!("{real}/")
        };
        if way.iter().any(|step| step.is_within(&directory)) {
            return Ok(());
        }
        if source.is_top(&directory) {
            // Cargo opens the repository there, and goes on by its index.
            let why = "a link to a repository as a whole leads to it";
            self.unknown.insert(below.to_owned(), why);
            return Ok(());
        }
        if way.len() > DEEPEST {
            let why = "more links to directories lead to it than are followed";
            self.unknown.insert(below.to_owned(), why);
            return Ok(());
        }
        self.add(source, &directory, below, way, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::git::Repository;
    use crate::testing::Scratch;

    fn expected(scratch: &Scratch, directory: &str, manifest: &str) -> Expected {
        scratch.commit_all();
        let id = scratch.git(&["rev-parse", "HEAD"]).trim().to_owned();
        let mut source = Source::read(&Repository::open(scratch.path()).unwrap(), &id).unwrap();
        let filter = Filter::of(&manifest.parse().unwrap(), None).unwrap();
        Expected::of(&mut source, directory, filter).unwrap()
    }

    fn listed(scratch: &Scratch, directory: &str, manifest: &str) -> Vec<String> {
        let expected = expected(scratch, directory, manifest);
        expected.files().map(str::to_owned).collect()
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
    }

    #[test]
    fn what_is_left_out_has_a_reason() {
        let scratch = tree();
        for path in ["p/cargo.toml", "p/Cargo.toml.orig", "p/.cargo_vcs_info.json"] {
            scratch.write(path, path);
        }
        let expected = expected(&scratch, "p/", "[package]\nexclude = ['docs']\n");
        for (path, answer) in [
            ("src/lib.rs", Answer::Packaged),
            ("Cargo.toml", Answer::Packaged),
            ("docs/a.md", Answer::LeftOutByPattern("`package.exclude` leaves it out")),
            (
                "inner/src/lib.rs",
                Answer::LeftOut("it belongs to another package, which has a Cargo.toml of its own"),
            ),
            ("cargo.toml", Answer::LeftOut("cargo puts its own file there")),
            ("Cargo.toml.orig", Answer::LeftOut("cargo puts its own file there")),
            (".cargo_vcs_info.json", Answer::LeftOut("cargo puts its own file there")),
            ("Src/lib.rs", Answer::LeftOut("cargo would find no file in this place")),
            ("q/other", Answer::LeftOut("cargo would find no file in this place")),
        ] {
            assert_eq!(expected.answer(path), answer, "{path}");
        }
    }

    /// As `cargo package --list` of cargo 1.95 has it, with the same links.
    #[cfg(unix)]
    #[test]
    fn links_to_directories_are_gone_into_as_far_as_cargo_does() {
        use std::os::unix::fs::symlink;
        let scratch = tree();
        for path in ["p/a/fa", "p/b/fb", "p/src/m/mod.rs"] {
            scratch.write(path, path);
        }
        for (target, link) in [
            ("../q", "p/linked"),
            ("..", "p/src/m/up"),
            ("..", "p/src/root"),
            ("../p", "q/back"),
            ("../b", "p/a/x"),
            ("../a", "p/b/y"),
        ] {
            symlink(target, scratch.path().join(link)).unwrap();
        }
        let found = listed(&scratch, "p/", "[package]\nexclude = ['docs', '.*']\n");
        let expected = [
            "Cargo.toml",
            "a/fa",
            "a/x/fb",
            "a/x/y/fa",
            "b/fb",
            "b/y/fa",
            "b/y/x/fb",
            "linked/other",
            "src/lib.rs",
            "src/m/mod.rs",
            "src/m/up/lib.rs",
            "src/m/up/m/mod.rs",
        ];
        assert_eq!(found, expected);
        scratch.write("q/more", "x");
        let found = listed(&scratch, "p/", "[package]\ninclude = ['a', 'src']\n");
        assert_eq!(found, ["Cargo.toml", "a/fa", "a/x/fb", "src/lib.rs", "src/m/mod.rs"]);
    }

    #[cfg(unix)]
    #[test]
    fn what_links_leave_open_is_unknown() {
        use std::os::unix::fs::symlink;
        let scratch = tree();
        let mut last = "../q".to_owned();
        for number in 0..=DEEPEST {
            let folder = format!("d{number}");
            scratch.write(&format!("{folder}/file"), "x");
            symlink(&last, scratch.path().join(&folder).join("next")).unwrap();
            last = format!("../{folder}");
        }
        for (target, link) in [
            (last.as_str(), "p/deep"),
            ("..", "p/whole"),
            ("../../../elsewhere", "p/docs/Cargo.toml"),
            ("nowhere", "p/src/Cargo.toml"),
        ] {
            symlink(target, scratch.path().join(link)).unwrap();
        }
        let asked = expected(&scratch, "p/", "[package]\n");
        let path = format!("deep/{}other", "next/".repeat(DEEPEST + 1));
        assert!(matches!(asked.answer(&path), Answer::Unknown(_)));
        assert_eq!(asked.answer("deep/next/file"), Answer::Packaged);
        assert!(matches!(asked.answer("whole/q/other"), Answer::Unknown(_)));
        // Git tells that something is a manifest, wherever it leads.
        assert!(matches!(asked.answer("docs/a.md"), Answer::LeftOut(_)));
        assert!(matches!(asked.answer("src/lib.rs"), Answer::LeftOut(_)));
        assert!(asked.files().all(|path| !path.starts_with("whole/")));
        scratch.write("q/more", "x");
        // A walk asks the disk, and that of whoever packaged is not at hand.
        let asked = expected(
            &scratch,
            "p/",
            "[package]\ninclude = ['docs', 'src', 'deep/next/other']\n",
        );
        assert!(matches!(asked.answer("docs/a.md"), Answer::Unknown(_)));
        assert_eq!(asked.answer("src/lib.rs"), Answer::Packaged);
        assert!(matches!(asked.answer(&path), Answer::LeftOutByPattern(_)));
    }
}
