//! `init`, `layout` and `sign`: from a workspace to a signed layout, and what keeps the two together.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use cargo_intoto_tests::mint::{self, By, ISSUER, What};
use cargo_intoto_tests::recorded::payload;
use cargo_intoto_tests::vectors::chain;
use cargo_intoto_tests::{Project, Sandbox, fixed};
use intoto_core::digest::to_hex;
use intoto_core::envelope::{Container, Envelope, unsigned};
use intoto_core::key::{KeyIdStyle, Signer};
use intoto_core::limits::Limits;
use intoto_core::payload::Payload;
use serde_json::{Value, json};

fn set_up(sandbox: &Sandbox) -> Project<'_> {
    let project = sandbox.project("hello");
    project.hello().lock().commit("begin");
    project.intoto(&["init", "--no-passphrase"]).succeeds();
    project
}

#[test]
fn init_sets_a_workspace_up_once() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project.hello().lock().commit("begin");
    let command = "git add layouts/release.toml layouts/release.layout layouts/keys/owner.pub Cargo.lock \
                   && git commit -m \"Add the release layout\"\n";
    project
        .intoto(&["init", "--no-passphrase"])
        .succeeds()
        .prints(command)
        .says("Trusting `hello` for pkg:cargo/hello");
    assert!(sandbox.config().join("keys/owner.key").exists());
    let source = project.read("layouts/release.toml");
    for line in [
        "crates = [\"hello\"]",
        "owner = { file = \"keys/owner.pub\" }",
        "\"CREATE target/release/hello\"",
        "\"CREATE target/package/hello-[0-9]*.crate\"",
        "\"MATCH hello WITH PRODUCTS IN target/release FROM build\"",
    ] {
        assert!(source.contains(line), "{line} is not in\n{source}");
    }
    project.intoto(&["layout", "check"]).succeeds().says("agree");
    let signed = project.read("layouts/release.layout");
    project
        .intoto(&["init", "--no-passphrase"])
        .exits(2)
        .says("is not overwritten");
    project.intoto(&["layout", "sign"]).succeeds();
    assert_eq!(
        project.read("layouts/release.layout"),
        signed,
        "signing is deterministic"
    );
    sandbox.run("hello", "sh", &["-c", command]).succeeds();
    let status = project.git(&["status", "--porcelain"]).succeeds();
    assert_eq!(status.stdout, "");
}

#[test]
fn init_says_that_there_are_no_tests() {
    for (source, says) in [
        ("pub fn nothing() {}\n", true),
        ("pub fn nothing() {}\n\n#[test]\nfn nothing_works() {}\n", false),
        ("/// ```\n/// x::nothing()\n/// ```\npub fn nothing() {}\n", false),
        (
            "pub fn nothing() {}\n\n#[tokio::test(flavor = \"x\")]\nasync fn works() {}\n",
            false,
        ),
    ] {
        let sandbox = Sandbox::new();
        let project = sandbox.project("quiet");
        project.manifest("").file("src/lib.rs", source).lock().commit("begin");
        let output = project.intoto(&["init", "--no-passphrase"]).succeeds();
        assert_eq!(
            output.stderr.contains("there seem to be no tests"),
            says,
            "{}",
            output.shown()
        );
        // A look at the sources decides nothing: the step stays until somebody takes it out.
        assert!(project.read("layouts/release.toml").contains("name = \"test\""));
    }
}

#[test]
fn init_writes_nothing_when_it_is_refused() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project.hello().lock().commit("begin");
    project.file("layouts/keys/owner.pub", "taken");
    project.intoto(&["init", "--no-passphrase"]).exits(2);
    assert!(!project.path("layouts/release.toml").exists());
    assert!(!sandbox.config().exists() || !sandbox.config().join("keys").exists());
    project
        .intoto(&["init", "--key", "none"])
        .exits(3)
        .says("there is no private key");
    fs::remove_file(project.path("Cargo.lock")).unwrap();
    project.intoto(&["init", "--no-passphrase"]).exits(3).says("Cargo.lock");
}

