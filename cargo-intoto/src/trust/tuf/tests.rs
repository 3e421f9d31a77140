//! A repository made by the tests, honest and not, against the client.

use std::collections::BTreeMap;
use std::fs;

use intoto_core::key::{PublicKey, SecretKey, Signer};
use serde_json::{Value, json};

use super::*;
use crate::exit::Exit;
use crate::finding::CargoCode;
use crate::signing::public_key_text;
use crate::testing::Scratch;

const DAY: &str = "2027-01-01T00:00:00Z";
const LATER: &str = "2028-01-01T00:00:00Z";

fn secret(name: &str) -> SecretKey {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SecretKey::ed25519_from_seed(seed)
}

fn key(name: &str) -> Value {
    let PublicKey::Ed25519(key) = secret(name).public_key().clone() else {
        panic!("an ed25519 key");
    };
    let public = intoto_core::digest::to_hex(key.as_bytes());
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}})
}

/// The names of keys stand for their ids.
fn signed(signed: &Value, signers: &[&str]) -> String {
    let bytes = sigstore_tuf::canonical_json::to_canonical_bytes(signed).unwrap();
    let signature = |name: &&str| {
        let signature = secret(name).sign(&bytes).unwrap();
        json!({"keyid": name, "sig": intoto_core::digest::to_hex(signature.as_ref())})
    };
    json!({"signed": signed, "signatures": signers.iter().map(signature).collect::<Vec<_>>()}).to_string()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A repository with the project `hello` in a role of its own, and the means to publish any state of it.
struct Repository {
    scratch: Scratch,
    root: u64,
    root_keys: Vec<&'static str>,
    root_threshold: u32,
    root_signers: Vec<&'static str>,
    timestamp_key: &'static str,
    timestamp: u64,
    snapshot: u64,
    targets: u64,
    hello: u64,
    hello_signer: &'static str,
    expires: &'static str,
    files: BTreeMap<&'static str, String>,
}

impl Repository {
    fn new() -> Self {
        Self {
            scratch: Scratch::new(),
            root: 1,
            root_keys: vec!["root-a"],
            root_threshold: 1,
            root_signers: vec!["root-a"],
            timestamp_key: "online",
            timestamp: 1,
            snapshot: 1,
            targets: 1,
            hello: 1,
            hello_signer: "hello",
            expires: "2027-06-01T00:00:00Z",
            files: BTreeMap::from([("hello/owners.toml", owners("owner", ""))]),
        }
    }

    fn file(&self, name: &str, text: &str) {
        self.scratch.write(&format!("repository/{name}"), text);
    }

    fn remove(&self, name: &str) {
        fs::remove_file(self.scratch.path().join("repository").join(name)).unwrap();
    }

    fn root_json(&self) -> Value {
        let mut keys = serde_json::Map::new();
        for name in self
            .root_keys
            .iter()
            .chain(&[self.timestamp_key, "snapshot", "targets"])
        {
            keys.insert((*name).to_owned(), key(name));
        }
        let role = |key: &str| json!({"keyids": [key], "threshold": 1});
        json!({
            "_type": "root", "spec_version": "1.0.31", "version": self.root, "expires": "2030-01-01T00:00:00Z",
            "consistent_snapshot": true, "keys": keys,
            "roles": {
                "root": {"keyids": self.root_keys, "threshold": self.root_threshold},
                "timestamp": role(self.timestamp_key), "snapshot": role("snapshot"), "targets": role("targets"),
            },
        })
    }

    fn snapshot_json(&self) -> Value {
        json!({
            "_type": "snapshot", "spec_version": "1.0.31", "version": self.snapshot, "expires": LATER,
            "meta": {"targets.json": {"version": self.targets}, "hello.json": {"version": self.hello}},
        })
    }

    fn timestamp_json(&self) -> Value {
        json!({
            "_type": "timestamp", "spec_version": "1.0.31", "version": self.timestamp, "expires": self.expires,
            "meta": {"snapshot.json": {"version": self.snapshot}},
        })
    }

    fn hello_json(&self) -> Value {
        let describe = |(name, text): (&&str, &String)| {
            let digest = intoto_core::digest::to_hex(&sha256(text.as_bytes()));
            (
                (*name).to_owned(),
                json!({"length": text.len(), "hashes": {"sha256": digest}}),
            )
        };
        let files: serde_json::Map<String, Value> = self.files.iter().map(describe).collect();
        json!({
            "_type": "targets", "spec_version": "1.0.31", "version": self.hello, "expires": LATER, "targets": files,
        })
    }

    fn targets_json(&self) -> Value {
        let role = |name: &str| json!({"name": name, "keyids": [name], "threshold": 1, "terminating": true, "paths": [format!("{name}/*")]});
        json!({
            "_type": "targets", "spec_version": "1.0.31", "version": self.targets, "expires": LATER, "targets": {},
            "delegations": {
                "keys": {"hello": key("hello"), "other": key("other")},
                "roles": [role("other"), role("hello")],
            },
        })
    }

    /// Everything, in the state that the fields describe.
    fn publish(&self) -> &Self {
        self.file(
            &format!("{}.root.json", self.root),
            &signed(&self.root_json(), &self.root_signers),
        );
        self.file("timestamp.json", &signed(&self.timestamp_json(), &[self.timestamp_key]));
        self.file(
            &format!("{}.snapshot.json", self.snapshot),
            &signed(&self.snapshot_json(), &["snapshot"]),
        );
        self.file(
            &format!("{}.targets.json", self.targets),
            &signed(&self.targets_json(), &["targets"]),
        );
        self.file(
            &format!("{}.hello.json", self.hello),
            &signed(&self.hello_json(), &[self.hello_signer]),
        );
        for (name, text) in &self.files {
            let (folder, file) = name.split_once('/').unwrap();
            let digest = intoto_core::digest::to_hex(&sha256(text.as_bytes()));
            self.file(&format!("targets/{folder}/{digest}.{file}"), text);
        }
        self
    }

    /// One version more of everything but the root.
    fn next(&mut self) -> &mut Self {
        self.timestamp += 1;
        self.snapshot += 1;
        self.targets += 1;
        self.hello += 1;
        self
    }

    fn source(&self) -> TufSource {
        let place: Place = self.scratch.path().join("repository").as_str().parse().unwrap();
        let targets = place.below("targets");
        TufSource::new(place, targets, Some("hello".parse().unwrap()), false).unwrap()
    }

    fn store(&self) -> camino::Utf8PathBuf {
        self.scratch.path().join("trust.toml")
    }

    fn begin(&self) -> Result<Brought, CliError> {
        let root = fs::read(self.scratch.path().join("repository/1.root.json")).unwrap();
        begin(&self.store(), "hello", &self.source(), root, time(DAY))
    }

    fn update(&self) -> Result<Brought, CliError> {
        self.update_at(DAY)
    }

    fn update_at(&self, now: &str) -> Result<Brought, CliError> {
        update(&self.store(), "hello", &self.source(), time(now))
    }

    fn offline_at(&self, now: &str) -> Result<Brought, CliError> {
        offline(&self.store(), "hello", &self.source(), time(now))
    }

    /// The update is refused with this code, and what was fetched before is still there.
    #[track_caller]
    fn refuses(&self, code: CargoCode, says: &str) {
        let error = self.update().expect_err("refused");
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(error.code(), Some(code), "{error}: {cause:?}");
        assert!(error.to_string().contains(says), "{error}");
        self.offline_at(DAY).expect("what was fetched before");
    }
}

fn owners(key: &str, extra: &str) -> String {
    let pem = public_key_text(secret(key).public_key());
    format!("format = 1\nscope = [\"pkg:cargo/hello\"]\nthreshold = 1\nkeys = ['''{pem}''']\n{extra}")
}

/// After a first, honest update: the repository as it is about to change.
fn begun() -> Repository {
    let repository = Repository::new();
    repository.publish().begin().unwrap();
    repository
}

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
    let mut repository = begun();
    repository.next().publish();
    let mut targets = repository.targets_json();
    targets["delegations"]["keys"]["again"] = key("hello");
    targets["delegations"]["roles"][1]["keyids"] = json!(["hello", "again"]);
    targets["delegations"]["roles"][1]["threshold"] = json!(2);
    repository.file("2.targets.json", &signed(&targets, &["targets"]));
    let mut hello: Value = serde_json::from_str(&signed(&repository.hello_json(), &["hello"])).unwrap();
    let mut again = hello["signatures"][0].clone();
    again["keyid"] = json!("again");
    hello["signatures"].as_array_mut().unwrap().push(again);
    repository.file("2.hello.json", &hello.to_string());
    repository.refuses(CargoCode::TufThresholdUnmet, "under two ids");
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
    for (at, layout, count) in [
        ("2026-12-31T23:59:59Z", "old layout", 2),
        (DAY, "old layout", 1),
        ("2026-12-31T23:59:59Z", "forged later", 1),
    ] {
        let entries = brought.entries(&entry, time(at), layout.as_bytes());
        assert_eq!(entries.len(), count, "{at} {layout}");
        // What the user says limits what the repository says, and the other way round.
        assert!(entries.iter().all(|entry| entry.scope == scope(&["pkg:cargo/hello"])));
    }
    entry.scope = scope(&["pkg:cargo/serde"]);
    assert!(brought.entries(&entry, time(DAY), b"")[0].scope.is_empty());
}
