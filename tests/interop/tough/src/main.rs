//! `tough-peer OUT NAME=FILE…`: repositories made with tough's editor, as `tests/tuf/maker.py` makes them with python-tuf.
//!
//! One key signs for every role, and snapshots are not consistent: for targets in folders tough's names would not be those of the
//! specification then. Each situation becomes OUT/NAME with `root.json`, `before` and `after`.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use tough::editor::RepositoryEditor;
use tough::editor::signed::SignedRole;
use tough::key_source::{KeySource, LocalKeySource};
use tough::schema::{KeyHolder, RoleKeys, RoleType, Root, Target};

type Outcome<T> = Result<T, Box<dyn Error>>;

const FUTURE: &str = "2126-01-01T00:00:00Z";
const PAST: &str = "2020-01-01T00:00:00Z";

#[tokio::main]
async fn main() -> Outcome<()> {
    let mut words = std::env::args().skip(1);
    let out = PathBuf::from(words.next().ok_or("say where to")?);
    let files: Vec<(String, PathBuf)> = words
        .map(|word| {
            word.split_once('=')
                .map(|(name, file)| (name.to_owned(), file.into()))
                .ok_or("NAME=FILE")
        })
        .collect::<Result<_, _>>()?;
    // (situation, versions before and after, when the timestamp expires after, whose key signs after)
    for (name, before, after, expires, stranger) in [
        ("unchanged", 1, 1, FUTURE, false),
        ("newer", 1, 2, FUTURE, false),
        ("rollback-everything", 3, 1, FUTURE, false),
        ("frozen-timestamp", 1, 2, PAST, false),
        ("another-repository", 1, 2, FUTURE, true),
    ] {
        let directory = out.join(name);
        fs::create_dir_all(&directory)?;
        let root = Maker::new(&directory.join("root.json"), &directory.join("key")).await?;
        root.make(&directory.join("before"), before, FUTURE, &files).await?;
        if stranger {
            let other = Maker::new(&directory.join("other.json"), &directory.join("other-key")).await?;
            other.make(&directory.join("after"), after, expires, &files).await?;
        } else {
            root.make(&directory.join("after"), after, expires, &files).await?;
        }
    }
    Ok(())
}

/// A root, and the key that it names for every role.
struct Maker {
    root: PathBuf,
    keys: Vec<Box<dyn KeySource>>,
}

impl Maker {
    async fn new(root: &Path, key: &Path) -> Outcome<Self> {
        let random = SystemRandom::new();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| "no key")?;
        fs::write(key, pkcs8.as_ref())?;
        let keys: Vec<Box<dyn KeySource>> = vec![Box::new(LocalKeySource { path: key.to_owned() })];
        let public = keys[0].as_sign().await.map_err(|error| error.to_string())?.tuf_key();
        let id = public.key_id()?;
        let one = NonZeroU64::MIN;
        let role = || RoleKeys {
            keyids: vec![id.clone()],
            threshold: one,
            _extra: HashMap::new(),
        };
        let signed = Root {
            spec_version: "1.0.0".to_owned(),
            consistent_snapshot: false,
            version: one,
            expires: FUTURE.parse()?,
            keys: HashMap::from([(id.clone(), public)]),
            roles: [
                RoleType::Root,
                RoleType::Timestamp,
                RoleType::Snapshot,
                RoleType::Targets,
            ]
            .into_iter()
            .map(|kind| (kind, role()))
            .collect(),
            _extra: HashMap::new(),
        };
        let holder = KeyHolder::Root(signed.clone());
        let signed = SignedRole::new(signed, &holder, &keys, &random).await?;
        fs::write(root, signed.buffer())?;
        Ok(Self {
            root: root.to_owned(),
            keys,
        })
    }

    /// One state of the repository.
    async fn make(&self, directory: &Path, version: u64, expires: &str, files: &[(String, PathBuf)]) -> Outcome<()> {
        let version = NonZeroU64::new(version).ok_or("versions begin with one")?;
        let mut editor = RepositoryEditor::new(&self.root).await?;
        editor
            .targets_version(version)?
            .targets_expires(FUTURE.parse()?)?
            .snapshot_version(version)
            .snapshot_expires(FUTURE.parse()?)
            .timestamp_version(version)
            .timestamp_expires(expires.parse()?);
        for (name, file) in files {
            editor.add_target(name.as_str(), Target::from_path(file).await?)?;
            let path = directory.join("targets").join(name);
            fs::create_dir_all(path.parent().ok_or("a target lies in a folder")?)?;
            fs::copy(file, path)?;
        }
        let metadata = directory.join("metadata");
        fs::create_dir_all(&metadata)?;
        editor.sign(&self.keys).await?.write(&metadata).await?;
        Ok(())
    }
}
