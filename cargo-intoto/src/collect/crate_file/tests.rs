use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::testing::crate_bytes;

const STEM: &str = "a-1.0.0";

fn read(bytes: &[u8]) -> Result<CrateFile, CrateError> {
    CrateFile::from_bytes(bytes, Some(STEM), &CrateLimits::default())
}

fn code(bytes: &[u8]) -> Option<CargoCode> {
    read(bytes).err().map(|error| error.code())
}

/// An archive of entries whose headers the caller may spoil.
#[derive(Default)]
struct Archive(Vec<u8>);

impl Archive {
    fn entry(self, name: &[u8], content: &[u8]) -> Self {
        self.spoiled(name, content, |_| {})
    }

    fn spoiled(self, name: &[u8], content: &[u8], spoil: impl FnOnce(&mut [u8; 512])) -> Self {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_entry_type(tar::EntryType::Regular);
        let mut block = *header.as_bytes();
        block[..name.len()].copy_from_slice(name);
        spoil(&mut block);
        let mut header = tar::Header::from_byte_slice(&block).clone();
        header.set_cksum();
        self.raw(header.as_bytes(), content)
    }

    fn raw(mut self, header: &[u8], content: &[u8]) -> Self {
        self.0.extend_from_slice(header);
        self.0.extend_from_slice(content);
        let length = self.0.len().next_multiple_of(512);
        self.0.resize(length, 0);
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.0.resize(self.0.len() + 1024, 0);
        self.0
    }
}

fn gzip(tar: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}

fn one() -> Archive {
    Archive::default().entry(b"a-1.0.0/Cargo.toml", b"[package]")
}

#[test]
fn what_cargo_writes_is_read() {
    let long = format!("{}/lib.rs", "d".repeat(120));
    let bytes = crate_bytes(
        STEM,
        &[
            ("Cargo.toml", 0o644, "[package]"),
            ("run.sh", 0o755, "true"),
            (&long, 0o644, ""),
            ("d/e/f", 0o644, "x"),
        ],
    );
    let file = read(&bytes).unwrap();
    assert_eq!((file.stem(), file.size()), (STEM, bytes.len() as u64));
    assert_eq!(file.sha256(), intoto_core::digest::sha256(&bytes));
    assert!(file.entries().keys().eq(["Cargo.toml", "d/e/f", &long, "run.sh"]));
    assert_eq!(
        file.get("Cargo.toml").unwrap().content.as_deref(),
        Some(&b"[package]"[..])
    );
    assert_eq!(file.get("run.sh").unwrap().content, None);
    assert!(file.get("run.sh").unwrap().is_executable() && !file.get("d/e/f").unwrap().is_executable());
    assert_eq!(file.get("d/e/f").unwrap().sha256, intoto_core::digest::sha256(b"x"));
}

#[test]
fn the_content_digest_passes_over_what_cargo_generates() {
    let digest = |manifest: &str, source: &str| {
        read(&crate_bytes(
            STEM,
            &[("Cargo.toml", 0o644, manifest), ("src/lib.rs", 0o644, source)],
        ))
        .unwrap()
        .content_digest()
    };
    assert_eq!(digest("1", "x"), digest("2", "x"));
    assert_ne!(digest("1", "x"), digest("1", "y"));
}

