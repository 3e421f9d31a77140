//! The release gate where the layout's owner is an identity.

use std::fs;

use cargo_intoto_tests::mint::{self, By, ISSUER, What};
use cargo_intoto_tests::{Sandbox, fixed};

use super::gate::{publish, refused, registry, released, uploads};

/// In 2026, before the day on which anybody runs this.
const SIGNED: i64 = fixed::TIME - 24 * 3600;

#[test]
fn an_identity_of_the_trust_store_owns_the_layout() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    let trust = |words: &[&str]| project.intoto(&[&["trust"], words].concat()).succeeds().stdout;
    let listed = trust(&["list"]);
    let scope = listed
        .lines()
        .find_map(|line| line.trim().strip_prefix("for ").map(|scope| scope.trim().to_owned()))
        .expect("init trusts the owner");
    trust(&["remove", "hello"]);
    // Outside the tree, which stays as it was recorded.
    let layout = fs::read(project.path("layouts/release.layout")).expect("a layout");
    let path = sandbox.write("owned.layout", &layout);
    let root = sandbox.write("root.json", mint::trusted_root().to_string());
    let sign = |by: &str, file: &[u8]| {
        let bundle = mint::bundle(By::Person(by), What::File(file), SIGNED);
        sandbox.write("owned.layout.sigstore.json", bundle.to_string());
    };
    let by_gate = |words: &[&str]| {
        let gate = [&["--layout", path.as_str()], words].concat();
        publish(&project, &[], &gate)
    };
    let with_root = ["--trusted-root", root.as_str()];
    let dev = "dev@example.com";
    let owner = ["--owner-identity", dev, "--owner-issuer", ISSUER];

    sign(dev, &layout);
    refused(&by_gate(&with_root), &registry, &["owner-unknown"]);
    let identity = [
        "add",
        "hello",
        "--scope",
        scope.as_str(),
        "--issuer",
        ISSUER,
        "--identity",
    ];
    trust(&[&identity[..], &["somebody@example.com"]].concat());
    refused(&by_gate(&with_root), &registry, &["[identity-subject-differs]"]);
    trust(&["remove", "hello"]);
    trust(&[&identity[..], &[dev]].concat());
    // By the root of another instance, it is nobody's.
    refused(&by_gate(&[]), &registry, &["[entry-timestamp-invalid]"]);
    sign("somebody@example.com", &layout);
    refused(&by_gate(&with_root), &registry, &["[identity-subject-differs]"]);
    sign(dev, b"another layout");
    refused(&by_gate(&with_root), &registry, &["[signature-invalid]"]);
    sign(dev, &layout);
    by_gate(&with_root).succeeds();
    assert_eq!(uploads(&registry), ["hello 0.1.0"]);

    // Named on the command line, in the place of the trust store.
    registry.forget();
    trust(&["remove", "hello"]);
    by_gate(&[&owner[..], &with_root].concat()).succeeds();
    assert_eq!(uploads(&registry), ["hello 0.1.0"]);
    registry.forget();
    let other = ["--owner-identity", dev, "--owner-issuer", "https://accounts.examp1e"];
    refused(
        &by_gate(&[&other[..], &with_root].concat()),
        &registry,
        &["[identity-issuer-differs]"],
    );
    // A file of the tree names neither.
    for words in [&owner[..], &with_root] {
        let local = [&["gate", "install", "--local", "--registry", "ours"][..], words].concat();
        project
            .intoto(&local)
            .exits(2)
            .says("nothing about whose layouts count");
    }
}
