//! A repository made by the tests, and the means to publish any state of it.

use std::collections::BTreeMap;
use std::fs;

use intoto_core::key::{PublicKey, SecretKey, Signer};
use serde_json::{Value, json};

use super::super::*;
use crate::finding::CargoCode;
use crate::signing::public_key_text;
use crate::testing::Scratch;

pub(super) const DAY: &str = "2027-01-01T00:00:00Z";
pub(super) const LATER: &str = "2028-01-01T00:00:00Z";

pub(super) fn secret(name: &str) -> SecretKey {
    let mut seed = [0; 32];
    seed[..name.len()].copy_from_slice(name.as_bytes());
    SecretKey::ed25519_from_seed(seed)
}

pub(super) fn key(name: &str) -> Value {
    let PublicKey::Ed25519(key) = secret(name).public_key().clone() else {
        panic!("an ed25519 key");
    };
    let public = intoto_core::digest::to_hex(key.as_bytes());
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}})
}

/// The names of keys stand for their ids.
pub(super) fn signed(signed: &Value, signers: &[&str]) -> String {
    let bytes = sigstore_tuf::canonical_json::to_canonical_bytes(signed).unwrap();
    let signature = |name: &&str| {
        let signature = secret(name).sign(&bytes).unwrap();
        json!({"keyid": name, "sig": intoto_core::digest::to_hex(signature.as_ref())})
    };
    json!({"signed": signed, "signatures": signers.iter().map(signature).collect::<Vec<_>>()}).to_string()
}

pub(super) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A repository with the project `hello` in a role of its own, and the means to publish any state of it.
pub(super) struct Repository {
    pub(super) scratch: Scratch,
    pub(super) root: u64,
    pub(super) root_keys: Vec<&'static str>,
    pub(super) root_threshold: u32,
    pub(super) root_signers: Vec<&'static str>,
    pub(super) timestamp_key: &'static str,
    pub(super) timestamp: u64,
    pub(super) snapshot: u64,
    pub(super) targets: u64,
    pub(super) hello: u64,
    pub(super) hello_signer: &'static str,
    pub(super) expires: &'static str,
    pub(super) files: BTreeMap<&'static str, String>,
}

impl Repository {
    pub(super) fn new() -> Self {
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

    pub(super) fn file(&self, name: &str, text: &str) {
        self.scratch.write(&format!("repository/{name}"), text);
    }

    pub(super) fn remove(&self, name: &str) {
        fs::remove_file(self.scratch.path().join("repository").join(name)).unwrap();
    }

    pub(super) fn root_json(&self) -> Value {
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

    pub(super) fn snapshot_json(&self) -> Value {
        json!({
            "_type": "snapshot", "spec_version": "1.0.31", "version": self.snapshot, "expires": LATER,
            "meta": {"targets.json": {"version": self.targets}, "hello.json": {"version": self.hello}},
        })
    }

    pub(super) fn timestamp_json(&self) -> Value {
        json!({
            "_type": "timestamp", "spec_version": "1.0.31", "version": self.timestamp, "expires": self.expires,
            "meta": {"snapshot.json": {"version": self.snapshot}},
        })
    }

    pub(super) fn hello_json(&self) -> Value {
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

    pub(super) fn targets_json(&self) -> Value {
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
    pub(super) fn publish(&self) -> &Self {
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
    pub(super) fn next(&mut self) -> &mut Self {
        self.timestamp += 1;
        self.snapshot += 1;
        self.targets += 1;
        self.hello += 1;
        self
    }

    pub(super) fn source(&self) -> TufSource {
        let place: Place = self.scratch.path().join("repository").as_str().parse().unwrap();
        let targets = place.below("targets");
        TufSource::new(place, targets, Some("hello".parse().unwrap()), false).unwrap()
    }

    pub(super) fn store(&self) -> camino::Utf8PathBuf {
        self.scratch.path().join("trust.toml")
    }

    pub(super) fn begin(&self) -> Result<Brought, CliError> {
        let root = fs::read(self.scratch.path().join("repository/1.root.json")).unwrap();
        begin(&self.store(), "hello", &self.source(), root, time(DAY))
    }

    pub(super) fn update(&self) -> Result<Brought, CliError> {
        self.update_at(DAY)
    }

    pub(super) fn update_at(&self, now: &str) -> Result<Brought, CliError> {
        update(&self.store(), "hello", &self.source(), time(now))
    }

    pub(super) fn offline_at(&self, now: &str) -> Result<Brought, CliError> {
        offline(&self.store(), "hello", &self.source(), time(now))
    }

    /// The update is refused with this code, and what was fetched before is still there.
    #[track_caller]
    pub(super) fn refuses(&self, code: CargoCode, says: &str) {
        let error = self.update().expect_err("refused");
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(error.code(), Some(code), "{error}: {cause:?}");
        assert!(error.to_string().contains(says), "{error}");
        self.offline_at(DAY).expect("what was fetched before");
    }
}

pub(super) fn owners(key: &str, extra: &str) -> String {
    let pem = public_key_text(secret(key).public_key());
    format!("format = 1\nscope = [\"pkg:cargo/hello\"]\nthreshold = 1\nkeys = ['''{pem}''']\n{extra}")
}

/// After a first, honest update: the repository as it is about to change.
pub(super) fn begun() -> Repository {
    let repository = Repository::new();
    repository.publish().begin().unwrap();
    repository
}
