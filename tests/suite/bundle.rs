//! Evidence bundles from the outside: made, looked into, verified by, and every hostile one refused by its code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto_tests::chain::{CRATE, Evidence, STEPS, ready, record};
use cargo_intoto_tests::fixed::TIME_RFC3339;
use cargo_intoto_tests::vectors::chain;
use cargo_intoto_tests::{Output, Sandbox, bundles, fixed, sha256_hex};
use intoto_core::key::Signer as _;
use serde_json::{Value, json};

const BUNDLE: &str = "hello-0.1.0.intoto.tar";
const FILES: [&str; 6] = [
    "--layout",
    "release.layout",
    "--link-dir",
    "links",
    "--key",
    "owner.pub",
];

fn create(evidence: &Evidence, more: &[&str]) -> Output {
    let args = [&["bundle", "create"], &FILES[..], &[CRATE], more].concat();
    evidence.sandbox().intoto("", &args)
}

/// Honest evidence with its bundle.
fn bundled() -> Evidence {
    let evidence = Evidence::honest();
    create(&evidence, &[])
        .succeeds()
        .says(&format!("     Bundled {BUNDLE}: "));
    evidence
}

fn by_bundle(evidence: &Evidence, more: &[&str]) -> Output {
    evidence
        .sandbox()
        .intoto("", &[&["bundle", "verify", BUNDLE], more].concat())
}

#[test]
fn hostile_bundles_are_refused_each_by_its_code() {
    let directory = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("bundles");
    let overwrite = std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite");
    let file = |name: &str| format!("{name}.intoto.tar");
    let expected: BTreeMap<String, Vec<u8>> = bundles::all()
        .into_iter()
        .map(|bundle| (file(bundle.name), bundle.bytes))
        .collect();
    if overwrite {
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("our own files");
        for (name, bytes) in &expected {
            fs::write(directory.join(name), bytes).expect("our own files");
        }
    }
    let found: BTreeSet<String> = directory
        .read_dir_utf8()
        .expect("SNAPSHOTS=overwrite writes them")
        .map(|entry| entry.expect("our own files").file_name().to_owned())
        .collect();
    assert_eq!(
        found,
        expected.keys().cloned().collect(),
        "write them anew with SNAPSHOTS=overwrite"
    );

    let sandbox = Sandbox::new();
    sandbox.write("owner.pub", chain::owner().pem());
    for bundle in bundles::all() {
        let name = file(bundle.name);
        let bytes = fs::read(directory.join(&name)).expect("our own files");
        assert!(
            bytes == bundle.bytes,
            "{name} is not what the table says; write it anew with SNAPSHOTS=overwrite"
        );
        sandbox.write(&name, bytes);
        let verify = sandbox.intoto(
            "",
            &[
                "verify",
                "--bundle",
                &name,
                "--key",
                "owner.pub",
                "--as-of",
                TIME_RFC3339,
            ],
        );
        let show = sandbox.intoto("", &["show", &name]);
        let (code, _) = bundle.name.split_once("--").expect("code and fault");
        if code == "verified" {
            verify.succeeds().prints("Verified chain only");
            show.succeeds();
            continue;
        }
        let shown = verify.shown();
        assert!(
            verify.code == Some(3) && verify.stderr.contains(&format!("error[{code}]:")),
            "{name}: {}\n{shown}",
            bundle.about
        );
        assert!(!verify.stderr.contains('\u{1b}'), "{name}\n{shown}");
        assert_eq!(verify.stdout, "", "{name}");
        assert_eq!(show.code, Some(3), "{name}\n{}", show.shown());
    }
}

