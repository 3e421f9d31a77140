//! Steps whose files the user names: choices of files, steps done by hand, comparisons, and the tools' own names.

use std::fs;

use camino::Utf8PathBuf;
use cargo_intoto_tests::recorded::{names, payload};
use cargo_intoto_tests::{Project, Sandbox, sandbox::twin};
use intoto_core::envelope::Container;
use serde_json::{Value, json};

/// A package whose run has begun, and a key.
fn project(sandbox: &Sandbox) -> Project<'_> {
    let project = sandbox.project("hello");
    project.hello().commit("hello");
    for name in ["owner", "other"] {
        sandbox
            .intoto("", &["key", "generate", name, "--no-passphrase"])
            .succeeds();
    }
    project.intoto(&["fetch", "--locked", "--key", "owner"]).succeeds();
    project
}

/// The files of the latest run with that beginning.
fn files(project: &Project<'_>, start: &str) -> Vec<Utf8PathBuf> {
    let mut files: Vec<_> = project
        .path("target/intoto/latest")
        .read_dir_utf8()
        .expect("a run")
        .flatten()
        .map(|entry| entry.path().to_owned())
        .filter(|path| path.file_name().is_some_and(|name| name.starts_with(start)))
        .collect();
    files.sort();
    files
}

/// What the only file with that beginning says, and its form.
fn link(project: &Project<'_>, start: &str) -> (Value, Container) {
    let files = files(project, start);
    assert_eq!(files.len(), 1, "{start}: {files:?}");
    payload(&files[0])
}

#[test]
fn files_are_chosen_by_patterns_prefixes_and_schemes() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    for (path, text) in [
        ("target/x/a.txt", "a\r\n"),
        ("target/x/b.tmp", "b"),
        ("target/x/d/c.txt", "c"),
        ("target/x/.git/config", "x"),
    ] {
        project.file(path, text);
    }
    let run = |choice: &[&str]| {
        let words = [&["run", "--step", "x", "--key", "owner"], choice, &["--", "true"]].concat();
        project.intoto(&words)
    };
    run(&["-p", "target/x", "--exclude", "*.tmp"]).succeeds();
    let (first, _) = link(&project, "x.");
    assert_eq!(names(&first["products"]), ["target/x/a.txt", "target/x/d/c.txt"]);
    assert_eq!(first["environment"]["excludes"], json!([".git", "*.tmp"]));

    let place = project.path("target/x/b.tmp");
    run(&["-p", "target/x", "--exclude", place.as_str(), "/b.tmp"]).succeeds();
    let (redacted, _) = link(&project, "x.");
    let expected = json!([".git", "{workspace}/target/x/b.tmp", "/b.tmp"]);
    assert_eq!(redacted["environment"]["excludes"], expected);

    let choice = ["-p", ".", "dir:d", "--base-path", "target/x", "--lstrip-paths", "d/"];
    run(&[&choice[..], &["--normalize-line-endings"]].concat()).succeeds();
    let (second, _) = link(&project, "x.");
    assert_eq!(names(&second["products"]), ["a.txt", "b.tmp", "c.txt", "dir:d"]);
    assert_eq!(second["environment"]["line-endings"], "normalized");
    let digest = |link: &Value, name: &str| link["products"][name]["sha256"].clone();
    assert_ne!(digest(&first, "target/x/a.txt"), digest(&second, "a.txt"));
    assert_eq!(digest(&first, "target/x/d/c.txt"), digest(&second, "c.txt"));

    std::os::unix::fs::symlink("d", project.path("target/x/link")).expect("linked");
    for (choice, message) in [
        (&["-p", "target/x"][..], "link to a directory"),
        (
            &[
                "-p",
                "target/x",
                "--follow-links",
                "--lstrip-paths",
                "target/x/",
                "target/x/d",
            ],
            "begins with the other",
        ),
        (
            &[
                "-p",
                "target/x",
                "--exclude",
                "link",
                "--lstrip-paths",
                "target/x/d/c",
                "target/x/a",
            ],
            "would both be called",
        ),
        (&["-p", "target/x", "--exclude", "target"], "a pattern excludes it"),
        (&["-p", "target/x", "--exclude", "[b-a]"], "exclude pattern"),
        (&["-p", "../hello-2", "--base-path", "target"], "made no file"),
        (&["-m", "missing"], "to be a material"),
    ] {
        let output = run(choice);
        assert_ne!(output.code, Some(0), "{}", output.shown());
        output.says(message);
    }
    run(&["-p", "target/x", "--follow-links"]).succeeds();
    let (followed, _) = link(&project, "x.");
    assert!(
        names(&followed["products"]).contains(&"target/x/link/c.txt"),
        "{followed}"
    );
    project.file("target/x/up/x", "x");
    std::os::unix::fs::symlink("..", project.path("target/x/up/up")).expect("linked");
    run(&["-p", "target/x", "--follow-links"]).exits(3).says("above it");
}

