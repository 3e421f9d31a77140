//! Hostile evidence bundles, one file for each fault: `tests/bundles/{finding code}--{fault}.intoto.tar`.
//!
//! Each is the good bundle with one fault. All are generated from the tables here, by a writer of tar headers that is none of the
//! product's, so that a test can tell whether the files are still what the tables say.

mod archive;

use serde_json::{Value, json};

use archive::{BLOCK, TOP, and, before_end, changed, good, header, listed, manifest, named, open, pax, with_manifest};
pub use archive::{Member, pack};

/// The name of the bundle that all others differ from in one thing.
pub const GOOD: &str = "verified--bundle";

/// One bundle: its name, what has been done, and its bytes.
#[derive(Debug)]
pub struct Bundle {
    /// A finding code, or `verified`, and the fault.
    pub name: &'static str,
    /// What has been done, in a sentence.
    pub about: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// All bundles, the good one first.
pub fn all() -> Vec<Bundle> {
    let mut bundles = Vec::new();
    let mut put = |name, about, bytes| bundles.push(Bundle { name, about, bytes });
    let honest = pack(&listed(&good()));
    put(
        GOOD,
        "the bundle that every other one differs from in one thing",
        honest.clone(),
    );

    let malformed: [(&str, &str, Vec<Member>); 16] = [
        (
            "bundle-malformed--gnu-form",
            "a header of the GNU form",
            header(257, b"ustar  \0"),
        ),
        (
            "bundle-malformed--mode",
            "a member is executable",
            header(100, b"0000755\0"),
        ),
        (
            "bundle-malformed--owner",
            "a member has an owner",
            header(108, b"0001750\0"),
        ),
        (
            "bundle-malformed--owner-name",
            "a member has an owner's name",
            header(265, b"root"),
        ),
        (
            "bundle-malformed--time",
            "a member has another time",
            header(136, b"14524770400\0"),
        ),
        (
            "bundle-malformed--link-target",
            "a regular file names a target",
            header(157, b"elsewhere"),
        ),
        (
            "bundle-malformed--hidden-in-header",
            "bytes stand behind the last field of a header",
            header(500, b"hidden"),
        ),
        (
            "bundle-malformed--name-behind-nul",
            "a name goes on behind its end",
            header(90, b"\0more"),
        ),
        (
            "bundle-malformed--prefix-for-short-name",
            "the prefix field holds a part of a short name",
            {
                let mut members = listed(&good());
                members[1].name.drain(..=TOP.len());
                members[1].patches.push((345, TOP.as_bytes().to_vec()));
                members
            },
        ),
        (
            "bundle-malformed--binary-length",
            "a length is in base 256",
            header(124, [&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..]].concat()),
        ),
        (
            "bundle-malformed--length-with-blanks",
            "a length has blanks in front",
            header(124, b"        113\0"),
        ),
        ("bundle-malformed--order", "two members have changed places", {
            let mut members = listed(&good());
            members.swap(1, 2);
            members
        }),
        ("bundle-malformed--no-manifest", "there is no manifest", good()),
        ("bundle-malformed--manifest-last", "the manifest comes last", {
            let mut members = listed(&good());
            members.rotate_left(1);
            members
        }),
        (
            "bundle-malformed--two-layouts",
            "there are two layouts",
            and(Member::file("layout/a.layout", b"{}")),
        ),
        (
            "bundle-malformed--unknown-kind",
            "a member is of no known kind",
            and(Member::file("secrets/x", b"{}")),
        ),
    ];
    for (name, about, members) in malformed {
        put(name, about, pack(&members));
    }
    put("bundle-malformed--no-layout", "there is no layout", {
        let members: Vec<Member> = good()
            .into_iter()
            .filter(|member| !member.name.ends_with(b".layout"))
            .collect();
        pack(&listed(&members))
    });
    put(
        "bundle-malformed--too-deep",
        "a key lies in a directory of its own",
        pack(&and(Member::file("keys/a/b.pub", b"{}"))),
    );
    put("bundle-malformed--empty", "there is no member at all", pack(&[]));
    put(
        "bundle-malformed--no-archive",
        "it is no archive",
        b"{\"payload\": \"\"}".repeat(100),
    );
    put(
        "bundle-malformed--cut-in-a-member",
        "it ends in a member",
        honest[..2 * BLOCK + 7].to_vec(),
    );
    put(
        "bundle-malformed--cut-before-its-end",
        "the end of the archive is missing",
        open(&listed(&good())),
    );
    put(
        "bundle-malformed--cut-in-its-end",
        "half of the end is missing",
        honest[..honest.len() - BLOCK].to_vec(),
    );
    put(
        "bundle-malformed--checksum",
        "the checksum of a header is another one",
        {
            let mut bytes = honest.clone();
            bytes[148..154].copy_from_slice(b"000000");
            bytes
        },
    );
    put(
        "bundle-malformed--hidden-in-padding",
        "bytes stand behind the end of a member",
        {
            let mut bytes = honest.clone();
            let first = with_manifest(&manifest(&good()), &[])[0].bytes.len();
            bytes[BLOCK + first] = b'x';
            bytes
        },
    );