#[test]
fn a_bundle_is_the_same_for_the_same_evidence() {
    let first = bundled();
    let second = Evidence::honest();
    second.write("deep/down/owner.pub", second.bytes("owner.pub"));
    // Another name of the key file, other flags in another order, another place to write.
    let args = [
        "bundle",
        "create",
        "--output",
        "other.tar",
        "--key",
        "deep/down/owner.pub",
        "--link-dir",
        "./links",
        "--layout",
    ];
    let layout = second.path("release.layout");
    second
        .sandbox()
        .intoto("", &[&args[..], &[layout.as_str(), CRATE]].concat())
        .succeeds();
    assert!(
        first.bytes(BUNDLE) == second.bytes("other.tar"),
        "two bundles of one evidence differ"
    );

    let names = first.sandbox().run("", "tar", &["tf", BUNDLE]).succeeds().stdout;
    let names: Vec<&str> = names.lines().collect();
    assert_eq!(names[0], "hello-0.1.0.intoto/manifest.json");
    assert!(names.contains(&"hello-0.1.0.intoto/layout/release.layout"), "{names:?}");
    assert!(names.contains(&"hello-0.1.0.intoto/verdict.json"), "{names:?}");
    assert_eq!(
        names.iter().filter(|name| name.contains("/links/")).count(),
        STEPS.len(),
        "{names:?}"
    );
    first.sandbox().run("", "tar", &["xf", BUNDLE]).succeeds();
    let manifest: Value = serde_json::from_slice(&first.bytes("hello-0.1.0.intoto/manifest.json")).expect("JSON");
    for member in manifest["members"].as_array().expect("a list") {
        let bytes = first.bytes(&format!(
            "hello-0.1.0.intoto/{}",
            member["name"].as_str().expect("a name")
        ));
        assert_eq!(member["sha256"], json!(sha256_hex(&bytes)));
        assert_eq!(member["size"], json!(bytes.len()));
    }
    let crate_sha256 = sha256_hex(&first.bytes(CRATE));
    assert_eq!(
        manifest["subjects"],
        json!([{ "name": CRATE, "sha256": crate_sha256, "purl": "pkg:cargo/hello@0.1.0" }])
    );
    let verdict: Value = serde_json::from_slice(&first.bytes("hello-0.1.0.intoto/verdict.json")).expect("JSON");
    assert_eq!(
        (&verdict["outcome"], &verdict["format"]),
        (&json!("verified"), &json!("cargo-intoto-bundle-verdict"))
    );
    assert!(
        verdict.get("reference_time").is_none() && verdict["artifacts"][0].get("path").is_none(),
        "{verdict}"
    );
    // Unpacked, it is evidence as any other.
    let unpacked = [
        "--layout",
        "hello-0.1.0.intoto/layout/release.layout",
        "--link-dir",
        "hello-0.1.0.intoto/links",
        "--key",
        "owner.pub",
    ];
    first
        .sandbox()
        .intoto("", &[&["verify"], &unpacked[..], &[CRATE]].concat())
        .succeeds();
}

#[test]
fn what_a_bundle_says_of_itself_is_not_believed() {
    let evidence = bundled();
    let output = by_bundle(&evidence, &[CRATE, "--key", "owner.pub"]).succeeds();
    let output = output.prints("    Verified hello-0.1.0.crate by 4 steps");
    output
        .prints("which you trust here")
        .prints("verdict of its maker: verified");
    // Its key and its verdict are right there, and count for nothing.
    by_bundle(&evidence, &[CRATE]).exits(3).says("error[owner-unknown]");
    by_bundle(&evidence, &[]).exits(3).says("error[owner-unknown]");
    evidence.write("other.pub", fixed::ed25519("other").public_key().to_spki_pem());
    let other = by_bundle(&evidence, &[CRATE, "--key", "other.pub"]).exits(1);
    other
        .prints("error[signature-missing]")
        .prints("which you do not trust here");
    let trust = [
        "trust",
        "add",
        "hello",
        "--key",
        "owner.pub",
        "--scope",
        "pkg:cargo/hello",
    ];
    evidence.sandbox().intoto("", &trust).succeeds();
    by_bundle(&evidence, &[CRATE]).succeeds().prints("of the trust store");
    by_bundle(&evidence, &["--subject", "pkg:cargo/hello@0.1.0"])
        .succeeds()
        .prints("Verified chain only")
        .prints("about hello-0.1.0.crate: nothing was compared");
    let json = by_bundle(&evidence, &[CRATE, "--format", "json"]).succeeds().stdout;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["bundle"]["outcome"], json!("verified"));
    assert_eq!(json["bundle"]["keys"][0]["demanded"], json!(true));
    let sarif = by_bundle(&evidence, &[CRATE, "--key", "other.pub", "--format", "sarif"])
        .exits(1)
        .stdout;
    assert!(sarif.contains(&format!("\"uri\": \"{BUNDLE}\"")), "{sarif}");
    for files in [&["--layout", "release.layout"][..], &["--link-dir", "links"]] {
        by_bundle(&evidence, &[files, &[CRATE]].concat())
            .exits(2)
            .says("a bundle brings its own layout");
    }
}

