//! Times that others vouch for: bundles by keys as evidence and beside layouts, and layouts of former owners.

use std::fs;

use cargo_intoto_tests::mint::{self, By, What};
use cargo_intoto_tests::sigstore::bundle::link_statement;
use cargo_intoto_tests::tuf::{Repository, owners};
use cargo_intoto_tests::{Output, Project, Sandbox, fixed};
use intoto_core::digest::{DigestSet, sha256};
use intoto_core::encoding::{strict_json, to_json};
use intoto_core::envelope::{Container, sign};
use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
use intoto_core::limits::Limits;
use intoto_core::link::Link;
use intoto_core::predicate::Predicate;
use intoto_core::statement::{Statement, StatementVersion};
use serde_json::{Value, json};

const CRATE: &[u8] = b"not looked into";
const SCOPE: &str = "pkg:cargo/demo";
/// In 2026, before the day on which anybody runs this.
const SIGNED: i64 = fixed::TIME - 30 * 24 * 3600;

/// A signed layout of the one step `package`, by the key `ci`, and what it made.
struct World<'s> {
    project: Project<'s>,
}

fn ci() -> SecretKey {
    fixed::p256("ci")
}

fn owner() -> SecretKey {
    fixed::ed25519("owner")
}

fn name_of(key: &SecretKey, suffix: &str) -> String {
    let id = key.public_key().key_id(KeyIdStyle::Legacy);
    format!("links/package.{}.{suffix}", id.short())
}

fn statement() -> Vec<u8> {
    link_statement("demo-0.1.0.crate", CRATE)
}

fn evidence(by: &SecretKey, time: i64) -> Value {
    mint::bundle(By::Key(by), What::Statement(&statement()), time)
}

impl<'s> World<'s> {
    fn new(sandbox: &'s Sandbox) -> Self {
        let project = sandbox.project("demo");
        for (name, key) in [("owner", owner()), ("ci", ci())] {
            sandbox.private(format!("{name}.key"), key.to_pkcs8_pem().as_bytes());
            sandbox.write(format!("{name}.pub"), key.public_key().to_spki_pem());
        }
        sandbox.write("root.json", mint::trusted_root().to_string());
        project
            .file("links/README", "")
            .file("layouts/ci.pub", ci().public_key().to_spki_pem())
            .file(
                "layouts/release.toml",
                "format = 1\nexpires = 2048-01-01T00:00:00Z\n\n[keys]\nci = { file = \"ci.pub\" }\n\n[[step]]\nname = \"package\"\nby = [\"ci\"]\nmaterials = [\"DISALLOW *\"]\nproducts = [\"CREATE demo-*.crate\", \"DISALLOW *\"]\n",
            );
        project
            .intoto(&["layout", "sign", "layouts/release.toml", "--key", "../owner.key"])
            .succeeds();
        Self { project }
    }

    fn bundle(&self, bundle: &Value) {
        let path = self.project.path(name_of(&ci(), "sigstore.json"));
        fs::write(path, bundle.to_string()).expect("written");
    }

    fn verify(&self, more: &[&str]) -> Output {
        let words = [
            &["verify", "--layout", "layouts/release.layout", "--link-dir", "links"][..],
            &["--trusted-root", "../root.json"],
            more,
        ];
        self.project.intoto(&words.concat())
    }
}

const BY_OWNER: &[&str] = &["--key", "../owner.pub"];

#[test]
fn a_bundle_by_a_key_is_evidence_of_a_step() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let verify = |more: &[&str]| world.verify(&[BY_OWNER, more].concat());
    verify(&[]).exits(3).prints("link-missing");
    world.bundle(&evidence(&ci(), SIGNED));
    let at = "2026-10-23T00:00:00Z (transparency log)";
    verify(&[])
        .succeeds()
        .prints(&format!("signed at {at}"))
        .prints("whose newest part is of 2026-01-01T00:00:00Z");
    let json = verify(&["--format", "json"]).succeeds();
    let verdict: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let links = verdict["layers"][0]["steps"][0]["links"].as_array().expect("links");
    assert_eq!(links[1]["witness"]["times"][0]["time"], "2026-10-23T00:00:00Z");
    assert_eq!(links[1]["witness"]["logged"], true);
    assert_eq!(verdict["sigstore_roots"][0]["newest"], "2026-01-01T00:00:00Z");
    assert_eq!(verdict["sigstore_roots"][0]["old"], false);

    // As of a time before it was signed it was not there; long after, it still was.
    verify(&["--as-of", "2026-10-22T00:00:00Z"])
        .exits(1)
        .prints("trusted-time-in-future");
    verify(&["--as-of", "2036-01-01T00:00:00Z"])
        .succeeds()
        .prints("trusted-root-old");
    // Another instance knows nothing of it.
    let shipped = [
        "verify",
        "--layout",
        "layouts/release.layout",
        "--link-dir",
        "links",
        "--key",
        "../owner.pub",
    ];
    world.project.intoto(&shipped).exits(1).prints("does not count");
    let show = [
        "show",
        &name_of(&ci(), "sigstore.json"),
        "--trusted-root",
        "../root.json",
        "--layout",
        "layouts/release.layout",
    ];
    world
        .project
        .intoto(&show)
        .succeeds()
        .prints("key")
        .prints("signed at 2026-10-23T00:00:00Z");
}

