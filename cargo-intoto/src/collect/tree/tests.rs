use super::*;
use crate::testing::{Scratch, git};

fn repository() -> Scratch {
    let scratch = Scratch::new();
    scratch.write("Cargo.toml", "[package]\n");
    scratch.write("Cargo.lock", "version = 4\n");
    scratch.write("src/lib.rs", "//! Fine.\n");
    scratch.write(".gitignore", "/target\n*.log\n");
    scratch.commit_all();
    scratch
}

fn read_tree(scratch: &Scratch) -> Tree {
    Tree::read_directory(scratch.path(), &[scratch.path().join("target")], &Progress::hidden()).unwrap()
}

fn changes(scratch: &Scratch) -> Vec<(String, ChangeKind)> {
    let tree = read_tree(scratch);
    assert_eq!(tree.is_dirty(), !tree.changes().is_empty());
    tree.changes()
        .iter()
        .map(|change| (change.path.clone(), change.kind))
        .collect()
}

#[test]
fn a_fresh_commit_is_clean() {
    let scratch = repository();
    scratch.write("target/x", "no source");
    scratch.write("x.log", "ignored");
    let tree = read_tree(&scratch);
    assert_eq!(tree.changes(), []);
    assert_eq!(tree.commit(), Some(scratch.git(&["rev-parse", "HEAD"]).trim()));
    assert!(
        tree.files()
            .keys()
            .eq([".gitignore", "Cargo.lock", "Cargo.toml", "src/lib.rs"])
    );
}

#[test]
fn every_difference_is_found() {
    let scratch = repository();
    scratch.write("src/lib.rs", "//! Evil.\n");
    scratch.write("src/new.rs", "");
    std::fs::remove_file(scratch.path().join("Cargo.toml")).unwrap();
    assert_eq!(
        changes(&scratch),
        [
            ("Cargo.toml".to_owned(), ChangeKind::Missing),
            ("src/lib.rs".to_owned(), ChangeKind::Modified),
            ("src/new.rs".to_owned(), ChangeKind::Added),
        ]
    );
}

#[test]
fn index_flags_filters_and_replacements_hide_nothing() {
    type Hide = fn(&Scratch);
    let hides: [(&str, Hide); 5] = [
        ("assume-unchanged", |scratch| {
            scratch.git(&["update-index", "--assume-unchanged", "src/lib.rs"]);
        }),
        ("skip-worktree", |scratch| {
            scratch.git(&["update-index", "--skip-worktree", "src/lib.rs"]);
        }),
        ("filter", |scratch| {
            scratch.git(&["config", "filter.honest.clean", "git show HEAD:src/lib.rs"]);
            scratch.write(".git/info/attributes", "src/lib.rs filter=honest\n");
        }),
        ("staged", |scratch| {
            scratch.write("src/lib.rs", "//! Evil.\n");
            scratch.git(&["add", "src/lib.rs"]);
        }),
        ("replacement", |scratch| {
            scratch.write("src/lib.rs", "//! Evil.\n");
            let evil = scratch.git(&["hash-object", "-w", "src/lib.rs"]);
            let honest = scratch.git(&["rev-parse", "HEAD:src/lib.rs"]);
            scratch.git(&["replace", honest.trim(), evil.trim()]);
        }),
    ];
    for (name, hide) in hides {
        let scratch = repository();
        hide(&scratch);
        scratch.write("src/lib.rs", "//! Evil.\n");
        assert_eq!(
            changes(&scratch),
            [("src/lib.rs".to_owned(), ChangeKind::Modified)],
            "{name}"
        );
    }
}

#[test]
fn a_changed_object_database_is_an_error() {
    let scratch = repository();
    let honest = scratch.git(&["rev-parse", "HEAD^{tree}"]);
    scratch.write("src/lib.rs", "//! Evil.\n");
    scratch.git(&["add", "src/lib.rs"]);
    let evil = scratch.git(&["write-tree"]);
    let object = |id: &str| scratch.path().join(".git/objects").join(&id[..2]).join(id[2..].trim());
    std::fs::remove_file(object(&honest)).unwrap();
    std::fs::copy(object(&evil), object(&honest)).unwrap();
    let error = Tree::read_directory(scratch.path(), &[], &Progress::hidden()).unwrap_err();
    assert!(error.to_string().contains("git"), "{error}");
}

#[test]
fn no_program_that_a_repository_names_is_run() {
    let scratch = repository();
    let marker = scratch.path().join("target/marker");
    std::fs::create_dir_all(scratch.path().join("target")).unwrap();
    let command = format!("touch {marker}; false");
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "diff.external",
        "core.pager",
        "alias.ls-files",
        "filter.x.clean",
    ] {
        scratch.git(&["config", key, &command]);
    }
    scratch.git(&["config", "filter.x.required", "true"]);
    scratch.write(".git/info/attributes", "* filter=x\n");
    scratch.write(".git/hooks/post-index-change", format!("#!/bin/sh\n{command}\n"));
    read_tree(&scratch);
    assert!(!marker.exists());
}

#[test]
fn a_mode_is_part_of_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = repository();
    let digest = read_tree(&scratch).digest();
    std::fs::set_permissions(
        scratch.path().join("src/lib.rs"),
        std::fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    assert_eq!(changes(&scratch), [("src/lib.rs".to_owned(), ChangeKind::Modified)]);
    assert_ne!(read_tree(&scratch).digest(), digest);
}