#[test]
fn a_bundle_stops_no_clock_and_no_check() {
    let evidence = bundled();
    let at = |time| by_bundle(&evidence, &[CRATE, "--key", "owner.pub", "--as-of", time]);
    at("2200-01-01T00:00:00Z")
        .exits(1)
        .prints("error[layout-expired]")
        .prints("as of 2200-01-01T00:00:00Z");
    at(TIME_RFC3339)
        .succeeds()
        .prints("   Verifying hello-0.1.0.crate as of 2026-11-22T00:00:00Z");
    let mut spoiled = evidence.bytes(CRATE);
    spoiled.push(b'x');
    evidence.write("spoiled/hello-0.1.0.crate", spoiled);
    let output = by_bundle(&evidence, &["spoiled/hello-0.1.0.crate", "--key", "owner.pub"]).exits(1);
    output
        .prints("error[bundle-crate-mismatch]")
        .prints("error[crate-trailing-bytes]");
}

#[test]
fn what_does_not_verify_is_not_packed() {
    let evidence = Evidence::honest();
    fs::remove_file(evidence.path(&evidence.link("test"))).expect("it was there");
    create(&evidence, &[]).exits(3).prints("link-missing");
    let other = Evidence::honest();
    other.resign(&other.link("build"), |link| {
        drop(link.insert("command", vec!["evil".into()].into()))
    });
    create(&other, &["--exact-commands", "--format", "github"])
        .exits(1)
        .prints("::error title=cargo-intoto%3A command-differs");
    for evidence in [&evidence, &other] {
        assert!(!evidence.path(BUNDLE).exists());
    }
    let honest = Evidence::honest();
    create(&honest, &["--as-of", "2200-01-01T00:00:00Z"])
        .exits(1)
        .prints("layout-expired");
    let args = [&["bundle", "create"], &FILES[..]].concat();
    honest
        .sandbox()
        .intoto("", &args)
        .exits(2)
        .says("a bundle is about an artifact");
}

#[test]
fn a_crate_is_bound_by_name_version_registry_and_digest() {
    let evidence = bundled();
    let registry = "pkg:cargo/hello@0.1.0?repository_url=https:%2F%2Fr.example%2Findex";
    let named = |word: &str| by_bundle(&evidence, &[word, "--key", "owner.pub"]);
    named("hello@0.1.0").exits(3).says("is not in cargo's cache");
    evidence.write(
        &format!("cargo-home/registry/cache/index.crates.io-1949cf8c6b5b557f/{CRATE}"),
        evidence.bytes(CRATE),
    );
    named("hello@0.1.0").succeeds().prints("    Verified hello-0.1.0.crate");
    named("pkg:cargo/hello@0.1.0").succeeds();
    named("hello@0.1.1")
        .exits(3)
        .says("hello 0.1.1 is not in cargo's cache");
    // The same bytes in the cache of another registry: nothing signed says which registry a crate is of.
    named(registry)
        .exits(3)
        .says("https://r.example/index is not in cargo's cache");
    evidence.write(
        &format!("cargo-home/registry/cache/r.example-00/{CRATE}"),
        evidence.bytes(CRATE),
    );
    named(registry).exits(1).prints("error[bundle-crate-mismatch]");
    // A bundle of that registry's crate, which is not the default one's.
    create(&evidence, &["--subject", registry]).succeeds();
    named(registry).succeeds();
    named("hello@0.1.0").exits(1).prints("error[bundle-crate-mismatch]");
    // Another crate of the same name in the cache.
    evidence.write(
        &format!("cargo-home/registry/cache/index.crates.io-1949cf8c6b5b557f/{CRATE}"),
        "other",
    );
    create(&evidence, &[]).succeeds();
    named("hello@0.1.0").exits(1).prints("error[bundle-crate-mismatch]");
}

