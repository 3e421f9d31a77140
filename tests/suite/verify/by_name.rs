//! The program under the names `in-toto-verify` and `in-toto-sign`: Python's flags, files and exit codes.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use cargo_intoto_tests::Output;
use cargo_intoto_tests::sandbox::{run, twin};
use cargo_intoto_tests::vectors::chain;
use intoto_core::envelope::{Container, Envelope};
use intoto_core::key::{KeyIdStyle, SecretKey, Signer as _};
use intoto_core::limits::Limits;
use serde_json::json;

use super::world::World;

/// The program under another name, in `chain/`.
fn call(world: &World, name: &str, args: &[&str]) -> Output {
    let link = world.sandbox.path(name);
    if !link.exists() {
        symlink(twin(), &link).expect("a link to the program");
    }
    let mut command = world.sandbox.command(link);
    command.current_dir(world.sandbox.path("chain")).args(args);
    run(command)
}

const GOOD: [&str; 6] = [
    "-l",
    "root.layout",
    "--verification-keys",
    "owner.pub",
    "--link-dir",
    "links",
];

/// The chain with its links in a directory of their own, and the crate in hand where inspections look.
fn world(inspect: &[(&str, &[&str], &[&str])]) -> World {
    let world = World::new();
    let inspect: Vec<_> = inspect
        .iter()
        .map(|(name, run, rules)| chain::inspection(name, run, rules))
        .collect();
    let mut layout = chain::layout();
    layout["inspect"] = inspect.into();
    world.layout(&layout);
    for file in [chain::alice().link_file("write"), chain::bob().link_file("package")] {
        let bytes = fs::read(world.sandbox.path("chain").join(&file)).expect("a link");
        fs::remove_file(world.sandbox.path("chain").join(&file)).expect("a link");
        world.file(&format!("links/{file}"), bytes);
    }
    world
}

#[test]
fn verify_decides_with_pythons_flags_and_codes() {
    let world = world(&[]);
    let verify = |args: &[&str]| call(&world, "in-toto-verify", args);
    let output = verify(&GOOD).succeeds();
    assert_eq!(
        (output.stdout.as_str(), output.stderr.as_str()),
        ("", ""),
        "it says nothing unless asked"
    );
    verify(&[
        "--layout",
        "root.layout",
        "--verification-k",
        "owner.pub",
        "--link-dir=links",
        "-v",
    ])
    .succeeds()
    .says("passed all verification");
    // Nobody is trusted by default.
    verify(&["-l", "root.layout", "--link-dir", "links"])
        .exits(2)
        .says("--verification-keys");
    verify(&["--verification-keys", "owner.pub"]).exits(2).says("--layout");
    verify(&["-l", "root.layout", "--verification-keys", "owner.pub"])
        .exits(1)
        .says("LinkNotFoundError")
        .says("[link-missing]");
    verify(&["-l", "missing.layout", "--verification-keys", "owner.pub"]).exits(1);
    verify(&["-l", "root.layout", "--verification-keys", "missing.pub"]).exits(1);
    world.file("stranger.pub", chain::mallory().pem());
    let stranger = [&GOOD[..4], &["stranger.pub"], &GOOD[4..]].concat();
    verify(&stranger).exits(1).says("SignatureVerificationError");
    let quiet = [&stranger[..], &["-q"]].concat();
    let output = verify(&quiet).exits(1);
    assert_eq!(output.stderr, "");
    verify(
        &[
            &GOOD[..],
            &["-g", "8465A1E2E0FB2B40ADB2478E18FB3F537E0C8A17", "--gpg-home", "."],
        ]
        .concat(),
    )
    .exits(1);
}

