//! Trees that are recorded in either manner.

use std::fs;
use std::os::unix::fs::symlink;

use sha2::{Digest, Sha256};

use super::*;

struct Tree {
    _guard: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Tree {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(guard.path().to_owned()).unwrap();
        for (path, text) in [("a", "a"), ("d/b", "b"), ("d/e/c", "c"), ("d/x.pyc", "x")] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self { _guard: guard, root }
    }

    fn record(&self, manner: Manner, how: &How, uris: &[&str]) -> Result<Named, CliError> {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        Selection {
            excludes: &Excludes::new(how.excludes).unwrap(),
            base: &self.root,
            prefixes: &Prefixes::new(owned(how.prefixes)).unwrap(),
            line_ends: LineEnds::Kept,
            directory_links: how.links,
            manner,
            skipped: &[],
            name: &|path| Ok(path.to_owned()),
        }
        .record(&owned(uris), &Progress::hidden())
    }
}

struct How<'h> {
    excludes: &'h [&'h str],
    prefixes: &'h [&'h str],
    links: DirectoryLinks,
}

const PLAIN: How<'_> = How {
    excludes: &[],
    prefixes: &[],
    links: DirectoryLinks::Followed,
};

fn names(named: &Named) -> Vec<&str> {
    named.artifacts.keys().map(String::as_str).collect()
}

#[test]
fn files_are_named_by_their_normal_paths() {
    let tree = Tree::new();
    for manner in [Manner::Strict, Manner::Python] {
        for (uris, expected) in [
            (&["."][..], &["a", "d/b", "d/e/c", "d/x.pyc"][..]),
            (&["./d/../a", "d/"], &["a", "d/b", "d/e/c", "d/x.pyc"]),
            (&["file:./a", "a"], &["a", "file:a"]),
            (&["a", "./a"], &["a"]),
        ] {
            assert_eq!(names(&tree.record(manner, &PLAIN, uris).unwrap()), expected, "{uris:?}");
        }
    }
}

#[test]
fn excludes_prune_directories_and_what_is_named() {
    let tree = Tree::new();
    for (excludes, expected) in [
        (&["*.pyc"][..], &["a", "d/b", "d/e/c"][..]),
        (&["d"], &["a"]),
        (&["e/"], &["a", "d/b", "d/x.pyc"]),
        (&["d/e", "!d/e/c"], &["a", "d/b", "d/x.pyc"]),
        (&["*"], &[]),
    ] {
        let how = How { excludes, ..PLAIN };
        let named = tree.record(Manner::Python, &how, &["a", "d"]).unwrap();
        assert_eq!(names(&named), expected, "{excludes:?}");
    }
}

#[test]
fn prefixes_are_cut_and_names_stay_one_files() {
    let tree = Tree::new();
    let how = How {
        prefixes: &["d/"],
        ..PLAIN
    };
    let named = tree
        .record(Manner::Strict, &how, &["d/b", "file:d/e", "dir:d/e"])
        .unwrap();
    assert_eq!(names(&named), ["b", "dir:e", "file:e/c"]);
    fs::write(tree.root.join("b"), "other").unwrap();
    for manner in [Manner::Strict, Manner::Python] {
        let error = tree.record(manner, &how, &["b", "d/b"]).unwrap_err();
        assert!(error.to_string().contains("would both be called"), "{error}");
    }
    tree.record(Manner::Strict, &how, &["d/b", "d/b"])
        .expect("the same file");
    tree.record(Manner::Python, &how, &["d/b", "d/b"])
        .expect_err("as in Python");
}

#[test]
fn a_directory_is_one_artifact() {
    let tree = Tree::new();
    let how = How {
        excludes: &["*.pyc"],
        ..PLAIN
    };
    let named = tree.record(Manner::Strict, &how, &["dir:d"]).unwrap();
    let digest = |text: &str| crate::collect::hash::hex(&Sha256::digest(text));
    let list = format!("{}  b\n{}  e/c\n", digest("b"), digest("c"));
    assert_eq!(named.artifacts["dir:d"], <[u8; 32]>::from(Sha256::digest(list)));
    tree.record(Manner::Strict, &PLAIN, &["dir:a"]).expect_err("a file");
}

