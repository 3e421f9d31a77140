//! The headers of a tar archive. Tars differ in what they take for a name, a length and the next header; here an archive has one meaning, or
//! none. Specification: POSIX.1-2008, pax, "ustar Interchange Format" and "pax Header Block"; GNU tar, "Basic Tar Format".

use std::collections::BTreeMap;
use std::io::{self, Read, Take};

use tar::EntryType;

use super::{MAX_BYTES, Unpack, broken, no_file, too_much};

const BLOCK: usize = 512;
/// Bytes of one header that extends the next entry: a long name, extended attributes. They are read into memory.
const MAX_EXTENSION: u64 = 1 << 20;

/// Reads an archive through, without its contents, and refuses what two tars would unpack differently, headers too long to be held in
/// memory, and what announces more than may be unpacked.
pub(super) fn check(reader: impl Read) -> Result<(), Unpack> {
    let mut blocks = Blocks(reader.take(MAX_BYTES));
    let mut announced = 0_u64;
    let mut extension: Option<Extension> = None;
    while let Some(block) = blocks.next()? {
        let header = Header(&block);
        header.check_format()?;
        let size = header.size()?;
        announced = announced.saturating_add(size);
        if announced > MAX_BYTES {
            return Err(too_much());
        }
        match header.kind() {
            EntryType::Regular | EntryType::Continuous => {
                header.check_old_directory()?;
                if extension.take().is_some_and(|of| of.size.is_some_and(|of| of != size)) {
                    return Err(header.unsupported("has two lengths"));
                }
                blocks.skip(size)?;
            }
            EntryType::Directory => {
                extension = None;
                // Some tars take what follows for its content, others for the next header.
                if size != 0 {
                    return Err(header.unsupported("is a directory with content"));
                }
            }
            kind @ (EntryType::XHeader | EntryType::GNULongName | EntryType::XGlobalHeader) => {
                // Which of two extensions counts, and whether one reaches over a global header, depends on the tar.
                if extension.is_some() {
                    return Err(header.unsupported("is extended twice"));
                }
                let content = blocks.content(&header, size)?;
                match kind {
                    EntryType::XHeader => extension = Some(Extension::of_pax(&content)?),
                    EntryType::GNULongName => extension = Some(Extension::of_name(&content)?),
                    // Some tars take what it says for each file behind it, and others do not.
                    _ if records(&content)?.keys().all(|key| *key == b"comment") => {}
                    _ => {
                        let reason = "it has a global header that is no comment";
                        return Err(Unpack::Unsupported(reason.to_owned()));
                    }
                }
            }
            kind => return Err(no_file(&header.name(), kind)),
        }
    }
    if extension.is_some() {
        return Err(Unpack::Broken(
            "it ends behind a header that extends nothing".to_owned(),
        ));
    }
    Ok(())
}

/// The archive, block by block.
struct Blocks<R>(Take<R>);

impl<R: Read> Blocks<R> {
    /// The next header; `None` at the end, behind which there is nothing.
    fn next(&mut self) -> Result<Option<[u8; BLOCK]>, Unpack> {
        let mut block = Vec::with_capacity(BLOCK);
        self.read_to_end(BLOCK as u64, &mut block)?;
        if block.is_empty() {
            return Ok(None);
        }
        let block: [u8; BLOCK] = block.try_into().map_err(|_| self.cut())?;
        if !is_zero(&block) {
            return Ok(Some(block));
        }
        // Some tars stop at the first block of zeros, some at the second, and some never.
        let mut rest = [0; BLOCK];
        loop {
            match self.0.read(&mut rest) {
                Ok(0) => return Ok(None),
                Ok(read) if is_zero(&rest[..read]) => {}
                Ok(_) => {
                    let reason = "it goes on behind its end";
                    return Err(Unpack::Unsupported(reason.to_owned()));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(broken(error)),
            }
        }
    }

    fn content(&mut self, header: &Header<'_>, size: u64) -> Result<Vec<u8>, Unpack> {
        if size > MAX_EXTENSION {
            return Err(header.unsupported(&format!("has {size} bytes, more than {MAX_EXTENSION} for a header")));
        }
        let mut content = Vec::new();
        self.read_to_end(padded(size), &mut content)?;
        if content.len() as u64 != padded(size) {
            return Err(self.cut());
        }
        content.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        Ok(content)
    }

    fn skip(&mut self, size: u64) -> Result<(), Unpack> {
        let skipped = io::copy(&mut self.0.by_ref().take(padded(size)), &mut io::sink()).map_err(broken)?;
        if skipped == padded(size) {
            Ok(())
        } else {
            Err(self.cut())
        }
    }

    fn read_to_end(&mut self, length: u64, into: &mut Vec<u8>) -> Result<(), Unpack> {
        self.0.by_ref().take(length).read_to_end(into).map_err(broken)?;
        Ok(())
    }

    /// Why there is less than was announced.
    fn cut(&self) -> Unpack {
        if self.0.limit() == 0 {
            too_much()
        } else {
            Unpack::Broken("it ends in the middle".to_owned())
        }
    }
}

fn padded(size: u64) -> u64 {
    size.next_multiple_of(BLOCK as u64)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

struct Header<'b>(&'b [u8; BLOCK]);

impl Header<'_> {
    fn kind(&self) -> EntryType {
        EntryType::new(self.0[156])
    }

