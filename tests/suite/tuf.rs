//! Owners and layouts by TUF, as a user meets them.

use std::fs;

use camino::Utf8Path;
use cargo_intoto_tests::tuf::{Repository, owners};
use cargo_intoto_tests::vectors::chain::{self, Person};
use cargo_intoto_tests::walk::walk;
use cargo_intoto_tests::{Output, Sandbox, http};
use intoto_core::key::{PublicKey, SecretKey, Signer};
use serde_json::{Value, json};

pub(super) const SCOPE: &str = "pkg:cargo/hello";

/// A chain in `chain/`, and a repository in `tuf/` that names its owner.
pub(super) struct World {
    pub(super) sandbox: Sandbox,
}

/// What the chain's owner signs with.
fn owner_key() -> PublicKey {
    SecretKey::ed25519_from_seed([1; 32]).public_key().clone()
}

/// A layout for which the clock does not matter.
fn layout(readme: &str) -> Value {
    let mut layout = chain::layout();
    layout["expires"] = json!("2999-01-01T00:00:00Z");
    layout["readme"] = json!(readme);
    layout
}

fn signed(layout: &Value, by: &[&Person]) -> Vec<u8> {
    chain::dsse(&chain::text(layout), by)
}

impl World {
    pub(super) fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.write("chain/root.layout", signed(&layout("current"), &[&chain::owner()]));
        for (by, link) in [
            (chain::alice(), chain::write_link()),
            (chain::bob(), chain::package_link()),
        ] {
            let step = link["name"].as_str().expect("links have names");
            let bytes = chain::dsse(&chain::text(&link), &[&by]);
            sandbox.write(format!("chain/{}", by.link_file(step)), bytes);
        }
        Repository::open(&sandbox.path("tuf"))
            .put("hello/owners.toml", owners(SCOPE, &owner_key(), ""))
            .publish();
        Self { sandbox }
    }

    pub(super) fn repository(&self) -> Repository {
        Repository::open(&self.sandbox.path("tuf"))
    }

    pub(super) fn trust(&self, args: &[&str]) -> Output {
        self.sandbox.intoto("", &[&["trust"], args].concat())
    }

    pub(super) fn add(&self, more: &[&str]) -> Output {
        let words = [
            "add",
            "hello",
            "--tuf",
            "tuf",
            "--root",
            "tuf/metadata/1.root.json",
            "--scope",
            SCOPE,
        ];
        self.trust(&[&words, more].concat())
    }

    pub(super) fn verify(&self, more: &[&str]) -> Output {
        self.verify_by("root.layout", more)
    }

    pub(super) fn verify_by(&self, layout: &str, more: &[&str]) -> Output {
        let words = ["verify", "--subject", SCOPE, "--layout", layout, "--link-dir", "."];
        self.sandbox.intoto("chain", &[&words, more].concat())
    }
}

#[test]
fn a_repository_stands_in_the_place_of_keys() {
    let world = World::new();
    world.verify(&[]).exits(3).says("owner-unknown");
    world
        .add(&[])
        .succeeds()
        .says("for pkg:cargo/hello, root 1, good until 2126-01-01T00:00:00Z");
    world.verify(&[]).succeeds().prints("`hello` of the trust store");
    world
        .trust(&["list"])
        .succeeds()
        .prints("hello: by TUF")
        .prints("project hello")
        .prints("timestamp 1, expires 2126-01-01T00:00:00Z");
    world.trust(&["show", "hello"]).succeeds().prints("owners, 1 of:");
    world.trust(&["update"]).succeeds().says("Updated `hello`, root 1");
    world.add(&[]).exits(2).says("has an entry `hello` already");
    let fetched = world.sandbox.config().join("trust.tuf/hello.json");
    assert!(fetched.exists());
    world.trust(&["remove", "hello"]).succeeds();
    assert!(!fetched.exists(), "what was fetched goes with the entry");
    world.verify(&[]).exits(3).says("owner-unknown");
}

