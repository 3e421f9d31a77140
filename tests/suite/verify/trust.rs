//! Whose word counts: keys that are given, or the trust store, by the crates in hand.

use std::fs;
use std::time::{Duration, Instant};

use cargo_intoto_tests::vectors::chain;
use serde_json::{Value, json};

use super::world::World;

/// A world whose clock does not matter: its layout expires far in the future, and nothing is stated by `--as-of`.
fn world() -> World {
    let world = World::new();
    world.layout(&layout("2999-01-01T00:00:00Z"));
    world
}

fn layout(expires: &str) -> Value {
    let mut layout = chain::layout();
    layout["expires"] = json!(expires);
    layout
}

fn verify(world: &World, more: &[&str]) -> cargo_intoto_tests::Output {
    let args = [&["verify", "--layout", "root.layout", "--link-dir", "."], more].concat();
    world.sandbox.intoto("chain", &args)
}

#[test]
fn every_given_key_must_have_signed() {
    let world = World::new();
    world.file("carol.pub", chain::carol().pem());
    world
        .verify(&["--key", "carol.pub"])
        .exits(1)
        .prints("signature-missing");
    world
        .verify_by(&["--key", "carol.pub"], &[])
        .exits(1)
        .prints("signature-missing");
    let both = chain::dsse(&chain::text(&chain::layout()), &[&chain::owner(), &chain::carol()]);
    world.file("root.layout", both);
    world.verify(&["--key", "carol.pub"]).succeeds();
    world
        .verify_by(&["--key", "no-such-file.pub"], &[])
        .exits(3)
        .says("no-such-file.pub");
}

#[test]
fn without_a_trusted_key_nothing_is_decided_and_the_command_is_told() {
    let world = world();
    verify(&world, &["--subject", "pkg:cargo/hello"])
        .exits(3)
        .says("cargo intoto trust add NAME --key FILE --scope 'pkg:cargo/hello'");
    verify(&world, &[]).exits(3).says("--subject pkg:cargo/NAME");
    world.trust("hello", "owner.pub", "pkg:cargo/hello");
    verify(&world, &["--subject", "pkg:cargo/hello"]).succeeds();
}

/// The owner of one crate is nobody for another one, however well his layout is signed.
#[test]
fn scopes_are_exact() {
    let world = world();
    world.trust("hello", "owner.pub", "pkg:cargo/hello");
    for other in [
        "pkg:cargo/other",
        "pkg:cargo/hello2",
        "pkg:cargo/hello?repository_url=https://registry.example/index",
    ] {
        verify(&world, &["--subject", other]).exits(3).says("owner-unknown");
    }
    verify(
        &world,
        &["--subject", "pkg:cargo/hello", "--subject", "pkg:cargo/other"],
    )
    .exits(3)
    .says("owner-unknown");
    // A key in the tree changes nothing.
    world.file("trust.toml", "format = 1\n");
    world.file(".config/cargo-intoto/trust.toml", "format = 1\n");
    verify(&world, &["--subject", "pkg:cargo/other"]).exits(3);
}

#[test]
fn an_older_layout_is_not_put_back() {
    let world = world();
    world.trust("hello", "owner.pub", "pkg:cargo/hello");
    let subject = ["--subject", "pkg:cargo/hello"];
    let older = layout("2998-01-01T00:00:00Z");
    // Never seen, and nothing newer was: accepted, and remembered.
    world.layout(&older);
    verify(&world, &subject).succeeds();
    world.layout(&layout("2999-01-01T00:00:00Z"));
    verify(&world, &subject).succeeds();
    world.layout(&older);
    verify(&world, &subject).exits(1).prints("layout-older");
    verify(&world, &[&subject[..], &["--allow-older-layout"]].concat()).succeeds();
}

/// Only what was verified as of now is remembered: neither a refused verdict nor one about another time moves the mark.
#[test]
fn what_was_not_verified_now_is_not_remembered() {
    let world = world();
    world.trust("hello", "owner.pub", "pkg:cargo/hello");
    let subject = ["--subject", "pkg:cargo/hello"];
    let older = layout("2998-01-01T00:00:00Z");
    world.file("stranger", "not of the chain");
    verify(&world, &[&subject[..], &["stranger"]].concat())
        .exits(1)
        .prints("artifact-unbound");
    verify(&world, &[&subject[..], &["--as-of", "2998-06-01T00:00:00Z"]].concat()).succeeds();
    world.layout(&older);
    verify(&world, &subject).succeeds();
    // And what is remembered counts at any time.
    world.layout(&layout("2997-01-01T00:00:00Z"));
    verify(&world, &[&subject[..], &["--as-of", "2996-01-01T00:00:00Z"]].concat())
        .exits(1)
        .prints("layout-older");
}

