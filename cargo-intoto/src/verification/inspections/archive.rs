//! `tar xf FILE`, without tar: unpacks regular files and directories into a directory, and nothing else, ever outside of it.

mod headers;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Component, Path};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::bufread::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use super::budget::{Beyond, Budget};

/// Files and directories of one archive; the largest published crates have some ten thousand.
const MAX_ENTRIES: usize = 100_000;
/// Directories that all names lead through; a name of a thousand directories, none of which was there, costs a few bytes.
const MAX_DIRECTORIES: usize = 1_000_000;
/// Bytes of all contents; cargo itself stops at 512 MiB.
const MAX_BYTES: u64 = 512 << 20;
/// Longer than any path that a file system takes.
const MAX_NAME: usize = 4096;

/// How the archive is compressed, as far as the command says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// `tar xzf`: gzip.
    Gzip,
    /// `tar xf`: gzip if it looks like that, none otherwise.
    Detect,
}

/// Why an archive was not unpacked.
#[derive(Debug)]
pub(super) enum Unpack {
    /// Any tar would fail on it, for this reason.
    Broken(String),
    /// A tar may well unpack it, and this one does not, for this reason.
    Unsupported(String),
    /// Reading or writing failed.
    Io(io::Error),
    /// With it the inspections take more than they may.
    Beyond(Beyond),
}

impl fmt::Display for Unpack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(reason) | Self::Unsupported(reason) => f.write_str(reason),
            Self::Io(error) => write!(f, "{error}"),
            Self::Beyond(beyond) => write!(f, "{beyond}"),
        }
    }
}

/// Unpacks the archive at `path` into the directory `into`.
pub(super) fn unpack(
    path: &Utf8Path,
    compression: Compression,
    into: &Utf8Path,
    budget: &Budget,
) -> Result<(), Unpack> {
    // Twice, because whoever reads entries has read the headers that extend them, however long these are, and has made up his mind about
    // what they mean.
    let unpacked = headers::check(budget.meter(decoded(path, compression)?))
        .and_then(|()| unpack_stream(budget.meter(decoded(path, compression)?), into, budget));
    // Whatever it looks like to who reads when the bytes are spent.
    budget.check().map_err(Unpack::Beyond)?;
    unpacked
}

/// What `tar` takes for the archive itself.
fn decoded(path: &Utf8Path, compression: Compression) -> Result<Box<dyn Read>, Unpack> {
    let mut reader = BufReader::with_capacity(64 * 1024, File::open(path).map_err(Unpack::Io)?);
    let start = reader.fill_buf().map_err(Unpack::Io)?;
    let is_gzip = start.starts_with(&[0x1f, 0x8b]);
    match (compression, is_gzip) {
        (_, true) => Ok(Box::new(MultiGzDecoder::new(reader))),
        (Compression::Gzip, false) => Err(Unpack::Broken("it is not compressed with gzip".to_owned())),
        (Compression::Detect, false) => {
            const OTHERS: [(&[u8], &str); 4] = [
                (b"BZh", "bzip2"),
                (b"\xfd7zXZ", "xz"),
                (b"\x28\xb5\x2f\xfd", "zstd"),
                (b"\x1f\x9d", "compress"),
            ];
            match OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
                Some((_, name)) => Err(Unpack::Unsupported(format!("it is compressed with {name}"))),
                None => Ok(Box::new(reader)),
            }
        }
    }
}

fn unpack_stream(reader: impl Read, into: &Utf8Path, budget: &Budget) -> Result<(), Unpack> {
    // The limit is on what comes out of the decoder: headers, padding and contents together.
    let mut archive = Archive::new(reader.take(MAX_BYTES));
    let (mut count, mut directories) = (0, 0);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        count += 1;
        if count > MAX_ENTRIES {
            return Err(Unpack::Unsupported(format!("it holds more than {MAX_ENTRIES} files")));
        }
        let through = entry.path_bytes().iter().filter(|byte| **byte == b'/').count();
        directories += through;
        if directories > MAX_DIRECTORIES {
            return Err(Unpack::Unsupported(format!(
                "its names lead through more than {MAX_DIRECTORIES} directories"
            )));
        }
        budget.names(1 + through).map_err(Unpack::Beyond)?;
        unpack_entry(&mut entry, into)?;
    }
    if archive.into_inner().limit() == 0 {
        return Err(too_much());
    }
    Ok(())
}