/// Names that the user makes up say nothing about the files of the tree that are called the same.
#[test]
fn a_product_does_not_hide_a_changed_file_of_its_name() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let script = "mkdir -p target/out/src; echo fine > target/out/src/main.rs; echo evil > src/main.rs";
    for choice in [
        &["-p", ".", "--base-path", "target/out"][..],
        &["-p", "target/out", "--lstrip-paths", "target/out/"],
    ] {
        let words = [
            &["run", "--step", "x", "--key", "owner"],
            choice,
            &["--", "sh", "-c", script],
        ]
        .concat();
        let before = fs::read(project.path("src/main.rs")).expect("readable");
        project.intoto(&words).exits(1).says("[source-changed-during-step]");
        fs::write(project.path("src/main.rs"), before).expect("written");
    }
    let words = ["run", "--step", "x", "--key", "owner", "-p", "src/main.rs"];
    project
        .intoto(&[&words[..], &["--", "sh", "-c", "echo made > src/main.rs"]].concat())
        .succeeds()
        .says("made src/main.rs in the tree");
}

#[test]
fn a_link_to_the_runs_is_not_passed_over() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    project.file("target/x/a", "a");
    std::os::unix::fs::symlink("../intoto", project.path("target/x/link")).expect("linked");
    project
        .intoto(&["run", "--step", "x", "--key", "owner", "-p", "target/x", "--", "true"])
        .exits(3)
        .says("link to a directory");
}

#[test]
fn a_step_by_hand_is_begun_and_finished() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let record = |half: &str, words: &[&str]| {
        let line = [&["record", half, "--step", "edit"], words].concat();
        project.intoto(&line)
    };
    record("start", &["--unsigned", "-m", "src"]).exits(2);
    record("stop", &["--key", "owner", "-p", "src"])
        .exits(3)
        .says("nobody began");
    record(
        "start",
        &[
            "--key",
            "owner",
            "--container",
            "metablock",
            "-m",
            "src",
            "--exclude",
            "*.bak",
        ],
    )
    .succeeds();
    let (begun, form) = link(&project, ".edit.");
    assert_eq!(form, Container::Metablock);
    assert_eq!(names(&begun["materials"]), ["src/main.rs"]);
    assert!(files(&project, "edit.").is_empty());

    // The work changes the tree, and with it the run that other steps would join.
    project.file("src/main.rs", "fn main() {}\n").file("src/more.rs", "\n");
    record("stop", &["--key", "other", "-p", "src"])
        .exits(3)
        .says("nobody began");
    record("stop", &["--key", "owner", "-p", "missing"])
        .exits(1)
        .says("[product-missing]");
    assert_eq!(files(&project, ".edit.").len(), 1);
    project.file("src/more.tmp", "\n");
    let stop = ["--key", "owner", "-p", "src", "--exclude", "*.tmp"];
    record("stop", &[&stop[..], &["--normalize-line-endings"]].concat()).succeeds();
    assert!(files(&project, ".edit.").is_empty());
    let (finished, form) = link(&project, "edit.");
    assert_eq!(form, Container::Metablock);
    assert_eq!(finished["materials"], begun["materials"]);
    // What is left out of the products is said as well as what is left out of the materials.
    let mut environment = begun["environment"].clone();
    assert_eq!(environment["excludes"], json!([".git", "*.bak"]));
    environment["excludes-of-products"] = json!([".git", "*.tmp"]);
    environment["line-endings-of-products"] = json!("normalized");
    assert_eq!(finished["environment"], environment);
    assert_eq!(names(&finished["products"]), ["src/main.rs", "src/more.rs"]);
    assert_eq!(
        (&finished["command"], &finished["byproducts"]),
        (&json!([]), &json!({}))
    );
}

#[test]
fn a_begun_link_that_somebody_changed_is_not_finished() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let stop = |step: &str| project.intoto(&["record", "stop", "--step", step, "--key", "owner"]);
    let start = [
        "record",
        "start",
        "--key",
        "owner",
        "--container",
        "metablock",
        "-m",
        "src",
    ];
    project.intoto(&[&start[..], &["--step", "a"]].concat()).succeeds();
    let path = files(&project, ".a.").remove(0);
    let text = fs::read_to_string(&path).expect("readable");
    fs::write(&path, text.replace("src/main.rs", "src/evil.rs")).expect("written");
    stop("a").exits(1).says("[begun-link-differs]");
    // A genuine link of another step, under this step's name.
    fs::write(path.as_str().replace("/.a.", "/.b."), text).expect("written");
    stop("b").exits(1).says("[begun-link-differs]").says("step `a`");
    assert!(files(&project, "a.").is_empty() && files(&project, "b.").is_empty());
}