#[test]
fn hostile_archives_are_refused_each_by_its_code() {
    use CargoCode::*;
    let kind = |byte: u8| move |block: &mut [u8; 512]| block[156] = byte;
    let ok = gzip(&one().end());
    assert_eq!(code(&ok), None);
    let cases: Vec<(&str, Vec<u8>, CargoCode)> = vec![
        ("no gzip", b"hello".to_vec(), CrateMalformed),
        ("empty", Vec::new(), CrateMalformed),
        ("no entries", gzip(&Archive::default().end()), CrateMalformed),
        ("truncated gzip", ok[..ok.len() - 9].to_vec(), CrateMalformed),
        (
            "bad gzip checksum",
            [&ok[..ok.len() - 8], &[0; 8]].concat(),
            CrateMalformed,
        ),
        ("truncated tar", gzip(&one().end()[..700]), CrateMalformed),
        ("no end blocks", gzip(&one().0), CrateMalformed),
        (
            "one end block",
            gzip(&one().end()[..one().0.len() + 512]),
            CrateMalformed,
        ),
        ("second member", [ok.clone(), ok.clone()].concat(), CrateSeveralMembers),
        ("trailing bytes", [&ok[..], b"x"].concat(), CrateTrailingBytes),
        ("trailing zeros", [&ok[..], &[0; 512]].concat(), CrateTrailingBytes),
        (
            "second archive",
            gzip(&[one().end(), one().end()].concat()),
            CrateTrailingBytes,
        ),
        (
            "symlink",
            gzip(&one().spoiled(b"a-1.0.0/l", b"", kind(b'2')).end()),
            CrateEntryNotRegular,
        ),
        (
            "hard link",
            gzip(&one().spoiled(b"a-1.0.0/l", b"", kind(b'1')).end()),
            CrateEntryNotRegular,
        ),
        (
            "directory",
            gzip(&one().spoiled(b"a-1.0.0/d", b"", kind(b'5')).end()),
            CrateEntryNotRegular,
        ),
        (
            "directory by name",
            gzip(&one().entry(b"a-1.0.0/d/", b"").end()),
            CrateEntryNotRegular,
        ),
        (
            "FIFO",
            gzip(&one().spoiled(b"a-1.0.0/p", b"", kind(b'6')).end()),
            CrateEntryNotRegular,
        ),
        (
            "sparse",
            gzip(&one().spoiled(b"a-1.0.0/s", b"", kind(b'S')).end()),
            CrateEntryNotRegular,
        ),
        (
            "contiguous",
            gzip(&one().spoiled(b"a-1.0.0/c", b"", kind(b'7')).end()),
            CrateEntryNotRegular,
        ),
        (
            "pax",
            gzip(
                &one()
                    .spoiled(b"pax", b"16 path=evil.rs\n", kind(b'x'))
                    .entry(b"a-1.0.0/b", b"")
                    .end(),
            ),
            CrateEntryNotRegular,
        ),
        (
            "global pax",
            gzip(&one().spoiled(b"pax", b"16 path=evil.rs\n", kind(b'g')).end()),
            CrateEntryNotRegular,
        ),
        (
            "long link",
            gzip(&one().spoiled(b"L", b"x\0", kind(b'K')).end()),
            CrateEntryNotRegular,
        ),
        (
            "two long names",
            gzip(
                &one()
                    .spoiled(b"L", b"a\0", kind(b'L'))
                    .spoiled(b"L", b"b\0", kind(b'L'))
                    .end(),
            ),
            CrateEntryNotRegular,
        ),
        (
            "long name alone",
            gzip(&one().spoiled(b"L", b"a-1.0.0/x\0", kind(b'L')).end()),
            CrateMalformed,
        ),
        (
            "long name with a NUL",
            gzip(
                &one()
                    .spoiled(b"L", b"a-1.0.0/x\0y\0", kind(b'L'))
                    .entry(b"x", b"")
                    .end(),
            ),
            CrateMalformed,
        ),
        (
            "header checksum",
            gzip(&one().raw(&[b'x'; 512], b"").end()),
            CrateMalformed,
        ),
        (
            "base-256 size",
            gzip(&one().spoiled(b"a-1.0.0/x", b"", |block| block[124] = 0x80).end()),
            CrateMalformed,
        ),
        (
            "no magic",
            gzip(&one().spoiled(b"a-1.0.0/x", b"", |block| block[257..265].fill(0)).end()),
            CrateMalformed,
        ),
        (
            "a prefix that only some readers heed",
            gzip(
                &one()
                    .spoiled(b"a-1.0.0/x", b"", |block| block[345..348].copy_from_slice(b"src"))
                    .end(),
            ),
            CrateMalformed,
        ),
        (
            "a file with the target of a link",
            gzip(
                &one()
                    .spoiled(b"a-1.0.0/x", b"", |block| block[157..160].copy_from_slice(b"src"))
                    .end(),
            ),
            CrateMalformed,
        ),
        (
            "the end of a ustar header",
            gzip(
                &one()
                    .spoiled(b"a-1.0.0/x", b"", |block| {
                        block[257..265].copy_from_slice(b"ustar\x0000");
                        block[508..512].copy_from_slice(b"tar\0");
                    })
                    .end(),
            ),
            CrateMalformed,
        ),
        (
            "zeros without end",
            gzip(&[one().end(), vec![0; 2 << 20]].concat()),
            CrateMalformed,
        ),
        (
            "hidden in the padding",
            gzip(&{
                let mut tar = one().end();
                tar[1023] = 1;
                tar
            }),
            CrateMalformed,
        ),
        (
            "not UTF-8",
            gzip(&one().entry(b"a-1.0.0/\xff", b"").end()),
            CrateEntryName,
        ),
        (
            "dot dot",
            gzip(&one().entry(b"a-1.0.0/../x", b"").end()),
            CrateEntryName,
        ),
        ("dot", gzip(&one().entry(b"a-1.0.0/./x", b"").end()), CrateEntryName),
        (
            "empty component",
            gzip(&one().entry(b"a-1.0.0//x", b"").end()),
            CrateEntryName,
        ),
        ("absolute", gzip(&one().entry(b"/a-1.0.0/x", b"").end()), CrateEntryName),
        (
            "backslash",
            gzip(&one().entry(b"a-1.0.0/a\\b", b"").end()),
            CrateEntryName,
        ),
        (
            "control",
            gzip(&one().entry(b"a-1.0.0/a\x1bb", b"").end()),
            CrateEntryName,
        ),
        ("no folder", gzip(&one().entry(b"x", b"").end()), CrateEntryOutside),
        (
            "other folder",
            gzip(&one().entry(b"b-1.0.0/x", b"").end()),
            CrateEntryOutside,
        ),
        (
            "other case of the folder",
            gzip(&one().entry(b"A-1.0.0/x", b"").end()),
            CrateEntryOutside,
        ),
        (
            "twice",
            gzip(&one().entry(b"a-1.0.0/Cargo.toml", b"").end()),
            CrateEntryDuplicate,
        ),
        (
            "file and folder",
            gzip(&one().entry(b"a-1.0.0/Cargo.toml/x", b"").end()),
            CrateEntryDuplicate,
        ),
        (
            "folder and file",
            gzip(&one().entry(b"a-1.0.0/d/x", b"").entry(b"a-1.0.0/d", b"").end()),
            CrateEntryDuplicate,
        ),
        (
            "case",
            gzip(&one().entry(b"a-1.0.0/cargo.toml", b"").end()),
            CrateEntryCaseCollision,
        ),
        (
            "case of a folder",
            gzip(&one().entry(b"a-1.0.0/d/x", b"").entry(b"a-1.0.0/D/y", b"").end()),
            CrateEntryCaseCollision,
        ),
        (
            "case of a letter with two small forms",
            gzip(
                &one()
                    .entry(b"a-1.0.0/src/lib.rs", b"")
                    .entry("a-1.0.0/\u{17f}rc/lib.rs".as_bytes(), b"")
                    .end(),
            ),
            CrateEntryCaseCollision,
        ),
    ];
    for (name, bytes, expected) in cases {
        assert_eq!(code(&bytes), Some(expected), "{name}");
    }
}

