//! Archives with one fault, by a writer of tar headers that checks nothing.

use intoto_core::digest::{sha256, to_hex};
use serde_json::{Value, json};

use crate::vectors;

/// What the members lie in.
pub(super) const TOP: &str = "hello-1.0.intoto";
pub(super) const BLOCK: usize = 512;

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

    pub(super) fn other(name: &str, kind: u8, bytes: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.as_bytes().to_vec(),
            kind,
            target: b"",
            bytes: bytes.as_ref().to_vec(),
            patches: Vec::new(),
        }
    }

    pub(super) fn to(mut self, target: &'static [u8]) -> Self {
        self.target = target;
        self
    }

    pub(super) fn patched(mut self, at: usize, bytes: impl AsRef<[u8]>) -> Self {
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
pub(super) fn open(members: &[Member]) -> Vec<u8> {
    members.iter().flat_map(Member::block).collect()
}

/// An archive of these members, in this order.
pub fn pack(members: &[Member]) -> Vec<u8> {
    let mut archive = open(members);
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

/// The manifest of these members.
pub(super) fn manifest(members: &[Member]) -> Value {
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
pub(super) fn with_manifest(manifest: &Value, members: &[Member]) -> Vec<Member> {
    let first = Member::file("manifest.json", manifest.to_string());
    [&[first], members].concat()
}

/// Members that no manifest is missing for.
pub(super) fn listed(members: &[Member]) -> Vec<Member> {
    with_manifest(&manifest(members), members)
}

/// The chain of the vectors: all that the good bundle holds, sorted by name.
pub(super) fn good() -> Vec<Member> {
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
pub(super) fn and(more: Member) -> Vec<Member> {
    let mut members = good();
    members.push(more);
    members.sort_by(|first, second| first.name.cmp(&second.name));
    listed(&members)
}

/// The good bundle with one more member behind its own, which the manifest does not list.
pub(super) fn before_end(more: &[Member]) -> Vec<Member> {
    [&listed(&good()), more].concat()
}

/// The good bundle with a change in its second header.
pub(super) fn header(at: usize, bytes: impl AsRef<[u8]>) -> Vec<Member> {
    let mut members = listed(&good());
    members[1] = members[1].clone().patched(at, bytes);
    members
}

pub(super) fn named(name: &str) -> Vec<Member> {
    let mut more = Member::file("statements/x", b"{}");
    more.name = name.as_bytes().to_vec();
    before_end(&[more])
}

pub(super) fn changed(change: impl FnOnce(&mut Value)) -> Vec<Member> {
    let members = good();
    let mut manifest = manifest(&members);
    change(&mut manifest);
    with_manifest(&manifest, &members)
}

/// A pax record: its length, key and value.
pub(super) fn pax(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let length = (1..).find(|length: &usize| length.to_string().len() + rest.len() == *length);
    format!("{}{rest}", length.expect("some number has its own length"))
}
