//! What is packed is read, and nothing else is. The hostile files of `tests/bundles` show each refusal from the outside.

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
    let cases: [(Change, CargoCode); 7] = [
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