#[test]
fn links_yield_what_a_reader_gets_and_never_leave_the_workspace() {
    let scratch = repository();
    let elsewhere = Scratch::new();
    elsewhere.write("secret", "secret");
    let link = |target: &str, path: &str| std::os::unix::fs::symlink(target, scratch.path().join(path)).unwrap();
    link("src/lib.rs", "inside");
    link("src", "folder");
    link("nowhere", "dangling");
    link(elsewhere.path().join("secret").as_str(), "outside-file");
    link(elsewhere.path().as_str(), "outside-folder");
    scratch.git(&["add", "--all"]);
    scratch.git(&["commit", "--quiet", "--message", "links"]);
    let tree = read_tree(&scratch);
    assert_eq!(tree.changes(), []);
    let materials = tree.materials().unwrap();
    assert_eq!(materials["inside"], materials["src/lib.rs"]);
    assert!(!materials.contains_key("folder"));
    for path in ["dangling", "outside-file", "outside-folder"] {
        assert_eq!(materials[path], tree.files()[path].sha256, "{path}");
    }
    assert_ne!(materials["outside-file"], <[u8; 32]>::from(Sha256::digest("secret")));
}

#[test]
fn a_folder_replaced_by_a_link_is_missing() {
    let scratch = repository();
    std::fs::rename(scratch.path().join("src"), scratch.path().join("target")).unwrap();
    std::os::unix::fs::symlink("target", scratch.path().join("src")).unwrap();
    assert_eq!(
        changes(&scratch),
        [
            ("src".to_owned(), ChangeKind::Added),
            ("src/lib.rs".to_owned(), ChangeKind::Missing)
        ]
    );
}

#[test]
fn a_tree_without_git_is_what_is_not_ignored() {
    let scratch = Scratch::new();
    scratch.write("Cargo.toml", "");
    scratch.write("Cargo.lock", "");
    scratch.write(".gitignore", "Cargo.lock\n*.log\n");
    scratch.write("a.log", "");
    scratch.write("target/x", "");
    let tree = read_tree(&scratch);
    assert!(tree.files().keys().eq([".gitignore", "Cargo.lock", "Cargo.toml"]));
    assert_eq!(
        (tree.commit(), tree.changes(), tree.is_dirty()),
        (None, [].as_slice(), true)
    );
}

#[test]
fn a_workspace_below_the_repository_sees_its_own_part() {
    let scratch = Scratch::new();
    scratch.write("other/x", "");
    scratch.write("ws/Cargo.toml", "");
    scratch.write("ws/Cargo.lock", "");
    scratch.write(".gitignore", "ignored/\n");
    scratch.commit_all();
    scratch.write("ws/ignored/x", "");
    scratch.write("other/dirty", "");
    let tree = Tree::read_directory(&scratch.path().join("ws"), &[], &Progress::hidden()).unwrap();
    assert!(tree.files().keys().eq(["Cargo.lock", "Cargo.toml"]));
    assert!(!tree.is_dirty());
    // An ignored corner has no history.
    scratch.write("ignored/ws/Cargo.toml", "");
    scratch.write("ignored/ws/src/lib.rs", "");
    let tree = Tree::read_directory(&scratch.path().join("ignored/ws"), &[], &Progress::hidden()).unwrap();
    assert!(tree.files().keys().eq(["Cargo.toml", "src/lib.rs"]));
    assert_eq!(tree.commit(), None);
}

#[test]
fn before_the_first_commit_everything_is_new() {
    let scratch = Scratch::new();
    scratch.write("Cargo.toml", "");
    scratch.git(&["init", "--quiet"]);
    let tree = read_tree(&scratch);
    assert_eq!(tree.commit(), None);
    assert!(tree.is_dirty());
}

#[test]
fn submodules_are_judged_by_the_commit_that_names_them() {
    let inner = Scratch::new();
    inner.write("inner.rs", "//! Fine.\n");
    inner.commit_all();
    let outer = repository();
    outer.git(&["submodule", "--quiet", "add", inner.path().as_str(), "sub"]);
    outer.git(&["commit", "--quiet", "--message", "submodule"]);
    assert_eq!(changes(&outer), []);
    assert!(read_tree(&outer).files().contains_key("sub/inner.rs"));
    outer.write("sub/inner.rs", "//! Evil.\n");
    let modified = [("sub/inner.rs".to_owned(), ChangeKind::Modified)];
    assert_eq!(changes(&outer), modified);
    // A commit in the submodule does not make it what the outer commit names.
    git(
        &outer.path().join("sub"),
        &["commit", "--quiet", "--all", "--message", "evil"],
    );
    assert_eq!(changes(&outer), modified);
}

#[test]
fn sha256_repositories_are_read() {
    let scratch = repository();
    std::fs::remove_dir_all(scratch.path().join(".git")).unwrap();
    scratch.git(&["init", "--quiet", "--object-format=sha256"]);
    scratch.git(&["add", "--all"]);
    scratch.git(&["commit", "--quiet", "--message", "all"]);
    assert_eq!(changes(&scratch), []);
    scratch.write("src/lib.rs", "//! Evil.\n");
    assert_eq!(changes(&scratch), [("src/lib.rs".to_owned(), ChangeKind::Modified)]);
}
