//! A `.crate` in hand, bound to the chain and explained from it: each attack is refused with its own code.

use cargo_intoto_tests::Output;
use cargo_intoto_tests::registry::crate_file;
use cargo_intoto_tests::vectors::chain;
use intoto_core::digest::{sha256, to_hex};
use serde_json::json;

use super::world::World;

const ORIGINAL: &str = "[package]\nname = \"hello\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
const PUBLISHED: &str = "[package]\nname = \"hello\"\nversion = \"1.0.0\"\nedition = \"2021\"\nbuild = false\n[lib]\nname = \"hello\"\npath = \"src/lib.rs\"\n";
const SOUND: [(&str, &str); 3] = [
    ("Cargo.toml", PUBLISHED),
    ("Cargo.toml.orig", ORIGINAL),
    ("src/lib.rs", "lib"),
];

/// Verifies a `.crate` with these files, under this name, after a chain whose package step made exactly these bytes from the
/// sound sources: as if a build script had exchanged the staged archive before it was signed for.
fn verify(files: &[(&str, &str)], name: &str, version: &str, ours: bool) -> Output {
    verify_bytes(
        &crate_file(name, version, files),
        &format!("{name}-{version}.crate"),
        ours,
    )
}

fn verify_bytes(archive: &[u8], file: &str, ours: bool) -> Output {
    verify_beside(archive, file, ours, &[])
}

/// As [`verify_bytes`], with the archive also among the products of the first step, under these names.
fn verify_beside(archive: &[u8], file: &str, ours: bool, also: &[&str]) -> Output {
    let world = World::new();
    let sources = json!({ "Cargo.toml": chain::digests(ORIGINAL), "src/lib.rs": chain::digests("lib") });
    let mut layout = chain::layout();
    layout["steps"][0]["expected_products"] = chain::rules(&["ALLOW *"]);
    layout["steps"][1]["expected_products"] = chain::rules(&["CREATE out/*.crate", "DISALLOW *"]);
    layout["inspect"][0] = chain::inspection(
        "artifact",
        &["true"],
        &["MATCH *.crate WITH PRODUCTS IN out FROM package", "DISALLOW *"],
    );
    world.layout(&layout);
    let product = json!({ "sha256": to_hex(&sha256(archive)) });
    let mut written = sources.clone();
    for name in also {
        written[*name] = product.clone();
    }
    world.link(&chain::alice(), &chain::link("write", &["write"], json!({}), written));
    let mut link = chain::link(
        "package",
        &["pack", "hello"],
        sources,
        json!({ format!("out/{file}"): product }),
    );
    if ours {
        let stem = file.trim_end_matches(".crate");
        link["byproducts"]["content"] = json!({ stem: { "sha256": "00" } });
    }
    world.link(&chain::bob(), &link);
    world.file(file, archive);
    world.verify(&[file])
}

fn with(path: &'static str, content: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut files: Vec<(&str, &str)> = SOUND.into_iter().filter(|(name, _)| *name != path).collect();
    files.push((path, content));
    files
}

/// Asserts that this code, and nothing else, stands against the `.crate`: without that one check it would verify.
#[track_caller]
fn refused_for(output: &Output, code: &str) {
    let mut codes: Vec<&str> = output
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("error[")?.split_once(']'))
        .map(|(code, _)| code)
        .collect();
    codes.dedup();
    assert_eq!(
        (output.code, codes.as_slice()),
        (Some(1), &[code][..]),
        "{}",
        output.shown()
    );
}

#[test]
fn a_sound_crate_is_bound_and_explained() {
    verify(&SOUND, "hello", "1.0.0", true)
        .succeeds()
        .prints("hello-1.0.0.crate: 3 files: 2 from source, 1 normalised")
        .prints("Bound hello-1.0.0.crate");
}

#[test]
fn what_nothing_explains_is_refused() {
    let with_dependency = "[package]\nname = \"hello\"\nversion = \"1.0.0\"\nedition = \"2021\"\nbuild = false\n[lib]\nname = \"hello\"\npath = \"src/lib.rs\"\n[dependencies.evil]\nversion = \"1\"\n";
    let cases: &[(Vec<(&str, &str)>, &str)] = &[
        (with("src/evil.rs", "evil"), "crate-file-unexplained"),
        (with("src/lib.rs", "evil"), "crate-file-changed"),
        (with("Cargo.toml", with_dependency), "crate-manifest-changed"),
        (
            with(
                "Cargo.toml.orig",
                "[package]\nname = \"hello\"\nversion = \"1.0.0\"\nedition = \"2021\"\n# another one\n",
            ),
            "crate-file-unexplained",
        ),
        (
            with(
                "Cargo.lock",
                "version = 4\n[[package]]\nname = \"evil\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n",
            ),
            "crate-lock-mismatch",
        ),
        (
            with(
                ".cargo_vcs_info.json",
                "{\"git\":{\"sha1\":\"0000\"},\"path_in_vcs\":\"\"}",
            ),
            "crate-vcs-info-mismatch",
        ),
    ];
    for (files, code) in cases {
        for ours in [true, false] {
            refused_for(&verify(files, "hello", "1.0.0", ours), code);
        }
    }
    refused_for(&verify(&SOUND, "hello", "1.0.1", true), "crate-name-mismatch");
    refused_for(&verify(&SOUND, "other", "1.0.0", true), "crate-name-mismatch");
}