    type Change = fn(&mut Value);
    let manifests: [(&str, &str, Change); 7] = [
        (
            "bundle-malformed--manifest-format",
            "the manifest is of another format",
            |manifest| manifest["format"] = json!("other"),
        ),
        (
            "bundle-malformed--manifest-version",
            "the manifest is of a version to come",
            |manifest| manifest["version"] = json!(2),
        ),
        (
            "bundle-malformed--manifest-unknown-member",
            "the manifest says more than is understood",
            |manifest| manifest["trust"] = json!(true),
        ),
        (
            "bundle-malformed--manifest-lists-twice",
            "the manifest lists a member twice",
            |manifest| {
                let first = manifest["members"][0].clone();
                manifest["members"].as_array_mut().expect("a list").push(first);
            },
        ),
        (
            "bundle-manifest-mismatch--length",
            "the manifest says another length",
            |manifest| manifest["members"][0]["size"] = json!(1),
        ),
        (
            "bundle-manifest-mismatch--digest",
            "the manifest says another sha256",
            |manifest| {
                manifest["members"][0]["sha256"] = json!("00".repeat(32));
            },
        ),
        (
            "bundle-manifest-mismatch--missing",
            "the manifest lists a member that is not there",
            |manifest| {
                let mut more = manifest["members"][0].clone();
                more["name"] = json!("links/more.link");
                manifest["members"].as_array_mut().expect("a list").push(more);
            },
        ),
    ];
    for (name, about, change) in manifests {
        put(name, about, pack(&changed(change)));
    }
    put(
        "bundle-malformed--manifest-duplicate-key",
        "the manifest says its version twice",
        {
            let text = manifest(&good()).to_string().replacen('{', "{\"version\":1,", 1);
            pack(&[&[Member::file("manifest.json", text)], &good()[..]].concat())
        },
    );
    put(
        "bundle-manifest-mismatch--unlisted",
        "there is a member that the manifest does not list",
        pack(&before_end(&[Member::file("statements/x", b"{}")])),
    );
    put(
        "bundle-manifest-mismatch--content",
        "a link is not the one that is listed",
        {
            let mut members = listed(&good());
            let last = members.last_mut().expect("there are members");
            last.bytes[0] ^= 1;
            pack(&members)
        },
    );

    for (name, about, member) in [
        ("bundle-entry-name--absolute", "a name is absolute", "/etc/passwd"),
        (
            "bundle-entry-name--parent",
            "a name leads out of the directory",
            "hello-1.0.intoto/../../x",
        ),
        (
            "bundle-entry-name--dot",
            "a name has a dot for a part",
            "hello-1.0.intoto/./x",
        ),
        (
            "bundle-entry-name--double-slash",
            "a name has an empty part",
            "hello-1.0.intoto//x",
        ),
        (
            "bundle-entry-name--backslash",
            "a name has a backslash",
            "hello-1.0.intoto/statements\\x",
        ),
        (
            "bundle-entry-name--control",
            "a name has a control character",
            "hello-1.0.intoto/statements/\u{1b}[2Jx",
        ),
        (
            "bundle-entry-name--other-folder",
            "a name lies in another folder",
            "other.intoto/statements/x",
        ),
        ("bundle-entry-name--no-folder", "a name lies in no folder", "x"),
        ("bundle-entry-name--empty", "a name is empty", ""),
    ] {
        put(name, about, pack(&named(member)));
    }
    for (name, about, member) in [
        (
            "bundle-entry-name--colon",
            "a name is a stream of another file on Windows",
            "statements/x::$DATA",
        ),
        (
            "bundle-entry-name--device",
            "a name is a device on Windows",
            "statements/nul.json",
        ),
        (
            "bundle-entry-name--trailing-point",
            "a name ends in a point, which Windows leaves out",
            "statements/x.",
        ),
        (
            "bundle-entry-name--short-name",
            "a name is the short one of another file on Windows",
            "statements/RELEAS~1.LAY",
        ),
        (
            "bundle-entry-name--accent",
            "a name has a letter that can be written in two ways",
            "statements/e\u{301}",
        ),
        (
            "bundle-entry-name--right-to-left",
            "a name is shown in another order",
            "statements/\u{202e}x",
        ),
        (
            "bundle-entry-duplicate--case",
            "two names differ in case alone",
            "keys/OWNER.pub",
        ),
        (
            "bundle-entry-duplicate--folder-case",
            "two folders differ in case alone",
            "Keys/x.pub",
        ),
    ] {
        put(name, about, pack(&and(Member::file(member, b"{}"))));
    }
    put("bundle-entry-name--not-utf-8", "a name is not UTF-8", {
        let mut more = Member::file("statements/x", b"{}");
        more.name.push(0xff);
        pack(&before_end(&[more]))
    });

