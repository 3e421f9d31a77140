//! A chain without any key, as a verifier meets it who is offline: a layout by an identity, a step by a job, a step by two persons.

use std::fs;

use cargo_intoto_tests::tuf::Repository;
use cargo_intoto_tests::{Output, Sandbox, fixed};

use super::identities::{fixture, issuer, listed, read};

const OWNER: &str = "owner@example.com";
const CRATE: &str = "demo-0.1.0.crate";
/// Part of what the layout says of each functionary.
const CI: &str = "repository-identifier";
const DEV: &str = "dev@example.com";
const REVIEWER: &str = "reviewer@example.com";

/// The layout with its signature, all links, the artifact and the root.
struct World {
    sandbox: Sandbox,
    layout: String,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for (name, from) in [("root.json", "trusted_root.json"), (CRATE, CRATE)] {
            sandbox.write(format!("work/{name}"), fs::read(fixture(from)).expect("a fixture"));
        }
        let world = Self {
            sandbox,
            layout: read("chain/release.layout"),
        };
        world.signed_layout("release", "release");
        world.link("build", CI, "build");
        world.link("package", DEV, "package-dev");
        world.link("package", REVIEWER, "package-reviewer");
        world
    }

    fn signed_layout(&self, layout: &str, signature: &str) {
        let write = |name: &str, from: &str| self.sandbox.write(format!("work/{name}"), read(from));
        write("release.layout", &format!("chain/{layout}.layout"));
        write(
            "release.layout.sigstore.json",
            &format!("chain/{signature}.layout.sigstore.json"),
        );
    }

    fn path_of(&self, step: &str, by: &str) -> String {
        format!("work/{step}.{}.sigstore.json", &listed(&self.layout, by)[..8])
    }

    /// Puts the bundle into the place of what this functionary did in the step.
    fn link(&self, step: &str, by: &str, bundle: &str) {
        self.sandbox
            .write(self.path_of(step, by), read(&format!("chain/{bundle}.sigstore.json")));
    }

    fn verify(&self, more: &[&str]) -> Output {
        let words = [
            "verify",
            "--layout",
            "release.layout",
            "--link-dir",
            ".",
            "--trusted-root",
            "root.json",
        ];
        self.sandbox.intoto("work", &[&words[..], more, &[CRATE]].concat())
    }

    fn verify_by(&self, owner: &str) -> Output {
        self.verify(&["--owner-identity", owner, "--owner-issuer", &issuer("person")])
    }
}

/// The project of `docs/rotation.md` whose repository is renamed: its source, its evidence of before and after, and what somebody signed
/// who registered the old name again. A record is named by its functionary, so each layout is signed once here to see how.
pub(super) fn renamed_project(sandbox: &Sandbox) {
    let job = issuer("job");
    let source = format!(
        r#"format = 1
expires = 2048-01-01T00:00:00Z

[keys]
ci = {{ sigstore = {{ issuer = "{job}", subject = "https://github.com/example/demo/.github/workflows/release.yml@refs/tags/*", repository = "https://github.com/example/demo", repository-id = "1001", owner-id = "2002" }} }}

[[step]]
name = "package"
by = ["ci"]
materials = ["DISALLOW *"]
products = ["CREATE demo-*.crate", "DISALLOW *"]
"#
    );
    sandbox.private("probe.key", fixed::ed25519("probe").to_pkcs8_pem().as_bytes());
    let functionary = |source: &str| {
        sandbox.write("probe/release.toml", source);
        sandbox
            .intoto("probe", &["layout", "sign", "release.toml", "--key", "../probe.key"])
            .succeeds();
        listed(&sandbox.read("probe/release.layout"), CI)
    };
    let before = functionary(&source);
    let after = functionary(&source.replace("example/demo", "example/renamed"));
    for (directory, id, bundle) in [
        ("links", &before, "good-actions-v2"),
        ("links-2", &after, "chain/renamed"),
        ("links-3", &before, "attacks/job-of-a-new-owner-of-the-name"),
    ] {
        sandbox.write(
            format!("demo/{directory}/package.{}.sigstore.json", &id[..8]),
            read(&format!("{bundle}.sigstore.json")),
        );
    }
    sandbox.write("demo/layouts/release.toml", source);
    for (name, from) in [
        ("trusted_root.json", "trusted_root.json"),
        (CRATE, CRATE),
        ("demo-0.2.0.crate", "chain/demo-0.2.0.crate"),
    ] {
        sandbox.write(format!("demo/{name}"), fs::read(fixture(from)).expect("a fixture"));
    }
}

