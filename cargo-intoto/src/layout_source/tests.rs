//! The layout source as a whole: mistakes where they stand, the derived layout, differences, signatures.

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::envelope::{Container, Envelope};
use intoto_core::key::{KeyIdStyle, PublicKey, SecretKey, Signer};
use intoto_core::layout::Layout;
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;

use crate::error::CliError;
use crate::exit::Exit;
use crate::layout_source::{
    DeriveOptions, Functionary, LayoutSource, Problem, Profile, Severity, Tool, derive, from_signed, lints, sign,
    with_workspace,
};
use crate::workspace::lock::Lock;
use crate::workspace::{Member, Package, Purl, Source, Target, Workspace};

const NOW: Timestamp = Timestamp::from_unix(1_795_305_600);

pub(super) fn secret(seed: u8) -> SecretKey {
    SecretKey::ed25519_from_seed([seed; 32])
}

pub(super) fn public(seed: u8) -> PublicKey {
    secret(seed).public_key().clone()
}

/// Key files of the tests: `keys/a.pub`, `keys/b.pub`; `keys/again.pub` is `keys/a.pub` once more.
fn resolve(file: &str) -> Result<PublicKey, CliError> {
    match file {
        "keys/a.pub" | "keys/again.pub" | "keys/owner.pub" | "keys/ci.pub" => Ok(public(1)),
        "keys/b.pub" | "keys/maintainer.pub" => Ok(public(2)),
        _ => Err(CliError::cannot_decide(format!("no file `{file}`"))),
    }
}

fn read(text: &str) -> Result<LayoutSource, CliError> {
    LayoutSource::from_text(Utf8Path::new("layouts/release.toml"), text, &resolve)
}

pub(super) const SMALL: &str = r#"format = 1
expires = 2027-11-22T00:00:00Z
crates = ["hello"]

[keys]
a = { file = "keys/a.pub" }
b = { file = "keys/b.pub" }

[[step]]
name = "fetch"
by = ["a"]
materials = ["REQUIRE Cargo.lock", "ALLOW *"]
products = ["CREATE pkg:cargo/*", "DISALLOW *"]

[[step]]
name = "package"
by = ["a", "b"]
threshold = 2
command = ["cargo", "package"]
materials = ["MATCH * WITH MATERIALS FROM fetch", "DISALLOW *"]
products = [["CREATE", "target/package/hello-[0-9]*.crate"], "DISALLOW *"]

[[inspection]]
name = "artifact"
run = ["true"]
materials = ["MATCH hello-[0-9]*.crate WITH PRODUCTS IN target/package FROM package", "DISALLOW *"]
products = ["MATCH hello-[0-9]*.crate WITH PRODUCTS IN target/package FROM package", "DISALLOW *"]
"#;

#[test]
fn a_source_becomes_the_layout_it_means() {
    let source = read(SMALL).unwrap();
    let layout = source.to_layout();
    assert_eq!(layout.expires().to_string(), "2027-11-22T00:00:00Z");
    assert_eq!(layout.steps().len(), 2);
    assert_eq!(layout.steps()[1].threshold.get(), 2);
    assert_eq!(
        layout.steps()[1].expected_products[0].to_string(),
        "CREATE target/package/hello-[0-9]*.crate"
    );
    assert!(layout.keys().contains_key(&public(1).key_id(KeyIdStyle::Legacy)));
    let of_signed = Layout::from_value(&layout.to_value(), &Limits::default()).unwrap();
    assert_eq!(of_signed, layout);
    let rule = &source.steps()[0].products[0];
    assert_eq!(
        &source.text()[rule.span.clone()],
        "\"CREATE pkg:cargo/*\"",
        "spans are kept"
    );
    assert_eq!(source.functionaries("package").unwrap().len(), 2);
    assert!(source.functionaries("none").is_none());
}