    /// The name as it stands here, for messages: it may be longer, or another.
    fn name(&self) -> String {
        String::from_utf8_lossy(until_nul(&self.0[..100])).into_owned()
    }

    fn unsupported(&self, what: &str) -> Unpack {
        Unpack::Unsupported(format!("its entry {:?} {what}", self.name()))
    }

    /// Only with version 00 of ustar a name has a prefix for every tar; where others have none, some look for one all the same.
    fn check_format(&self) -> Result<(), Unpack> {
        let unused = match &self.0[257..265] {
            b"ustar\x0000" => 500,
            b"ustar  \0" => 345,
            [0, 0, 0, 0, 0, 0, 0, 0] => 265,
            _ => return Err(self.unsupported("is of a form that is neither ustar nor GNU's")),
        };
        if is_zero(&self.0[unused..]) {
            Ok(())
        } else {
            Err(self.unsupported("says something where its form has nothing to say"))
        }
    }

    /// Octal digits, behind which there is nothing; spaces may lead. Nothing that may be unpacked needs GNU's binary numbers.
    fn size(&self) -> Result<u64, Unpack> {
        let field = &self.0[124..136];
        let leading = field.iter().take_while(|byte| **byte == b' ').count();
        let field = &field[leading..];
        let digits = field
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'7'))
            .unwrap_or(field.len());
        let (digits, rest) = field.split_at(digits);
        if digits.is_empty() || rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
            return Err(self.unsupported("has a length that is no octal number"));
        }
        Ok(digits.iter().fold(0, |size, digit| size << 3 | u64::from(digit - b'0')))
    }

    /// Before there was a type for directories, they were files with such a name.
    fn check_old_directory(&self) -> Result<(), Unpack> {
        if self.0[156] == 0 && until_nul(&self.0[..100]).ends_with(b"/") {
            return Err(self.unsupported("is a file with the name of a directory"));
        }
        Ok(())
    }
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// What a header says of the entry behind it, besides its name.
struct Extension {
    size: Option<u64>,
}

impl Extension {
    fn of_name(content: &[u8]) -> Result<Self, Unpack> {
        let name = content.strip_suffix(b"\0").unwrap_or(content);
        check_name(name)?;
        Ok(Self { size: None })
    }

    fn of_pax(content: &[u8]) -> Result<Self, Unpack> {
        let mut size = None;
        for (key, value) in records(content)? {
            let shown = || String::from_utf8_lossy(key);
            match key {
                b"path" => check_name(value)?,
                b"size" => size = Some(decimal(value).ok_or_else(|| odd("a length that is no number"))?),
                key if is_plain(key) => {}
                _ => return Err(Unpack::Unsupported(format!("an entry is extended by {:?}", shown()))),
            }
        }
        Ok(Self { size })
    }
}

/// Some tars end a name at a zero byte, and some take an empty one for none.
fn check_name(name: &[u8]) -> Result<(), Unpack> {
    if name.is_empty() || name.contains(&0) {
        return Err(odd("a name that is empty or holds a zero byte"));
    }
    Ok(())
}