#[test]
fn a_record_of_tar_may_be_filled_up() {
    assert_eq!(code(&gzip(&[one().end(), vec![0; 10_240]].concat())), None);
}

#[test]
fn ustar_prefixes_are_part_of_the_name() {
    let tar = one().spoiled(b"lib.rs", b"", |block| {
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[345..356].copy_from_slice(b"a-1.0.0/src");
    });
    assert!(read(&gzip(&tar.end())).unwrap().get("src/lib.rs").is_some());
}

#[test]
fn limits_hold() {
    let bytes = crate_bytes(STEM, &[("Cargo.toml", 0o644, "[package]"), ("b", 0o644, "0123456789")]);
    let with = |change: fn(&mut CrateLimits)| {
        let mut limits = CrateLimits::default();
        change(&mut limits);
        CrateFile::from_bytes(&bytes, None, &limits)
            .err()
            .map(|error| error.code())
    };
    assert_eq!(with(|_| {}), None);
    for change in [
        (|limits| limits.compressed = 50) as fn(&mut CrateLimits),
        |limits| limits.unpacked = 12,
        |limits| limits.entries = 1,
        |limits| limits.kept = 3,
    ] {
        assert_eq!(with(change), Some(CargoCode::CrateTooLarge));
    }
}

#[test]
fn a_bomb_ends_early() {
    let size = 400 << 20;
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    builder
        .append_data(&mut header, "a-1.0.0/zeros", io::repeat(0).take(size))
        .unwrap();
    let bytes = builder.into_inner().unwrap().finish().unwrap();
    assert_eq!(code(&bytes), Some(CargoCode::CrateTooLarge));
}

/// Each of these names lies in two thousand folders of its own.
#[test]
fn names_of_many_folders_end_early() {
    let long = |number: usize| format!("{STEM}/{number}/{}x", "d/".repeat(2000));
    let names: Vec<String> = (0..100).map(long).collect();
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for name in &names {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, io::empty()).unwrap();
    }
    let bytes = builder.into_inner().unwrap().finish().unwrap();
    assert!(bytes.len() < 100_000);
    assert_eq!(code(&bytes), Some(CargoCode::CrateTooLarge));
}