#[test]
fn a_key_is_listed_under_the_id_that_the_source_asks_for() {
    let with = |style: &str| read(&SMALL.replacen(".pub\" }", &format!(".pub\", keyid = \"{style}\" }}"), 1));
    let listed = |style| {
        with(style)
            .unwrap()
            .to_layout()
            .keys()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        listed("legacy"),
        read(SMALL)
            .unwrap()
            .to_layout()
            .keys()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    );
    assert_ne!(listed("python"), listed("legacy"));
    let layout = with("python").unwrap().to_layout();
    assert_eq!(
        Layout::from_value(&layout.to_value(), &Limits::default()).unwrap(),
        layout
    );
    assert!(with("other").is_err());
}

#[test]
fn mistakes_are_shown_where_they_stand() {
    for (from, to, message, place) in [
        ("format = 1\n", "", "needs the field `format`", "1:1"),
        ("format = 1", "format = 2", "reads layout sources of format 1", "1:10"),
        ("format = 1", "format = true", "`format` takes a whole number", "1:10"),
        (
            "crates = ",
            "exact_commands = 1\ncrates = ",
            "`exact_commands` takes true or false",
            "3:18",
        ),
        ("crates = ", "crate = ", "did you mean `crates`?", "3:1"),
        ("threshold = 2", "treshold = 2", "did you mean `threshold`?", "18:1"),
        ("threshold = 2", "threshold = 3", "cannot be met by 2 keys", "18:13"),
        (
            "threshold = 2",
            "threshold = 0",
            "`threshold` takes a whole number from 1",
            "18:13",
        ),
        ("by = [\"a\"]", "by = [\"c\"]", "no usable key `c`", "11:7"),
        ("by = [\"a\"]", "by = []", "somebody who may do it", "11:6"),
        ("by = [\"a\"]", "by = [\"a\", \"a\"]", "named twice", "11:12"),
        (
            "name = \"package\"",
            "name = \"fetch\"",
            "`fetch` is named twice",
            "16:8",
        ),
        ("name = \"package\"", "name = \"a/b\"", "cannot name a step", "16:8"),
        (
            "\"REQUIRE Cargo.lock\"",
            "\"REQUIRES Cargo.lock\"",
            "not an artifact rule",
            "12:14",
        ),
        ("\"REQUIRE Cargo.lock\"", "7", "`materials` takes rules", "12:14"),
        (
            "MATERIALS FROM fetch",
            "THINGS FROM fetch",
            "not an artifact rule",
            "20:14",
        ),
        (
            "2027-11-22T00:00:00Z",
            "\"2027-11-22\"",
            "write it without quotes",
            "2:11",
        ),
        (
            "2027-11-22T00:00:00Z",
            "2027-11-22",
            "the time of day is missing",
            "2:11",
        ),
        (
            "2027-11-22T00:00:00Z",
            "2027-11-22T00:00:00+01:00",
            "this is another zone",
            "2:11",
        ),
        (
            "2027-11-22T00:00:00Z",
            "2027-11-22T00:00:00.5Z",
            "fractions of a second",
            "2:11",
        ),
        ("keys/b.pub", "keys/none.pub", "no file `keys/none.pub`", "7:14"),
        ("keys/b.pub", "keys/again.pub", "are the same key", "7:14"),
        (
            "{ file = \"keys/b.pub\" }",
            "\"keys/b.pub\"",
            "`b` takes a table",
            "7:5",
        ),
        ("run = [\"true\"]", "run = []", "needs at least the program", "25:7"),
        ("[[inspection]]", "[inspection]", "an array of tables", "23:1"),
        ("format = 1", "format == 1", "this is not TOML", "1:9"),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let error = read(&SMALL.replace(from, to)).unwrap_err();
        let text = error.shown().unwrap_or_default().to_owned();
        assert_eq!(error.exit(), Exit::Usage, "{to}");
        assert!(text.contains(message), "{to}: {text}");
        assert!(text.contains(&format!("layouts/release.toml:{place}")), "{to}: {text}");
    }
}

