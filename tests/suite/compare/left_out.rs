//! What cargo would have packaged of a commit, and what not: equal bytes are not enough.

use std::fs;
use std::os::unix::fs::symlink;

use cargo_intoto_tests::Sandbox;
use cargo_intoto_tests::archive::{self, Entry};
use cargo_intoto_tests::registry::Registry;

use super::{STEM, changed, compare, entry, package, workspace};

/// The bytes of the commit do not make a file part of the package: reviewers trust that what the manifest leaves out is not shipped.
#[test]
fn files_of_the_commit_that_cargo_leaves_out_are_differences() {
    let sandbox = Sandbox::new();
    let crate_file = package(&workspace(&sandbox), &[]);
    let inner = "[package]\nname = \"inner\"\nversion = \"0.1.0\"\n[workspace]\n";
    for (path, content, why) in [
        (
            "notes/private.txt",
            "not for publication\n",
            "`package.exclude` leaves it out",
        ),
        (
            "tests/inner/Cargo.toml",
            inner,
            "it belongs to another package, which has a Cargo.toml of its own",
        ),
    ] {
        let add = |entries: &mut Vec<Entry>| entries.push(Entry::file(&format!("{STEM}/{path}"), content));
        let file = changed(&sandbox, &crate_file, add);
        compare(&sandbox, &file, &["--repo", "repo"])
            .exits(1)
            .prints(&format!("added       {path}"))
            .prints(&format!(
                "error[crate-file-left-out]: {path} has the bytes of rust/leaf/{path} in the commit, but cargo would not have \
                 packaged it: {why}"
            ))
            .prints("cargo package --list")
            .never_says("the same in the commit");
        // Versions of cargo that wrote no directory may have read patterns in another way; other packages were left out by each.
        let file = changed(&sandbox, &crate_file, |entries| {
            add(entries);
            let info = &mut entry(entries, ".cargo_vcs_info.json").bytes;
            let text = String::from_utf8(info.clone()).expect("text");
            *info = text
                .replace("  \"path_in_vcs\": \"rust/leaf\"\n", "")
                .replace("},", "}")
                .into_bytes();
        });
        let (code, said) = match path.starts_with("notes") {
            true => (3, "undecided[crate-file-left-out]: notes/private.txt has the bytes of"),
            false => (1, "error[crate-file-left-out]"),
        };
        compare(&sandbox, &file, &["--repo", "repo"]).exits(code).prints(said);
    }
    // The author's manifest comes with the note that names the commit, from every version of cargo; older ones wrote neither.
    let drop = |also: &'static str| {
        changed(&sandbox, &crate_file, move |entries| {
            let manifest = entry(entries, "Cargo.toml.orig").bytes.clone();
            entry(entries, "Cargo.toml").bytes = manifest;
            entries.retain(|entry| !entry.name.ends_with("Cargo.toml.orig") && !entry.name.ends_with(also));
        })
    };
    compare(&sandbox, &drop("/none"), &["--repo", "repo"])
        .exits(1)
        .prints("crate-file-missing]: Cargo.toml.orig is not in the .crate");
    compare(
        &sandbox,
        &drop("/.cargo_vcs_info.json"),
        &["--repo", "repo", "--commit", "main", "--path", "rust/leaf"],
    )
    .never_says("crate-file-missing");
}

