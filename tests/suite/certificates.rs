//! Functionaries by certificate, from the layout source to the verdict.

use cargo_intoto_tests::certificates::{Template, intermediate, root};
use cargo_intoto_tests::{Sandbox, fixed};
use intoto_core::key::SecretKey;

fn functionary_key() -> SecretKey {
    fixed::p256("builder")
}

fn owner_key() -> SecretKey {
    fixed::ed25519("owner")
}

/// Good until the certificates' short form of time ends.
fn functionary() -> Template {
    Template {
        uris: vec!["spiffe://example.com/write"],
        validity: ("250101000000", "490101000000"),
        ..Template::functionary("builder", functionary_key)
    }
}

const SOURCE: &str = r#"format = 1
expires = 2048-01-01T00:00:00Z

[roots]
company = { file = "root.pem" }

[[step]]
name = "write"
certificates = [{ common-name = "*", organizations = ["Example"], uris = ["spiffe://example.com/write"], roots = ["company"] }]
materials = ["DISALLOW *"]
products = ["CREATE foo.txt", "DISALLOW *"]
"#;

#[test]
fn a_functionary_by_certificate() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    let forever = |template: Template| Template {
        validity: ("250101000000", "490101000000"),
        ..template
    };
    let (root, intermediate) = (forever(root()), forever(intermediate()));
    for (name, key) in [("owner", owner_key()), ("builder", functionary_key())] {
        sandbox.private(format!("{name}.key"), key.to_pkcs8_pem().as_bytes());
    }
    sandbox.write(
        "owner.pub",
        intoto_core::key::Signer::public_key(&owner_key()).to_spki_pem(),
    );
    sandbox.write("issuing.pem", intermediate.pem_by(&root));
    sandbox.write("builder.pem", functionary().pem_by(&intermediate));
    sandbox.write("root.pem", root.pem_by(&root));
    project
        .hello()
        .lock()
        .file("layouts/release.toml", SOURCE)
        .file("layouts/root.pem", root.pem_by(&root))
        .commit("begin");
    let sign = ["layout", "sign", "--key", "../owner.key"];
    project.intoto(&sign).succeeds().says("certificate-needs-ite-7");
    let signed = project.read("layouts/release.layout");
    project.intoto(&sign).succeeds();
    assert_eq!(
        project.read("layouts/release.layout"),
        signed,
        "signing is deterministic"
    );
    project
        .intoto(&["layout", "show", "layouts/release.layout"])
        .succeeds()
        .prints("CN=Example Root,O=Example")
        .prints("uris spiffe://example.com/write");

    project.intoto(&["fetch", "--unsigned"]).succeeds();
    let record = |key: &str, certificate: &str| {
        let words = [
            "run",
            "--step",
            "write",
            "-p",
            "foo.txt",
            "--key",
            key,
            "--certificate",
            certificate,
        ];
        project.intoto(&[&words[..], &["--", "touch", "foo.txt"]].concat())
    };
    record("../owner.key", "../builder.pem")
        .exits(2)
        .says("is about another key");
    std::fs::remove_file(project.path("foo.txt")).expect("what was touched is there");
    record("../builder.key", "../builder.pem").succeeds();

    let verify = [
        "verify",
        "--layout",
        "layouts/release.layout",
        "--key",
        "../owner.pub",
        "foo.txt",
    ];
    let verify = |more: &[&str]| project.intoto(&[&verify[..], more].concat());
    verify(&["--intermediate", "../issuing.pem"])
        .succeeds()
        .prints("certificate of CN=builder,O=Example");
    verify(&[]).exits(1).prints("certificate-untrusted");
    verify(&["--intermediate", "../owner.pub"])
        .exits(3)
        .says("found \"PUBLIC KEY\"");
}

#[test]
fn mistakes_about_certificates_are_shown_where_they_stand() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project.hello().lock();
    let own = functionary();
    project.file("layouts/root.pem", root().pem_by(&root()));
    project.file("layouts/leaf.pem", own.pem_by(&own));
    for (from, to, message) in [
        (
            "file = \"root.pem\"",
            "file = \"leaf.pem\"",
            "is no certificate authority's",
        ),
        (
            "file = \"root.pem\"",
            "file = \"none.pem\"",
            "there is no certificate at",
        ),
        ("[\"company\"]", "[\"compny\"]", "did you mean `company`?"),
        ("[\"company\"]", "[]", "`roots` names nobody"),
        ("[\"Example\"]", "[\"*\"]", "is a name like any other"),
        ("organizations", "organisations", "did you mean `organizations`?"),
        (
            "[roots]\ncompany = { file = \"root.pem\" }",
            "",
            "no certificate is trusted without a root",
        ),
    ] {
        project.file("layouts/release.toml", SOURCE.replacen(from, to, 1));
        project
            .intoto(&["layout", "show", "layouts/release.toml"])
            .exits(2)
            .says(message);
    }
}