#[test]
fn all_mistakes_are_shown_at_once() {
    let text = SMALL
        .replace("threshold = 2", "threshold = 3")
        .replace("REQUIRE", "REQUIRES");
    assert!(read(&text).unwrap_err().to_string().contains("has 2 mistakes"));
    let empty = read("format = 1\nexpires = 2027-11-22T00:00:00Z\n").unwrap_err();
    let empty = empty.shown().unwrap_or_default();
    assert!(empty.contains("a layout without steps demands nothing"), "{empty}");
}

#[test]
fn signing_is_deterministic_and_under_both_ids() {
    let source = read(SMALL).unwrap();
    let p256 = SecretKey::p256_from_scalar([9; 32]).unwrap();
    for container in [Container::Dsse, Container::Metablock] {
        for owner in [&secret(7) as &dyn Signer, &p256] {
            let bytes = sign(&source, &[owner], container).unwrap();
            assert_eq!(bytes, sign(&source, &[owner], container).unwrap());
            let envelope = Envelope::parse(&bytes, &Limits::default()).unwrap();
            for style in [KeyIdStyle::Python, KeyIdStyle::Legacy] {
                let id = owner.public_key().key_id(style);
                assert!(envelope.verify(owner.public_key(), &[id]).is_ok());
            }
            let value = envelope.payload_value().unwrap();
            let layout = Layout::from_value(&value, &Limits::default()).unwrap();
            assert!(from_signed(&source, &layout).is_empty());
        }
    }
}

#[test]
fn differences_from_the_signed_layout_are_shown() {
    let signed = read(SMALL).unwrap().to_layout();
    for (from, to, message) in [
        ("2027-11-22", "2028-11-22", "another expires: `2027-11-22T00:00:00Z`"),
        ("threshold = 2", "threshold = 1", "another threshold: `2`"),
        ("by = [\"a\"]", "by = [\"b\"]", "another by"),
        (
            "\"cargo\", \"package\"",
            "\"cargo\"",
            "another command: `cargo package`",
        ),
        (
            "CREATE pkg:cargo/*",
            "CREATE pkg:*",
            "another rule: `CREATE pkg:cargo/*`",
        ),
        ("\"REQUIRE Cargo.lock\", ", "", "another rule: `REQUIRE Cargo.lock`"),
        (
            ", \"DISALLOW *\"]\n\n[[step]]",
            "]\n\n[[step]]",
            "more products rules for `fetch`: `DISALLOW *`",
        ),
        ("name = \"artifact\"", "name = \"other\"", "no inspection `other`"),
        ("run = [\"true\"]", "run = [\"tar\"]", "another run: `true`"),
        ("crates = [\"hello\"]", "readme = \"x\"", "another `readme`"),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let source = read(&SMALL.replacen(from, to, 1)).unwrap();
        let problems = from_signed(&source, &signed);
        assert!(
            problems.iter().any(|problem| problem.message.contains(message)),
            "{to}: {problems:?}"
        );
    }
}

fn member(name: &str, publishable: bool, targets: &[(&str, &str)]) -> Member {
    Member {
        package: Package {
            id: format!("path+file:///w/{name}#0.1.0"),
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            source: Source::Path,
            source_text: None,
            manifest_path: Utf8PathBuf::from(format!("/w/{name}/Cargo.toml")),
            purl: Purl::new(name, "0.1.0", &Source::Path),
            readme: None,
            license_file: None,
            targets: targets
                .iter()
                .map(|(name, kind)| Target {
                    name: (*name).to_owned(),
                    kinds: vec![(*kind).to_owned()],
                    crate_types: vec![(*kind).to_owned()],
                    src_path: Utf8PathBuf::from("/w/src/main.rs"),
                    required_features: Vec::new(),
                    test: true,
                    doctest: false,
                })
                .collect(),
        },
        publishable,
        registries: None,
        is_default: true,
    }
}

