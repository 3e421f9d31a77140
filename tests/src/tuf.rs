//! A TUF repository, as a maintainer's tool keeps one: every project has a role of its own, keys follow from names, and nothing expires.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::encoding::{strict_json, to_canonical};
use intoto_core::key::{PublicKey, Signer};
use intoto_core::limits::Limits;
use serde_json::{Value, json};

use crate::fixed;
use crate::sha256_hex;

const EXPIRES: &str = "2126-01-01T00:00:00Z";

/// A repository in a directory: metadata in `metadata`, targets in `targets`.
#[derive(Debug)]
pub struct Repository {
    directory: Utf8PathBuf,
    root: u64,
    version: u64,
    /// By the target's name, `PROJECT/FILE` or `FILE`.
    files: BTreeMap<String, Vec<u8>>,
}

impl Repository {
    /// The repository in `directory`, or an empty one.
    ///
    /// # Panics
    /// When what is there is no repository of ours.
    pub fn open(directory: &Utf8Path) -> Self {
        let mut repository = Self {
            directory: directory.to_owned(),
            root: 1,
            version: 0,
            files: BTreeMap::new(),
        };
        if let Ok(text) = fs::read(directory.join("state.json")) {
            let state: Value = serde_json::from_slice(&text).expect("our own file");
            repository.root = state["root"].as_u64().expect("a version");
            repository.version = state["version"].as_u64().expect("a version");
            for (name, digest) in state["files"].as_object().expect("names") {
                let path = repository.target_path(name, digest.as_str().expect("a digest"));
                repository.files.insert(name.clone(), fs::read(path).expect("a target"));
            }
        }
        repository
    }

    /// Puts a target in place, once it is published.
    pub fn put(&mut self, name: &str, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.files.insert(name.to_owned(), bytes.into());
        self
    }

    /// Changes the root's key, once it is published.
    pub fn rotate_root(&mut self) -> &mut Self {
        self.root += 1;
        self
    }

    /// Signs everything anew, and writes it.
    ///
    /// # Panics
    /// When the directory cannot be written.
    pub fn publish(&mut self) -> &Self {
        self.version += 1;
        let root_key = |version: u64| format!("root-{version}");
        let mut signers = vec![root_key(self.root)];
        if self.root > 1 {
            signers.push(root_key(self.root - 1));
        }
        self.write(
            &format!("{}.root.json", self.root),
            &self.root_json(&root_key(self.root)),
            &signers,
        );
        let projects = self.projects();
        let mut meta = json!({"targets.json": {"version": self.version}});
        for project in &projects {
            meta[format!("{project}.json")] = json!({"version": self.version});
            let own: Vec<_> = self
                .files
                .iter()
                .filter(|(name, _)| project_of(name) == Some(project))
                .collect();
            let body = self.signed("targets", &[("targets", targets_json(&own))]);
            self.write(
                &format!("{}.{project}.json", self.version),
                &body,
                std::slice::from_ref(project),
            );
        }
        let top: Vec<_> = self
            .files
            .iter()
            .filter(|(name, _)| project_of(name).is_none())
            .collect();
        let roles: Vec<Value> = projects
            .iter()
            .map(|project| {
                json!({
                    "name": project, "keyids": [project], "threshold": 1, "terminating": true,
                    "paths": [format!("{project}/*")],
                })
            })
            .collect();
        let keys: serde_json::Map<String, Value> =
            projects.iter().map(|project| (project.clone(), key(project))).collect();
        let delegations = json!({"keys": keys, "roles": roles});
        let body = self.signed(
            "targets",
            &[("targets", targets_json(&top)), ("delegations", delegations)],
        );
        self.write(
            &format!("{}.targets.json", self.version),
            &body,
            &["targets".to_owned()],
        );
        let body = self.signed("snapshot", &[("meta", meta)]);
        self.write(
            &format!("{}.snapshot.json", self.version),
            &body,
            &["snapshot".to_owned()],
        );
        for (name, bytes) in &self.files {
            let path = self.target_path(name, &sha256_hex(bytes));
            fs::create_dir_all(path.parent().expect("it is below the targets")).expect("the directory is writable");
            fs::write(path, bytes).expect("the directory is writable");
        }
        let meta = json!({"snapshot.json": {"version": self.version}});
        let body = self.signed("timestamp", &[("meta", meta)]);
        self.write("timestamp.json", &body, &["timestamp".to_owned()]);
        let digests: serde_json::Map<String, Value> = self
            .files
            .iter()
            .map(|(name, bytes)| (name.clone(), json!(sha256_hex(bytes))))
            .collect();
        let state = json!({"root": self.root, "version": self.version, "files": digests});
        fs::write(self.directory.join("state.json"), state.to_string()).expect("the directory is writable");
        self
    }