#[test]
fn a_new_owner_counts_after_an_update() {
    let world = World::new();
    world.add(&[]).succeeds();
    let carol = SecretKey::ed25519_from_seed([4; 32]).public_key().clone();
    world
        .repository()
        .put("hello/owners.toml", owners(SCOPE, &carol, ""))
        .publish();
    world.verify(&[]).succeeds();
    world.trust(&["update", "hello"]).succeeds();
    world.verify(&[]).exits(1).prints("signature-missing");
    world
        .sandbox
        .write("chain/root.layout", signed(&layout("carol's"), &[&chain::carol()]));
    world.verify(&[]).succeeds();
}

#[test]
fn the_layout_that_the_repository_names_is_the_only_one() {
    let world = World::new();
    let current = signed(&layout("current"), &[&chain::owner()]);
    world.repository().put("hello/release.layout", current).publish();
    world.add(&[]).succeeds();
    world.verify(&[]).succeeds();
    world.verify_by("tuf:hello", &[]).succeeds().prints("tuf:hello");
    // The owner signed it, and it may have been good once.
    world
        .sandbox
        .write("chain/root.layout", signed(&layout("laxer"), &[&chain::owner()]));
    world.verify(&[]).exits(1).prints("layout-not-current");
    world.verify(&["--allow-older-layout"]).succeeds();
    world.verify_by("tuf:other", &[]).exits(2).says("no entry `other`");
}

#[test]
fn what_was_fetched_is_not_believed_for_ever() {
    let world = World::new();
    let current = signed(&layout("current"), &[&chain::owner()]);
    world.repository().put("hello/release.layout", current).publish();
    world.add(&[]).succeeds();
    let late = ["--as-of", "2126-01-01T00:00:01Z"];
    for layout in ["root.layout", "tuf:hello"] {
        world
            .verify_by(layout, &late)
            .exits(3)
            .says("error[tuf-expired]")
            .says("cargo intoto trust update hello");
    }
    // Another entry for the same crate is not touched by that.
    world.sandbox.write("owner.pub", owner_key().to_spki_pem());
    world
        .trust(&["add", "pinned", "--key", "owner.pub", "--scope", SCOPE])
        .succeeds();
    world.verify(&late).succeeds();
}

#[test]
fn the_user_says_for_which_crates() {
    let world = World::new();
    let both = owners(SCOPE, &owner_key(), "").replace(SCOPE, "pkg:cargo/hello\", \"pkg:cargo/serde");
    world.repository().put("hello/owners.toml", both).publish();
    world
        .add(&["--scope", "pkg:cargo/other"])
        .succeeds()
        .says("do not speak for pkg:cargo/other");
    for (subject, code) in [(SCOPE, 0), ("pkg:cargo/serde", 3), ("pkg:cargo/other", 3)] {
        let words = [
            "verify",
            "--subject",
            subject,
            "--layout",
            "root.layout",
            "--link-dir",
            ".",
        ];
        world.sandbox.intoto("chain", &words).exits(code);
    }
}

#[test]
fn a_former_owner_cannot_sign_anew() {
    let world = World::new();
    let layouts = world.sandbox.path("chain/root.layout");
    world.sandbox.write("owner.pub", owner_key().to_spki_pem());
    let carol = SecretKey::ed25519_from_seed([4; 32]).public_key().clone();
    world.sandbox.write("carol.pub", carol.to_spki_pem());
    let scope = ["--scope", SCOPE];
    let first = world
        .trust(&[&["owners", "--key", "owner.pub"][..], &scope].concat())
        .succeeds();
    world.sandbox.write("owners.toml", &first.stdout);
    let words = [
        "owners",
        "--key",
        "carol.pub",
        "--replace",
        "owners.toml",
        "--until",
        "2026-06-01T00:00:00Z",
        "--layout",
        layouts.as_str(),
    ];
    let second = world.trust(&[&words[..], &scope].concat()).succeeds();
    world
        .repository()
        .put("hello/owners.toml", second.stdout.into_bytes())
        .publish();
    world.add(&[]).succeeds();
    let before = ["--as-of", "2026-05-31T00:00:00Z"];
    world.verify(&before).succeeds();
    for late in [&[][..], &["--as-of", "2026-06-01T00:00:00Z"]] {
        world.verify(late).exits(1).prints("signed-too-late");
    }
    // Whoever found the key: another layout, under any date.
    world
        .sandbox
        .write("chain/root.layout", signed(&layout("forged"), &[&chain::owner()]));
    world.verify(&before).exits(1).prints("signature-missing");
    world
        .verify(&[&before[..], &["--allow-older-layout"]].concat())
        .exits(1)
        .prints("signature-missing");
}

