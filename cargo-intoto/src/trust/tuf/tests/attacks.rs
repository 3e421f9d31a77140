//! What a mirror, or somebody on the way to it, may try.

use std::fs;

use intoto_core::digest::sha256;
use intoto_core::key::Signer;
use serde_json::{Value, json};

use super::repository::*;
use crate::exit::Exit;
use crate::finding::CargoCode;

#[test]
fn rollback_is_refused() {
    let mut repository = begun();
    repository.next().next().publish();
    repository.update().unwrap();
    // Each role at an older version, in metadata that are otherwise new.
    for change in [
        (|r: &mut Repository| r.timestamp -= 1) as fn(&mut Repository),
        |r| (r.timestamp, r.snapshot) = (r.timestamp + 1, r.snapshot - 1),
        |r| (r.timestamp, r.snapshot, r.targets) = (r.timestamp + 1, r.snapshot + 1, r.targets - 1),
        |r| (r.timestamp, r.snapshot, r.hello) = (r.timestamp + 1, r.snapshot + 1, r.hello - 1),
    ] {
        let before = (
            repository.timestamp,
            repository.snapshot,
            repository.targets,
            repository.hello,
        );
        change(&mut repository);
        repository.publish();
        repository.refuses(CargoCode::TufRollback, "was there before");
        (
            repository.timestamp,
            repository.snapshot,
            repository.targets,
            repository.hello,
        ) = before;
    }
    // A role that vanishes is mixed rather than rolled back.
    let mut snapshot = repository.snapshot_json();
    snapshot["version"] = json!(repository.snapshot + 7);
    snapshot["meta"].as_object_mut().unwrap().remove("hello.json");
    (repository.timestamp, repository.snapshot) = (repository.timestamp + 7, repository.snapshot + 7);
    repository.publish();
    repository.file(
        &format!("{}.snapshot.json", repository.snapshot),
        &signed(&snapshot, &["snapshot"]),
    );
    repository.refuses(CargoCode::TufMixed, "hello.json");
}

#[test]
fn a_failed_update_is_remembered_against_rollback_and_breaks_nothing() {
    let mut repository = begun();
    let old = signed(&repository.timestamp_json(), &["online"]);
    repository.next().publish();
    repository.remove("2.snapshot.json");
    repository.refuses(CargoCode::TufIncomplete, "2.snapshot.json");
    // The older timestamp would hide that there is a newer one.
    repository.file("timestamp.json", &old);
    repository.refuses(CargoCode::TufRollback, "version 2 was there before");
    repository.publish();
    repository.update().unwrap();
}

#[test]
fn freezing_is_refused() {
    let repository = begun();
    let error = repository.update_at("2027-06-02T00:00:00Z").unwrap_err();
    assert_eq!(
        (error.code(), error.exit()),
        (Some(CargoCode::TufFrozen), Exit::Refused)
    );
    // Any role's metadata may be the ones that are held back.
    let error = repository.update_at("2030-06-01T00:00:00Z").unwrap_err();
    assert!(error.to_string().contains("`root`"), "{error}");
}

#[test]
fn endless_data_is_refused() {
    let mut repository = begun();
    repository.next().publish();
    let long = " ".repeat(2 << 20);
    for name in [
        "2.root.json",
        "timestamp.json",
        "2.snapshot.json",
        "2.targets.json",
        "2.hello.json",
    ] {
        repository.publish();
        let path = repository.scratch.path().join("repository").join(name);
        let text = fs::read_to_string(&path).unwrap_or_default();
        repository.file(name, &format!("{text}{long}"));
        repository.refuses(CargoCode::TufEndlessData, name);
        fs::remove_file(path).unwrap();
    }
    repository
        .files
        .insert("hello/owners.toml", owners("owner", "# longer\n"));
    repository.next().publish();
    let digest = intoto_core::digest::to_hex(&sha256(repository.files["hello/owners.toml"].as_bytes()));
    let text = format!("{}#", repository.files["hello/owners.toml"]);
    repository.file(&format!("targets/hello/{digest}.owners.toml"), &text);
    repository.refuses(CargoCode::TufEndlessData, "owners.toml");
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let mut repository = begun();
    let old_snapshot = signed(&repository.snapshot_json(), &["snapshot"]);
    let old_hello = signed(&repository.hello_json(), &["hello"]);
    repository
        .files
        .insert("hello/owners.toml", owners("owner", "# newer\n"));
    repository.next().publish();
    repository.file("2.snapshot.json", &old_snapshot);
    repository.refuses(CargoCode::TufMixed, "snapshot");
    repository.publish().file("2.hello.json", &old_hello);
    repository.refuses(CargoCode::TufMixed, "hello.json");
    let digest = intoto_core::digest::to_hex(&sha256(repository.files["hello/owners.toml"].as_bytes()));
    let other = repository.files["hello/owners.toml"].replace("newer", "other");
    repository
        .publish()
        .file(&format!("targets/hello/{digest}.owners.toml"), &other);
    repository.refuses(CargoCode::TufMixed, "owners.toml");
}

