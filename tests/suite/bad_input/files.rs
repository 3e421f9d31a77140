//! What `verify` is given.

use std::fs;

use cargo_intoto_tests::fixed;

use super::{evidence, is_told};

#[test]
fn what_verify_cannot_read_is_named() {
    let sandbox = evidence();
    let good = sandbox.read("chain/root.layout");
    for (name, content) in [
        ("empty", b"".as_slice()),
        ("not-utf8", b"\xff\xfe{"),
        ("array", b"[]"),
        ("object", b"{}"),
        ("half", &good.as_bytes()[..good.len() / 2]),
    ] {
        sandbox.write(format!("chain/{name}"), content);
    }
    fs::create_dir(sandbox.path("chain/directory")).unwrap();
    fs::File::create(sandbox.path("chain/huge"))
        .and_then(|file| file.set_len(1 << 30))
        .unwrap();
    for (layout, key, links, artifact, code, texts) in [
        ("none", "owner.pub", ".", "", 3, ["the layout none is missing", "hint:"]),
        (
            "directory",
            "owner.pub",
            ".",
            "",
            3,
            ["the layout directory is a directory", "hint:"],
        ),
        ("huge", "owner.pub", ".", "", 3, ["the layout huge", "bytes"]),
        (
            "empty",
            "owner.pub",
            ".",
            "",
            3,
            ["undecided[json-invalid]: empty: ", "unexpected end"],
        ),
        (
            "not-utf8",
            "owner.pub",
            ".",
            "",
            3,
            ["undecided[json-invalid]: not-utf8: ", "not UTF-8"],
        ),
        (
            "half",
            "owner.pub",
            ".",
            "",
            3,
            ["undecided[json-invalid]: half: ", "unexpected end"],
        ),
        (
            "array",
            "owner.pub",
            ".",
            "",
            3,
            ["array: expected an object, found an array", "Undecided"],
        ),
        (
            "object",
            "owner.pub",
            ".",
            "",
            3,
            ["object: neither a DSSE envelope", "Undecided"],
        ),
        ("owner.pub", "owner.pub", ".", "", 3, ["owner.pub: ", "Undecided"]),
        (
            "root.layout",
            "none",
            ".",
            "",
            3,
            ["there is no public key at `none`", "hint:"],
        ),
        (
            "root.layout",
            "empty",
            ".",
            "",
            3,
            ["the public key in `empty`", "hint: a public key is a PEM file"],
        ),
        (
            "root.layout",
            "not-utf8",
            ".",
            "",
            3,
            ["the public key file `not-utf8` is not text", "hint:"],
        ),
        (
            "root.layout",
            "directory",
            ".",
            "",
            3,
            ["`directory` is a directory, not a regular file", ""],
        ),
        ("root.layout", "huge", ".", "", 3, ["`huge` is larger than", "hint:"]),
        (
            "root.layout",
            "root.layout",
            ".",
            "",
            3,
            ["the public key in `root.layout`", "hint:"],
        ),
        (
            "root.layout",
            "owner.pub",
            "none",
            "",
            3,
            ["the link directory none", "hint: name the directory"],
        ),
        (
            "root.layout",
            "owner.pub",
            "empty",
            "",
            3,
            ["the link directory empty", "hint:"],
        ),
        (
            "root.layout",
            "owner.pub",
            "directory",
            "",
            3,
            ["undecided[link-missing]", "hint: record the step"],
        ),
        (
            "root.layout",
            "owner.pub",
            ".",
            "none.crate",
            3,
            ["the artifact none.crate is missing", ""],
        ),
        (
            "root.layout",
            "owner.pub",
            ".",
            "directory",
            3,
            ["found the directory directory", "hint:"],
        ),
        (
            "root.layout",
            "owner.pub",
            ".",
            "empty",
            1,
            ["artifact-unbound", "hint:"],
        ),
    ] {
        let mut args = vec!["verify", "--layout", layout, "--key", key, "--link-dir", links];
        args.extend(["--as-of", fixed::TIME_RFC3339]);
        args.extend(Some(artifact).filter(|name| !name.is_empty()));
        is_told(&sandbox.intoto("chain", &args), code, &texts);
    }
}