#[test]
fn statements_of_both_versions_are_read() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let made = sha256(CRATE);
    let link = Link {
        products: [(
            "demo-0.1.0.crate".parse().expect("a name"),
            DigestSet::from_sha256(made),
        )]
        .into_iter()
        .collect(),
        ..Link::summary("package".parse().expect("a name"), [])
    };
    for (version, predicate) in [
        (StatementVersion::V0_1, Predicate::LinkV0_2(link.clone())),
        (StatementVersion::V0_1, Predicate::LinkV0_3(link.clone())),
        (StatementVersion::V1, Predicate::LinkV0_2(link.clone())),
        (StatementVersion::V1, Predicate::LinkV0_3(link)),
    ] {
        let statement = to_json(&Statement { version, predicate }.to_value());
        world.bundle(&mint::bundle(
            By::Key(&ci()),
            What::Statement(statement.as_bytes()),
            SIGNED,
        ));
        world.verify(BY_OWNER).succeeds().prints("1 by CREATE demo-*.crate");
    }
}

#[test]
fn each_attack_on_a_bundle_by_a_key_is_refused() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let other = fixed::p256("other");
    let good = evidence(&ci(), SIGNED);
    let by_other = evidence(&other, SIGNED);
    let another = mint::bundle(
        By::Key(&ci()),
        What::Statement(&link_statement("demo-0.1.0.crate", b"another")),
        SIGNED,
    );
    let material = "/verificationMaterial";
    let with = |pointer: &str, from: &Value| {
        let mut bundle = good.clone();
        *bundle.pointer_mut(pointer).expect("a part") = from.pointer(pointer).expect("the same part").clone();
        bundle
    };
    let without = |parent: &str, member: &str| {
        let mut bundle = good.clone();
        let parent = bundle.pointer_mut(parent).and_then(Value::as_object_mut);
        parent.expect("an object").remove(member).expect("it was there");
        bundle
    };
    let hint = "/verificationMaterial/publicKey/hint";
    let mut relabelled = by_other.clone();
    *relabelled.pointer_mut(hint).expect("a hint") = good.pointer(hint).expect("a hint").clone();
    let mut unpromised = good.clone();
    unpromised["verificationMaterial"]["tlogEntries"][0]
        .as_object_mut()
        .expect("an entry")
        .remove("inclusionPromise");
    for (name, bundle, code) in [
        ("another key", by_other.clone(), "key-not-authorised-for-step"),
        ("another key, relabelled", relabelled, "signature-invalid"),
        ("a wrong hint", with(hint, &by_other), "key-not-authorised-for-step"),
        (
            "another payload",
            with("/dsseEnvelope/payload", &another),
            "signature-invalid",
        ),
        (
            "the entry of another",
            with("/verificationMaterial/tlogEntries", &by_other),
            "log-entry-differs",
        ),
        (
            "the entry of another statement",
            with("/verificationMaterial/tlogEntries", &another),
            "log-entry-differs",
        ),
        (
            "no entry and no timestamp",
            without(material, "tlogEntries"),
            "log-entry-missing",
        ),
        ("an entry that promises no time", unpromised, "trusted-time-missing"),
        (
            "by a person",
            mint::bundle(By::Person("dev@example.com"), What::Statement(&statement()), SIGNED),
            "key-not-authorised-for-step",
        ),
        (
            "of a file",
            mint::bundle(By::Key(&ci()), What::File(&statement()), SIGNED),
            "signed-content-differs",
        ),
    ] {
        world.bundle(&bundle);
        let output = world.verify(BY_OWNER);
        assert!(
            output.code == Some(1) && output.stdout.contains(code),
            "{name}: expected {code}: {}",
            output.shown()
        );
    }
    // The same log under another key.
    let mut root = mint::trusted_root();
    let key = root["ctlogs"][0]["publicKey"].clone();
    root["tlogs"][1]["publicKey"] = key;
    sandbox.write("root.json", root.to_string());
    world.bundle(&good);
    world.verify(BY_OWNER).exits(1).prints("checkpoint-invalid");
    // A log that was no log yet at that time.
    let mut root = mint::trusted_root();
    root["tlogs"][1]["publicKey"]["validFor"] = json!({ "start": "2026-11-01T00:00:00Z" });
    sandbox.write("root.json", root.to_string());
    world.verify(BY_OWNER).exits(1).prints("entry-timestamp-invalid");
}

