//! Every pipeline is rendered, and what could mean something else in it is refused.

use camino::Utf8Path;
use clap::ValueEnum;
use intoto_core::key::{SecretKey, Signer};

use super::*;
use crate::layout_source::LayoutSource;

const STEPS: &str = r#"
[[step]]
name = "fetch"
by = ["ci"]
command = ["cargo", "fetch", "--locked"]

[[step]]
name = "build"
by = ["ci"]
command = ["cargo", "build", "--release", "--locked"]

[[step]]
name = "all-tests"
by = ["ci"]
command = ["cargo", "test", "--release", "--locked"]

[[step]]
name = "package"
by = ["ci"]
command = ["cargo", "package", "--locked"]

[[inspection]]
name = "artifact"
run = ["true"]
materials = ["MATCH hello-[0-9]*.crate WITH PRODUCTS IN target/package FROM package", "DISALLOW *"]
products = ["MATCH hello WITH PRODUCTS IN target/release FROM build", "DISALLOW *"]
"#;

fn source(steps: &str) -> LayoutSource {
    let text = format!(
        "format = 1\nexpires = 2030-01-01T00:00:00Z\nreadme = \"\"\n\n[keys]\nci = {{ file = \"keys/ci.pub\" }}\nme = {{ file = \"keys/me.pub\" }}\n{steps}"
    );
    let key = |file: &str| {
        let seed = if file == "keys/me.pub" { 1 } else { 2 };
        Ok(SecretKey::ed25519_from_seed([seed; 32]).public_key().clone())
    };
    LayoutSource::from_text(Utf8Path::new("layouts/release.toml"), &text, &key).expect("a layout")
}

fn facts(steps: &str, target: &str) -> Result<(Facts, Vec<String>), CliError> {
    Facts::of(&source(steps), Utf8Path::new("/w"), Utf8Path::new(target))
}

#[test]
fn every_pipeline_records_signs_and_hands_out_what_the_layout_says() {
    let (facts, notes) = facts(STEPS, "/w/out").expect("facts");
    assert_eq!(notes, [] as [String; 0]);
    for service in Service::value_variants() {
        for (tool, install) in [
            ("published", concat!("cargo-intoto@", env!("CARGO_PKG_VERSION"))),
            (
                "git:https://example.org/a/b#0123456789012345678901234567890123456789",
                "--git https://example.org/a/b --rev 0123456789012345678901234567890123456789 cargo-intoto",
            ),
            ("path:tools/cargo-intoto", "--path tools/cargo-intoto"),
        ] {
            let text = service.render(&facts, &tool.parse().expect("a tool"));
            for part in [
                install,
                "cargo-intoto fetch --unsigned --locked",
                "cargo-intoto build --unsigned --release --locked",
                "cargo-intoto test --unsigned --step all-tests --release --locked",
                "cargo-intoto package --unsigned --locked",
                "out/package/hello-[0-9]*.crate out/release/hello",
                "out/intoto/latest/",
                "--step all-tests \"",
                "--step package --artifact-dir \"",
                "cargo-intoto publish --t",
            ] {
                assert!(text.contains(part), "{service:?}: {part} is not in\n{text}");
            }
            assert!(!text.contains("#@") && !text.contains(" \n"), "{text}");
        }
    }
}

#[test]
fn pipelines_that_sign_as_themselves_have_no_key() {
    let text = format!(
        "format = 1\nexpires = 2030-01-01T00:00:00Z\nreadme = \"\"\n\n[keys]\nci = {{ sigstore = {{ issuer = \"https://i.example\", identity = \"a@b.example\" }} }}\n{STEPS}"
    );
    let source = LayoutSource::from_text(Utf8Path::new("layouts/release.toml"), &text, &|_| {
        unreachable!("no file")
    })
    .expect("a layout");
    let (facts, _) = Facts::of(&source, Utf8Path::new("/w"), Utf8Path::new("/w/out")).expect("facts");
    for (service, may_ask) in [
        (Service::Github, "id-token: write"),
        (Service::Gitlab, "SIGSTORE_ID_TOKEN"),
    ] {
        let text = service.render(&facts, &Tool::Published);
        for part in [
            may_ask,
            "--features sigstore",
            "cargo-intoto sign --key sigstore:ambient",
            "--trusted-publishing --unsigned",
        ] {
            assert!(text.contains(part), "{service:?}: {part} is not in\n{text}");
        }
        assert!(
            !text.contains("INTOTO_KEY") && !text.contains("#@") && !text.contains(" \n"),
            "{text}"
        );
        // Whatever runs code of the tree must not be able to ask.
        let before_signing = text
            .split("\nsign:")
            .next()
            .and_then(|text| text.split("\n  sign:").next())
            .unwrap_or_default();
        assert!(
            !before_signing.contains("id-token") && !before_signing.contains("ID_TOKEN"),
            "{text}"
        );
        assert!(!service.secrets(None, "owner.pub").contains("INTOTO_KEY"));
    }
}