#[test]
fn a_workspace_without_published_members_has_no_package_step() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project
        .hello()
        .replace("Cargo.toml", "[package]\n", "[package]\npublish = false\n")
        .lock()
        .commit("begin");
    project
        .intoto(&["init", "--no-passphrase"])
        .succeeds()
        .says("there is no package step, and the final products are hello");
    assert!(!project.read("layouts/release.toml").contains("\"package\""));
    project.intoto(&["layout", "check"]).succeeds();
}

#[test]
fn check_notices_what_disagrees() {
    let sandbox = Sandbox::new();
    let project = set_up(&sandbox);
    let source = project.read("layouts/release.toml");
    let signed = project.read("layouts/release.layout");
    for (from, to, says) in [
        (
            "crates = [\"hello\"]",
            "crates = [\"hello\", \"other\"]",
            "`crates` lists `other`",
        ),
        ("crates = [\"hello\"]", "crates = []", "`crates` leaves out `hello`"),
        ("\"CREATE target/release/hello\",\n", "", "makes `target/release/hello`"),
        (
            "hello-[0-9]*.crate\",",
            "hullo-[0-9]*.crate\",",
            "makes `target/package/hello-0.1.0.crate`",
        ),
        (
            "\"DISALLOW outside/*\"",
            "\"DISALLOW outside/x\"",
            "another rule: `DISALLOW outside/*`",
        ),
        ("FROM fetch", "FROM fetsch", "fetsch"),
    ] {
        assert!(source.contains(from), "{from}");
        project.file("layouts/release.toml", source.replacen(from, to, 1));
        project
            .intoto(&["layout", "check"])
            .exits(1)
            .says("[layout-disagrees]")
            .says(says)
            .says("layouts/release.toml:");
    }
    project.file("layouts/release.toml", source.replace("[[step]]", "[[steps]]"));
    project
        .intoto(&["layout", "check"])
        .exits(2)
        .says("did you mean `step`?");
    project.file("layouts/release.toml", source.replace("FROM fetch", "FROM fetsch"));
    project
        .intoto(&["layout", "sign"])
        .exits(1)
        .says("is not signed as long as it has mistakes");
    assert_eq!(project.read("layouts/release.layout"), signed, "nothing was written");
    project.file("layouts/release.toml", &source);
    fs::remove_file(project.path("layouts/release.layout")).unwrap();
    project
        .intoto(&["layout", "check"])
        .exits(1)
        .says("there is no signed layout");
    project.file("layouts/release.layout", "{");
    project.intoto(&["layout", "check"]).exits(3).says("release.layout");
}

#[test]
fn check_notices_a_broken_signature() {
    let sandbox = Sandbox::new();
    let project = set_up(&sandbox);
    project
        .intoto(&["layout", "sign", "--container", "metablock"])
        .succeeds();
    let signed = project.read("layouts/release.layout");
    let start = signed.find("\"sig\": \"").unwrap() + 8;
    let digit = if &signed[start..=start] == "0" { "1" } else { "0" };
    project.file(
        "layouts/release.layout",
        format!("{}{digit}{}", &signed[..start], &signed[start + 1..]),
    );
    project.intoto(&["layout", "check"]).exits(1).says("does not hold");
}

/// What nobody known has signed does not agree with anything, however well its content does.
#[test]
fn check_wants_a_signature_of_somebody_known() {
    let sandbox = Sandbox::new();
    let project = set_up(&sandbox);
    let (layout, _) = payload(&project.path("layouts/release.layout"));
    let empty = json!({ "keyid": "", "sig": "AAAA" });
    let mut nobody: Value = serde_json::from_slice(&chain::owned(&layout)).expect("JSON");
    nobody["signatures"] = json!([empty]);
    for signed in [chain::owned(&layout), chain::text(&nobody)] {
        project.file("layouts/release.layout", signed);
        project
            .intoto(&["layout", "check"])
            .exits(1)
            .says("nobody who is known here has signed");
    }
    // The stranger is known to whoever trusts them.
    project.file("layouts/release.layout", chain::owned(&layout));
    let stranger = sandbox.write("stranger.pub", chain::owner().pem());
    let add = [
        "trust",
        "add",
        "stranger",
        "--key",
        stranger.as_str(),
        "--scope",
        "pkg:cargo/x",
    ];
    project.intoto(&add).succeeds();
    project.intoto(&["layout", "check"]).succeeds();
}

