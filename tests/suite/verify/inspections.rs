//! Inspections: in process, by permission, and never from a sublayout.

use std::time::{Duration, Instant};

use cargo_intoto_tests::vectors::chain;
use serde_json::{Value, json};

use super::world::World;

/// The chain with another command for its inspection, and rules that let everything pass.
fn world(run: &[&str], rules: &[&str]) -> World {
    let world = World::new();
    let mut layout = chain::layout();
    layout["inspect"] = json!([chain::inspection("look", run, rules)]);
    world.layout(&layout);
    world
}

#[test]
fn commands_run_only_by_permission() {
    let world = world(&["sh", "-c", "touch seen; exit 0"], &["ALLOW *"]);
    let output = world.verify(&[]).exits(3);
    assert!(output.stdout.contains("inspection-not-run"), "{}", output.shown());
    world.verify(&["--run-inspections"]).succeeds();
    // It ran somewhere else, and what it made went away with that place.
    assert!(!world.sandbox.path("chain/seen").exists());
}

#[test]
fn commands_decide_by_their_end_and_what_they_leave() {
    let cases: &[(&[&str], &[&str], i32, &str)] = &[
        (&["sh", "-c", "exit 7"], &["ALLOW *"], 1, "inspection-failed"),
        (&["sh", "-c", "kill -9 $$"], &["ALLOW *"], 1, "inspection-failed"),
        (&["sh", "-c", "echo x > unexpected"], &["DISALLOW *"], 1, "rule-failed"),
        // What the reference implementation leaves out is left out.
        (
            &["sh", "-c", "mkdir .git; touch .git/x a.pyc b~ c.link d.link.1"],
            &["DISALLOW *"],
            0,
            "Verified",
        ),
        (&["no-such-program-anywhere"], &["ALLOW *"], 3, "inspection-not-run"),
        (
            &["sh", "-c", "ls -A | grep . && exit 1 || exit 0"],
            &["ALLOW *"],
            0,
            "Verified",
        ),
    ];
    for (run, rules, code, says) in cases {
        world(run, rules)
            .verify(&["--run-inspections"])
            .exits(*code)
            .prints(says);
    }
}

#[test]
fn a_command_and_its_children_end_at_the_limit() {
    let world = world(
        &["sh", "-c", "trap '' TERM; sleep 300 & sleep 300; exit 0"],
        &["ALLOW *"],
    );
    let start = Instant::now();
    let output = world
        .verify(&["--run-inspections", "--inspection-timeout", "1"])
        .exits(3);
    assert!(
        output.stdout.contains("still running after 1 second"),
        "{}",
        output.shown()
    );
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[test]
fn commands_get_words_and_no_secrets() {
    // A shell would see two commands; a program sees one word.
    let world_of = |run: &[&str]| world(run, &["ALLOW *"]);
    world_of(&["test", "a; exit 1", "=", "a; exit 1"])
        .verify(&["--run-inspections"])
        .succeeds();
    let world = world_of(&["sh", "-c", "test -z \"$CARGO_REGISTRY_TOKEN\""]);
    let mut command = world.sandbox.command(cargo_intoto_tests::sandbox::twin());
    command
        .env("CARGO_REGISTRY_TOKEN", "secret")
        .current_dir(world.sandbox.path("chain"))
        .args([
            "verify",
            "--layout",
            "root.layout",
            "--link-dir",
            ".",
            "--key",
            "owner.pub",
            "--as-of",
            "2026-11-22T00:00:00Z",
            "--run-inspections",
        ]);
    cargo_intoto_tests::sandbox::run(command).succeeds();
}

/// No owner has seen the commands of a sublayout.
#[test]
fn commands_of_sublayouts_never_run() {
    let world = World::new();
    let (alice, carol) = (chain::alice(), chain::carol());
    let sublayout = |inspect: Value| {
        json!({
            "_type": "layout",
            "expires": "2030-01-01T00:00:00Z",
            "readme": "",
            "keys": { carol.id(): carol.in_layout() },
            "steps": [chain::step("inner", &[&carol], &["write"], &["DISALLOW *"], &["CREATE src/*", "DISALLOW *"])],
            "inspect": inspect,
        })
    };
    let inner = chain::link("inner", &["write"], json!({}), chain::sources());
    let directory = format!("write.{}", &alice.id()[..8]);
    let file = format!("{directory}/{}", carol.link_file("inner"));
    world.file(&file, chain::dsse(&chain::text(&inner), &[&carol]));
    let put = |inspect: Value| {
        let sublayout = chain::dsse(&chain::text(&sublayout(inspect)), &[&alice]);
        world.file(&alice.link_file("write"), sublayout);
    };
    put(json!([chain::inspection("look", &["true"], &["ALLOW *"])]));
    world.verify(&[]).succeeds();
    put(json!([chain::inspection("look", &["touch", "pwned"], &["ALLOW *"])]));
    for more in [&[][..], &["--run-inspections"]] {
        world.verify(more).exits(3).prints("inspection-not-run");
    }
    assert!(!world.sandbox.path("chain/pwned").exists());
}

/// `tar xf FILE` is done in process: what was unpacked is what the rules see.
#[test]
fn unpacking_is_done_in_process() {
    let archive = {
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, "src/lib.rs", &b"lib"[..])
            .expect("memory");
        builder.into_inner().expect("memory")
    };
    let digest = |bytes: &[u8]| json!({ "sha256": intoto_core::digest::to_hex(&intoto_core::digest::sha256(bytes)) });
    let world_of = |run: &[&str], content: &[u8]| {
        let world = World::new();
        let mut layout = chain::layout();
        layout["steps"][1]["expected_products"] = chain::rules(&["CREATE out/sources.tar", "DISALLOW *"]);
        layout["inspect"] = json!([{
            "_type": "inspection",
            "name": "unpack",
            "run": run,
            "expected_materials": chain::rules(&["MATCH sources.tar WITH PRODUCTS IN out FROM package", "DISALLOW *"]),
            "expected_products": chain::rules(&[
                "MATCH sources.tar WITH PRODUCTS IN out FROM package",
                "MATCH src/* WITH PRODUCTS FROM write",
                "DISALLOW *",
            ]),
        }]);
        world.layout(&layout);
        let mut link = chain::package_link();
        link["products"] = json!({ "out/sources.tar": digest(content) });
        world.link(&chain::bob(), &link);
        world.file("sources.tar", content);
        world
    };
    for flags in ["xf", "-xf"] {
        world_of(&["tar", flags, "sources.tar"], &archive)
            .verify(&["sources.tar"])
            .succeeds();
    }
    let mut other = archive.clone();
    let at = 512;
    other[at] = b'L';
    world_of(&["tar", "xf", "sources.tar"], &other)
        .verify(&["sources.tar"])
        .exits(1)
        .prints("rule-failed");
    world_of(&["tar", "xzf", "sources.tar"], &archive)
        .verify(&["sources.tar"])
        .exits(1)
        .prints("inspection-failed");
    world_of(&["tar", "xf", "missing.tar"], &archive)
        .verify(&["sources.tar"])
        .exits(1)
        .prints("inspection-failed");
    // Neither of these is that one form.
    for run in [
        &["tar", "xvf", "sources.tar"][..],
        &["tar", "xf", "../sources.tar"],
        &["tar", "xf", "-sources.tar"],
    ] {
        world_of(run, &archive)
            .verify(&["sources.tar"])
            .exits(3)
            .prints("inspection-not-run");
    }
}