#[test]
fn sublayouts_keep_their_directories() {
    let sandbox = Sandbox::new();
    let vector = cargo_intoto_tests::vectors::all()
        .into_iter()
        .find(|vector| vector.name == "verified--sublayout-in-sublayout")
        .expect("there is one");
    let base = cargo_intoto_tests::vectors::base();
    let mut files = base.files;
    files.extend(vector.files);
    for (name, content) in &files {
        if let Some(content) = content {
            sandbox.write(format!("chain/{name}"), content);
        }
    }
    // The chain's artifact is a program here: a .crate would have to be a sound one.
    let mut layout = chain::layout();
    layout["steps"][1]["expected_products"] = chain::rules(&["CREATE out/hello", "DISALLOW *"]);
    layout["inspect"] = json!([]);
    sandbox.write("chain/root.layout", chain::owned(&layout));
    let link = chain::link(
        "package",
        &["pack", "hello"],
        chain::sources(),
        json!({ "out/hello": chain::digests("program") }),
    );
    sandbox.write(
        format!("chain/{}", chain::bob().link_file("package")),
        chain::dsse(&chain::text(&link), &[&chain::bob()]),
    );
    sandbox.write("chain/hello", "program");
    let files = [
        "--layout",
        "root.layout",
        "--link-dir",
        ".",
        "--key",
        "owner.pub",
        "--as-of",
        TIME_RFC3339,
        "hello",
    ];
    sandbox
        .intoto("chain", &[&["bundle", "create"], &files[..]].concat())
        .succeeds();
    let names = sandbox
        .run("chain", "tar", &["tf", "hello.intoto.tar"])
        .succeeds()
        .stdout;
    assert_eq!(
        names.lines().filter(|name| name.matches('/').count() == 4).count(),
        1,
        "{names}"
    );
    let verify = [
        "bundle",
        "verify",
        "hello.intoto.tar",
        "hello",
        "--key",
        "owner.pub",
        "--as-of",
        TIME_RFC3339,
    ];
    sandbox.intoto("chain", &verify).succeeds().prints("   Sublayout");
}

#[test]
fn a_workspace_packs_its_latest_run_and_says_where_it_is_found() {
    let sandbox = Sandbox::new();
    let project = ready(&sandbox, "hello");
    let template = "[package.metadata.intoto]\nevidence = \"https://e.example/{name}/{version}.tar\"\n";
    project
        .file("Cargo.toml", project.read("Cargo.toml") + template)
        .commit("evidence");
    for step in STEPS {
        record(&project, step).succeeds();
    }
    let url = "https://e.example/hello/0.1.0.tar";
    project.intoto(&["bundle", "create"]).succeeds().says(url);
    let bundle = project.path("target/package/hello-0.1.0.intoto.tar");
    assert!(bundle.is_file());
    let shown = project.intoto(&["bundle", "show", bundle.as_str()]).succeeds();
    let shown = shown.prints("UNVERIFIED").prints(&format!("evidence at {url}"));
    assert_eq!(
        project.intoto(&["show", bundle.as_str()]).succeeds().stdout,
        shown.stdout
    );
    let crate_file = project.path(Utf8PathBuf::from("target/package").join(CRATE));
    project
        .intoto(&["show", crate_file.as_str()])
        .succeeds()
        .prints(&format!("evidence at {url}, says its manifest"));
    project
        .intoto(&["bundle", "verify", bundle.as_str(), crate_file.as_str()])
        .succeeds();
    // Where cargo has another target directory since, the latest run is there and not here.
    project
        .file(".cargo/config.toml", "[build]\ntarget-dir = \"out\"\n")
        .file(".gitignore", "/target\n/out\n")
        .commit("elsewhere");
    project
        .intoto(&["bundle", "create"])
        .exits(3)
        .says("no recorded run in ");
    for step in STEPS {
        record(&project, step).succeeds();
    }
    project
        .intoto(&["bundle", "create"])
        .succeeds()
        .says("Bundled out/package/hello-0.1.0.intoto.tar");
    // A tampered one is refused as a whole.
    let mut bytes = fs::read(&bundle).expect("our own");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&bundle, bytes).expect("our own");
    project
        .intoto(&["bundle", "verify", bundle.as_str(), crate_file.as_str()])
        .exits(3)
        .says("error[bundle-");
}