#[test]
fn links_and_what_is_missing_are_a_matter_of_manner() {
    let tree = Tree::new();
    symlink("../a", tree.root.join("d/to-file")).unwrap();
    symlink("e", tree.root.join("d/to-directory")).unwrap();
    let followed = ["d/b", "d/e/c", "d/to-directory/c", "d/to-file", "d/x.pyc"];
    for manner in [Manner::Strict, Manner::Python] {
        assert_eq!(names(&tree.record(manner, &PLAIN, &["d"]).unwrap()), followed);
    }
    let how = |links| How { links, ..PLAIN };
    let named = tree
        .record(Manner::Python, &how(DirectoryLinks::Skipped), &["d"])
        .unwrap();
    assert_eq!(names(&named), ["d/b", "d/e/c", "d/to-file", "d/x.pyc"]);
    tree.record(Manner::Strict, &how(DirectoryLinks::Refused), &["d"])
        .expect_err("a link to a directory");

    symlink("nowhere", tree.root.join("d/e/broken")).unwrap();
    let named = tree.record(Manner::Python, &PLAIN, &["missing", "d/e"]).unwrap();
    assert_eq!(names(&named), ["d/e/c"]);
    assert_eq!((named.odd.skipped.len(), named.odd.doubtful.len()), (2, 0));
    for uri in ["missing", "d/e"] {
        tree.record(Manner::Strict, &PLAIN, &[uri]).expect_err(uri);
    }
}

/// What Python leaves out or renames without a word, although it is there.
#[test]
fn what_is_there_and_not_told_is_doubtful() {
    let tree = Tree::new();
    fs::write(tree.root.join("d/x\\y"), "").unwrap();
    let named = tree.record(Manner::Python, &PLAIN, &["d"]).unwrap();
    assert!(named.artifacts.contains_key("d/x/y"));
    assert_eq!(
        named.odd.doubtful,
        ["d/x\\y has a backslash in its name, and is called d/x/y"]
    );
    let reason = |kind: std::io::ErrorKind| std::io::Error::from(kind);
    symlink("nowhere", tree.root.join("link")).unwrap();
    for (name, kind, expected) in [
        ("link", std::io::ErrorKind::NotFound, true),
        ("link", std::io::ErrorKind::PermissionDenied, false),
        ("a", std::io::ErrorKind::NotFound, false),
    ] {
        assert_eq!(
            leads_nowhere(&tree.root.join(name), &reason(kind)),
            expected,
            "{name} {kind}"
        );
    }
}

/// Python goes round a cycle until the system says that there are too many links.
#[test]
fn cycles_end() {
    let tree = Tree::new();
    symlink("..", tree.root.join("d/up")).unwrap();
    let named = tree.record(Manner::Python, &PLAIN, &["d/up"]).unwrap();
    assert!(named.artifacts.len() > 40, "{}", named.artifacts.len());
    assert!(named.odd.doubtful.is_empty(), "each file has another name, too");
    let error = tree.record(Manner::Strict, &PLAIN, &["d"]).unwrap_err();
    assert!(error.to_string().contains("above it"), "{error}");
}

#[test]
fn names_that_are_not_utf8_are_refused_unless_left_out() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let tree = Tree::new();
    fs::write(tree.root.as_std_path().join(OsStr::from_bytes(b"d/\xff.o")), "x").unwrap();
    for manner in [Manner::Strict, Manner::Python] {
        tree.record(manner, &PLAIN, &["d"]).expect_err("not UTF-8");
        tree.record(
            manner,
            &How {
                excludes: &["*.o"],
                ..PLAIN
            },
            &["d"],
        )
        .expect("left out");
    }
}