/// Of two verifications at the same time, the one of the older layout must not end well after the newer one was accepted.
#[cfg(target_os = "linux")]
#[test]
fn an_older_layout_loses_the_race() {
    use std::os::unix::fs::MetadataExt;

    let world = world();
    world.trust("hello", "owner.pub", "pkg:cargo/hello");
    let store = world.sandbox.config().join("trust.toml");
    let before = fs::read(&store).expect("readable");
    let subject = ["--subject", "pkg:cargo/hello"];
    verify(&world, &subject).succeeds();
    let after = fs::read(&store).expect("readable");
    assert_ne!(before, after, "the layout is remembered");
    fs::write(&store, before).expect("our own file");

    let lock = fs::File::options()
        .write(true)
        .open(format!("{store}.lock"))
        .expect("every change of the store leaves it");
    lock.lock().expect("nobody else has it");
    let inode = format!(":{} ", lock.metadata().expect("a file").ino());
    world.layout(&layout("2998-01-01T00:00:00Z"));
    std::thread::scope(|scope| {
        let older = scope.spawn(|| verify(&world, &subject));
        // It has read the store, found nothing newer in it, and waits.
        let waits = || {
            let locks = fs::read_to_string("/proc/locks").expect("there on Linux");
            locks.lines().any(|line| line.contains("->") && line.contains(&inode))
        };
        let start = Instant::now();
        while !waits() {
            assert!(!older.is_finished(), "it ended without the lock");
            assert!(
                start.elapsed() < Duration::from_secs(120),
                "it does not wait for {inode}"
            );
            std::thread::park_timeout(Duration::from_millis(5));
        }
        fs::write(&store, &after).expect("our own file");
        drop(lock);
        older.join().expect("it ends").exits(1).prints("layout-older");
    });
    assert_eq!(fs::read(&store).expect("readable"), after);
}

#[test]
fn a_pinned_layout_is_the_only_one() {
    let world = World::new();
    let bytes = fs::read(world.sandbox.path("chain/root.layout")).expect("readable");
    let of_file = intoto_core::digest::to_hex(&intoto_core::digest::sha256(&bytes));
    world.verify(&["--layout-sha256", &of_file]).succeeds();
    world.verify(&["--layout-sha256", &of_file.to_uppercase()]).succeeds();
    world
        .verify(&["--layout-sha256", &"0".repeat(64)])
        .exits(1)
        .prints("layout-digest-mismatch");
    // What is signed stays the same when somebody else signs it too, and changes with every word of it.
    let json = world.verify(&["--format", "json"]).succeeds().stdout;
    let json: Value = serde_json::from_str(&json).expect("a report");
    let signed = json["layers"][0]["signed_sha256"]
        .as_str()
        .expect("a digest")
        .to_owned();
    world.file(
        "root.layout",
        chain::dsse(&chain::text(&chain::layout()), &[&chain::owner(), &chain::carol()]),
    );
    world.verify(&["--layout-sha256", &signed]).succeeds();
    world.verify(&["--layout-sha256", &of_file]).exits(1);
    world.layout(&layout("2999-01-01T00:00:00Z"));
    world.verify(&["--layout-sha256", &signed]).exits(1);
    world.verify(&["--layout-sha256", &signed[..63]]).exits(2);
    world.verify(&["--layout-sha256", ""]).exits(2);
}

#[test]
fn mistakes_on_the_command_line_are_told() {
    let world = World::new();
    world.verify(&["--param", "x"]).exits(2).says("NAME=VALUE");
    world.verify(&["--param", "x=a/b"]).exits(2).says("path separator");
    world
        .verify(&["--param", "x=1", "--param", "x=2"])
        .exits(2)
        .says("given twice");
    world.verify(&["missing.crate"]).exits(3).says("missing.crate");
    world
        .verify(&["root.layout", "./root.layout"])
        .exits(2)
        .says("one name");
    world.verify(&["--layout-sha256"]).exits(2);
    let no_time = [
        "verify",
        "--layout",
        "root.layout",
        "--link-dir",
        ".",
        "--as-of",
        "tomorrow",
    ];
    world
        .sandbox
        .intoto("chain", &no_time)
        .exits(2)
        .says("2027-01-31T00:00:00Z");
    world
        .sandbox
        .intoto("chain", &["verify", "--layout", "none", "--link-dir", "."])
        .exits(3)
        .says("none is missing");
    world
        .sandbox
        .intoto("chain", &["verify", "--layout", "root.layout", "--link-dir", "none"])
        .exits(3)
        .says("none");
    world
        .sandbox
        .intoto("home", &["verify"])
        .exits(3)
        .says("layouts/release.layout");
}