/// A file that is called like a signature is none yet.
#[test]
fn check_looks_at_what_lies_beside_the_layout() {
    let sandbox = Sandbox::new();
    let project = set_up(&sandbox);
    let (layout, _) = payload(&project.path("layouts/release.layout"));
    let layout = chain::owned(&layout);
    project.file("layouts/release.layout", &layout);
    let check = || project.intoto(&["layout", "check"]);
    let beside = |content: &str| project.file("layouts/release.layout.sigstore.json", content);
    let root = sandbox.write("root.json", mint::trusted_root().to_string());
    fs::write(
        sandbox.config().join("settings.toml"),
        format!("[sigstore]\ntrusted-root = \"{root}\"\n"),
    )
    .expect("written");
    let bundle = |by: By<'_>, what: &[u8]| mint::bundle(by, What::File(what), fixed::TIME - 24 * 3600).to_string();
    let (person, key) = ("dev@example.com", fixed::p256("owner"));
    let trust = |words: &[&str]| {
        let add = [&["trust", "add", "somebody", "--scope", "pkg:cargo/x"], words].concat();
        project.intoto(&add).succeeds();
    };
    let public = sandbox.write("owner.pub", key.public_key().to_spki_pem());
    let by_person = ["--identity", person, "--issuer", ISSUER];
    for (by, words) in [
        (By::Person(person), &by_person[..]),
        (By::Key(&key), &["--key", public.as_str()]),
    ] {
        let good = bundle(by, &layout);
        let of_another = bundle(by, b"another layout");
        for content in ["junk", "{}", "", &of_another, &good] {
            beside(content);
            check().exits(1).says("nobody who is known here has signed");
        }
        trust(words);
        check().succeeds().says("agree");
        for content in ["junk", "{}", "", &of_another] {
            beside(content);
            check().exits(1).says("nobody who is known here has signed");
        }
        project.intoto(&["trust", "remove", "somebody"]).succeeds();
    }
}

#[test]
fn a_file_of_the_tree_does_not_pose_as_a_key_of_ones_own() {
    let sandbox = Sandbox::new();
    let project = set_up(&sandbox);
    let own = project.intoto(&["key", "show", "owner"]).succeeds().stdout;
    project.file("owner", fixed::ed25519("evil").public_key().to_spki_pem());
    assert_eq!(project.intoto(&["key", "show", "owner"]).succeeds().stdout, own);
}

#[test]
fn init_says_how_to_commit_in_every_tree() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project.hello().lock().file(".gitignore", "/target\nCargo.lock\n");
    let output = project.intoto(&["init", "--no-passphrase"]).succeeds();
    assert_eq!(
        output.stdout,
        "git init && git add . && git add --force Cargo.lock && git commit -m \"Add the release layout\"\n"
    );
    sandbox.run("hello", "sh", &["-c", &output.stdout]).succeeds();
    assert_eq!(project.git(&["status", "--porcelain"]).succeeds().stdout, "");
    project
        .git(&["ls-files", "--error-unmatch", "Cargo.lock", "layouts/release.layout"])
        .succeeds();
}

