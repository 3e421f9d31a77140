//! The tar archive of a bundle: one form, byte by byte.
//!
//! Every header says a name and a length, and nothing else that differs from one archive to another. So a reader has nothing to
//! interpret: it takes name and length from a header, writes that header itself, and compares. What another reader might take for a
//! longer name, a link, a second archive or a file of its own is then no part of any archive that is read.

use std::ops::Range;

use crate::finding::CargoCode;
use crate::store::bundle::BundleError;
use crate::store::bundle::names::{self, Places};

const BLOCK: usize = 512;
/// The end of an archive: so many zero bytes, and nothing behind them.
const END: usize = 2 * BLOCK;
/// What the name field and the prefix field hold.
const NAME: usize = 100;
const PREFIX: usize = 155;
/// When every member was written, as archives of cargo have it: no tool finds it odd, and it says nothing.
const TIME: u64 = 1_153_704_088;
/// Members of one archive. The largest chain within the limits of verification has 20,000 links.
pub(super) const MOST_MEMBERS: usize = 25_000;

/// One member: its name as a whole, and where its bytes are.
pub(super) type Entry = (String, Range<usize>);

/// Writes an archive of these members, in this order.
///
/// # Errors
/// When a name does not fit into a header.
pub(super) fn write(members: &[(String, &[u8])]) -> Result<Vec<u8>, BundleError> {
    let length: usize = members.iter().map(|(_, bytes)| bytes.len() + 2 * BLOCK).sum();
    let mut archive = Vec::with_capacity(length + END);
    for (name, bytes) in members {
        let header = header(name, bytes.len() as u64).ok_or_else(|| {
            BundleError::new(
                CargoCode::BundleEntryName,
                format!("the name {name:?} is too long for a tar archive"),
            )
        })?;
        archive.extend_from_slice(&header);
        archive.extend_from_slice(bytes);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.resize(archive.len() + END, 0);
    Ok(archive)
}

/// The members of an archive, in its order.
///
/// # Errors
/// When it is not, byte by byte, what [`write()`] writes for these members.
pub(super) fn read(archive: &[u8]) -> Result<Vec<Entry>, BundleError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut places = Places::default();
    let mut at = 0;
    loop {
        let block = archive.get(at..at + BLOCK).ok_or_else(cut)?;
        if block.iter().all(|byte| *byte == 0) {
            end(&archive[at..])?;
            return Ok(entries);
        }
        if entries.len() >= MOST_MEMBERS {
            let message = format!("it holds more than {MOST_MEMBERS} members");
            return Err(BundleError::new(CargoCode::BundleTooLarge, message));
        }
        let (name, size) = parse(block)?;
        let start = at + BLOCK;
        let size = usize::try_from(size).map_err(|_| cut())?;
        let stop = start
            .checked_add(size)
            .filter(|stop| *stop <= archive.len())
            .ok_or_else(cut)?;
        at = stop.checked_next_multiple_of(BLOCK).ok_or_else(cut)?;
        let padding = archive.get(stop..at).ok_or_else(cut)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(malformed(format!("bytes are hidden behind the end of member {name:?}")));
        }
        places.take(&name)?;
        entries.push((name, start..stop));
    }
}

fn cut() -> BundleError {
    malformed("it ends in the middle")
}

fn malformed(message: impl Into<String>) -> BundleError {
    BundleError::new(CargoCode::BundleMalformed, message)
}

/// From the first zero block on.
fn end(rest: &[u8]) -> Result<(), BundleError> {
    if rest.len() < END {
        return Err(cut());
    }
    if rest.len() > END || rest.iter().any(|byte| *byte != 0) {
        let message = "bytes follow the end of the archive";
        return Err(BundleError::new(CargoCode::BundleTrailingBytes, message));
    }
    Ok(())
}

/// Name and length of a member, whose header says nothing else.
fn parse(block: &[u8]) -> Result<(String, u64), BundleError> {
    if &block[257..265] != b"ustar\x0000" {
        return Err(malformed(
            "a header is not of the ustar form: another tool packed it, or it is no bundle",
        ));
    }
    let name = until_nul(&block[..NAME]);
    let prefix = until_nul(&block[345..500]);
    let name = if prefix.is_empty() {
        name.to_vec()
    } else {
        [prefix, b"/", name].concat()
    };
    let name = String::from_utf8(name).map_err(|error| {
        let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
        BundleError::new(CargoCode::BundleEntryName, format!("the name {shown:?} is not UTF-8"))
    })?;
    if block[156] != b'0' {
        let message = format!("member {name:?} is {}, not a regular file", kind(block[156]));
        return Err(BundleError::new(CargoCode::BundleEntryNotRegular, message));
    }
    names::check(&name)?;
    let digits = &block[124..135];
    if block[135] != 0 || !digits.iter().all(|byte| matches!(byte, b'0'..=b'7')) {
        return Err(malformed(format!(
            "the length of member {name:?} is not an octal number"
        )));
    }
    let size = digits.iter().fold(0, |value, byte| value << 3 | u64::from(byte - b'0'));
    if header(&name, size).is_none_or(|header| header != block) {
        return Err(malformed(format!(
            "the header of member {name:?} says something besides name and length, or says them in another way"
        )));
    }
    Ok((name, size))
}