#[test]
fn people_are_told_what_the_layout_lacks() {
    let by_me = STEPS.replacen(
        "by = [\"ci\"]\ncommand = [\"cargo\", \"package",
        "by = [\"me\"]\ncommand = [\"cargo\", \"package",
        1,
    );
    let (_, notes) = facts(&by_me, "/w/target").expect("facts");
    assert!(
        notes.len() == 1 && notes[0].contains("`package`") && notes[0].contains("\"ci\""),
        "{notes:?}"
    );

    let two = STEPS.replacen(
        "by = [\"ci\"]\ncommand = [\"cargo\", \"package",
        "by = [\"ci\", \"me\"]\nthreshold = 2\ncommand = [\"cargo\", \"package",
        1,
    );
    let (_, notes) = facts(&two, "/w/target").expect("facts");
    assert!(notes.len() == 1 && notes[0].contains("2 signatures"), "{notes:?}");

    let other = STEPS.replacen(
        "[\"cargo\", \"test\", \"--release\", \"--locked\"]",
        "[\"make\", \"check\"]",
        1,
    );
    let (read, notes) = facts(&other, "/w/target").expect("facts");
    assert!(notes.len() == 1 && notes[0].contains("none of cargo's"), "{notes:?}");
    assert_eq!(
        read.commands(false)[1],
        "cargo-intoto run --unsigned --step all-tests -- make check"
    );

    let deny = STEPS.replacen(
        "[\"cargo\", \"test\", \"--release\", \"--locked\"]",
        "[\"cargo\", \"deny\", \"check\", \"bans\"]",
        1,
    );
    let (facts, notes) = facts(&deny, "/w/target").expect("facts");
    assert!(notes.len() == 1 && notes[0].contains("cargo-deny"), "{notes:?}");
    assert_eq!(
        facts.commands(false)[1],
        "cargo-intoto deny --unsigned --step all-tests -- check bans"
    );
}

#[test]
fn words_that_would_mean_something_else_are_refused() {
    for (from, to) in [
        (
            "--locked\"]\n\n[[step]]\nname = \"build",
            "--locked\", \"a b\"]\n\n[[step]]\nname = \"build",
        ),
        ("\"--release\"", "\"--features=$(id)\""),
        ("\"--release\"", "\"${{ secrets.X }}\""),
        ("\"--release\"", "\"'''\""),
        ("\"--release\"", "\"a\\nb\""),
        ("all-tests", "-tests"),
        ("all-tests", "all;tests"),
        ("hello-[0-9]*.crate WITH", "hello-$X.crate WITH"),
        ("IN target/package", "IN elsewhere"),
        ("\"fetch\", \"--locked\"", "\"check\""),
    ] {
        let steps = STEPS.replace(from, to);
        assert_ne!(steps, STEPS, "{from}");
        let error = facts(&steps, "/w/target").expect_err(to);
        assert_eq!(error.exit().code(), 2, "{to}: {error}");
    }
    for target in ["/elsewhere/target", "/w", "/w/a b"] {
        assert!(facts(STEPS, target).is_err(), "{target}");
    }
}

#[test]
fn the_program_comes_from_a_fixed_place() {
    for text in [
        "",
        "latest",
        "path:",
        "path:/usr",
        "path:../other",
        "path:a b",
        "path:--config",
        "git:https://example.org/a/b",
        "git:https://example.org/a/b#main",
        "git:ssh://example.org/a/b#0123456789012345678901234567890123456789",
        "git:https://example.org/$(id)#0123456789012345678901234567890123456789",
    ] {
        assert!(text.parse::<Tool>().is_err(), "{text}");
    }
}
