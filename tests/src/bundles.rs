//! Hostile evidence bundles, one file for each fault: `tests/bundles/{finding code}--{fault}.intoto.tar`.
//!
//! Each is the good bundle with one fault. All are generated from the tables here, by a writer of tar headers that is none of the
//! product's, so that a test can tell whether the files are still what the tables say.

use intoto_core::digest::{sha256, to_hex};
use serde_json::{Value, json};

use crate::vectors;

/// The name of the bundle that all others differ from in one thing.
pub const GOOD: &str = "verified--bundle";

/// What the members lie in.
const TOP: &str = "hello-1.0.intoto";
const BLOCK: usize = 512;

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

/// A member of an archive, checked by nobody.
#[derive(Debug, Clone)]
pub struct Member {
    /// The name with the top folder, in whatever bytes.
    pub name: Vec<u8>,
    /// The type flag of the header.
    pub kind: u8,
    /// What the header says to link to.
    pub target: &'static [u8],
    /// The content.
    pub bytes: Vec<u8>,
    /// What is written into the header before its checksum is made: offset and bytes.
    pub patches: Vec<(usize, Vec<u8>)>,
}

impl Member {
    /// A regular file with this name below the top folder.
    pub fn file(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self::other(&format!("{TOP}/{name}"), b'0', bytes)
    }

    fn other(name: &str, kind: u8, bytes: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            kind,
            target: b"",
            bytes: bytes.as_ref().to_vec(),
            patches: Vec::new(),
        }
    }

    fn to(mut self, target: &'static [u8]) -> Self {
        self.target = target;
        self
    }

    fn patched(mut self, at: usize, bytes: impl AsRef<[u8]>) -> Self {
        self.patches.push((at, bytes.as_ref().to_vec()));
        self
    }

    fn block(&self) -> Vec<u8> {
        let mut header = vec![0; BLOCK];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, &self.name);
        put(100, b"0000644\x000000000\x000000000\x00");
        put(
            124,
            format!("{:011o}\0{:011o}\0", self.bytes.len(), 1_153_704_088).as_bytes(),
        );
        put(156, &[self.kind]);
        put(157, self.target);
        put(257, b"ustar\x0000");
        put(329, b"0000000\x000000000\x00");
        for (at, bytes) in &self.patches {
            put(*at, bytes);
        }
        put(148, b"        ");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        header.extend_from_slice(&self.bytes);
        header.resize(header.len().next_multiple_of(BLOCK), 0);
        header
    }
}

/// An archive of these members, in this order, without its end.
fn open(members: &[Member]) -> Vec<u8> {
    members.iter().flat_map(Member::block).collect()
}

/// An archive of these members, in this order.
pub fn pack(members: &[Member]) -> Vec<u8> {
    let mut archive = open(members);
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

/// The manifest of these members.
fn manifest(members: &[Member]) -> Value {
    let listed: Vec<Value> = members
        .iter()
        .map(|member| {
            let name = String::from_utf8_lossy(&member.name[TOP.len() + 1..]).into_owned();
            json!({ "name": name, "sha256": to_hex(&sha256(&member.bytes)), "size": member.bytes.len() })
        })
        .collect();
    json!({ "format": "cargo-intoto-bundle", "version": 1, "members": listed, "subjects": [] })
}

/// The manifest as the first member, and what it lists behind it.
fn with_manifest(manifest: &Value, members: &[Member]) -> Vec<Member> {
    let first = Member::file("manifest.json", manifest.to_string());
    [&[first], members].concat()
}

/// Members that no manifest is missing for.
fn listed(members: &[Member]) -> Vec<Member> {
    with_manifest(&manifest(members), members)
}

/// The chain of the vectors: all that the good bundle holds, sorted by name.
fn good() -> Vec<Member> {
    let base = vectors::base();
    let mut members: Vec<Member> = base
        .files
        .iter()
        .filter_map(|(name, content)| {
            let place = match name.as_str() {
                "owner.pub" => format!("keys/{name}"),
                vectors::LAYOUT => format!("layout/{name}"),
                link => format!("links/{link}"),
            };
            Some(Member::file(&place, content.as_ref()?))
        })
        .collect();
    members.sort_by(|first, second| first.name.cmp(&second.name));
    members
}

/// The good members and one more, in order, all of them listed.
fn and(more: Member) -> Vec<Member> {
    let mut members = good();
    members.push(more);
    members.sort_by(|first, second| first.name.cmp(&second.name));
    listed(&members)
}

/// The good bundle with one more member behind its own, which the manifest does not list.
fn before_end(more: &[Member]) -> Vec<Member> {
    [&listed(&good()), more].concat()
}

/// The good bundle with a change in its second header.
fn header(at: usize, bytes: impl AsRef<[u8]>) -> Vec<Member> {
    let mut members = listed(&good());
    members[1] = members[1].clone().patched(at, bytes);
    members
}

fn named(name: &str) -> Vec<Member> {
    let mut more = Member::file("statements/x", b"{}");
    more.name = name.as_bytes().to_vec();
    before_end(&[more])
}

fn changed(change: impl FnOnce(&mut Value)) -> Vec<Member> {
    let members = good();
    let mut manifest = manifest(&members);
    change(&mut manifest);
    with_manifest(&manifest, &members)
}

/// A pax record: its length, key and value.
fn pax(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let length = (1..).find(|length: &usize| length.to_string().len() + rest.len() == *length);
    format!("{}{rest}", length.expect("some number has its own length"))
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