/// The one header for a member of this name and length; `None` where they do not fit.
fn header(name: &str, size: u64) -> Option<[u8; BLOCK]> {
    let (prefix, name) = split(name)?;
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    let size = format!("{size:011o}\0");
    if size.len() != 12 {
        return None;
    }
    put(124, size.as_bytes());
    put(136, format!("{TIME:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    put(345, prefix.as_bytes());
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(header)
}

/// A name in its two fields: all of it in the second if it fits, else as much as fits.
fn split(name: &str) -> Option<(&str, &str)> {
    if name.is_empty() {
        return None;
    }
    if name.len() <= NAME {
        return Some(("", name));
    }
    let at = name
        .match_indices('/')
        .map(|(at, _)| at)
        .find(|at| name.len() - at - 1 <= NAME)?;
    let (prefix, name) = (&name[..at], &name[at + 1..]);
    (prefix.len() <= PREFIX && !prefix.is_empty() && !name.is_empty()).then_some((prefix, name))
}

fn until_nul(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

fn kind(flag: u8) -> &'static str {
    match flag {
        b'1' => "a hard link",
        b'2' => "a symbolic link",
        b'3' | b'4' => "a device",
        b'5' => "a directory",
        b'6' => "a FIFO",
        b'L' | b'K' => "a long name of GNU tar",
        b'S' => "a sparse file",
        b'x' | b'g' => "a pax header",
        _ => "of an unknown type",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(members: &[(&str, &'static [u8])]) -> Vec<(String, &'static [u8])> {
        members
            .iter()
            .map(|(name, bytes)| ((*name).to_owned(), *bytes))
            .collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let long = format!("top/{}/{}", "d".repeat(90), "n".repeat(60));
        let members = members(&[
            ("top/a", b"1"),
            ("top/b", b""),
            (&long, &[7; 513]),
            ("top/e", &[0; 512]),
        ]);
        let archive = write(&members).expect("names fit");
        assert_eq!(archive.len() % BLOCK, 0);
        assert_eq!(write(&members).expect("again"), archive);
        let read = read(&archive).expect("our own");
        let found: Vec<(String, &[u8])> = read
            .iter()
            .map(|(name, at)| (name.clone(), &archive[at.clone()]))
            .collect();
        assert_eq!(found, members);
    }

    #[test]
    fn other_tools_agree_on_names_and_bytes() {
        let long = format!("top/{}/{}", "d".repeat(90), "n".repeat(60));
        let members = members(&[("top/a", b"1"), (&long, b"22")]);
        let archive = write(&members).expect("names fit");
        let mut other = tar::Archive::new(&archive[..]);
        let found: Vec<(String, u64, u64)> = other
            .entries()
            .expect("a tar archive")
            .map(|entry| {
                let entry = entry.expect("an entry");
                let name = String::from_utf8(entry.path_bytes().into_owned()).expect("UTF-8");
                (name, entry.size(), entry.header().mtime().expect("a time"))
            })
            .collect();
        assert_eq!(found, [("top/a".to_owned(), 1, TIME), (long, 2, TIME)]);
    }

    #[test]
    fn names_that_do_not_fit_are_no_surprise() {
        for name in [
            "x".repeat(101),
            format!("{}/{}", "d".repeat(156), "n".repeat(100)),
            String::new(),
        ] {
            let error = write(&[(name, b"")]).expect_err("too long");
            assert_eq!(error.code(), CargoCode::BundleEntryName);
        }
    }

    /// Every byte of a header matters: none can be changed without the archive being refused.
    #[test]
    fn no_byte_of_a_header_is_free() {
        let archive = write(&members(&[("top/a", b"1234567"), ("top/b", b"")])).expect("names fit");
        let good = read(&archive).expect("our own");
        for at in (0..archive.len()).filter(|at| !(BLOCK..BLOCK + 7).contains(at)) {
            for change in [1, 0x20, 0x80] {
                let mut changed = archive.clone();
                changed[at] ^= change;
                assert!(read(&changed).is_err(), "byte {at} ^ {change}: {good:?}");
            }
        }
        for length in 0..archive.len() {
            assert!(read(&archive[..length]).is_err(), "cut at {length}");
        }
    }
}