#[test]
fn a_key_signs_a_layout_in_a_bundle_beside_it() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    world.bundle(&evidence(&ci(), SIGNED));
    // By other owners, so that nothing in the file is theirs.
    for name in ["boss", "head"] {
        let (public, key) = match name {
            "boss" => ("boss.pub", fixed::p256("boss")),
            _ => ("head.pub", fixed::ed25519("head")),
        };
        sandbox.write(public, key.public_key().to_spki_pem());
        let by = format!("../{public}");
        let verify = || world.verify(&["--key", by.as_str()]);
        let beside = world.project.path("layouts/release.layout.sigstore.json");
        let _ = fs::remove_file(&beside);
        verify().exits(1).prints("signature-missing");
        let layout = fs::read(world.project.path("layouts/release.layout")).expect("a layout");
        let put = |bundle: &Value| fs::write(&beside, bundle.to_string()).expect("written");
        put(&mint::bundle(By::Key(&key), What::File(&layout), SIGNED));
        verify().succeeds();
        put(&mint::bundle(By::Key(&owner()), What::File(&layout), SIGNED));
        verify().exits(1).prints("key-not-authorised-for-step");
        put(&mint::bundle(By::Key(&key), What::File(b"another layout"), SIGNED));
        verify().exits(1).prints("signature-invalid");
        put(&mint::bundle(By::Key(&key), What::Statement(&statement()), SIGNED));
        verify().exits(1).prints("signature-missing");

        put(&mint::bundle(By::Key(&key), What::File(&layout), SIGNED));
        let scope = ["--scope", SCOPE, "--key", public];
        sandbox
            .intoto("", &[&["trust", "add", name][..], &scope].concat())
            .succeeds();
        world
            .verify(&["--subject", SCOPE])
            .succeeds()
            .prints(&format!("`{name}` of the trust store"));
        sandbox.intoto("", &["trust", "remove", name]).succeeds();
    }
}

/// The owner has changed. What was signed under the former one's layout, and seen in time, goes on counting without anybody's word about when.
#[test]
fn former_owners_count_for_what_was_seen_in_their_time() {
    let sandbox = Sandbox::new();
    let world = World::new(&sandbox);
    let layout = fs::read(world.project.path("layouts/release.layout")).expect("a layout");
    let digest = cargo_intoto_tests::sha256_hex(&layout);
    let until = "2026-11-01T00:00:00Z";
    let former = format!(
        "[[former]]\nuntil = {until}\nthreshold = 1\nkeys = ['''\n{}''']\nlayouts = [\"sha256:{digest}\"]\n",
        owner().public_key().to_spki_pem()
    );
    let new = fixed::ed25519("new owner");
    Repository::open(&sandbox.path("tuf"))
        .put("demo/owners.toml", owners(SCOPE, new.public_key(), &former))
        .publish();
    let add = [
        "trust",
        "add",
        "demo",
        "--tuf",
        "tuf",
        "--root",
        "tuf/metadata/1.root.json",
    ];
    sandbox.intoto("", &[&add[..], &["--scope", SCOPE]].concat()).succeeds();
    let verify = |more: &[&str]| world.verify(&[&["--subject", SCOPE][..], more].concat());
    world.bundle(&evidence(&ci(), SIGNED));
    verify(&[]).succeeds().prints(&format!("signed before {until}"));
    let json = verify(&["--format", "json"]).succeeds();
    let verdict: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(verdict["signed_before"], until);
    assert_eq!(verdict["as_of"], false);

    // The functionary's key was stolen too, and signs again.
    world.bundle(&evidence(&ci(), fixed::TIME));
    verify(&[]).exits(1).prints("signed-too-late");
    // A link that nobody saw may be of any day, and counts only on the user's word.
    fs::remove_file(world.project.path(name_of(&ci(), "sigstore.json"))).expect("it was there");
    let link = json!({
        "_type": "link", "name": "package", "command": [], "materials": {}, "byproducts": {}, "environment": {},
        "products": { "demo-0.1.0.crate": { "sha256": cargo_intoto_tests::sha256_hex(CRATE) } },
    });
    let link = link.to_string();
    let link = strict_json::parse(link.as_bytes(), &Limits::default()).expect("JSON");
    let by = (&ci() as &dyn Signer, ci().public_key().key_id(KeyIdStyle::Legacy));
    let file = sign(&link, &[by], Container::Dsse).expect("keys in memory sign");
    fs::write(world.project.path(name_of(&ci(), "link")), file).expect("written");
    verify(&[]).exits(1).prints("signed-too-late");
    verify(&["--as-of", "2026-10-31T00:00:00Z"]).succeeds();

    // Another layout by the former owner, under any date.
    world.bundle(&evidence(&ci(), SIGNED));
    world.project.file(
        "layouts/release.toml",
        world.project.read("layouts/release.toml").replace("2048", "2047"),
    );
    world
        .project
        .intoto(&["layout", "sign", "layouts/release.toml", "--key", "../owner.key"])
        .succeeds();
    verify(&[]).exits(1).prints("signature-missing");
}