/// What an extended header may say of a file, for all tars to unpack the same file: `GNU.sparse.name`, for one, names another.
fn is_plain(key: &[u8]) -> bool {
    const PLAIN: [&[u8]; 8] = [
        b"mtime", b"atime", b"ctime", b"uid", b"gid", b"uname", b"gname", b"comment",
    ];
    PLAIN.contains(&key) || key.starts_with(b"LIBARCHIVE.") || key.starts_with(b"SCHILY.xattr.")
}

/// The records of a pax header, `LENGTH KEY=VALUE` and a line feed each; which of two with one key counts depends on the tar.
fn records(mut content: &[u8]) -> Result<BTreeMap<&[u8], &[u8]>, Unpack> {
    let malformed = || odd("records that are not those of pax");
    let mut records = BTreeMap::new();
    while !content.is_empty() {
        let space = content.iter().position(|byte| *byte == b' ').ok_or_else(malformed)?;
        let length = decimal(&content[..space])
            .and_then(|length| usize::try_from(length).ok())
            .filter(|length| *length <= content.len())
            .ok_or_else(malformed)?;
        let record = content.get(space + 1..length).ok_or_else(malformed)?;
        let record = record.strip_suffix(b"\n").ok_or_else(malformed)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(malformed)?;
        if records.insert(&record[..equals], &record[equals + 1..]).is_some() {
            return Err(odd("one record twice"));
        }
        content = &content[length..];
    }
    Ok(records)
}

/// Digits alone: no sign, nothing behind them, and no more of them than any file is long.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 12 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(
        text.iter()
            .fold(0, |number, digit| number * 10 + u64::from(digit - b'0')),
    )
}