    /// The names of the projects that have targets.
    fn projects(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .files
            .keys()
            .filter_map(|name| project_of(name))
            .map(str::to_owned)
            .collect();
        names.dedup();
        names
    }

    fn target_path(&self, name: &str, digest: &str) -> Utf8PathBuf {
        let name = Utf8Path::new(name);
        let file = format!("{digest}.{}", name.file_name().expect("targets are files"));
        self.directory.join("targets").join(name.with_file_name(file))
    }

    fn signed(&self, kind: &str, members: &[(&str, Value)]) -> Value {
        let mut body = json!({"_type": kind, "spec_version": "1.0.31", "version": self.version, "expires": EXPIRES});
        for (name, value) in members {
            body[*name] = value.clone();
        }
        body
    }

    fn root_json(&self, root_key: &str) -> Value {
        let role = |name: &str| json!({"keyids": [name], "threshold": 1});
        let keys: serde_json::Map<String, Value> = [root_key, "timestamp", "snapshot", "targets"]
            .into_iter()
            .map(|name| (name.to_owned(), key(name)))
            .collect();
        json!({
            "_type": "root", "spec_version": "1.0.31", "version": self.root, "expires": EXPIRES,
            "consistent_snapshot": true, "keys": keys,
            "roles": {
                "root": role(root_key), "timestamp": role("timestamp"), "snapshot": role("snapshot"),
                "targets": role("targets"),
            },
        })
    }

    fn write(&self, name: &str, body: &Value, signers: &[String]) {
        let text = body.to_string();
        let value = strict_json::parse(text.as_bytes(), &Limits::default()).expect("it was just written");
        let bytes = to_canonical(&value).expect("it has whole numbers only");
        let signatures: Vec<Value> = signers
            .iter()
            .map(|name| {
                let signature = fixed::ed25519(name).sign(&bytes).expect("a software key signs");
                json!({"keyid": name, "sig": intoto_core::digest::to_hex(signature.as_ref())})
            })
            .collect();
        let directory = self.directory.join("metadata");
        fs::create_dir_all(&directory).expect("the directory is writable");
        let text = json!({"signed": body, "signatures": signatures}).to_string();
        fs::write(directory.join(name), text).expect("the directory is writable");
    }
}

/// `owners.toml` of a project with one owner.
#[must_use]
pub fn owners(scope: &str, key: &PublicKey, more: &str) -> String {
    format!(
        "format = 1\nscope = [\"{scope}\"]\nthreshold = 1\nkeys = ['''\n{}''']\n{more}",
        key.to_spki_pem()
    )
}

fn project_of(name: &str) -> Option<&str> {
    name.split_once('/').map(|(project, _)| project)
}

/// The names of keys are their ids.
fn key(name: &str) -> Value {
    let PublicKey::Ed25519(key) = fixed::ed25519(name).public_key().clone() else {
        unreachable!("it is an ed25519 key");
    };
    let public = intoto_core::digest::to_hex(key.as_bytes());
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public}})
}

fn targets_json(files: &[(&String, &Vec<u8>)]) -> Value {
    let describe = |(name, bytes): &(&String, &Vec<u8>)| {
        (
            (*name).clone(),
            json!({"length": bytes.len(), "hashes": {"sha256": sha256_hex(bytes)}}),
        )
    };
    Value::Object(files.iter().map(describe).collect())
}