fn workspace(members: Vec<Member>) -> Workspace {
    Workspace {
        root: "/w".into(),
        target_directory: "/w/target".into(),
        build_directory: "/w/target".into(),
        cargo_home: "/home/u/.cargo".into(),
        packages: members.iter().map(|member| member.package.clone()).collect(),
        members,
        lock: Lock::parse(b"version = 4\n").unwrap(),
    }
}

fn options() -> DeriveOptions {
    DeriveOptions {
        functionaries: vec![Functionary {
            name: "owner".to_owned(),
            file: "keys/owner.pub".to_owned(),
            key: public(1),
        }],
        expires: NOW,
        packages: Vec::new(),
        profile: Profile::Release,
        triple: Some("x86_64-unknown-linux-gnu".to_owned()),
        tools: Vec::new(),
        outside: Vec::new(),
    }
}

#[test]
fn a_derived_layout_fits_its_workspace_and_has_no_lint() {
    let workspaces = [
        vec![member("hello", true, &[("hello", "lib")])],
        vec![
            member("foo", true, &[("foo", "lib"), ("foo", "bin")]),
            member("foo-2", true, &[("foo-2", "lib")]),
        ],
        vec![member("tool", false, &[("tool", "bin")])],
        vec![member("odd", false, &[("a [b]*", "bin"), ("odd", "cdylib")])],
        vec![member("inner", false, &[("inner", "lib")])],
    ];
    for members in workspaces {
        let workspace = workspace(members);
        let mut options = options();
        options.expires = Timestamp::from_unix(NOW.as_unix() + 365 * 24 * 60 * 60);
        let derived = derive(&workspace, Utf8Path::new("layouts/release.toml"), &options).unwrap();
        let problems: Vec<Problem> = lints(&derived.source, NOW)
            .into_iter()
            .chain(with_workspace(&derived.source, &workspace))
            .collect();
        assert!(problems.is_empty(), "{}\n{problems:?}", derived.source.text());
        let published = workspace.members.iter().any(|member| member.publishable);
        assert_eq!(derived.source.step("package").is_some(), published);
        assert_eq!(derived.notes.is_empty(), published, "{:?}", derived.notes);
    }
}

#[test]
fn a_package_comes_after_the_tools_that_must_pass() {
    let workspace = workspace(vec![member("a", true, &[("a", "lib")])]);
    let options = DeriveOptions {
        tools: vec![Tool::Vet, Tool::Deny, Tool::Deny],
        expires: Timestamp::from_unix(NOW.as_unix() + 365 * 24 * 60 * 60),
        ..options()
    };
    let source = derive(&workspace, Utf8Path::new("x.toml"), &options).unwrap().source;
    let steps: Vec<&str> = source.steps().iter().map(|step| step.name.value.as_str()).collect();
    assert_eq!(steps, ["fetch", "deny", "vet", "build", "test", "package"]);
    let rules = |name: &str| -> Vec<String> {
        let step = source.step(name).unwrap();
        step.materials
            .iter()
            .map(|rule| rule.rule.to_words().join(" "))
            .collect()
    };
    assert_eq!(
        rules("package")[..4],
        [
            "REQUIRE target/reports/deny.json",
            "MATCH target/reports/deny.json WITH PRODUCTS FROM deny",
            "REQUIRE target/reports/vet.json",
            "MATCH target/reports/vet.json WITH PRODUCTS FROM vet",
        ]
    );
    assert!(rules("deny").contains(&"REQUIRE deny.toml".to_owned()));
    assert_eq!(rules("vet").last().map(String::as_str), Some("DISALLOW *"));
    assert!(lints(&source, NOW).is_empty());
}