#[test]
fn inspections_run_in_the_current_directory_and_leave_their_links() {
    let allow = &["ALLOW *"][..];
    let world_of = |inspect: &[(&str, &[&str], &[&str])]| {
        let world = world(inspect);
        world.file("hello-1.0.crate", "crate");
        world
    };
    let world = world_of(&[
        ("make", &["sh", "-c", "echo x > made"], allow),
        ("look", &["test", "-f", "made"], &["REQUIRE made", "ALLOW *"]),
    ]);
    call(&world, "in-toto-verify", &GOOD).succeeds();
    let link = fs::read(world.sandbox.path("chain/look.link")).expect("the inspection's link");
    let link: serde_json::Value = serde_json::from_slice(&link).expect("JSON");
    assert_eq!(link["signed"]["command"], json!(["test", "-f", "made"]));
    assert_eq!(link["signatures"], json!([]));
    let names: Vec<&String> = link["signed"]["materials"]
        .as_object()
        .expect("an object")
        .keys()
        .collect();
    assert!(
        names.iter().any(|name| *name == "made") && !names.iter().any(|name| name.ends_with(".link")),
        "{names:?}"
    );

    let refused: &[(&[&str], &[&str], &str)] = &[
        (&["sh", "-c", "exit 3"], allow, "BadReturnValueError"),
        (&["sh", "-c", "sleep 30"], allow, "[inspection-not-run]"),
        (&["no-such-program-anywhere"], allow, "[inspection-not-run]"),
        (&["true"], &["DISALLOW *"], "RuleVerificationError"),
    ];
    for (run, rules, says) in refused {
        let world = world_of(&[("look", run, rules), ("then", &["touch", "then"], allow)]);
        let limit = if run.contains(&"sleep 30") { "1" } else { "60" };
        let args = [&GOOD[..], &["--inspection-timeout", limit]].concat();
        call(&world, "in-toto-verify", &args).exits(1).says(says);
        let failed = *says != "RuleVerificationError";
        assert_eq!(
            world.sandbox.path("chain/then").exists(),
            !failed,
            "nothing runs after {run:?}"
        );
        assert_eq!(world.sandbox.path("chain/look.link").exists(), !failed, "{run:?}");
    }
    // Nothing runs over bad evidence.
    let world = world_of(&[("look", &["touch", "seen"], allow)]);
    fs::remove_dir_all(world.sandbox.path("chain/links")).expect("links");
    world.file("links/none", "");
    call(&world, "in-toto-verify", &GOOD).exits(1);
    assert!(!world.sandbox.path("chain/seen").exists());
}

/// A key file that only its owner reads, and its public half.
/// What Python leaves out or renames without a word must not look as if it were not there.
#[test]
fn a_name_with_a_backslash_is_no_other_name() {
    let world = world(&[(
        "look",
        &["true"],
        &["ALLOW docs/*", "ALLOW *.pub", "ALLOW root.layout", "DISALLOW *"],
    )]);
    fs::remove_dir_all(world.sandbox.path("chain/out")).unwrap_or_default();
    call(&world, "in-toto-verify", &GOOD).succeeds();
    world.file("docs\\evil.sh", "");
    call(&world, "in-toto-verify", &GOOD)
        .exits(1)
        .says("has a backslash in its name");
    let digest = chain::digests("");
    let mut link = chain::write_link();
    link["products"] = json!({ "docs/evil.sh": digest });
    world.file("a.link", chain::metablock(&link, &[]));
    let compared = ["-l", "a.link", "-p", "docs\\evil.sh"];
    call(&world, "in-toto-match-products", &compared)
        .exits(1)
        .says("has a backslash in its name");
    for (member, value) in [
        ("materials", json!([])),
        ("command", json!("x")),
        ("products", json!({ "a": { "sha256": "zz" } })),
    ] {
        let mut link = chain::write_link();
        link["products"] = json!({});
        link[member] = value;
        world.file("a.link", chain::metablock(&link, &[]));
        let output = call(&world, "in-toto-match-products", &["-l", "a.link", "-p", "links/none"]);
        output.exits(1).says("is malformed");
    }
}

fn key(world: &World, name: &str, seed: u8) -> SecretKey {
    let key = SecretKey::ed25519_from_seed([seed; 32]);
    world.file(name, key.to_pkcs8_pem().as_bytes());
    let path = world.sandbox.path("chain").join(name);
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("our own file");
    world.file(&format!("{name}.pub"), key.public_key().to_spki_pem());
    key
}

