//! `.crate` files taken apart and put together again, with what an attacker changes in between.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType, Header};

/// One entry of an archive.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The name as it stands in the archive, checked by nobody.
    pub name: String,
    /// What kind of entry it is.
    pub kind: EntryType,
    /// The bytes of a file, or the target of a link.
    pub bytes: Vec<u8>,
}

impl Entry {
    /// A regular file.
    pub fn file(name: &str, bytes: impl AsRef<[u8]>) -> Self {
        Self {
            name: name.to_owned(),
            kind: EntryType::Regular,
            bytes: bytes.as_ref().to_vec(),
        }
    }

    /// A symbolic link.
    pub fn symlink(name: &str, target: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: EntryType::Symlink,
            bytes: target.as_bytes().to_vec(),
        }
    }
}

/// The entries of a `.crate`.
///
/// # Panics
/// When it is none.
pub fn entries(archive: &[u8]) -> Vec<Entry> {
    let mut archive = Archive::new(GzDecoder::new(archive));
    let mut found = Vec::new();
    for entry in archive.entries().expect("a tar archive") {
        let mut entry = entry.expect("a tar entry");
        let name = String::from_utf8(entry.path_bytes().into_owned()).expect("UTF-8");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("the whole entry");
        found.push(Entry {
            name,
            kind: entry.header().entry_type(),
            bytes,
        });
    }
    found
}

/// A `.crate` of these entries, names and all as they are.
///
/// # Panics
/// When a name is longer than a tar header's field.
pub fn pack(entries: &[Entry]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let mut header = Header::new_gnu();
        // The setter refuses `..`; an attacker does not use it.
        let field = &mut header.as_old_mut().name;
        field[..entry.name.len()].copy_from_slice(entry.name.as_bytes());
        header.set_mode(0o644);
        header.set_mtime(1);
        header.set_entry_type(entry.kind);
        let content: &[u8] = if entry.kind == EntryType::Symlink {
            header.as_old_mut().linkname[..entry.bytes.len()].copy_from_slice(&entry.bytes);
            &[]
        } else {
            &entry.bytes
        };
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, content).expect("memory can be written");
    }
    gzip(&builder.into_inner().expect("memory can be written"))
}

/// One gzip member.
///
/// # Panics
/// Never: memory can be written.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut member = GzEncoder::new(Vec::new(), Compression::default());
    member.write_all(bytes).expect("memory can be written");
    member.finish().expect("memory can be written")
}