#[test]
fn what_was_selected_stands_in_the_derived_layout() {
    let workspace = workspace(vec![
        member("a", true, &[("a", "lib")]),
        member("b", true, &[("b", "bin")]),
    ]);
    let path = Utf8Path::new("x.toml");
    let one = DeriveOptions {
        packages: vec!["b".to_owned()],
        profile: Profile::Dev,
        triple: None,
        outside: vec!["outside/cargo-home/config.toml".to_owned()],
        ..options()
    };
    let derived = derive(&workspace, path, &one).unwrap();
    let text = derived.source.text();
    assert!(text.contains(r#"crates = ["b"]"#), "{text}");
    assert!(
        text.contains(r#"command = ["cargo", "build", "--locked", "-p", "b"]"#),
        "{text}"
    );
    assert!(text.contains("CREATE target/debug/b"), "{text}");
    assert!(text.contains("ALLOW outside/cargo-home/config.toml"), "{text}");
    assert!(!text.contains("hello"), "{text}");
    assert_eq!(derived.notes.len(), 1);
    let all = derive(&workspace, path, &options()).unwrap();
    assert!(all.source.text().contains("\"--workspace\""));
    assert!(
        derive(
            &workspace,
            path,
            &DeriveOptions {
                packages: vec!["c".to_owned()],
                ..options()
            }
        )
        .is_err()
    );
    assert!(
        derive(
            &workspace,
            path,
            &DeriveOptions {
                functionaries: Vec::new(),
                ..options()
            }
        )
        .is_err()
    );
}

#[test]
fn a_workspace_that_has_changed_is_noticed() {
    let before = workspace(vec![member("a", true, &[("a", "lib")])]);
    let options = DeriveOptions {
        triple: None,
        ..options()
    };
    let source = derive(&before, Utf8Path::new("x.toml"), &options).unwrap().source;
    for (members, message) in [
        (
            vec![member("a", true, &[]), member("b", true, &[])],
            "`crates` leaves out `b`",
        ),
        (
            vec![member("a", true, &[]), member("b", true, &[])],
            "makes `target/package/b-0.1.0.crate`",
        ),
        (vec![member("a", false, &[])], "`crates` lists `a`"),
        (
            vec![member("a", true, &[("tool", "bin")])],
            "makes `target/release/tool`",
        ),
    ] {
        let problems = with_workspace(&source, &workspace(members));
        assert!(
            problems.iter().any(|problem| problem.message.contains(message)),
            "{message}: {problems:?}"
        );
    }
}

#[test]
fn lints_have_places_and_severities() {
    let source = read(&SMALL.replace("\"CREATE pkg:cargo/*\", \"DISALLOW *\"", "\"CREATE pkg:cargo/*\"")).unwrap();
    let found = lints(&source, NOW);
    let lint = found
        .iter()
        .find(|lint| lint.code.as_deref() == Some("closing-disallow-missing"))
        .unwrap();
    assert_eq!(lint.severity, Severity::Warning);
    assert!(source.text()[lint.span.clone().unwrap()].contains("CREATE pkg:cargo"));
    let source = read(&SMALL.replace("FROM fetch", "FROM fetsch")).unwrap();
    assert!(lints(&source, NOW).iter().any(|lint| lint.severity == Severity::Error));
    let late = Timestamp::from_unix(NOW.as_unix() + 400 * 24 * 60 * 60);
    let expired = lints(&read(SMALL).unwrap(), late);
    assert_eq!(expired[0].severity, Severity::Error);
    assert_eq!(
        expired[0].span.clone().map(|span| &SMALL[span]),
        Some("2027-11-22T00:00:00Z")
    );
}

#[test]
fn every_starter_is_a_layout_without_lint() {
    for template in cargo_intoto_layouts::TEMPLATES {
        let source = read(template.text).unwrap_or_else(|error| panic!("{}: {error}", template.name));
        let found = lints(&source, NOW);
        assert!(found.is_empty(), "{}: {found:?}", template.name);
    }
}