#[test]
fn products_are_matched_before_they_are_used() {
    let sandbox = Sandbox::new();
    sandbox.write("w/in/a", "a");
    let link = "made.link";
    sandbox
        .intoto(
            "w",
            &["mock", "--name", "made", "--", "sh", "-c", "echo b > in/b; exit 3"],
        )
        .succeeds()
        .says("ended with 3");
    let matches = |words: &[&str]| sandbox.intoto("w", &[&["match-products", "--link", link], words].concat());
    matches(&["in"]).succeeds().says("2 files");
    matches(&["in/a"]).exits(1).prints("Only in products: in/b");
    sandbox.write("w/in/a", "changed");
    sandbox.write("w/in/c", "c");
    matches(&["in"])
        .exits(1)
        .prints("Hashes differ: in/a")
        .prints("Not in products: in/c");
    matches(&["in", "--exclude", "c", "a", "--exclude", "b"]).exits(1);
    matches(&["missing"]).exits(2);
}

#[test]
fn under_the_name_of_a_tool_the_program_is_the_tool() {
    let sandbox = Sandbox::new();
    sandbox.write("w/a", "a");
    sandbox
        .intoto("", &["key", "generate", "owner", "--no-passphrase"])
        .succeeds();
    let key = sandbox.config().join("keys/owner.key");
    let bin = sandbox.path("bin");
    fs::create_dir(&bin).expect("created");
    let install = || sandbox.intoto("", &["drop-in", "install", "bin"]);
    install().succeeds().says("in-toto-run");
    install().succeeds().says("every link");
    assert_eq!(
        fs::read_link(bin.join("in-toto-run")).expect("a link"),
        twin().as_std_path()
    );
    fs::remove_file(bin.join("in-toto-mock")).expect("removed");
    sandbox.write("bin/in-toto-mock", "somebody's");
    install().exits(2).says("is not this program's");

    let tool = |name: &str, words: &[&str]| sandbox.run("w", bin.join(name).as_str(), words);
    let signed = ["-n", "s", "--signing-key", key.as_str()];
    let run = |words: &[&str]| tool("in-toto-run", &[&signed, words].concat());
    run(&["-m", "a", "missing", "-p", "a", "--", "sh", "-c", "exit 7"]).exits(7);
    run(&["-x", "--gpg"]).exits(2);
    tool("in-toto-run", &["-n", "a/b", "--signing-key", key.as_str(), "-x"]).exits(1);
    run(&["-x", "-m", "../w/a"])
        .succeeds()
        .says("cargo-intoto refuses them");
    tool("in-toto-run", &["--version"])
        .succeeds()
        .prints("in-toto-run 3.1.0 (cargo-intoto ");
    // A link that this key signed for another step is not finished as this one's.
    let record = |half: &str, step: &str| tool("in-toto-record", &[half, "-n", step, "--signing-key", key.as_str()]);
    record("start", "one").succeeds();
    let begun = fs::read_dir(sandbox.path("w"))
        .expect("listed")
        .flatten()
        .find_map(|entry| {
            entry
                .file_name()
                .into_string()
                .ok()
                .filter(|name| name.starts_with(".one."))
        })
        .expect("begun");
    fs::rename(
        sandbox.path("w").join(&begun),
        sandbox.path("w").join(begun.replace("one", "two")),
    )
    .expect("renamed");
    record("stop", "two").exits(1).says("another step");

    // A symbolic link stays one, and what it leads to is signed.
    #[cfg(unix)]
    {
        tool("in-toto-run", &["-n", "clean", "--signing-key", key.as_str(), "-x"]).succeeds();
        let link = fs::read_dir(sandbox.path("w"))
            .expect("listed")
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.to_string_lossy().contains("/clean."))
            .expect("a link");
        let (linked, target) = (sandbox.path("w/linked"), sandbox.path("target.link"));
        fs::rename(link, &target).expect("renamed");
        std::os::unix::fs::symlink(&target, &linked).expect("linked");
        let before = fs::read(&target).expect("a file");
        let sign = |to: &str| tool("in-toto-sign", &["-f", "linked", "-k", key.as_str(), "-o", to]);
        fs::write(
            &target,
            String::from_utf8(before).expect("text").replace("\"sig\"", "\"sig\" "),
        )
        .expect("written");
        sign("linked").succeeds();
        assert!(linked.is_symlink());
        assert!(
            !fs::read_to_string(&target).expect("a file").contains("\"sig\" "),
            "it was not written"
        );
    }
}