/// Packages of which cargo takes files that the manifest leaves out: those that it names.
#[test]
fn what_cargo_takes_past_the_patterns_is_equal() {
    for (lines, own, taken) in [
        ("exclude = [\"build.rs\"]", &["build.rs", "x"][..], "x"),
        ("exclude = [\"*\", \"!src/**\"]", &["README.txt"][..], "README.txt"),
        ("exclude = [\"README*\"]", &["README.md", "README"], "README.md"),
        ("include = [\"src\"]\nreadme = true", &["README.md"], "README.md"),
        (
            "include = [\"src\"]\nreadme = \"docs/me.md\"",
            &["docs/me.md", "README.md"],
            "docs/me.md",
        ),
        (
            "exclude = [\"in\"]\nlicense-file = \"in/x/../L\"",
            &["in/Cargo.toml", "in/x/y", "in/L"],
            "in/L",
        ),
        (
            "exclude = [\"README.md\"]\nreadme = \"../README.md\"",
            &["README.md"],
            "README.md",
        ),
        ("exclude = [\"L\"]\nlicense-file = \"../docs/L\"", &["L"], "L"),
        ("exclude = [\"a\", \"!a/keep\"]", &["a/keep", "a/x"], "a/keep"),
        (
            "exclude = [\"Cargo.lock\", \"Cargo.toml\"]",
            &["target/tracked"],
            "target/tracked",
        ),
    ] {
        let sandbox = Sandbox::new();
        let project = sandbox.project("repo");
        let manifest = "[package]\nname = \"zz-leaf\"\nversion = \"0.1.0\"\nedition = \"2024\"\ndescription = \"d\"\nlicense = \"MIT\"\n";
        project
            .file("leaf/Cargo.toml", format!("{manifest}{lines}\n"))
            .file("leaf/src/lib.rs", "")
            .file("README.md", "outer\n")
            .file("docs/L", "outer\n");
        for path in own {
            project.file(
                &format!("leaf/{path}"),
                if path.ends_with("Cargo.toml") { "" } else { path },
            );
        }
        sandbox.run("repo/leaf", "cargo", &["generate-lockfile"]).succeeds();
        project.commit("begin");
        let package = [
            "package",
            "--no-verify",
            "--offline",
            "--quiet",
            "--target-dir",
            "../../target",
        ];
        sandbox.run("repo/leaf", "cargo", &package).succeeds();
        let crate_file = sandbox.path(format!("target/package/{STEM}.crate"));
        let entries = archive::entries(&fs::read(&crate_file).expect("readable"));
        let name = format!("{STEM}/{taken}");
        assert!(entries.iter().any(|entry| entry.name == name), "{lines}: {name}");
        compare(&sandbox, crate_file.as_str(), &["--repo", "repo"]).succeeds();
        // What cargo did not take itself is a difference, whatever the commit has there.
        for path in own
            .iter()
            .filter(|path| !entries.iter().any(|entry| entry.name == format!("{STEM}/{path}")))
        {
            let file = changed(&sandbox, &crate_file, |entries| {
                let content = if path.ends_with("Cargo.toml") { "" } else { path };
                entries.push(Entry::file(&format!("{STEM}/{path}"), content));
            });
            compare(&sandbox, &file, &["--repo", "repo"])
                .exits(1)
                .prints(&format!("crate-file-left-out]: {path}"));
        }
        if lines.contains("\"../") {
            let file = changed(&sandbox, &crate_file, |entries| {
                entry(entries, taken).bytes = taken.as_bytes().to_vec();
            });
            compare(&sandbox, &file, &["--repo", "repo"])
                .exits(1)
                .prints(&format!("crate-file-changed]: {taken}"));
        }
    }
}

/// Git lists nothing behind a link, so that nothing would be missing either.
#[test]
fn a_directory_behind_a_link_is_the_one_that_it_leads_to() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    symlink("rust", project.path("linked")).expect("linked");
    project.commit("a link");
    let crate_file = package(&project, &[]);
    let linked = ["--repo", "repo", "--path", "linked/leaf"];
    compare(&sandbox, crate_file.as_str(), &linked).succeeds();
    let file = changed(&sandbox, &crate_file, |entries| {
        entries.retain(|entry| !entry.name.ends_with("two.rs"));
    });
    compare(&sandbox, &file, &linked)
        .exits(1)
        .prints("crate-file-missing]: src/two.rs");
}

/// Cargo packages the lock file of the workspace; a member's own is a leftover that may lock anything.
#[test]
fn a_members_own_lock_file_is_not_the_one_that_cargo_packages() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    registry.publish("dep", "1.0.0", "");
    let project = workspace(&sandbox);
    let crate_file = package(&project, &[]);
    let other = sandbox.project("other");
    other
        .manifest("[dependencies]\ndep = { version = \"1\", registry = \"here\" }\n")
        .file(".cargo/config.toml", registry.config("here"))
        .file("src/lib.rs", "")
        .lock();
    let lock = fs::read_to_string(other.path("Cargo.lock")).expect("a lock file");
    project.file("rust/leaf/Cargo.lock", lock.clone()).commit("a leftover");
    let file = changed(&sandbox, &crate_file, |entries| {
        entry(entries, "Cargo.lock").bytes = lock.clone().into_bytes();
    });
    compare(&sandbox, &file, &["--repo", "repo", "--commit", "main", "--exact-lock"])
        .exits(1)
        .prints("error[crate-lock-");
}
