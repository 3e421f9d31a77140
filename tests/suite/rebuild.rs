//! A recorded step, done again by somebody else from a fresh clone: the same, and a second link; or not the same, and why.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto_tests::archive::{self, Entry};
use cargo_intoto_tests::recorded::payload;
use cargo_intoto_tests::walk::walk;
use cargo_intoto_tests::{Output, Project, Sandbox, sha256_hex};
use serde_json::{Value, json};

/// A released project whose layout wants two builders for `step`, and a fresh clone of it. The first builder has recorded everything.
fn two_builders<'s>(sandbox: &'s Sandbox, step: &str) -> Project<'s> {
    let project = sandbox.project("hello");
    project.hello().commit("begin");
    project.intoto(&["init", "--no-passphrase"]).succeeds();
    project
        .intoto(&["key", "generate", "second", "--no-passphrase"])
        .succeeds();
    fs::copy(
        sandbox.config().join("keys/second.pub"),
        project.path("layouts/keys/second.pub"),
    )
    .expect("copied");
    let layout = project.read("layouts/release.toml");
    let (before, after) = layout
        .split_once(&format!("name = \"{step}\""))
        .expect("the layout has the step");
    let after = after.replacen("by = [\"owner\"]", "by = [\"owner\", \"second\"]\nthreshold = 2", 1);
    let layout = format!("{before}name = \"{step}\"{after}");
    project
        .file(
            "layouts/release.toml",
            layout.replace("[keys]\n", "[keys]\nsecond = { file = \"keys/second.pub\" }\n"),
        )
        .intoto(&["layout", "sign", "--key", "owner"])
        .succeeds();
    project.commit("layout");
    project
        .intoto(&["release", "--key", "owner"])
        .exits(3)
        .prints("expected links by 2 distinct keys, found 1 key");
    sandbox
        .run("", "git", &["clone", "--quiet", "hello", "clone"])
        .succeeds();
    project
}

/// The first builder's links, as they would be handed to the second one.
fn links(project: &Project<'_>) -> Utf8PathBuf {
    project.path("target/intoto/latest").canonicalize_utf8().expect("a run")
}

fn rebuild(project: &Project<'_>, more: &[&str]) -> Output {
    let links = links(project);
    let args = [&["rebuild", "--link-dir", links.as_str(), "--key", "second"], more].concat();
    project.sandbox().intoto("clone", &args)
}

fn count_links(directory: &Utf8Path, step: &str) -> usize {
    let entries = directory.read_dir_utf8().expect("links");
    let prefix = format!("{step}.");
    entries
        .filter(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name().starts_with(&prefix)))
        .count()
}

#[test]
fn two_builders_meet_a_threshold_of_two() {
    let sandbox = Sandbox::new();
    let project = two_builders(&sandbox, "package");
    rebuild(&project, &[]).succeeds().says("Reproduced package: 1 product");
    assert_eq!(count_links(&links(&project), "package"), 2);
    project
        .intoto(&["verify"])
        .succeeds()
        .prints("Verified hello-0.1.0.crate");
    // The clone itself was not touched.
    assert!(!sandbox.path("clone/target").exists());
    let status = sandbox.run("clone", "git", &["status", "--porcelain"]).succeeds();
    assert_eq!(status.stdout, "");
}

#[test]
fn a_program_is_rebuilt_from_another_directory() {
    let sandbox = Sandbox::new();
    let project = two_builders(&sandbox, "build");
    rebuild(&project, &["--step", "build"]).succeeds();
    project
        .intoto(&["verify"])
        .succeeds()
        .prints("Verified hello-0.1.0.crate");
}

#[test]
fn what_differs_is_told_and_not_signed() {
    let sandbox = Sandbox::new();
    let project = two_builders(&sandbox, "build");
    // The second builder's machine adds something.
    let links = links(&project);
    let words = [
        "rebuild",
        "--link-dir",
        links.as_str(),
        "--key",
        "second",
        "--step",
        "build",
    ];
    let differing = |more: &[&str]| {
        let mut command = sandbox.command(cargo_intoto_tests::sandbox::twin());
        command
            .current_dir(sandbox.path("clone"))
            .args([&words[..], more].concat())
            .env("RUSTFLAGS", "-Copt-level=0 -Cdebug-assertions=on");
        cargo_intoto_tests::sandbox::run(command)
    };
    differing(&["--artifact-dir", project.path("target").as_str()])
        .exits(1)
        .prints("product target/release/hello: other bytes")
        .prints("section .text: ")
        .prints("variables.RUSTFLAGS: nothing, now -Copt-level=0")
        .says("[rebuild-differs]");
    assert_eq!(count_links(&links, "build"), 1);
    // The bytes of the first one are not there to look into.
    differing(&[]).exits(1).prints("the first one is not at hand");

    // An honest link of what came out stops the release for everybody.
    differing(&["--sign-differing"]).exits(1).says("Signed");
    assert_eq!(count_links(&links, "build"), 2);
    project.intoto(&["verify"]).exits(1).prints("links-disagree");
}