#[test]
fn too_few_signatures_are_refused() {
    let mut repository = begun();
    repository.next().publish();
    for (name, signers) in [
        ("timestamp.json", &["snapshot"][..]),
        ("timestamp.json", &[]),
        ("2.snapshot.json", &["online"]),
        ("2.targets.json", &["hello"]),
        // One project's role does not sign for another's.
        ("2.hello.json", &["other"]),
        ("2.hello.json", &["targets"]),
    ] {
        repository.publish();
        let path = repository.scratch.path().join("repository").join(name);
        let value: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        repository.file(name, &signed(&value["signed"], signers));
        repository.refuses(CargoCode::TufThresholdUnmet, "of 1 signatures");
    }
    repository.publish();
    let mut twice: Value = serde_json::from_str(&signed(&repository.hello_json(), &["hello"])).unwrap();
    let one = twice["signatures"][0].clone();
    twice["signatures"].as_array_mut().unwrap().push(one);
    repository.file("2.hello.json", &twice.to_string());
    repository.refuses(CargoCode::TufThresholdUnmet, "signed twice");
}

#[test]
fn one_key_under_two_ids_counts_once() {
    let hex = key("hello")["keyval"]["public"].as_str().unwrap().to_owned();
    let pem = secret("hello").public_key().to_spki_pem();
    // The client takes the same key in each of these.
    for again in [
        hex.clone(),
        hex.to_ascii_uppercase(),
        format!(" {hex}\n"),
        pem.replace('\n', "\r\n"),
        pem,
    ] {
        let mut repository = begun();
        repository.next().publish();
        let mut targets = repository.targets_json();
        let mut other = key("hello");
        other["keyval"]["public"] = json!(again);
        targets["delegations"]["keys"]["again"] = other;
        targets["delegations"]["roles"][1]["keyids"] = json!(["hello", "again"]);
        targets["delegations"]["roles"][1]["threshold"] = json!(2);
        repository.file("2.targets.json", &signed(&targets, &["targets"]));
        let mut hello: Value = serde_json::from_str(&signed(&repository.hello_json(), &["hello"])).unwrap();
        let mut signature = hello["signatures"][0].clone();
        signature["keyid"] = json!("again");
        hello["signatures"].as_array_mut().unwrap().push(signature);
        repository.file("2.hello.json", &hello.to_string());
        repository.refuses(CargoCode::TufThresholdUnmet, "under two ids");
    }
}

#[test]
fn a_root_needs_a_chain() {
    let mut repository = begun();
    (repository.root, repository.root_keys) = (2, vec!["thief"]);
    for (signers, says) in [
        (vec!["thief"], "by its own keys only"),
        (vec!["root-a"], "by too few keys"),
        (vec![], "by too few keys"),
    ] {
        repository.root_signers = signers;
        repository.publish();
        repository.refuses(CargoCode::TufRootUntrusted, says);
    }
    // A version left out.
    (repository.root, repository.root_signers) = (3, vec!["thief", "root-a"]);
    repository.publish();
    fs::rename(
        repository.scratch.path().join("repository/3.root.json"),
        repository.scratch.path().join("repository/2.root.json"),
    )
    .unwrap();
    repository.refuses(CargoCode::TufRootUntrusted, "where version 2 would follow");
    // A threshold of two is met by two keys.
    (repository.root, repository.root_keys, repository.root_threshold) = (2, vec!["root-b", "root-c"], 2);
    repository.root_signers = vec!["root-a", "root-b"];
    repository.publish();
    repository.refuses(CargoCode::TufRootUntrusted, "1 of 2");
    repository.root_signers = vec!["root-a", "root-b", "root-c"];
    repository.publish();
    assert_eq!(repository.update().unwrap().roles[0].version, 2);
    assert_eq!(repository.offline_at(DAY).unwrap().roles[0].version, 2);
}

#[test]
fn another_repository_altogether_is_refused() {
    let mut repository = begun();
    repository.timestamp_key = "thief";
    repository.next().publish();
    repository.refuses(CargoCode::TufThresholdUnmet, "`timestamp`");
}
