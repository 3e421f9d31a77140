//! Layout sources with mistakes.

use std::fs;

use cargo_intoto_tests::Sandbox;

use super::{is_told, workspace};

#[test]
fn a_layout_source_shows_its_mistakes() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    project.intoto(&["init", "--key", "owner"]).succeeds();
    let good = project.read("layouts/release.toml");
    let signed = project.read("layouts/release.layout");
    for (from, to, texts) in [
        (
            "format  = 1",
            "format  = 2",
            ["reads layout sources of format 1", "layouts/release.toml:"],
        ),
        (
            "keys/owner.pub",
            "keys/none.pub",
            ["keys/none.pub", "this key cannot be used"],
        ),
        (
            "\"ALLOW *\"",
            "\"ALOW *\"",
            ["this is not an artifact rule", "^^^^^^^^"],
        ),
        ("[keys]", "[keys", ["this is not TOML", "layouts/release.toml:"]),
    ] {
        let from = if good.contains(from) {
            from.to_owned()
        } else {
            from.replace("  ", " ")
        };
        assert!(good.contains(&from), "{from}");
        project.file("layouts/release.toml", good.replacen(&from, &to.replace("  ", " "), 1));
        let output = project.intoto(&["layout", "sign"]);
        assert_eq!(output.code, Some(2), "{}", output.shown());
        for text in texts {
            assert!(output.stderr.contains(text), "{}", output.shown());
        }
        assert!(!output.stderr.contains("\\n"), "{}", output.shown());
        assert_eq!(
            project.read("layouts/release.layout"),
            signed,
            "the signed layout stays"
        );
    }
    project.file("layouts/release.toml", b"\xff\xfe");
    is_told(
        &project.intoto(&["layout", "sign"]),
        3,
        &["`layouts/release.toml` is not UTF-8"],
    );
    fs::remove_file(project.path("layouts/release.toml")).unwrap();
    is_told(
        &project.intoto(&["layout", "sign"]),
        3,
        &["there is no layout source", "hint:"],
    );
    fs::create_dir(project.path("layouts/release.toml")).unwrap();
    is_told(
        &project.intoto(&["layout", "sign"]),
        3,
        &["`layouts/release.toml` is a directory"],
    );
    assert_eq!(project.read("layouts/release.layout"), signed);
}