#[test]
fn derive_prints_what_fits_now() {
    let sandbox = Sandbox::new();
    let project = set_up(&sandbox);
    let derived = project.intoto(&["layout", "derive"]).succeeds();
    assert_eq!(derived.stdout, project.read("layouts/release.toml"));
    project
        .intoto(&["layout", "derive", "-o", "layouts/release.toml"])
        .exits(2)
        .says("is not overwritten");
    project
        .intoto(&["layout", "derive", "--profile", "dev"])
        .succeeds()
        .prints("CREATE target/debug/hello");
    project.intoto(&["layout", "derive", "-p", "none"]).exits(2);
    project
        .intoto(&["layout", "show", "layouts/release.layout"])
        .succeeds()
        .prints("step package\n")
        .prints("        CREATE target/package/hello-[0-9]*.crate\n");
}

#[test]
fn starters_can_be_written() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("p");
    project
        .intoto(&["layout", "new"])
        .succeeds()
        .prints("workspace-with-ci");
    project
        .intoto(&["layout", "new", "--template", "none"])
        .exits(2)
        .says("library, library-with-deny, binary, workspace-with-ci");
    project.intoto(&["layout", "new", "--template", "library"]).succeeds();
    project
        .intoto(&["layout", "new", "--template", "binary"])
        .exits(2)
        .says("is not overwritten");
    project
        .intoto(&["layout", "sign"])
        .exits(2)
        .says("there is no public key at `layouts/keys/owner.pub`");
}

/// A link of the step `build` with one product.
fn link(product: &str, content: &str) -> Vec<u8> {
    let digest = to_hex(&intoto_core::digest::sha256(content.as_bytes()));
    let text = format!(
        r#"{{"_type":"link","byproducts":{{}},"command":[],"environment":{{}},"materials":{{}},"name":"build","products":{{"{product}":{{"sha256":"{digest}"}}}}}}"#
    );
    let limits = Limits::default();
    let value = intoto_core::encoding::strict_json::parse(text.as_bytes(), &limits).expect("it is JSON");
    unsigned(&value, Container::Dsse).expect("it holds no float")
}