#[test]
fn over_http_and_offline_afterwards() {
    let world = World::new();
    let directory = world.sandbox.path("tuf");
    let down = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_down = std::sync::Arc::clone(&down);
    let port = http::serve(move |request| {
        if is_down.load(std::sync::atomic::Ordering::SeqCst) {
            return http::Response::new("503 Service Unavailable", "");
        }
        match fs::read(directory.join(request.target.trim_start_matches('/'))) {
            Ok(bytes) => http::Response::ok(bytes),
            Err(_) => http::Response::missing(),
        }
    });
    let base = format!("http://127.0.0.1:{port}");
    let (metadata, targets) = (format!("{base}/metadata/"), format!("{base}/targets"));
    world
        .trust(&[
            "add",
            "hello",
            "--tuf",
            &metadata,
            "--targets",
            &targets,
            "--root",
            "tuf/metadata/1.root.json",
            "--scope",
            SCOPE,
        ])
        .succeeds();
    world.verify(&[]).succeeds();
    down.store(true, std::sync::atomic::Ordering::SeqCst);
    world.trust(&["update"]).exits(4).says("status 503");
    world.verify(&[]).succeeds();
    // Nothing but TLS leaves this machine.
    let far = [
        "add",
        "far",
        "--tuf",
        "http://tuf.example.org",
        "--root",
        "tuf/metadata/1.root.json",
        "--scope",
        SCOPE,
    ];
    world.trust(&far).exits(2).says("no https URL");
}

#[test]
fn sigstores_root_comes_from_one_place() {
    let world = World::new();
    let root = ["--root", "tuf/metadata/1.root.json"];
    let add = |name: &str, more: &[&str]| {
        world.trust(&[&["add", name, "--tuf", "tuf", "--sigstore-root"][..], &root, more].concat())
    };
    add("sigstore", &[]).exits(3).says("tuf-target-missing");
    world.trust(&["list"]).succeeds().never_says("sigstore");
    // What nobody could verify by is not taken.
    world.repository().put("trusted_root.json", "{}").publish();
    add("sigstore", &[]).exits(3).says("tuf-malformed");
    let sound = include_bytes!("../fixtures/sigstore/trusted_root.json");
    world.repository().put("trusted_root.json", *sound).publish();
    add("sigstore", &[]).succeeds().says("for Sigstore's root");
    world.trust(&["show", "sigstore"]).succeeds().prints("Sigstore's root");
    add("again", &[])
        .exits(2)
        .says("`sigstore` brings Sigstore's root already");
    // It speaks for no crate.
    world.verify(&[]).exits(3).says("owner-unknown");
}

#[test]
fn owners_without_keys_come_by_tuf() {
    let world = World::new();
    let (issuer, identity) = (
        "https://issuer.example",
        "https://host.example/o/r/.github/workflows/x.yml@refs/heads/main",
    );
    let words = ["owners", "--identity", identity, "--issuer", issuer, "--scope", SCOPE];
    let list = world.trust(&words).succeeds();
    world
        .repository()
        .put("hello/owners.toml", list.stdout.into_bytes())
        .publish();
    world.add(&[]).succeeds();
    world
        .trust(&["show", "hello"])
        .succeeds()
        .prints(issuer)
        .prints(identity);
    // Signed by a key that is nobody's any more, and by no identity.
    world.verify(&[]).exits(1).prints("signature-missing");
}