fn signers(world: &World, file: &str) -> (Container, Vec<String>) {
    let bytes = fs::read(world.sandbox.path("chain").join(file)).expect("a signed file");
    let envelope = Envelope::parse(&bytes, &Limits::default()).expect("an envelope");
    let ids = envelope.signatures().iter();
    let ids = ids.map(|signature| signature.key_id().expect("an id").as_str().to_owned());
    (envelope.container(), ids.collect())
}

/// CVE-2023-32076: files of the directory and variables told Python's tools what to leave out.
#[test]
fn settings_of_the_directory_and_the_environment_are_not_read() {
    let world = World::new();
    key(&world, "first", 41);
    world.file(
        ".in_totorc",
        "[settings]\nARTIFACT_EXCLUDE_PATTERNS = *:owner.pub\nARTIFACT_BASE_PATH = /\nLINK_CMD_EXEC_TIMEOUT = 0\n",
    );
    let link = world.sandbox.path("in-toto-run");
    symlink(twin(), &link).expect("a link to the program");
    let mut command = world.sandbox.command(&link);
    command
        .current_dir(world.sandbox.path("chain"))
        .env("IN_TOTO_ARTIFACT_EXCLUDE_PATTERNS", "*:owner.pub")
        .env("IN_TOTO_ARTIFACT_BASE_PATH", "/")
        .env("IN_TOTO_LINK_CMD_EXEC_TIMEOUT", "0")
        .args(["-n", "s", "-p", "owner.pub", "--signing-key", "first", "--", "true"]);
    run(command).succeeds();
    let id = SecretKey::ed25519_from_seed([41; 32])
        .public_key()
        .key_id(KeyIdStyle::Python);
    let file = fs::read_to_string(world.sandbox.path(format!("chain/s.{}.link", id.short()))).expect("a link");
    assert!(file.contains("\"owner.pub\""), "{file}");
}

#[test]
fn sign_replaces_appends_and_verifies() {
    let world = World::new();
    let (first, second) = (key(&world, "first", 41), key(&world, "second", 42));
    let id = |key: &SecretKey| key.public_key().key_id(KeyIdStyle::Python).as_str().to_owned();
    let sign = |args: &[&str]| call(&world, "in-toto-sign", args);
    world.file("a.layout", chain::metablock(&chain::layout(), &[&chain::mallory()]));
    sign(&["-f", "a.layout", "-k", "first", "second"]).succeeds();
    assert_eq!(
        signers(&world, "a.layout"),
        (Container::Metablock, vec![id(&first), id(&second)])
    );
    sign(&["-f", "a.layout", "-k", "first", "-o", "b.layout"]).succeeds();
    assert_eq!(signers(&world, "b.layout").1, [id(&first)]);
    sign(&["-f", "b.layout", "-k", "second", "-a"]).succeeds();
    assert_eq!(signers(&world, "b.layout").1.len(), 2);
    sign(&["-f", "b.layout", "-k", "first.pub", "second.pub", "--verify"]).succeeds();
    world.file("stranger.pub", chain::mallory().pem());
    sign(&["-f", "b.layout", "-k", "stranger.pub", "--verify"])
        .exits(1)
        .says("Signature verification failed");
    // What is wrong with the call or with a file, and no answer.
    for args in [
        &["-f", "b.layout"][..],
        &["-k", "first"],
        &["-f", "b.layout", "-k", "first", "-g"],
        &["-f", "b.layout", "-k", "first.pub", "--verify", "-a"],
        &["-f", "b.layout", "-k", "first.pub", "--verify", "-o", "c"],
        &["-f", "b.layout", "-g", "--verify"],
        &["-f", "missing", "-k", "first"],
        &["-f", "owner.pub", "-k", "first"],
        &["-f", "b.layout", "-k", "missing"],
        &["-f", "b.layout", "-k", "first.pub"],
        &["-f", "b.layout", "-k", "missing", "--verify"],
    ] {
        sign(args).exits(2);
    }

    let write = chain::alice().link_file("write");
    sign(&["-f", &write, "-k", "first"]).succeeds();
    let own = format!("write.{}.link", &id(&first)[..8]);
    assert_eq!(signers(&world, &own), (Container::Dsse, vec![id(&first)]));
    sign(&["-f", &own, "-k", "first.pub", "--verify"]).succeeds();
    // A good signature on what no verifier takes.
    for (pointer, value) in [
        ("/steps/0/threshold", json!("x")),
        ("/expires", json!("tomorrow")),
        ("/keys", json!([])),
    ] {
        let mut layout = chain::layout();
        *layout.pointer_mut(pointer).expect("it is there") = value;
        for file in [
            chain::metablock(&layout, &[&chain::owner()]),
            chain::dsse(&chain::text(&layout), &[&chain::owner()]),
        ] {
            world.file("f.layout", file);
            sign(&["-f", "f.layout", "-k", "owner.pub", "--verify"]).exits(2);
        }
    }
    sign(&["-f", &write, "-k", "first", "second"]).exits(2);
    sign(&["-f", &write, "-k", "first", "-a"]).exits(2);
}

