//! `key` and `trust`: the user's own files, and who may touch them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use camino::Utf8Path;
use cargo_intoto_tests::sandbox::{run, twin};
use cargo_intoto_tests::{Output, Sandbox, fixed};
use intoto_core::key::{KeyIdStyle, OpenPgpCertificate, PublicKey, SecretKey, Signer};

fn mode(path: impl AsRef<Utf8Path>) -> u32 {
    fs::metadata(path.as_ref())
        .expect("the file is there")
        .permissions()
        .mode()
        & 0o777
}

fn with_passphrase(sandbox: &Sandbox, passphrase: &str, args: &[&str]) -> Output {
    let mut command = sandbox.command(twin());
    command.args(args).env("CARGO_INTOTO_PASSPHRASE", passphrase);
    run(command)
}

#[test]
fn a_generated_key_is_the_users_alone() {
    let sandbox = Sandbox::new();
    let keys = sandbox.config().join("keys");
    let kinds = ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-3072"];
    for (name, kind) in ["a", "b", "c", "d", "e"].into_iter().zip(kinds) {
        sandbox
            .intoto("", &["key", "generate", name, "--kind", kind, "--no-passphrase"])
            .succeeds()
            .says("Generated");
        let private = keys.join(format!("{name}.key"));
        assert_eq!((mode(&private), mode(&keys)), (0o600, 0o700));
        let key = SecretKey::from_pkcs8_pem(&fs::read_to_string(&private).unwrap()).unwrap();
        let public = fs::read_to_string(keys.join(format!("{name}.pub"))).unwrap();
        assert_eq!(*key.public_key(), PublicKey::from_spki_pem(&public).unwrap());
        let shown = sandbox.intoto("", &["key", "show", name]).succeeds().prints(&public);
        for style in [KeyIdStyle::Python, KeyIdStyle::Legacy] {
            assert!(shown.stdout.contains(key.public_key().key_id(style).as_str()));
        }
        assert_eq!(PublicKey::from_spki_pem(&public).unwrap(), *key.public_key());
    }
    let before = fs::read(keys.join("a.key")).unwrap();
    sandbox
        .intoto("", &["key", "generate", "a", "--no-passphrase"])
        .exits(2)
        .says("exists already and is not overwritten");
    assert_eq!(fs::read(keys.join("a.key")).unwrap(), before);
    let listed = sandbox.intoto("", &["key", "list"]).succeeds();
    assert_eq!(listed.stdout.lines().count(), 5);
    for name in ["../x", ".hidden", "a b", ""] {
        sandbox
            .intoto("", &["key", "generate", name, "--no-passphrase"])
            .exits(2)
            .says("cannot name a key");
    }
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_only() {
    let sandbox = Sandbox::new();
    for kind in ["ed25519", "ecdsa-p256"] {
        with_passphrase(&sandbox, "right", &["key", "generate", kind, "--kind", kind]).succeeds();
        let path = sandbox.config().join(format!("keys/{kind}.key"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{text}");
        let import = ["key", "import", "again", path.as_str(), "--no-passphrase"];
        with_passphrase(&sandbox, "wrong", &import)
            .exits(3)
            .says("the passphrase is wrong")
            .never_says("right");
        sandbox.intoto("", &import).exits(2).says("CARGO_INTOTO_PASSPHRASE");
        with_passphrase(&sandbox, "right", &import).succeeds();
        let again = sandbox.config().join("keys/again.key");
        assert!(
            fs::read_to_string(&again)
                .unwrap()
                .starts_with("-----BEGIN PRIVATE KEY-----")
        );
        fs::remove_file(again).unwrap();
        fs::remove_file(sandbox.config().join("keys/again.pub")).unwrap();
    }
    with_passphrase(&sandbox, "", &["key", "generate", "empty"])
        .exits(2)
        .says("the passphrase is empty");
    assert!(!sandbox.config().join("keys/empty.key").exists());
}

/// A file of `intoto-core/src/key/testdata`.
fn test_key(name: &str) -> String {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../intoto-core/src/key/testdata/{name}.pem"));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn keys_of_other_tools_are_imported_in_every_form() {
    let sandbox = Sandbox::new();
    for (file, public) in [
        ("p256.sec1", "p256.spki"),
        ("p384.pkcs8", "p384.spki"),
        ("p384.encrypted", "p384.spki"),
        ("p521.parameters", "p521.spki"),
        ("rsa.pkcs8", "rsa.spki"),
        ("rsa.pkcs1", "rsa.spki"),
        ("rsa.encrypted", "rsa.spki"),
    ] {
        let path = sandbox.write(file, test_key(file));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let import = ["key", "import", file, path.as_str(), "--no-passphrase"];
        with_passphrase(&sandbox, "passphrase", &import).succeeds();
        let stored = fs::read_to_string(sandbox.config().join(format!("keys/{file}.pub"))).unwrap();
        assert_eq!(stored, test_key(public), "{file}");
    }
    for (file, says) in [
        ("rsa.openssl-encrypted", "openssl pkcs8 -topk8"),
        ("rsa1024.pkcs8", "has 1024 bits, and 2048 is the least"),
        ("rsa.pkcs1.pub", "it is a public key"),
    ] {
        let path = sandbox.write(file, test_key(file));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        with_passphrase(
            &sandbox,
            "passphrase",
            &["key", "import", "x", path.as_str(), "--no-passphrase"],
        )
        .exits(3)
        .says(says);
    }
}

#[test]
fn public_keys_are_read_in_every_form() {
    let sandbox = Sandbox::new();
    for (file, public) in [
        ("p256.compressed", "p256.spki"),
        ("p256.text.crt", "p256.spki"),
        ("p521.crt", "p521.spki"),
        ("rsa.spki", "rsa.spki"),
        ("rsa.pkcs1.pub", "rsa.spki"),
        ("rsa.crt", "rsa.spki"),
    ] {
        let path = sandbox.write(file, test_key(file));
        sandbox
            .intoto("", &["key", "show", path.as_str()])
            .succeeds()
            .prints(&test_key(public));
    }
    let weak = sandbox.write("weak.pub", test_key("rsa1024.spki"));
    sandbox
        .intoto("", &["key", "show", weak.as_str()])
        .exits(3)
        .says("has 1024 bits, and 2048 is the least")
        .says("others can sign with such a key");
}

#[test]
fn a_key_file_that_others_can_read_is_refused() {
    let sandbox = Sandbox::new();
    let path = sandbox.write("k.key", fixed::ed25519("k").to_pkcs8_pem().as_bytes());
    for (bits, code) in [(0o644, 2), (0o640, 2), (0o620, 2), (0o602, 2), (0o600, 0), (0o400, 0)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(bits)).unwrap();
        let output = sandbox.intoto("", &["key", "show", path.as_str()]).exits(code);
        if code != 0 {
            output
                .says("[key-file-exposed]")
                .says(&format!("run `chmod 600 {path}`"));
        }
    }
}

#[test]
fn what_is_no_private_key_says_so() {
    let sandbox = Sandbox::new();
    let public = fixed::ed25519("k").public_key().to_spki_pem();
    for (name, text, says) in [
        ("public", public.as_str(), "it is a public key"),
        ("text", "hello", "it is no PEM file"),
        (
            "openssh",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
            "its form is `OPENSSH PRIVATE KEY`",
        ),
        (
            "short",
            "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
            "it cannot be used",
        ),
        (
            "label",
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            "it holds `CERTIFICATE`",
        ),
    ] {
        let path = sandbox.write(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        sandbox
            .intoto("", &["key", "import", "x", path.as_str(), "--no-passphrase"])
            .exits(3)
            .says(says);
    }
    sandbox
        .intoto("", &["key", "import", "x", "none.pem"])
        .exits(3)
        .says("there is no private key");
    sandbox
        .intoto("", &["key", "show", "pkcs11:me"])
        .exits(2)
        .says("file:PATH, gpg:FINGERPRINT, env:VARIABLE, process:PROGRAM, ssh-agent:FINGERPRINT, sigstore:");
    sandbox
        .intoto("", &["key", "show", "sigstore:browser"])
        .exits(2)
        .says("an identity has no public key");
}

#[test]
fn trust_has_scopes_and_is_the_users_alone() {
    let sandbox = Sandbox::new();
    let key = sandbox.write("owner.pub", fixed::ed25519("owner").public_key().to_spki_pem());
    let second = sandbox.write("second.pub", fixed::p256("second").public_key().to_spki_pem());
    let add = |args: &[&str]| {
        let mut all = vec!["trust", "add", "hello", "--key", key.as_str()];
        all.extend(args);
        sandbox.intoto("", &all)
    };
    add(&["--scope", "pkg:cargo/hello@1.0.0"])
        .exits(2)
        .says("write `pkg:cargo/hello`");
    add(&["--scope", "hello"]).exits(2).says("is no purl of a crate");
    add(&["--scope", "pkg:cargo/hello", "--threshold", "2"])
        .exits(2)
        .says("cannot be met by 1 key");
    assert!(!sandbox.config().join("trust.toml").exists());
    add(&["--scope", "pkg:cargo/hello", "--key", second.as_str()]).succeeds();
    add(&["--scope", "pkg:cargo/other"])
        .exits(2)
        .says("has an entry `hello` already");
    assert_eq!(mode(sandbox.config().join("trust.toml")), 0o600);
    sandbox
        .intoto("", &["trust", "list"])
        .succeeds()
        .prints("hello: 2 of 2 keys")
        .prints("for   pkg:cargo/hello\n");
    sandbox
        .intoto("", &["trust", "remove", "none"])
        .exits(2)
        .says("has no entry `none`");
    sandbox.intoto("", &["trust", "remove", "hello"]).succeeds();
    sandbox.intoto("", &["trust", "list"]).succeeds().says("has no entries");
}

#[test]
fn a_private_key_is_not_taken_for_an_owners() {
    let sandbox = Sandbox::new();
    let key = sandbox.write("k.pem", fixed::ed25519("k").to_pkcs8_pem().as_bytes());
    sandbox
        .intoto(
            "",
            &["trust", "add", "x", "--key", key.as_str(), "--scope", "pkg:cargo/x"],
        )
        .exits(2)
        .says("[key-file-exposed]");
}

#[test]
fn a_damaged_or_exposed_trust_store_is_not_used() {
    let sandbox = Sandbox::new();
    for text in [
        "format = 2\n",
        "format = 1\nextra = 1\n",
        "not toml",
        "format = 1\n[[entry]]\nname = \"x\"\n",
    ] {
        sandbox.write("home/.config/cargo-intoto/trust.toml", text);
        sandbox
            .intoto("", &["trust", "list"])
            .exits(3)
            .says("[trust-store-malformed]");
        assert_eq!(sandbox.read("home/.config/cargo-intoto/trust.toml"), text);
    }
    let store = sandbox.write("elsewhere/trust.toml", "format = 1\n");
    let list = ["trust", "--trust-store", store.as_str(), "list"];
    for (bits, code) in [(0o600, 0), (0o644, 0), (0o666, 3), (0o620, 3)] {
        fs::set_permissions(&store, fs::Permissions::from_mode(bits)).unwrap();
        let output = sandbox.intoto("", &list).exits(code);
        if code != 0 {
            output.says("[trust-store-unsafe]");
        }
    }
    fs::set_permissions(&store, fs::Permissions::from_mode(0o600)).unwrap();
    fs::set_permissions(sandbox.path("elsewhere"), fs::Permissions::from_mode(0o777)).unwrap();
    sandbox.intoto("", &list).exits(3).says("[trust-store-unsafe]");
    sandbox
        .intoto("", &["trust", "--trust-store", "none.toml", "list"])
        .exits(3)
        .says("there is no trust store at `none.toml`");
}

#[test]
fn no_variable_moves_the_trust_store() {
    let sandbox = Sandbox::new();
    sandbox.write("evil/cargo-intoto/trust.toml", "not toml");
    let mut command = sandbox.command(twin());
    command.args(["trust", "list"]);
    for name in ["XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME"] {
        command.env(name, sandbox.path("evil"));
    }
    run(command)
        .succeeds()
        .says("home/.config/cargo-intoto/trust.toml` has no entries");
}

#[test]
fn exported_openpgp_keys_own_layouts() {
    let sandbox = Sandbox::new();
    let chain = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/verified--openpgp-by-python");
    for entry in chain.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        sandbox.write(path.file_name().unwrap(), fs::read(&path).unwrap());
    }
    let verify = |more: &[&str]| {
        let mut all = vec!["verify", "--layout", "root.layout", "--link-dir", ".", "--as-of"];
        all.push(fixed::TIME_RFC3339);
        all.extend(more);
        sandbox.intoto("", &all)
    };
    let fingerprint = "F1D8 F5C6 6B19 BA2C C1E5  9685 D03A A5FE 1742 B9D4";
    verify(&["--gpg-pubring", "owner.pub"]).exits(0);
    verify(&["--gpg-pubring", "owner.pub", "--gpg", fingerprint]).exits(0);
    verify(&["--key", "owner.pub"]).exits(0);
    // Just this part of the key, which has only one.
    verify(&["--gpg-pubring", "owner.pub", "--gpg", &format!("{fingerprint}!")]).exits(0);
    verify(&["--gpg-pubring", "owner.pub", "--gpg", "1742b9d4"])
        .exits(2)
        .says("is no OpenPGP fingerprint");
    verify(&["--gpg-pubring", "owner.pub", "--gpg", &"0".repeat(40)])
        .exits(3)
        .says("there is no OpenPGP key");
    verify(&["--gpg-pubring", "root.layout"]).exits(3).says("OpenPGP");
    // The trust store keeps it as layouts do, with its times.
    sandbox
        .intoto(
            "",
            &[
                "trust",
                "add",
                "owner",
                "--scope",
                "pkg:cargo/hello",
                "--key",
                "owner.pub",
            ],
        )
        .exits(0);
    verify(&["--subject", "pkg:cargo/hello"]).exits(0);
    // Two owners are two people, and one of them can sign.
    let export = fs::read(chain.join("owner.pub")).unwrap();
    let certificate = OpenPgpCertificate::read_all(&export).unwrap().remove(0);
    sandbox.write("plain.pub", PublicKey::OpenPgp(certificate.key.unwrap()).to_spki_pem());
    let samples = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../intoto-core/src/key/openpgp/samples");
    for name in ["certify-only.asc", "revoked-by-appointed.asc"] {
        sandbox.write(name, fs::read(samples.join(name)).unwrap());
    }
    for (more, code, says) in [
        (
            &["--key", "owner.pub", "--key", "plain.pub"][..],
            2,
            "is in one hand with another one",
        ),
        (&["--key", "certify-only.asc"], 2, "is not for signing"),
        (&["--key", "revoked-by-appointed.asc"], 3, "is revoked"),
    ] {
        let words = [&["trust", "add", "other", "--scope", "pkg:cargo/other"], more].concat();
        sandbox.intoto("", &words).exits(code).says(says);
    }
}

#[test]
fn an_owner_may_be_one_part_of_an_openpgp_key() {
    let sandbox = Sandbox::new();
    let samples = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../intoto-core/src/key/openpgp/samples");
    let export = fs::read(samples.join("carl.asc")).unwrap();
    sandbox.write("carl.asc", &export);
    // What one of Carl's subkeys signed stands in the place of a layout: it is no layout, but who has signed is asked first.
    sandbox.write("root.layout", fs::read(samples.join("package.3e00fc96.link")).unwrap());
    let carl = OpenPgpCertificate::read_all(&export).unwrap().remove(0).key.unwrap();
    let verify = |ids: &[String]| {
        let mut words = vec![
            "verify",
            "--layout",
            "root.layout",
            "--link-dir",
            ".",
            "--gpg-pubring",
            "carl.asc",
        ];
        words.extend(ids.iter().flat_map(|id| ["--gpg", id.as_str()]));
        sandbox.intoto("", &words)
    };
    for id in carl.key_ids() {
        let output = verify(&[format!("{id}!")]).exits(1);
        let expected = if id.short() == "3e00fc96" {
            "metadata-invalid"
        } else {
            "signature"
        };
        output.prints(expected);
        verify(&[id.to_string()]).exits(1).prints("metadata-invalid");
    }
    let parts: Vec<String> = carl.subkey_ids().map(|id| format!("{id}!")).collect();
    verify(&parts)
        .exits(2)
        .says("are one key, of which different parts are demanded");
}