#[test]
fn a_chain_without_keys_verifies_offline() {
    let world = World::new();
    world
        .verify_by(OWNER)
        .succeeds()
        .prints("Verified demo-0.1.0.crate by 2 steps")
        .prints(&format!("signed by {OWNER}"))
        .prints("by identity");
    // By an entry of the trust store.
    let identity = issuer("person");
    let scope = ["--scope", "pkg:cargo/demo"];
    let add = [
        &["trust", "add", "demo", "--identity", OWNER, "--issuer", &identity][..],
        &scope,
    ];
    world.verify(&[]).exits(3).says("owner-unknown");
    world.sandbox.intoto("", &add.concat()).succeeds();
    world.verify(&[]).succeeds().prints("`demo` of the trust store");
    world.sandbox.intoto("", &["trust", "remove", "demo"]).succeeds();

    // By a TUF repository, which names the current layout, too.
    let owners = [
        &["trust", "owners", "--identity", OWNER, "--issuer", &identity][..],
        &scope,
    ];
    let owners = world.sandbox.intoto("", &owners.concat()).succeeds().stdout;
    Repository::open(&world.sandbox.path("tuf"))
        .put("demo/owners.toml", owners.into_bytes())
        .put("demo/release.layout", read("chain/release.layout").into_bytes())
        .publish();
    let add = [
        &[
            "trust",
            "add",
            "demo",
            "--tuf",
            "tuf",
            "--root",
            "tuf/metadata/1.root.json",
        ][..],
        &scope,
    ];
    world.sandbox.intoto("", &add.concat()).succeeds();
    world.verify(&[]).succeeds().prints("`demo` of the trust store");
    // The repository's own layout needs the owner's signature, too, which comes from there.
    let fetched = |world: &World| {
        let words = [
            "verify",
            "--layout",
            "tuf:demo",
            "--link-dir",
            ".",
            "--trusted-root",
            "root.json",
            CRATE,
        ];
        world.sandbox.intoto("work", &words)
    };
    fetched(&world).exits(1).prints("signature-missing");
    for (signature, code) in [("stranger", 1), ("older", 1), ("release", 0)] {
        Repository::open(&world.sandbox.path("tuf"))
            .put(
                "demo/release.layout.sigstore.json",
                read(&format!("chain/{signature}.layout.sigstore.json")).into_bytes(),
            )
            .publish();
        world.sandbox.intoto("", &["trust", "update"]).succeeds();
        fetched(&world).exits(code);
    }
    world.signed_layout("older", "older");
    world.verify(&[]).exits(1).prints("layout-not-current");
}

#[test]
fn what_is_not_the_owners_layout_is_refused() {
    for (layout, signature, owner, code) in [
        ("release", "stranger", OWNER, "identity-subject-differs"),
        ("release", "release", "owner@example.co", "identity-subject-differs"),
        // What the owner signed, beside another layout of the owner's.
        ("release", "older", OWNER, "signature-invalid"),
        ("older", "release", OWNER, "signature-invalid"),
    ] {
        let world = World::new();
        world.verify_by(OWNER).succeeds();
        world.signed_layout(layout, signature);
        world.verify_by(owner).exits(1).prints(&format!("[{code}]"));
    }
    let world = World::new();
    let elsewhere = format!("{}/actions", issuer("person"));
    world
        .verify(&["--owner-identity", OWNER, "--owner-issuer", &elsewhere])
        .exits(1)
        .prints("[identity-issuer-differs]");
    fs::remove_file(world.sandbox.path("work/release.layout.sigstore.json")).expect("it is there");
    world.verify_by(OWNER).exits(1).prints("[signature-missing]");
    // A statement by the owner's Sigstore is not a signature of the layout.
    world.sandbox.write(
        "work/release.layout.sigstore.json",
        read("chain/package-dev.sigstore.json"),
    );
    world.verify_by(OWNER).exits(1).prints("[signed-content-differs]");
}

#[test]
fn what_is_no_evidence_of_a_step_is_refused() {
    for (step, by, bundle, exit, code) in [
        ("build", CI, "build-of-the-fork", 1, "identity-repository-differs"),
        ("package", REVIEWER, "package-stranger", 1, "identity-subject-differs"),
        // One person twice is not two.
        ("package", REVIEWER, "package-dev", 1, "identity-subject-differs"),
        // By the right person, of the release before: it was made from another program.
        ("package", DEV, "package-older", 1, "links-disagree"),
        ("package", DEV, "package-other", 1, "links-disagree"),
        // Of another step.
        ("package", DEV, "build", 1, "identity-issuer-differs"),
    ] {
        let world = World::new();
        world.verify_by(OWNER).succeeds();
        world.link(step, by, bundle);
        world.verify_by(OWNER).exits(exit).prints(&format!("[{code}]"));
    }
    for (step, by) in [("build", CI), ("package", DEV), ("package", REVIEWER)] {
        let world = World::new();
        fs::remove_file(world.sandbox.path(world.path_of(step, by))).expect("it is there");
        world.verify_by(OWNER).exits(3).prints("[link-missing]");
    }
    // A layout that asks for one person takes the older release's package for what it is.
    for (bundle, code) in [("package-older", "rule-failed"), ("package-other", "artifact-unbound")] {
        let mut world = World::new();
        world.layout = read("chain/older.layout");
        world.signed_layout("older", "older");
        fs::remove_file(world.sandbox.path(world.path_of("package", REVIEWER))).expect("it is there");
        world.verify_by(OWNER).succeeds();
        world.link("package", DEV, bundle);
        world.verify_by(OWNER).exits(1).prints(&format!("[{code}]"));
    }
    let world = World::new();
    world.sandbox.write(format!("work/{CRATE}"), "another crate\n");
    world.verify_by(OWNER).exits(1).prints("[artifact-unbound]");
}