#[test]
fn a_wrong_command_line_changes_nothing() {
    let world = World::new();
    for (words, code, says) in [
        (&["--project", "../x"][..], 2, "no name of a project"),
        (&["--key", "owner.pub"], 2, "cannot be used with"),
        (&["--threshold", "1"], 2, "cannot be used with"),
        (&["--targets", "elsewhere"], 3, "is not complete"),
        (&["--project", "other"], 3, "tuf-target-missing"),
    ] {
        world.add(words).exits(code).says(says);
    }
    let scope = ["--scope", SCOPE];
    let root = ["--root", "tuf/metadata/1.root.json"];
    for (words, code, says) in [
        (vec!["add", "hello", "--tuf", "tuf", "--scope", SCOPE], 2, "--root"),
        (vec!["add", "hello", "--tuf", "tuf", root[0], root[1]], 2, "--scope"),
        (
            vec!["add", "../hello", "--tuf", "tuf", root[0], root[1], scope[0], scope[1]],
            2,
            "no name of a project",
        ),
        (
            vec!["add", "hello", "--tuf", "none", root[0], root[1], scope[0], scope[1]],
            3,
            "tuf-incomplete",
        ),
        (
            vec!["add", "hello", "--tuf", "tuf", "--root", "none", scope[0], scope[1]],
            3,
            "the root none is missing",
        ),
        (
            vec![
                "add",
                "hello",
                "--tuf",
                "tuf",
                "--root",
                "tuf/metadata/timestamp.json",
                scope[0],
                scope[1],
            ],
            3,
            "tuf-root-untrusted",
        ),
        (vec!["update", "hello"], 2, "no entry `hello`"),
        (vec!["show", "hello"], 2, "no entry `hello`"),
    ] {
        world.trust(&words).exits(code).says(says);
    }
    world
        .trust(&["update"])
        .succeeds()
        .says("no entry of the trust store has a TUF repository");
    assert!(!world.sandbox.config().join("trust.toml").exists());
    assert!(!world.sandbox.config().join("trust.tuf").exists());
}

/// Repositories that python-tuf made, which `tests/fixtures/tuf/README.md` tells about.
#[test]
fn repositories_of_another_maker() {
    let fixtures = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tuf");
    for (name, code, says) in [
        ("newer", 0, "Updated `hello`"),
        ("rollback-everything", 1, "error[tuf-rollback]"),
        ("root-by-its-own-keys-only", 1, "error[tuf-root-untrusted]"),
        ("frozen-timestamp", 1, "error[tuf-frozen]"),
        ("mixed-snapshot", 1, "error[tuf-mixed]"),
    ] {
        let world = World::new();
        let at = fixtures.join(name);
        std::os::unix::fs::symlink(at.join("before"), world.sandbox.path("other")).expect("linked");
        let root = at.join("root.json");
        world
            .trust(&[
                "add",
                "hello",
                "--tuf",
                "other",
                "--root",
                root.as_str(),
                "--scope",
                SCOPE,
            ])
            .succeeds();
        fs::remove_file(world.sandbox.path("other")).expect("our own link");
        std::os::unix::fs::symlink(at.join("after"), world.sandbox.path("other")).expect("linked");
        world.trust(&["update"]).exits(code).says(says);
        world.verify(&[]).succeeds();
    }
}

#[test]
fn the_list_of_the_documentation() {
    let page = include_str!("../../docs/trust.md");
    let (_, list) = page.split_once("```toml\n").expect("the page shows a list of owners");
    let (list, _) = list.split_once("```").expect("the list ends");
    let world = World::new();
    world.repository().put("hello/owners.toml", list).publish();
    world.add(&[]).succeeds().never_says("do not speak");
}

#[test]
fn the_days_of_the_documentation() {
    let sandbox = Sandbox::new();
    let tool = snapbox::cmd::cargo_bin("cargo-intoto-test-tuf");
    sandbox.write("walk-bin/none", "");
    std::os::unix::fs::symlink(tool, sandbox.path("walk-bin/tuf-publish")).expect("linked");
    super::identity_chain::renamed_project(&sandbox);
    let commands = walk(&sandbox, "", include_str!("../../docs/rotation.md"));
    assert!(commands > 50, "the page has its commands");
}