/// A chain of another tool that did not record the sources binds the `.crate` all the same; the report says what is missing.
#[test]
fn a_chain_without_sources_is_told() {
    let world = World::new();
    let archive = crate_file("hello", "1.0.0", &SOUND);
    let mut layout = chain::layout();
    layout["steps"][1]["expected_products"] = chain::rules(&["ALLOW *"]);
    world.layout(&layout);
    let mut link = chain::package_link();
    link["products"] = json!({ "out/hello-1.0.0.crate": { "sha256": to_hex(&sha256(&archive)) } });
    world.link(&chain::bob(), &link);
    world.file("hello-1.0.0.crate", &archive);
    world
        .verify(&["hello-1.0.0.crate"])
        .succeeds()
        .prints("crate-not-explained");
}

/// Who owns one crate, and signs what he likes, does not vouch for another one's files because they are given together.
#[test]
fn each_file_has_its_own_owner() {
    let world = World::new();
    let archive = crate_file("hello", "1.0.0", &SOUND);
    let mut layout = chain::layout();
    layout["steps"][1]["expected_products"] = chain::rules(&["ALLOW *"]);
    layout["inspect"] = json!([chain::inspection(
        "artifact",
        &["true"],
        &["MATCH * WITH PRODUCTS IN out FROM package", "DISALLOW *"]
    )]);
    world.layout(&layout);
    let mut link = chain::package_link();
    let mut products = json!({ "out/hello-1.0.0.crate": { "sha256": to_hex(&sha256(&archive)) } });
    world.file("hello-1.0.0.crate", &archive);
    for other in ["hello", "ripgrep", "ripgrep.tar.gz"] {
        products[format!("out/{other}")] = json!({ "sha256": to_hex(&sha256(other.as_bytes())) });
        world.file(other, other);
    }
    link["products"] = products;
    world.link(&chain::bob(), &link);
    world.trust("hello", "owner.pub", "pkg:cargo/hello");

    let verify = |more: &[&str]| world.verify_by(&[], &[&["hello-1.0.0.crate"], more].concat());
    verify(&["hello"]).succeeds();
    for (other, says) in [
        (
            "ripgrep",
            "nobody is trusted for all of pkg:cargo/hello, pkg:cargo/ripgrep",
        ),
        ("ripgrep.tar.gz", "nothing says of which crate it is"),
    ] {
        verify(&[other])
            .exits(3)
            .says("[owner-unknown]")
            .says(says)
            .says("--subject pkg:cargo/hello");
        world.verify_by(&[], &[other]).exits(3).says("[owner-unknown]");
        // By the user's word it is that crate's, and by a key that is given it does not matter whose it is.
        verify(&[other, "--subject", "pkg:cargo/hello"]).succeeds();
        verify(&[other, "--key", "owner.pub"]).succeeds();
    }
}

#[test]
fn another_file_than_the_one_that_was_made_is_refused() {
    let world = World::new();
    let made = crate_file("hello", "1.0.0", &SOUND);
    let mut link = chain::package_link();
    link["products"] = json!({ "out/hello-1.0.0.crate": { "sha256": to_hex(&sha256(&made)) } });
    world.link(&chain::bob(), &link);
    world.file("hello-1.0.0.crate", &made);
    world.verify(&["hello-1.0.0.crate"]).succeeds();

    let mut changed = made.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    world.file("hello-1.0.0.crate", &changed);
    world.verify(&["hello-1.0.0.crate"]).exits(1).prints("artifact-unbound");
    // The evidence of one version says nothing about another one.
    world.file("hello-1.0.1.crate", &made);
    world
        .verify(&["hello-1.0.1.crate"])
        .exits(1)
        .prints("artifact-unbound")
        .prints("crate-entry-outside");
    // What was asked for is what must be in hand.
    world.file("hello-1.0.0.crate", &made);
    world
        .verify(&["hello-1.0.0.crate", "--subject", "pkg:cargo/hello@1.0.0"])
        .succeeds();
    world
        .verify(&["hello-1.0.0.crate", "--subject", "pkg:cargo/hello@1.0.1"])
        .exits(1)
        .prints("crate-name-mismatch");
}

/// A step that names the `.crate` among its products did not make it: the account is that of the step that packaged.
#[test]
fn a_step_that_merely_names_the_crate_takes_no_demand_off() {
    let file = "hello-1.0.0.crate";
    let hostile = crate_file("hello", "1.0.0", &with("src/evil.rs", "evil"));
    verify_beside(&hostile, file, true, &["downloads/hello-1.0.0.crate"])
        .exits(1)
        .prints("crate-file-unexplained");
    let sound = crate_file("hello", "1.0.0", &SOUND);
    verify_beside(&sound, file, true, &["downloads/hello-1.0.0.crate"])
        .succeeds()
        .prints("2 from source, 1 normalised");
}

#[test]
fn archives_that_readers_see_differently_are_refused() {
    let sound = crate_file("hello", "1.0.0", &SOUND);
    let twice: Vec<u8> = [sound.clone(), sound.clone()].concat();
    refused_for(
        &verify_bytes(&twice, "hello-1.0.0.crate", true),
        "crate-several-members",
    );
    let trailing: Vec<u8> = [sound.as_slice(), b"more"].concat();
    refused_for(
        &verify_bytes(&trailing, "hello-1.0.0.crate", true),
        "crate-trailing-bytes",
    );
    refused_for(
        &verify_bytes(&sound[..sound.len() / 2], "hello-1.0.0.crate", true),
        "crate-malformed",
    );
    refused_for(
        &verify_bytes(b"not an archive", "hello-1.0.0.crate", true),
        "crate-malformed",
    );
}