fn private_key(sandbox: &Sandbox, name: &str) -> String {
    let path = sandbox.write(format!("{name}.key"), fixed::ed25519(name).to_pkcs8_pem().as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the sandbox is writable");
    path.into_string()
}

#[test]
fn a_link_is_signed_elsewhere_under_the_name_that_verification_looks_for() {
    let sandbox = Sandbox::new();
    let key = private_key(&sandbox, "k");
    let public = fixed::ed25519("k").public_key().clone();
    sandbox.write("links/build.link", link("target/release/hello", "bytes"));
    for (style, id) in [
        (&[][..], public.key_id(KeyIdStyle::Legacy)),
        (&["--keyid-style", "python"][..], public.key_id(KeyIdStyle::Python)),
        (
            &["--keyid-style", "legacy", "--container", "metablock"][..],
            public.key_id(KeyIdStyle::Legacy),
        ),
    ] {
        let mut args = vec!["sign", "links/build.link", "--key", &key];
        args.extend(style);
        sandbox.intoto("", &args).succeeds();
        let file = fs::read(sandbox.path(format!("links/build.{}.link", id.short()))).unwrap();
        let envelope = Envelope::parse(&file, &Limits::default()).unwrap();
        assert!(envelope.verify(&public, &[id]).is_ok());
        let wanted = if style.contains(&"metablock") {
            Container::Metablock
        } else {
            Container::Dsse
        };
        assert_eq!(envelope.container(), wanted);
    }
}

#[test]
fn links_and_statements_are_made_of_each_other() {
    let sandbox = Sandbox::new();
    let key = private_key(&sandbox, "k");
    sandbox.write("build.link", link("x", "x"));
    let sign = |args: &[&str]| {
        let mut all = vec!["sign", "build.link", "--key", &key];
        all.extend(args);
        sandbox.intoto("", &all)
    };
    let payload = |file: &str| {
        let file = fs::read(sandbox.path(file)).unwrap();
        let envelope = Envelope::parse(&file, &Limits::default()).unwrap();
        let value = envelope.payload_value().unwrap();
        (
            envelope.container(),
            Payload::from_value(&value, &Limits::default()).unwrap(),
        )
    };
    let (_, before) = payload("build.link");
    sign(&["--container", "statement", "-o", "build.link"]).succeeds();
    let (container, statement) = payload("build.link");
    assert!(container == Container::Dsse && matches!(statement, Payload::Statement(_)));
    assert_eq!(statement.link(), before.link());
    // Signed again as it is, and never in the container that statements do not have.
    sign(&["-o", "build.link"]).succeeds();
    assert_eq!(payload("build.link"), (container, statement));
    sign(&["--append", "--container", "dsse"]).exits(2).says("--append");
    sign(&["--container", "metablock", "-o", "build.link"]).succeeds();
    assert_eq!(payload("build.link"), (Container::Metablock, before));
}

#[test]
fn signatures_are_appended_or_replaced() {
    let sandbox = Sandbox::new();
    let (first, second) = (private_key(&sandbox, "a"), private_key(&sandbox, "b"));
    sandbox.write("build.link", link("x", "x"));
    let count = || {
        let file = fs::read(sandbox.path("build.link")).unwrap();
        Envelope::parse(&file, &Limits::default()).unwrap().signatures().len()
    };
    let sign = |args: &[&str]| {
        let mut all = vec!["sign", "build.link"];
        all.extend(args);
        sandbox.intoto("", &all)
    };
    sign(&["--key", &first, "--append"]).succeeds();
    sign(&["--key", &second, "--append"]).succeeds();
    assert_eq!(count(), 2);
    sign(&["--key", &second, "--append"]).succeeds();
    assert_eq!(count(), 2, "signing again changes nothing");
    sign(&["--key", &first, "--append", "--container", "metablock"])
        .exits(2)
        .says("--append");
    sign(&["--key", &first, "-o", "build.link"]).succeeds();
    assert_eq!(count(), 1);
    sign(&["--key", &first, "--key", &second, "-o", "one.link"])
        .exits(2)
        .says("--output");
}

#[test]
fn a_link_of_another_step_is_not_signed() {
    let sandbox = Sandbox::new();
    let key = private_key(&sandbox, "k");
    let project = set_up(&sandbox);
    sandbox.write("build.link", link("target/release/hello", "bytes"));
    let sign = |file: &str, step: &str| sandbox.intoto("", &["sign", file, "--key", &key, "--step", step]);
    sign("build.link", "test")
        .exits(1)
        .says("[signed-step-differs]")
        .says("found a link of step `build`");
    let layout = project.path("layouts/release.layout");
    let before = project.read("layouts/release.layout");
    sign(layout.as_str(), "build")
        .exits(1)
        .says("[signed-step-differs]")
        .says("found a layout");
    assert_eq!(project.read("layouts/release.layout"), before);
    sign("build.link", "build").succeeds();
}

#[test]
fn artifacts_are_compared_before_a_link_is_signed() {
    let sandbox = Sandbox::new();
    let key = private_key(&sandbox, "k");
    sandbox.write("build.link", link("target/release/hello", "bytes"));
    let sign =
        |directory: &str| sandbox.intoto("", &["sign", "build.link", "--key", &key, "--artifact-dir", directory]);
    sandbox.write("good/hello", "bytes");
    sandbox.write("full/target/release/hello", "bytes");
    sandbox.write("bad/hello", "other bytes");
    sandbox.write("empty/other", "bytes");
    for (directory, says) in [
        ("bad", "`bad/hello` is sha256:"),
        ("empty", "none of its products lies in `empty`"),
    ] {
        sign(directory).exits(1).says("[signed-artifact-differs]").says(says);
    }
    sign("none").exits(3);
    let signed = fs::read_dir(sandbox.root()).unwrap().filter_map(Result::ok);
    assert_eq!(
        signed
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(".link"))
            .count(),
        1
    );
    for directory in ["good", "full"] {
        sign(directory).succeeds().says("Compared 1 product with");
    }
}