#[test]
fn statements_and_reports_go_in_and_nothing_else_does() {
    let evidence = Evidence::honest();
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "x", "digest": { "sha256": "00".repeat(32) } }],
        "predicateType": "https://example.org/review/v1",
        "predicate": { "by": "\u{1b}[2Jme" },
    });
    let envelope = chain::dsse(&chain::text(&statement), &[&chain::alice()]);
    evidence.write("review.json", &envelope);
    evidence.write(
        "links/hello-0.1.0.intoto.jsonl",
        [&envelope[..], b"\n", &envelope, b"\n"].concat(),
    );
    evidence.write("links/notes.txt", "nothing");
    evidence.write("report.json", "{}");
    create(&evidence, &["--byproduct", "report.json"])
        .exits(3)
        .says("no link has a product of the name and the bytes");
    create(&evidence, &["--statement", "report.json"])
        .exits(3)
        .says("is no signed statement");
    evidence.write("nul.json", &envelope);
    create(&evidence, &["--statement", "nul.json"])
        .exits(3)
        .says("error[bundle-entry-name]: failed to bundle the evidence of hello-0.1.0")
        .says("the name \"hello-0.1.0.intoto/statements/nul.json\" has a part that is a device on Windows")
        .says("call the step or the file something else");
    evidence.resign(&evidence.link("package"), |link| {
        let mut products = link
            .get("products")
            .and_then(|value| value.as_object())
            .expect("an object")
            .clone();
        let mut digests = intoto_core::encoding::Object::new();
        digests.insert("sha256", sha256_hex(b"{}").into());
        products.insert("target/reports/report.json", digests.into());
        link.insert("products", products.into());
    });
    evidence.resign("release.layout", |layout| {
        let text = intoto_core::encoding::to_json(&layout.clone().into());
        let text = text.replace("\"DISALLOW\",\"*\"", "\"ALLOW\",\"*\"");
        let limits = intoto_core::limits::Limits::default();
        let value = intoto_core::encoding::strict_json::parse(text.as_bytes(), &limits).expect("JSON");
        let intoto_core::encoding::Value::Object(changed) = value.into_owned() else {
            panic!("an object")
        };
        *layout = changed;
    });
    evidence.write("links/report.json", "{}");
    create(&evidence, &["--statement", "review.json", "--byproduct", "report.json"]).succeeds();
    let names = evidence.sandbox().run("", "tar", &["tf", BUNDLE]).succeeds().stdout;
    for name in [
        "byproducts/target/reports/report.json",
        "statements/review.json",
        "statements/hello-0.1.0.intoto.jsonl",
    ] {
        assert_eq!(names.matches(name).count(), 1, "{name}\n{names}");
    }
    assert!(!names.contains("notes.txt"), "{names}");
    by_bundle(&evidence, &[CRATE, "--key", "owner.pub"]).succeeds();

    let show = |file: &str| evidence.sandbox().intoto("", &["show", file]).succeeds();
    let shown = show("review.json")
        .prints("https://example.org/review/v1")
        .prints("signed under key id");
    assert!(
        shown.stdout.starts_with("UNVERIFIED") && !shown.stdout.contains('\u{1b}'),
        "{}",
        shown.stdout
    );
    assert_eq!(
        show("links/hello-0.1.0.intoto.jsonl")
            .stdout
            .matches("DSSE envelope")
            .count(),
        2
    );
    show("release.layout").prints("layout\n").prints("step package");
    show(&evidence.link("build"))
        .prints("link of step build")
        .prints("command cargo build --release --locked");
    evidence
        .sandbox()
        .intoto("", &["show", "owner.pub"])
        .exits(3)
        .says("cargo intoto key show");
}

#[test]
fn too_large_is_not_read() {
    let sandbox = Sandbox::new();
    let huge = sandbox.write("huge.tar", "");
    fs::File::create(&huge)
        .and_then(|file| file.set_len(1 << 30))
        .expect("a sparse file");
    sandbox
        .intoto("", &["bundle", "show", "huge.tar"])
        .exits(3)
        .says("error[bundle-too-large]");
    let many: Vec<bundles::Member> = (0..25_002)
        .map(|number| bundles::Member::file(&format!("statements/{number:08}"), ""))
        .collect();
    sandbox.write("many.tar", bundles::pack(&many));
    sandbox
        .intoto("", &["bundle", "show", "many.tar"])
        .exits(3)
        .says("error[bundle-too-large]");
    sandbox.run("", "mkfifo", &["fifo.tar"]).succeeds();
    sandbox
        .intoto("", &["bundle", "show", "fifo.tar"])
        .exits(3)
        .says("is a FIFO");
    sandbox.intoto("", &["show", "none.tar"]).exits(3).says("is missing");
}