fn odd(what: &str) -> Unpack {
    Unpack::Unsupported(format!("a header that extends an entry has {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const USTAR: &[u8] = b"ustar\x0000";
    const GNU: &[u8] = b"ustar  \0";
    const OLD: &[u8] = &[0; 8];

    /// One header and its content, padded.
    fn entry(name: &str, kind: u8, content: &str) -> Vec<u8> {
        formed(name, kind, content, GNU, |_| ())
    }

    fn formed(name: &str, kind: u8, content: &str, magic: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        block[156] = kind;
        block[257..265].copy_from_slice(magic);
        change(&mut block);
        block.extend_from_slice(content.as_bytes());
        block.resize(block.len().next_multiple_of(BLOCK), 0);
        block
    }

    fn pax(records: &[&str]) -> Vec<u8> {
        let record = |record: &&str| {
            let length = (record.len() + 3..).find(|length| length.to_string().len() + 2 + record.len() == *length);
            format!("{} {record}\n", length.expect("some length fits"))
        };
        entry("pax", b'x', &records.iter().map(record).collect::<String>())
    }

    fn file() -> Vec<u8> {
        entry("a", b'0', "text")
    }

    fn size_field(field: &[u8]) -> Vec<u8> {
        formed("a", b'0', "text", GNU, |block| {
            block[124..124 + field.len()].copy_from_slice(field);
        })
    }

    fn outcome(archive: &[u8]) -> Result<(), Unpack> {
        check([archive, &[0; 2 * BLOCK]].concat().as_slice())
    }

    #[test]
    fn what_every_tar_reads_alike_is_taken() {
        let long = format!("{}\0", "b/".repeat(100) + "c");
        let cases = [
            ("nothing", vec![]),
            ("a file", file()),
            ("of type zero", entry("a", 0, "text")),
            ("contiguous", entry("a", b'7', "text")),
            ("of the oldest form", formed("a", 0, "text", OLD, |_| ())),
            ("of ustar", formed("a", b'0', "text", USTAR, |_| ())),
            (
                "a prefix of ustar",
                formed("a", b'0', "text", USTAR, |block| block[345] = b'p'),
            ),
            ("a directory", entry("a/", b'5', "")),
            ("a long name", [entry("././@LongLink", b'L', &long), file()].concat()),
            ("a path", [pax(&["path=b", "mtime=1.5"]), file()].concat()),
            ("its length again", [pax(&["size=4"]), file()].concat()),
            (
                "a comment for all",
                [entry("g", b'g', "15 comment=abc\n"), file()].concat(),
            ),
            ("a length after spaces", size_field(b"         4 \0")),
        ];
        for (name, archive) in cases {
            assert!(outcome(&archive).is_ok(), "{name}: {:?}", outcome(&archive));
        }
        assert!(check(file().as_slice()).is_ok(), "no end");
    }

    /// Each was unpacked by one tar as it is said here, and otherwise by another.
    #[test]
    fn what_tars_read_differently_is_refused() {
        let name = entry("././@LongLink", b'L', "c\0");
        let hidden = String::from_utf8(entry("hidden", b'0', "evil")).expect("ASCII");
        let cases = [
            ("headers in a directory's content", entry("d/", b'5', &hidden)),
            ("two paths", [pax(&["path=b", "path=c"]), file()].concat()),
            ("two lengths in a header", [pax(&["size=4", "size=1"]), file()].concat()),
            ("another length", [pax(&["size=3"]), file()].concat()),
            ("a length with a sign", [pax(&["size=+4"]), file()].concat()),
            ("a length and more", [pax(&["size=4x"]), file()].concat()),
            (
                "a path and a long name",
                [pax(&["path=b"]), name.clone(), file()].concat(),
            ),
            (
                "a long name and a path",
                [name.clone(), pax(&["path=b"]), file()].concat(),
            ),
            ("two long names", [name.clone(), name.clone(), file()].concat()),
            (
                "a name that ends early",
                [entry("././@LongLink", b'L', "b\0c\0"), file()].concat(),
            ),
            (
                "an empty long name",
                [entry("././@LongLink", b'L', "\0"), file()].concat(),
            ),
            ("an empty path", [pax(&["path="]), file()].concat()),
            ("a path that ends early", [pax(&["path=b\0c"]), file()].concat()),
            ("another name besides", [pax(&["GNU.sparse.name=b"]), file()].concat()),
            ("another charset", [pax(&["hdrcharset=BINARY"]), file()].concat()),
            ("a record too long", [entry("x", b'x', "99 path=b\n"), file()].concat()),
            ("a record too short", [entry("x", b'x', "8 path=b\n"), file()].concat()),
            ("a record without a key", [entry("x", b'x', "5 pa\n"), file()].concat()),
            ("a record of no length", [entry("x", b'x', "0 "), file()].concat()),
            (
                "a global header between",
                [name.clone(), entry("g", b'g', "15 comment=abc\n"), file()].concat(),
            ),
            ("a path for all", [entry("g", b'g', "9 path=b\n"), file()].concat()),
            (
                "a long name of a link",
                [entry("././@LongLink", b'K', "c\0"), file()].concat(),
            ),
            ("a link", entry("a", b'2', "")),
            ("a sparse file", entry("a", b'S', "text")),
            (
                "a prefix where GNU has none",
                formed("a", b'0', "text", GNU, |block| block[345] = b'p'),
            ),
            (
                "a prefix of the oldest form",
                formed("a", b'0', "text", OLD, |block| block[345] = b'p'),
            ),
            (
                "another version of ustar",
                formed("a", b'0', "text", b"ustar\x0001", |_| ()),
            ),
            (
                "the form of star",
                formed("a", b'0', "text", USTAR, |block| block[508..].copy_from_slice(b"tar\0")),
            ),
            ("an old directory", entry("a/", 0, "")),
            ("a binary length", size_field(&[0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4])),
            ("a negative length", size_field(b"-0000000004\0")),
            ("a length in two parts", size_field(b"0 4\0\0\0\0\0\0\0\0\0")),
            ("no length", size_field(&[0; 12])),
            ("blanks for a length", size_field(b"            ")),
            ("a file behind the end", [vec![0; BLOCK], file()].concat()),
        ];
        for (name, archive) in cases {
            assert!(
                matches!(outcome(&archive), Err(Unpack::Unsupported(_))),
                "{name}: {:?}",
                outcome(&archive)
            );
        }
    }

    #[test]
    fn what_ends_early_is_broken() {
        let whole = file();
        let nothing_extended = entry("././@LongLink", b'L', "c\0");
        for archive in [&whole[..100], &whole[..BLOCK], &whole[..BLOCK + 4], &nothing_extended] {
            assert!(
                matches!(check(archive), Err(Unpack::Broken(_))),
                "{} bytes",
                archive.len()
            );
        }
    }
}