    let link = |kind, target| Member::other("hello-1.0.intoto/statements/x", kind, b"").to(target);
    let renamed = || Member::file("statements/x", b"{}");
    for (name, about, members) in [
        (
            "bundle-entry-not-regular--symbolic-link",
            "a member is a symbolic link",
            vec![link(b'2', b"/etc/passwd")],
        ),
        (
            "bundle-entry-not-regular--hard-link",
            "a member is a hard link",
            vec![link(b'1', b"hello-1.0.intoto/manifest.json")],
        ),
        (
            "bundle-entry-not-regular--directory",
            "a member is a directory",
            vec![link(b'5', b"")],
        ),
        (
            "bundle-entry-not-regular--fifo",
            "a member is a FIFO",
            vec![link(b'6', b"")],
        ),
        (
            "bundle-entry-not-regular--device",
            "a member is a device",
            vec![link(b'3', b"")],
        ),
        (
            "bundle-entry-not-regular--old-form",
            "a member is regular in the oldest form",
            vec![link(0, b"")],
        ),
        (
            "bundle-entry-not-regular--contiguous",
            "a member is contiguous, which some take for regular",
            vec![link(b'7', b"")],
        ),
        (
            "bundle-entry-not-regular--sparse",
            "a member is a sparse file",
            vec![link(b'S', b"")],
        ),
        (
            "bundle-entry-not-regular--long-name",
            "a header of GNU tar renames the next member",
            vec![
                Member::other("././@LongLink", b'L', b"hello-1.0.intoto/links/x\0"),
                renamed(),
            ],
        ),
        (
            "bundle-entry-not-regular--long-target",
            "a header of GNU tar gives the next member a target",
            vec![Member::other("././@LongLink", b'K', b"/etc/passwd\0"), renamed()],
        ),
        (
            "bundle-entry-not-regular--pax-path",
            "a pax header renames the next member",
            vec![
                Member::other("PaxHeaders/x", b'x', pax("path", "hello-1.0.intoto/links/x")),
                renamed(),
            ],
        ),
        (
            "bundle-entry-not-regular--pax-size",
            "a pax header gives the next member another length",
            vec![Member::other("PaxHeaders/x", b'x', pax("size", "1")), renamed()],
        ),
        (
            "bundle-entry-not-regular--pax-global",
            "a pax header speaks for all that follows",
            vec![Member::other("PaxHeaders/x", b'g', pax("comment", "x")), renamed()],
        ),
    ] {
        put(name, about, pack(&before_end(&members)));
    }

    let again = || listed(&good()).pop().expect("there are members");
    put(
        "bundle-entry-duplicate--same-bytes",
        "a member is there twice",
        pack(&before_end(&[again()])),
    );
    put(
        "bundle-entry-duplicate--other-bytes",
        "a link is there twice, with other bytes",
        {
            let mut other = again();
            other.bytes = b"{}".to_vec();
            pack(&before_end(&[other]))
        },
    );
    put(
        "bundle-entry-duplicate--manifest",
        "there is a second manifest",
        pack(&before_end(&[Member::file("manifest.json", manifest(&[]).to_string())])),
    );

    put(
        "bundle-trailing-bytes--text",
        "text follows the end",
        [&honest[..], b"more"].concat(),
    );
    put(
        "bundle-trailing-bytes--zeros",
        "a block of zeros follows the end",
        [&honest[..], &[0; BLOCK]].concat(),
    );
    put(
        "bundle-trailing-bytes--second-archive",
        "a second archive follows the end",
        honest.repeat(2),
    );
    put(
        "bundle-trailing-bytes--one-zero-block",
        "the second zero block is a member",
        {
            let mut bytes = open(&listed(&good()));
            bytes.resize(bytes.len() + BLOCK, 0);
            bytes.extend(open(&[Member::file("statements/x", b"{}")]));
            bytes
        },
    );
    bundles
}