fn too_much() -> Unpack {
    Unpack::Unsupported(format!("it unpacks to more than {MAX_BYTES} bytes"))
}

fn unpack_entry(entry: &mut Entry<'_, impl Read>, into: &Utf8Path) -> Result<(), Unpack> {
    let name = entry.path_bytes().into_owned();
    let shown = String::from_utf8_lossy(&name).into_owned();
    let is_directory = match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => false,
        EntryType::Directory => true,
        // Of comments, as `git archive` writes one; it stands for no file.
        EntryType::XGlobalHeader => return Ok(()),
        other => return Err(no_file(&shown, other)),
    };
    let Some(relative) = clean(&name) else {
        return Err(Unpack::Unsupported(format!("its entry {shown:?} has an unclean name")));
    };
    // To some tars that is a directory, whatever else the entry says.
    if !is_directory && name.ends_with(b"/") {
        return Err(Unpack::Unsupported(format!(
            "its entry {shown:?} is a file with the name of a directory"
        )));
    }
    let target = into.join(&relative);
    if is_directory {
        return fs::create_dir_all(&target).map_err(Unpack::Io);
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).map_err(Unpack::Io)?;
    }
    // Never over a file that is there: which of two entries of one name wins depends on the tar.
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&target) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(Unpack::Unsupported(format!(
                "its entry {shown:?} would replace another file"
            )));
        }
        file => file.map_err(Unpack::Io)?,
    };
    let expected = entry.size();
    let written = io::copy(entry, &mut file).map_err(broken)?;
    if written != expected {
        return Err(Unpack::Broken(format!("its entry {shown:?} ends early")));
    }
    Ok(())
}

fn no_file(name: &str, kind: EntryType) -> Unpack {
    Unpack::Unsupported(format!("its entry {name:?} is no file or directory ({kind:?})"))
}