/// Whoever signs a sublayout could have a tree listed and hashed for hours, twice for each of thousands of inspections.
#[test]
fn thousands_of_inspections_come_to_an_end() {
    let archive = {
        let mut builder = tar::Builder::new(Vec::new());
        for number in 0..2_000 {
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            header.set_mode(0o644);
            let name = format!("src/{number}.rs");
            builder.append_data(&mut header, name, &b""[..]).expect("memory");
        }
        builder.into_inner().expect("memory")
    };
    let world = World::new();
    let (alice, carol) = (chain::alice(), chain::carol());
    let file = format!("write.{}/{}", &alice.id()[..8], carol.link_file("inner"));
    let inner = chain::link("inner", &["write"], json!({}), chain::sources());
    world.file(&file, chain::dsse(&chain::text(&inner), &[&carol]));
    world.file("sources.tar", &archive);
    let delegate = |count: usize| {
        let look = |number| match number {
            0 => chain::inspection("unpack", &["tar", "xf", "sources.tar"], &["ALLOW *"]),
            _ => chain::inspection(&format!("look{number}"), &["true"], &["ALLOW *"]),
        };
        let sublayout = json!({
            "_type": "layout",
            "expires": "2030-01-01T00:00:00Z",
            "readme": "",
            "keys": { carol.id(): carol.in_layout() },
            "steps": [chain::step("inner", &[&carol], &["write"], &["DISALLOW *"], &["CREATE src/*", "DISALLOW *"])],
            "inspect": (0..count).map(look).collect::<Vec<_>>(),
        });
        world.file(
            &alice.link_file("write"),
            chain::dsse(&chain::text(&sublayout), &[&alice]),
        );
    };
    let mut layout = chain::layout();
    layout["inspect"] = json!([]);
    world.layout(&layout);
    for (count, is_beyond) in [(10, false), (4_000, true)] {
        delegate(count);
        // The archive is none of the chain's artifacts, which is another finding.
        let output = world.verify(&["sources.tar"]).exits(1);
        let says = output
            .stdout
            .contains("list and unpack 4000000 files and directories at most");
        assert_eq!(says, is_beyond, "{count}");
    }
    delegate(4_096);
    layout["inspect"] = json!([chain::inspection("look", &["true"], &["ALLOW *"])]);
    world.layout(&layout);
    world
        .verify(&["sources.tar"])
        .exits(3)
        .prints("the verification needs more than 4096 inspections");
}
