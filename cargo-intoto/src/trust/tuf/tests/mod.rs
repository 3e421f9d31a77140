//! A repository made by the tests, honest and not, against the client.

use std::fs;

use intoto_core::key::Signer;
use serde_json::json;

use super::*;
use crate::exit::Exit;
use crate::finding::CargoCode;
use crate::signing::public_key_text;

mod attacks;
mod repository;

use repository::*;

#[test]
fn what_is_fetched_is_used_offline_until_it_expires() {
    let mut repository = begun();
    repository.files.insert("hello/owners.toml", owners("new-owner", ""));
    repository.next().publish();
    assert_eq!(
        repository.offline_at(DAY).unwrap().owners().unwrap().0,
        [secret("owner").public_key().clone()],
        "nobody asked yet"
    );
    let brought = repository.update().unwrap();
    assert_eq!(brought.owners().unwrap().0, [secret("new-owner").public_key().clone()]);
    assert_eq!(brought.good_until(), Some(time(repository.expires)));
    let names: Vec<_> = brought
        .roles
        .iter()
        .map(|role| (role.name.as_str(), role.version))
        .collect();
    assert_eq!(
        names,
        [
            ("root", 1),
            ("timestamp", 2),
            ("snapshot", 2),
            ("targets", 2),
            ("hello", 2)
        ]
    );
    // The repository is not asked any more.
    fs::remove_dir_all(repository.scratch.path().join("repository")).unwrap();
    let offline = repository.offline_at("2027-05-31T23:59:59Z").unwrap();
    assert_eq!(offline.owners().unwrap().0, [secret("new-owner").public_key().clone()]);
    assert_eq!(offline.updated, time(DAY));
    let error = repository.offline_at("2027-06-01T00:00:01Z").unwrap_err();
    assert_eq!(
        (error.code(), error.exit()),
        (Some(CargoCode::TufExpired), Exit::CannotDecide)
    );
    assert!(error.hints()[0].contains("trust update hello"), "{:?}", error.hints());
}

#[test]
fn the_root_that_is_given_must_be_one() {
    let repository = Repository::new();
    repository.publish();
    for text in [
        "{}".to_owned(),
        signed(&repository.root_json(), &["thief"]),
        signed(&repository.timestamp_json(), &["online"]),
    ] {
        let error = begin(
            &repository.store(),
            "hello",
            &repository.source(),
            text.into_bytes(),
            time(DAY),
        )
        .unwrap_err();
        assert_eq!(error.code(), Some(CargoCode::TufRootUntrusted), "{error}");
    }
    assert!(
        !repository.store().with_extension("tuf").exists(),
        "nothing is remembered"
    );
}

#[test]
fn a_new_root_counts_even_if_the_rest_of_the_update_fails() {
    let mut repository = begun();
    (repository.root, repository.timestamp_key) = (2, "online-2");
    repository.next().publish();
    repository.remove("2.snapshot.json");
    assert!(repository.update().is_err());
    // The key that signed the timestamp in use is revoked.
    let error = repository.offline_at(DAY).unwrap_err();
    assert_eq!(
        (error.code(), error.exit()),
        (Some(CargoCode::TufIncomplete), Exit::CannotDecide)
    );
    repository.publish();
    repository.update().unwrap();
    repository.offline_at(DAY).unwrap();
}

#[test]
fn what_is_missing_or_not_understood_is_no_success() {
    for (change, code) in [
        (
            (|r| r.files.clear()) as fn(&mut Repository),
            CargoCode::TufTargetMissing,
        ),
        (
            |r| {
                r.files.insert("hello/owners.toml", "format = 1".to_owned());
            },
            CargoCode::TufMalformed,
        ),
        (
            |r| {
                r.files.insert("hello/release.layout", "{}".to_owned());
            },
            CargoCode::TufMalformed,
        ),
    ] {
        let mut repository = begun();
        change(&mut repository);
        repository.next().publish();
        repository.refuses(code, "");
    }
    // A digest that is a path.
    let mut repository = begun();
    repository.next().publish();
    let mut hello = repository.hello_json();
    hello["targets"]["hello/owners.toml"]["hashes"] = json!({"sha256": "../../../etc/x"});
    repository.file("2.hello.json", &signed(&hello, &["hello"]));
    repository.refuses(CargoCode::TufMalformed, "leads elsewhere");
}

#[test]
fn damaged_files_are_told() {
    let repository = begun();
    let path = repository.scratch.path().join("trust.tuf/hello.json");
    let text = fs::read_to_string(&path).unwrap();
    for damaged in [
        String::new(),
        text.replace("\"format\": 1", "\"format\": 2"),
        text.replacen("hello.json", "other.json", 1),
        // What the owner's key is, in a file of one's own: the digest in the metadata tells.
        text.replace("scope = ", "scope  = "),
    ] {
        assert_ne!(damaged, text);
        fs::write(&path, damaged).unwrap();
        assert_eq!(repository.offline_at(DAY).unwrap_err().exit(), Exit::CannotDecide);
    }
    forget(&repository.store(), "hello").unwrap();
    assert_eq!(
        repository.offline_at(DAY).unwrap_err().code(),
        Some(CargoCode::TufIncomplete)
    );
    forget(&repository.store(), "hello").unwrap();
}

#[test]
fn former_owners_count_for_their_layouts_before_their_day() {
    let digest = intoto_core::digest::to_hex(&sha256(b"old layout"));
    let pem = public_key_text(secret("old").public_key());
    let former =
        format!("[[former]]\nuntil = {DAY}\nthreshold = 1\nkeys = ['''{pem}''']\nlayouts = [\"sha256:{digest}\"]\n");
    let mut repository = Repository::new();
    repository.files.insert("hello/owners.toml", owners("owner", &former));
    let brought = repository.publish().begin().unwrap();
    let scope = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    let mut entry = Entry {
        name: "hello".to_owned(),
        scope: scope(&["pkg:cargo/hello", "pkg:cargo/serde"]),
        keys: Vec::new(),
        identities: Vec::new(),
        threshold: 0,
        added: time(DAY),
        accepted: Vec::new(),
        origin: Origin::Tuf(repository.source()),
    };
    let present = Origin::Fetched { layout: None };
    let former = |signed_before: Option<&str>| Origin::Former {
        signed_before: signed_before.map(time),
    };
    for (at, layout, origins) in [
        (
            "2026-12-31T23:59:59Z",
            "old layout",
            vec![former(None), present.clone()],
        ),
        // From that day on only what somebody saw before it, and after those who are the owners now.
        (DAY, "old layout", vec![present.clone(), former(Some(DAY))]),
        ("2026-12-31T23:59:59Z", "forged later", vec![present.clone()]),
        (DAY, "forged later", vec![present.clone()]),
    ] {
        let entries = brought.entries(&entry, time(at), layout.as_bytes());
        let found: Vec<Origin> = entries.iter().map(|entry| entry.origin.clone()).collect();
        assert_eq!(found, origins, "{at} {layout}");
        // What the user says limits what the repository says, and the other way round.
        assert!(entries.iter().all(|entry| entry.scope == scope(&["pkg:cargo/hello"])));
    }
    entry.scope = scope(&["pkg:cargo/serde"]);
    assert!(brought.entries(&entry, time(DAY), b"")[0].scope.is_empty());
}