/// A first builder who packages something else than the commit, and says so consistently, is found by the second one.
#[test]
fn a_first_builder_who_lies_is_found() {
    let sandbox = Sandbox::new();
    let project = two_builders(&sandbox, "package");
    let made = fs::read(project.path("target/package/hello-0.1.0.crate")).expect("packaged");
    let mut entries = archive::entries(&made);
    entries.push(Entry::file("hello-0.1.0/src/evil.rs", "evil"));
    let lie = archive::pack(&entries);
    sandbox.write("theirs/package/hello-0.1.0.crate", &lie);
    let store = links(&project);
    let honest = store
        .read_dir_utf8()
        .expect("links")
        .filter_map(Result::ok)
        .find(|entry| entry.file_name().starts_with("package."))
        .expect("a link");
    let (mut link, _) = payload(honest.path());
    link["products"]["target/package/hello-0.1.0.crate"]["sha256"] = sha256_hex(&lie).into();
    link["materials"]["src/evil.rs"] = json!({ "sha256": sha256_hex(b"evil") });
    let lying = sandbox.write("lie.link", json!({ "signed": link, "signatures": [] }).to_string());
    let args = [
        "rebuild",
        "--link",
        lying.as_str(),
        "--key",
        "second",
        "--artifact-dir",
        "../theirs",
    ];
    sandbox
        .intoto("clone", &args)
        .exits(1)
        .prints("product target/package/hello-0.1.0.crate: other bytes")
        .prints("src/evil.rs: not there now")
        .prints("material src/evil.rs: not used now");
}

/// The commit says that cargo builds elsewhere, and leads to the first builder's records where they would be looked for.
#[test]
fn the_commit_does_not_choose_which_records_are_read() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project
        .hello()
        .lock()
        .file(".cargo/config.toml", "[build]\ntarget-dir = \"out\"\n")
        .file(".gitignore", "/out\n");
    let records = sandbox.path("records");
    fs::create_dir_all(project.path("target")).expect("created");
    std::os::unix::fs::symlink(&records, project.path("target/intoto")).expect("linked");
    project.commit("begin");
    project
        .intoto(&["key", "generate", "second", "--no-passphrase"])
        .succeeds();
    for words in [&["fetch"][..], &["build", "--release"]] {
        project
            .intoto(&[words, &["--locked", "--unsigned"]].concat())
            .succeeds();
    }
    let made = project.path("out/intoto/latest").canonicalize_utf8().expect("a run");
    let id = made.file_name().expect("the run's id");
    fs::create_dir_all(records.join(id)).expect("created");
    std::os::unix::fs::symlink(id, records.join("latest")).expect("linked");
    let (mut link, _) = payload(&made.join("build.unsigned.link"));
    link["products"]["target/release/hello"]["sha256"] = sha256_hex(b"evil").into();
    let forged = records.join(id).join("build.unsigned.link");
    fs::write(&forged, json!({ "signed": link, "signatures": [] }).to_string()).expect("written");
    let args = [
        "rebuild",
        "--step",
        "build",
        "--link",
        forged.as_str(),
        "--key",
        "second",
        "--output-dir",
        "../second",
    ];
    project
        .intoto(&args)
        .exits(1)
        .prints("product target/release/hello: other bytes");
    assert!(!sandbox.path("second").exists());
    let untouched = fs::read_dir(records.join(id)).expect("the first builder's").count();
    assert_eq!(untouched, 1, "nothing was written there");
}

#[test]
fn a_link_is_a_request_and_no_order() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project.hello().commit("begin");
    project.intoto(&["init", "--no-passphrase"]).succeeds();
    project.commit("layout");
    let head = project.git(&["rev-parse", "HEAD"]).succeeds().stdout.trim().to_owned();
    let attempt = |command: &[&str], environment: Value| {
        let link = json!({
            "_type": "link", "name": "package", "materials": {}, "products": {}, "byproducts": {},
            "command": command, "environment": environment,
        });
        let text = json!({ "signed": link, "signatures": [] }).to_string();
        let path = sandbox.write("evil.link", text);
        project.intoto(&["rebuild", "--link", path.as_str()])
    };
    let sound = || json!({ "commit": head, "dirty": false });
    for command in [
        &["sh", "-c", "touch pwned"][..],
        &["cargo", "run"],
        &["cargo", "package", "--config", "build.rustc-wrapper='touch'"],
        &["cargo", "package", "--manifest-path", "../evil/Cargo.toml"],
        &["cargo", "package", "--target-dir", "/tmp/evil"],
        &["cargo"],
        &[],
    ] {
        attempt(command, sound()).exits(3).says("does not say what to rebuild");
    }
    let package = ["cargo", "package", "--locked"];
    for environment in [
        json!({}),
        json!({ "commit": head }),
        json!({ "commit": head, "dirty": true }),
        json!({ "commit": "--upload-pack=touch pwned", "dirty": false }),
        json!({ "commit": "HEAD", "dirty": false }),
        json!({ "commit": "0000000000000000000000000000000000000000", "dirty": false }),
    ] {
        attempt(&package, environment).exits(3);
    }
    assert!(!project.path("pwned").exists());
    project.intoto(&["rebuild", "--step", "nothing"]).exits(3);
}

/// Every command of the page, by the second builder, in a fresh clone.
#[test]
fn the_page_works() {
    let sandbox = Sandbox::new();
    let project = two_builders(&sandbox, "package");
    fs::rename(links(&project), sandbox.path("links")).expect("moved");
    let target = sandbox.path("target/package");
    fs::create_dir_all(&target).expect("created");
    fs::copy(
        project.path("target/package/hello-0.1.0.crate"),
        sandbox.path("hello-0.1.0.crate"),
    )
    .expect("copied");
    let page = include_str!("../../docs/compare.md");
    let (_, page) = page.split_once("## Rebuild").expect("the page has the part");
    assert!(walk(&sandbox, "clone", page) >= 2, "the page has its commands");
}
