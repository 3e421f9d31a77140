//! The release gate with owners that come by TUF.

use std::fs;

use cargo_intoto_tests::tuf::{Repository, owners};
use cargo_intoto_tests::vectors::chain;
use cargo_intoto_tests::{Sandbox, fixed};
use intoto_core::key::{PublicKey, Signer as _};

use super::gate::{publish, refused, registry, released, uploads};

#[test]
fn owners_by_tuf_decide_what_is_uploaded() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    let trust = |words: &[&str]| sandbox.intoto("", &[&["trust"], words].concat());
    let list = trust(&["list"]).succeeds();
    let scope = (list.stdout.split_ascii_whitespace())
        .find(|word| word.starts_with("pkg:cargo/hello"))
        .expect("init trusts the owner")
        .to_owned();
    trust(&["remove", "hello"]).succeeds();
    refused(&publish(&project, &[], &[]), &registry, &["owner-unknown"]);

    let pem = fs::read_to_string(project.path("layouts/keys/owner.pub")).expect("init writes it");
    let owner = PublicKey::from_spki_pem(&pem).expect("a key");
    let stranger = fixed::ed25519("stranger").public_key().clone();
    let tuf = sandbox.path("tuf");
    let say = |key: &PublicKey| {
        Repository::open(&tuf)
            .put("hello/owners.toml", owners(&scope, key, ""))
            .publish();
    };
    say(&stranger);
    let add = [
        "add",
        "hello",
        "--tuf",
        "tuf",
        "--root",
        "tuf/metadata/1.root.json",
        "--scope",
        &scope,
    ];
    trust(&add).succeeds();
    refused(&publish(&project, &[], &[]), &registry, &["signature-missing"]);

    // What the repository says counts when it was asked, not before.
    say(&owner);
    refused(&publish(&project, &[], &[]), &registry, &["signature-missing"]);
    trust(&["update"]).succeeds();
    // The current layout is the repository's to name.
    let other = chain::dsse(&chain::text(&chain::layout()), &[&chain::owner()]);
    Repository::open(&tuf).put("hello/release.layout", other).publish();
    trust(&["update"]).succeeds();
    refused(&publish(&project, &[], &[]), &registry, &["layout-not-current"]);
    let own = fs::read(project.path("layouts/release.layout")).expect("init writes it");
    Repository::open(&tuf).put("hello/release.layout", own).publish();
    trust(&["update"]).succeeds();

    // A clock that was set back, and what was fetched and damaged, decide nothing.
    let config = sandbox.config();
    let clock = config.join("trust.tuf/clock");
    let time = fs::read(&clock).expect("the time is remembered");
    fs::write(&clock, "2125-12-31T00:00:00Z\n").expect("written");
    refused(&publish(&project, &[], &[]), &registry, &["clock-behind"]);
    fs::write(&clock, time).expect("written");
    let fetched = config.join("trust.tuf/hello.json");
    let whole = fs::read_to_string(&fetched).expect("fetched");
    fs::write(&fetched, whole.replacen("threshold = 1", "threshold = 2", 1)).expect("written");
    refused(
        &publish(&project, &[], &[]),
        &registry,
        &["the TUF metadata of the trust entry `hello`"],
    );
    fs::write(&fetched, whole).expect("written");

    publish(&project, &[], &[])
        .succeeds()
        .says("Verified hello-0.1.0.crate by");
    assert_eq!(uploads(&registry), ["hello 0.1.0"]);
}
