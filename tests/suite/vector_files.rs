//! Compares the committed vectors with the tables that they are generated from; `intoto-core/tests/vectors.rs` runs them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto_tests::vectors;

/// Set to `overwrite`, as for all snapshots of the suite, it writes the files anew.
const OVERWRITE: &str = "SNAPSHOTS";

#[test]
fn files_are_those_of_the_tables() {
    let overwrite = std::env::var(OVERWRITE).is_ok_and(|value| value == "overwrite");
    let mut expected = BTreeMap::new();
    for vector in vectors::all() {
        let mut put = |name: &str, content: Vec<u8>| {
            let path = Utf8PathBuf::from(vector.name).join(name);
            assert!(
                expected.insert(path.clone(), content).is_none(),
                "{path} is there twice"
            );
        };
        put("expect.json", vector.expectation().into_bytes());
        for (name, content) in &vector.files {
            if let Some(content) = content {
                put(name, content.clone());
            }
        }
    }
    if overwrite {
        let _ = fs::remove_dir_all(directory());
        for (path, content) in &expected {
            let path = directory().join(path);
            fs::create_dir_all(path.parent().expect("it is below the directory")).expect("our own files");
            fs::write(path, content).expect("our own files");
        }
    }
    let found = files(&directory());
    let names = |files: &BTreeMap<Utf8PathBuf, Vec<u8>>| files.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(
        names(&found),
        names(&expected),
        "write them anew with {OVERWRITE}=overwrite"
    );
    for (path, content) in &expected {
        assert!(
            found.get(path) == Some(content),
            "{path} is not what the tables say; write it anew with {OVERWRITE}=overwrite"
        );
    }
}

fn directory() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// Every file below a directory, by its path from there.
fn files(directory: &Utf8Path) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in next.read_dir_utf8().unwrap_or_else(|error| panic!("{next}: {error}")) {
            let path = entry.expect("our own files").into_path();
            if path.is_dir() {
                directories.push(path);
            } else {
                found.insert(
                    path.strip_prefix(directory).expect("our own files").to_owned(),
                    fs::read(&path).expect("our own files"),
                );
            }
        }
    }
    found
}
