//! What is packed is read, and nothing else is. The hostile files of `tests/bundles` show each refusal from the outside.

use proptest::prelude::*;

use super::*;

fn draft() -> Draft {
    Draft {
        top: "a-1.0.0.intoto".into(),
        subjects: vec![Subject {
            name: "a-1.0.0.crate".into(),
            sha256: [1; 32],
            purl: Some("pkg:cargo/a@1.0.0".into()),
            evidence: None,
        }],
        files: vec![
            (Role::Link, "s.1234/inner.1234.link".into(), b"inner".to_vec()),
            (Role::Layout, "release.layout".into(), b"layout".to_vec()),
            (Role::Key, "1234.pub".into(), b"key".to_vec()),
            (Role::Link, "build.1234.link".into(), b"link".to_vec()),
        ],
        verdict: Some(b"{}".to_vec()),
    }
}

#[test]
fn the_order_of_files_decides_nothing() {
    let bytes = draft().pack().expect("sound");
    let mut other = draft();
    other.files.reverse();
    assert_eq!(other.pack().expect("sound"), bytes);
    let bundle = Bundle::parse(Utf8Path::new("x"), bytes).expect("our own");
    assert_eq!(bundle.top(), "a-1.0.0.intoto");
    assert_eq!(bundle.subjects(), draft().subjects);
    assert_eq!(bundle.layout(), ("release.layout", &b"layout"[..]));
    assert_eq!(bundle.verdict(), Some(&b"{}"[..]));
    let links: Vec<&str> = bundle.of_role(Role::Link).map(|(name, _)| name).collect();
    assert_eq!(links, ["build.1234.link", "s.1234/inner.1234.link"]);
    assert_eq!(bundle.members().len(), 5);
}

#[test]
fn what_nobody_would_read_is_not_packed() {
    type Change = fn(&mut Draft);
    let cases: [(Change, CargoCode); 8] = [
        (
            |draft| draft.files.retain(|(role, ..)| *role != Role::Layout),
            CargoCode::BundleMalformed,
        ),
        (
            |draft| draft.files.push((Role::Layout, "other.layout".into(), Vec::new())),
            CargoCode::BundleMalformed,
        ),
        (
            |draft| draft.files.push((Role::Link, "build.1234.link".into(), Vec::new())),
            CargoCode::BundleMalformed,
        ),
        (
            |draft| draft.files.push((Role::Link, "../x".into(), Vec::new())),
            CargoCode::BundleEntryName,
        ),
        (
            |draft| draft.files.push((Role::Link, "a:b.1234.link".into(), Vec::new())),
            CargoCode::BundleEntryName,
        ),
        (
            |draft| draft.files.push((Role::Key, "a/b.pub".into(), Vec::new())),
            CargoCode::BundleMalformed,
        ),
        (|draft| draft.top = "a/b".into(), CargoCode::BundleMalformed),
        (|draft| draft.top = String::new(), CargoCode::BundleEntryName),
    ];
    for (index, (change, code)) in cases.into_iter().enumerate() {
        let mut draft = draft();
        change(&mut draft);
        let found = draft.pack().expect_err("nobody reads that").code();
        assert!(
            found == code || found == CargoCode::BundleEntryDuplicate,
            "{index}: {found}"
        );
    }
}

/// What was read, packed again.
fn packed_again(bundle: &Bundle) -> Vec<u8> {
    let files = Role::ALL.into_iter().flat_map(|role| {
        let of_role = bundle.of_role(role);
        of_role.map(move |(name, bytes)| (role, name.to_owned(), bytes.to_vec()))
    });
    let draft = Draft {
        top: bundle.top().to_owned(),
        subjects: bundle.subjects().to_vec(),
        files: files.collect(),
        verdict: bundle.verdict().map(<[u8]>::to_vec),
    };
    draft.pack().expect("it was read")
}

proptest! {
    /// However a bundle is damaged, it is refused, or it is one that we would have written: there is one file for one content, so no two
    /// readers can differ about it. Where what changed is the manifest's own text, its blanks and order are free.
    #[test]
    fn what_is_read_is_what_would_be_written(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..4),
    ) {
        let mut bytes = draft().pack().expect("sound");
        for (at, byte, kind) in changes {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                // A block more, as a member more has it.
                _ => drop(bytes.splice(at..at, [byte; 512])),
            }
        }
        if let Ok(bundle) = Bundle::parse(Utf8Path::new("x"), bytes.clone()) {
            let again = Bundle::parse(Utf8Path::new("x"), packed_again(&bundle)).expect("our own");
            prop_assert!(bundle.members().eq(again.members()));
            prop_assert_eq!(bundle.subjects(), again.subjects());
        }
    }
}