/// Python fills in what is absent before it signs, so that a signature over less would not hold there.
#[test]
fn sign_fills_in_what_python_fills_in() {
    let world = World::new();
    key(&world, "first", 41);
    let without = |value: &serde_json::Value, members: &[&str]| {
        let mut value = value.clone();
        members
            .iter()
            .for_each(|member| drop(value.as_object_mut().expect("an object").remove(*member)));
        value
    };
    let link = without(&chain::write_link(), &["environment", "byproducts", "command"]);
    let layout = without(&chain::layout(), &["expires", "readme"]);
    world.file("a.link", chain::metablock(&link, &[]));
    world.file("a.layout", chain::metablock(&layout, &[]));
    world.file("b.layout", chain::dsse(&chain::text(&layout), &[]));
    world.file("c.layout", chain::metablock(&without(&layout, &["_type"]), &[]));
    let mut unknown = layout.clone();
    unknown["note"] = "x".into();
    world.file("d.layout", chain::metablock(&unknown, &[]));
    let signed = |file: &str| -> serde_json::Value {
        call(&world, "in-toto-sign", &["-f", file, "-k", "first", "-o", file]).succeeds();
        call(&world, "in-toto-sign", &["-f", file, "-k", "first.pub", "--verify"]).succeeds();
        serde_json::from_slice(&fs::read(world.sandbox.path("chain").join(file)).expect("signed")).expect("JSON")
    };
    let link = &signed("a.link")["signed"];
    assert_eq!((&link["environment"], &link["command"]), (&json!({}), &json!([])));
    let layout = &signed("a.layout")["signed"];
    assert!(
        layout["expires"].as_str().is_some_and(|time| time.ends_with('Z')),
        "{layout}"
    );
    assert_eq!(layout["readme"], "");
    // What is in an envelope is signed as it is, and Python fills in afterwards; verification here does not.
    assert_eq!(signed("b.layout")["signatures"].as_array().map(Vec::len), Some(1));
    call(
        &world,
        "in-toto-verify",
        &["-l", "b.layout", "--verification-keys", "first.pub"],
    )
    .exits(1)
    .says("member `expires` is missing");
    for file in ["c.layout", "d.layout"] {
        call(&world, "in-toto-sign", &["-f", file, "-k", "first"]).exits(2);
    }
    // The other's signature is not dropped without a word.
    let others = chain::metablock(&without(&chain::layout(), &["readme"]), &[&chain::mallory()]);
    world.file("e.layout", &others);
    call(&world, "in-toto-sign", &["-f", "e.layout", "-k", "first", "-a"])
        .exits(2)
        .says("would not be kept");
    assert_eq!(
        fs::read(world.sandbox.path("chain/e.layout")).expect("readable"),
        AsRef::<[u8]>::as_ref(&others)
    );
    call(&world, "in-toto-sign", &["-f", "e.layout", "-k", "first"]).succeeds();
}