/// The entry's name as a path below the directory: relative, UTF-8, without `..` and control characters.
fn clean(name: &[u8]) -> Option<Utf8PathBuf> {
    let text = std::str::from_utf8(name).ok()?;
    if text.is_empty() || text.len() > MAX_NAME || text.chars().any(|c| c.is_control() || c == '\\') {
        return None;
    }
    let mut path = Utf8PathBuf::new();
    for component in Path::new(text).components() {
        match component {
            Component::Normal(part) => path.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!path.as_str().is_empty() || text.starts_with('.')).then_some(path)
}

/// An error of the decoders: the archive's fault, unless the system says otherwise.
fn broken(error: io::Error) -> Unpack {
    match error.kind() {
        io::ErrorKind::InvalidData
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::UnexpectedEof
        | io::ErrorKind::Other => Unpack::Broken(format!("it is damaged: {error}")),
        _ => Unpack::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use camino::Utf8Path;
    use flate2::write::GzEncoder;
    use tar::{Builder, EntryType, Header};

    use super::{Budget, Compression, Unpack, unpack};

    fn archive(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (name, kind, text) in entries {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o644);
            // Written into the header as it is: the builder would clean the name.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            if *kind == EntryType::Symlink {
                header.set_size(0);
                header.set_link_name(text).expect("a link name");
                header.set_cksum();
                builder.append(&header, &b""[..]).expect("memory");
            } else {
                header.set_size(text.len() as u64);
                header.set_cksum();
                builder.append(&header, text.as_bytes()).expect("memory");
            }
        }
        builder.into_inner().expect("memory")
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory");
        encoder.finish().expect("memory")
    }

    /// Unpacks into a fresh directory; the outcome, and what lies there then.
    fn outcome(bytes: &[u8], compression: Compression) -> (&'static str, Vec<String>) {
        outcome_within(bytes, compression, &Budget::default())
    }

    fn outcome_within(bytes: &[u8], compression: Compression, budget: &Budget) -> (&'static str, Vec<String>) {
        let scratch = tempfile::tempdir().expect("a scratch directory");
        let root = Utf8Path::from_path(scratch.path()).expect("a UTF-8 temporary directory");
        let inside = root.join("inside");
        fs::create_dir(&inside).expect("created");
        fs::write(root.join("archive"), bytes).expect("written");
        let kind = match unpack(&root.join("archive"), compression, &inside, budget) {
            Ok(()) => "ok",
            Err(Unpack::Broken(_)) => "broken",
            Err(Unpack::Unsupported(_)) => "unsupported",
            Err(Unpack::Beyond(_)) => "beyond",
            Err(Unpack::Io(error)) => panic!("{error}"),
        };
        let listed: Vec<String> = fs::read_dir(root)
            .expect("listed")
            .map(|entry| entry.expect("listed").file_name().into_string().expect("UTF-8"))
            .filter(|name| name != "inside" && name != "archive")
            .collect();
        assert_eq!(listed, [""; 0], "nothing lies outside");
        let mut files: Vec<String> = ignore::WalkBuilder::new(&inside)
            .standard_filters(false)
            .build()
            .map(|entry| entry.expect("listed"))
            .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
            .map(|entry| {
                entry
                    .path()
                    .strip_prefix(&inside)
                    .expect("inside")
                    .display()
                    .to_string()
            })
            .collect();
        files.sort();
        (kind, files)
    }

    #[test]
    fn only_files_and_directories_and_only_inside() {
        use EntryType::{Block, Directory, Fifo, Link, Regular, Symlink, XGlobalHeader, XHeader};

        let good = archive(&[("a/", Directory, ""), ("a/b", Regular, "text"), ("./c", Regular, "")]);
        assert_eq!(
            outcome(&good, Compression::Detect),
            ("ok", vec!["a/b".to_owned(), "c".to_owned()])
        );
        assert_eq!(outcome(&gzip(&good), Compression::Gzip).0, "ok");
        assert_eq!(outcome(&gzip(&good), Compression::Detect).0, "ok");
        assert_eq!(outcome(&good, Compression::Gzip).0, "broken");
        assert_eq!(outcome(&good[..700], Compression::Detect).0, "broken");
        assert_eq!(outcome(&gzip(&good)[..60], Compression::Gzip).0, "broken");
        assert_eq!(outcome(b"BZh9...", Compression::Detect).0, "unsupported");

        let of_git = archive(&[("g", XGlobalHeader, "15 comment=abc\n"), ("a", Regular, "x")]);
        assert_eq!(outcome(&of_git, Compression::Detect).0, "ok");
        let renamed = archive(&[("x", XHeader, "9 path=b\n"), ("a", Regular, "x")]);
        assert_eq!(outcome(&renamed, Compression::Detect), ("ok", vec!["b".to_owned()]));

        let cases: &[&[(&str, EntryType, &str)]] = &[
            &[("../evil", Regular, "x")],
            &[("/tmp/evil-cargo-intoto", Regular, "x")],
            &[("a/../../evil", Regular, "x")],
            &[("a\nb", Regular, "x")],
            &[("link", Symlink, "..")],
            &[("link", Link, "x")],
            &[("fifo", Fifo, "")],
            &[("device", Block, "")],
            &[("twice", Regular, "x"), ("twice", Regular, "y")],
            // What some tars unpack otherwise.
            &[("a/", Regular, "x")],
            &[("x", XHeader, "24 GNU.sparse.name=evil\n"), ("a", Regular, "x")],
            &[("g", XGlobalHeader, "13 path=evil\n"), ("a", Regular, "x")],
        ];
        for entries in cases {
            let (kind, _) = outcome(&archive(entries), Compression::Detect);
            assert_eq!(kind, "unsupported", "{entries:?}");
        }
    }

    /// A name of megabytes would be held in memory before anybody could refuse it.
    #[test]
    fn headers_are_short() {
        use EntryType::{GNULongLink, GNULongName, Regular, XGlobalHeader, XHeader};

        let long = "a".repeat(2 << 20);
        for kind in [GNULongName, GNULongLink, XHeader, XGlobalHeader] {
            let bytes = archive(&[("././@LongLink", kind, &long), ("a", Regular, "x")]);
            assert_eq!(
                outcome(&bytes, Compression::Detect),
                ("unsupported", vec![]),
                "{kind:?}"
            );
            // Refused by what the header announces, although nothing of it is there.
            assert_eq!(outcome(&gzip(&bytes[..1024]), Compression::Gzip).1, [""; 0], "{kind:?}");
        }
        let name = "b".repeat(200);
        let good = archive(&[
            ("././@LongLink", GNULongName, &format!("{name}\0")),
            ("a", Regular, "x"),
        ]);
        assert_eq!(outcome(&good, Compression::Detect), ("ok", vec![name]));
    }

    /// What announces more than the limit is refused before any of it is unpacked: half a gigabyte of zeros costs half a megabyte.
    #[test]
    fn a_bomb_ends_early() {
        let header = |size| {
            let mut header = Header::new_gnu();
            header.set_entry_type(EntryType::Regular);
            header.set_mode(0o644);
            header.set_path("bomb").expect("a name");
            header.set_size(size);
            header.set_cksum();
            header.as_bytes().to_vec()
        };
        let whole = [header(super::MAX_BYTES + 1), vec![0; 1 << 20]].concat();
        let first = archive(&[("a", EntryType::Regular, "x")]);
        let by_parts = [&first[..1024], &header(super::MAX_BYTES), &[0; 1024]].concat();
        for bomb in [whole, by_parts] {
            assert_eq!(outcome(&gzip(&bomb), Compression::Gzip), ("unsupported", vec![]));
            assert_eq!(outcome(&bomb, Compression::Detect), ("unsupported", vec![]));
        }
    }

    #[test]
    fn names_of_many_directories_end_early() {
        let names: Vec<String> = (0..25_001).map(|n| format!("{}{n}", "a/".repeat(40))).collect();
        let entries: Vec<(&str, EntryType, &str)> = names
            .iter()
            .map(|name| (name.as_str(), EntryType::Regular, ""))
            .collect();
        assert_eq!(outcome(&archive(&entries[..100]), Compression::Detect).0, "ok");
        assert_eq!(outcome(&archive(&entries), Compression::Detect).0, "unsupported");
    }

    /// Each way of taking much is taken from the budget: directories again and again, and headers of nothing.
    #[test]
    fn unpacking_takes_from_the_budget() {
        let good = archive(&[("a/b/c", EntryType::Regular, "text"), ("d", EntryType::Regular, "")]);
        let within = |names, bytes| outcome_within(&gzip(&good), Compression::Gzip, &Budget::of(names, bytes)).0;
        // It is read twice, the second time not to its last zeros.
        let bytes = good.len() as u64;
        assert_eq!(within(4, 2 * bytes), "ok");
        assert_eq!(within(3, 2 * bytes), "beyond");
        assert_eq!(within(4, bytes + 1024), "beyond");
        assert_eq!(within(4, 1024), "beyond");
        let broken = archive(&[("link", EntryType::Symlink, "..")]);
        let budget = Budget::of(9, 512);
        assert_eq!(outcome_within(&broken, Compression::Detect, &budget).0, "unsupported");
        assert_eq!(outcome_within(&broken, Compression::Detect, &budget).0, "beyond");
    }
}
