//! What git and cargo say about a commit: trees of the object database, and `.cargo_vcs_info.json`.
#![no_main]

use std::collections::BTreeSet;

use cargo_intoto::exec::git::tree_entries;
use cargo_intoto::exec::git_object::ObjectFormat;
use cargo_intoto::explain::VcsInfo;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    match kind % 3 {
        0 => tree(rest, ObjectFormat::Sha1),
        1 => tree(rest, ObjectFormat::Sha256),
        _ => vcs_info(rest),
    }
});

fn tree(bytes: &[u8], format: ObjectFormat) {
    let Ok(entries) = tree_entries(bytes, format) else {
        return;
    };
    let mut length = 0;
    let names: BTreeSet<&str> = entries.iter().map(|(name, _, _)| name.as_str()).collect();
    assert_eq!(names.len(), entries.len(), "two entries of one name");
    for (name, _, id) in &entries {
        assert!(
            !matches!(name.as_str(), "" | "." | "..") && !name.contains(['/', '\0']),
            "{name:?}"
        );
        assert!(!name.eq_ignore_ascii_case(".git"));
        assert_eq!(id.len(), format.length());
        // A mode has five or six digits; a blank and a NUL stand behind it and the name.
        length += 5 + 1 + name.len() + 1 + id.len();
    }
    // Nothing was passed over.
    assert!((length..=length + entries.len()).contains(&bytes.len()));
}

fn vcs_info(bytes: &[u8]) {
    let Ok(info) = VcsInfo::parse(bytes) else { return };
    // Whoever reads it with less care reads the same.
    let other: serde_json::Value = serde_json::from_slice(bytes).expect("it was read");
    assert_eq!(other["git"]["sha1"], info.commit());
    assert_eq!(other["git"]["dirty"].as_bool().unwrap_or_default(), info.is_dirty());
    assert_eq!(other["path_in_vcs"].as_str(), info.directory());
}
