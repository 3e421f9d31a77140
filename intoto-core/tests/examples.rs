//! Each example does what it says, called as its first comment shows.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

use std::fs;
use std::path::PathBuf;

use intoto_core::envelope::Envelope;
use intoto_core::key::{KeyIdStyle, SecretKey, Signer as _};
use intoto_core::limits::Limits;
use intoto_core::payload::Payload;
use intoto_core::verdict::{FindingCode, Outcome};

#[path = "../examples/evidence_source.rs"]
#[expect(dead_code, reason = "`main` is the example's own")]
mod evidence_source;
#[path = "../examples/key_store.rs"]
#[expect(dead_code, reason = "`main` is the example's own")]
mod key_store;
#[path = "../examples/verify.rs"]
#[expect(dead_code, reason = "`main` is the example's own")]
mod verify;
#[path = "../examples/wrap_command.rs"]
#[expect(dead_code, reason = "`main` is the example's own")]
mod wrap_command;

#[test]
fn verify_says_yes_to_the_chain_and_no_to_another_artifact() {
    let directory = scratch("verify");
    for entry in fs::read_dir(vectors().join("verified--chain")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), directory.join(entry.file_name())).unwrap();
    }
    let verify = |time: &str| verify::verify(&directory, "hello-1.0.crate", time).unwrap();
    let now = shown(include_str!("../examples/verify.rs")).pop().unwrap();

    fs::write(directory.join("hello-1.0.crate"), "crate").unwrap();
    assert_eq!(verify::said(&verify(&now)), "verified\n");
    assert_eq!(
        verify("2030-01-02T00:00:00Z").findings()[0].code,
        FindingCode::LayoutExpired
    );

    fs::write(directory.join("hello-1.0.crate"), "another").unwrap();
    let verdict = verify(&now);
    assert_eq!(verdict.outcome(), Outcome::Refused, "{}", verify::said(&verdict));

    fs::write(directory.join("hello-1.0.crate"), "crate").unwrap();
    fs::remove_file(directory.join("write.46724ece.link")).unwrap();
    assert_eq!(verify(&now).outcome(), Outcome::Undecided);
}

/// Links of certificates are found in a directory as well.
#[test]
fn verify_searches() {
    let directory = scratch("searches");
    for vector in ["verified--chain", "verified--certificate"] {
        for entry in fs::read_dir(vectors().join(vector)).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), directory.join(entry.file_name())).unwrap();
        }
    }
    fs::write(directory.join("hello-1.0.crate"), "crate").unwrap();
    let verdict = verify::verify(&directory, "hello-1.0.crate", "2026-11-22T00:00:00Z").unwrap();
    assert_eq!(verify::said(&verdict), "verified\n");
}

#[test]
fn evidence_comes_from_a_map() {
    let words = shown(include_str!("../examples/evidence_source.rs"));
    let directories: Vec<String> = (words.iter())
        .map(|word| vectors().join("../..").join(word).to_str().unwrap().to_owned())
        .collect();
    assert_eq!(directories.len(), 2);
    let said = |directories: &[String]| evidence_source::run(directories).unwrap();
    assert_eq!(said(&directories[..1]), "2 links in 1 rounds: verified\n");
    assert_eq!(said(&directories), "3 links in 2 rounds: verified\n");
    let forged = vectors()
        .join("threshold-unmet--short-ids-exchanged")
        .to_str()
        .unwrap()
        .to_owned();
    let forged = [directories[0].clone(), forged];
    assert!(!said(&forged).contains("verified"), "{}", said(&forged));
}

#[test]
fn a_key_store_signs_and_refuses() {
    let said = key_store::run().unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let [made, refused] = lines.as_slice() else {
        panic!("{said}")
    };
    assert!(made.starts_with("build.") && made.ends_with(".link verifies"), "{said}");
    assert!(
        refused.ends_with("cannot sign: the key may not sign any more"),
        "{said}"
    );
}

#[test]
fn a_command_is_wrapped() {
    let directory = scratch("wrap");
    let tree = directory.join("tree");
    fs::create_dir_all(tree.join("src")).unwrap();
    fs::write(tree.join("src/a"), "a").unwrap();
    let key = SecretKey::ed25519_from_seed([3; 32]);
    let place = |word: &str| directory.join(word).to_str().unwrap().to_owned();
    fs::write(place("key.pem"), key.to_pkcs8_pem().as_bytes()).unwrap();

    let mut words = shown(include_str!("../examples/wrap_command.rs"));
    for at in [1, 2, 4] {
        words[at] = place(&words[at]);
    }
    let said = wrap_command::run(&words, &directory).unwrap();
    let key_id = key.public_key().key_id(KeyIdStyle::Python);
    assert_eq!(said, format!("build.{}.link\n", key_id.short()));

    let limits = Limits::default();
    let bytes = fs::read(directory.join(said.trim())).unwrap();
    let envelope = Envelope::parse(&bytes, &limits).unwrap();
    let verified = envelope.verify(key.public_key(), &[key_id]).unwrap();
    let payload = Payload::from_value(&verified.value().unwrap(), &limits).unwrap();
    let link = payload.link().unwrap();
    let names =
        |of: &intoto_core::artifacts::Artifacts| of.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&link.materials), ["src/a"]);
    assert_eq!(names(&link.products), ["product", "src/a"]);

    fs::remove_file(directory.join(said.trim())).unwrap();
    words[3] = "false".into();
    let error = wrap_command::run(&words, &directory).unwrap_err().to_string();
    assert!(error.contains("no link is written"), "{error}");
    assert!(!directory.join(said.trim()).exists());
}

/// The arguments of the command in an example's first comment.
fn shown(source: &str) -> Vec<String> {
    let line = source
        .lines()
        .find(|line| line.contains("--example"))
        .expect("it shows its command");
    let (_, words) = line.split_once(" -- ").expect("it has arguments");
    words.split(' ').map(String::from).collect()
}

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

/// An empty directory for one test.
fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory).unwrap();
    }
    fs::create_dir_all(&directory).unwrap();
    directory
}
