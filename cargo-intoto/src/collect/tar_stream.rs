//! A strict reader of the tar dialect that cargo writes: regular files, ustar or GNU headers, GNU long names.
//!
//! Everything else that tar can say (pax overrides, links, sparse files, devices) is refused rather than understood, because two
//! readers that understand it differently would see two different crates in the same bytes.

use std::io::{self, Read};

const BLOCK: usize = 512;
/// Longer than any path that a file system takes.
const LONGEST_NAME: u64 = 4096;
/// Zeros behind the end of an archive. Cargo writes none, tar fills up a record of some kilobytes, and a terabyte compresses well.
const MOST_ZEROS: usize = 1 << 20;

/// Why an archive was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TarError {
    /// The bytes are no tar archive of this dialect.
    #[error("{0}")]
    Malformed(String),
    /// An entry is no regular file; the name and what it is.
    #[error("entry {name:?} is {kind}, not a regular file")]
    NotRegular { name: String, kind: String },
    /// A name is not UTF-8; shown with replacement characters.
    #[error("entry name {0:?} is not UTF-8")]
    NameNotUtf8(String),
    /// Bytes other than padding follow the end of the archive.
    #[error("bytes follow the end of the archive")]
    AfterEnd,
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The head of one entry; its content must be read before the next one is asked for.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The full name.
    pub(crate) name: String,
    /// The permission bits.
    pub(crate) mode: u32,
    /// The length of the content.
    pub(crate) size: u64,
}

/// Reads entry after entry.
pub(crate) struct TarStream<R> {
    inner: R,
    /// Content of the current entry that nobody read, and the padding behind it.
    unread: u64,
    padding: usize,
}

impl<R: Read> TarStream<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            unread: 0,
            padding: 0,
        }
    }

    /// The next entry, or none at the archive's end, behind which only zeros were found.
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>, TarError> {
        if self.unread != 0 {
            return Err(TarError::Malformed("the content of an entry was not read".to_owned()));
        }
        self.skip_padding()?;
        let mut long_name: Option<Vec<u8>> = None;
        loop {
            let mut block = [0; BLOCK];
            self.fill(&mut block)?;
            if block.iter().all(|byte| *byte == 0) {
                if long_name.is_some() {
                    return Err(TarError::Malformed("a long name without an entry".to_owned()));
                }
                self.end()?;
                return Ok(None);
            }
            let header = Header::parse(&block)?;
            if header.kind == b'L' && long_name.is_none() {
                long_name = Some(self.long_name(&header)?);
                continue;
            }
            let name = long_name.take().unwrap_or(header.name);
            let name = String::from_utf8(name)
                .map_err(|error| TarError::NameNotUtf8(String::from_utf8_lossy(error.as_bytes()).into_owned()))?;
            if !matches!(header.kind, b'0' | 0) || name.ends_with('/') {
                let kind = kind_name(header.kind).to_owned();
                return Err(TarError::NotRegular { name, kind });
            }
            self.start(header.size);
            return Ok(Some(Entry {
                name,
                mode: header.mode,
                size: header.size,
            }));
        }
    }

    /// Reads content of the current entry; 0 at its end.
    pub(crate) fn read_content(&mut self, buffer: &mut [u8]) -> Result<usize, TarError> {
        let most = usize::try_from(self.unread).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let length = self.inner.read(&mut buffer[..most])?;
        if length == 0 {
            return Err(truncated());
        }
        self.unread -= length as u64;
        Ok(length)
    }

    /// The reader below.
    pub(crate) fn inner(&self) -> &R {
        &self.inner
    }

    /// The reader below, when the archive is done.
    pub(crate) fn into_inner(self) -> R {
        self.inner
    }

    fn start(&mut self, size: u64) {
        self.unread = size;
        self.padding = ((BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64) as usize;
    }

    fn long_name(&mut self, header: &Header) -> Result<Vec<u8>, TarError> {
        if header.size == 0 || header.size > LONGEST_NAME {
            return Err(TarError::Malformed(format!("a long name of {} bytes", header.size)));
        }
        self.start(header.size);
        let mut name = vec![0; header.size as usize];
        self.fill(&mut name)?;
        self.unread = 0;
        self.skip_padding()?;
        if name.pop() != Some(0) || name.contains(&0) {
            return Err(TarError::Malformed(
                "a long name that does not end with its one NUL".to_owned(),
            ));
        }
        Ok(name)
    }

    fn skip_padding(&mut self) -> Result<(), TarError> {
        let mut block = [0; BLOCK];
        let padding = std::mem::take(&mut self.padding);
        self.fill(&mut block[..padding])?;
        if block.iter().any(|byte| *byte != 0) {
            return Err(TarError::Malformed(
                "bytes hidden in the padding of an entry".to_owned(),
            ));
        }
        Ok(())
    }

    /// After the first zero block: a second one, then zeros only.
    fn end(&mut self) -> Result<(), TarError> {
        let mut block = [0; BLOCK];
        self.fill(&mut block)?;
        let mut zeros = 0;
        loop {
            if block.iter().any(|byte| *byte != 0) {
                return Err(TarError::AfterEnd);
            }
            let length = self.inner.read(&mut block)?;
            if length == 0 {
                return Ok(());
            }
            zeros += length;
            if zeros > MOST_ZEROS {
                return Err(TarError::Malformed(format!(
                    "more than {MOST_ZEROS} zeros follow the end of the archive"
                )));
            }
            block[length..].fill(0);
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), TarError> {
        self.inner.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => truncated(),
            _ => error.into(),
        })
    }
}

fn truncated() -> TarError {
    TarError::Malformed("the archive ends in the middle".to_owned())
}

struct Header {
    name: Vec<u8>,
    mode: u32,
    size: u64,
    kind: u8,
}

impl Header {
    fn parse(block: &[u8; BLOCK]) -> Result<Self, TarError> {
        let stated = octal(&block[148..156], "checksum")?;
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(index, byte)| u64::from(if (148..156).contains(&index) { b' ' } else { *byte }))
            .sum();
        if stated != sum {
            return Err(TarError::Malformed("the checksum of a header is wrong".to_owned()));
        }
        let magic = &block[257..265];
        let kind = block[156];
        let mut name = until_nul(&block[..100]).to_vec();
        // Fields that a file of this form has no use for, and in which some readers look for a beginning of its name all the same.
        let unused = if magic == b"ustar\x0000" {
            &block[500..]
        } else {
            &block[345..]
        };
        let target = if matches!(kind, b'0' | 0) {
            &block[157..257]
        } else {
            &[]
        };
        if unused.iter().chain(target).any(|byte| *byte != 0) {
            return Err(TarError::Malformed(
                "bytes hidden in fields of a header that a file does not use".to_owned(),
            ));
        }
        if magic == b"ustar\x0000" {
            let prefix = until_nul(&block[345..500]);
            if !prefix.is_empty() {
                name = [prefix, b"/", &name].concat();
            }
        } else if magic != b"ustar  \0" {
            return Err(TarError::Malformed("a header that is neither ustar nor GNU".to_owned()));
        }
        let mode = octal(&block[100..108], "mode")?;
        Ok(Self {
            name,
            mode: (mode & 0o7777) as u32,
            size: octal(&block[124..136], "size")?,
            kind,
        })
    }
}

fn until_nul(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// Octal digits, padded with blanks or NULs; the base-256 form, which cargo never needs, is refused.
fn octal(field: &[u8], what: &str) -> Result<u64, TarError> {
    let text = field.trim_ascii_start();
    let digits = text.iter().take_while(|byte| (b'0'..=b'7').contains(byte)).count();
    let (number, rest) = text.split_at(digits);
    if digits == 0 || digits > 20 || rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return Err(TarError::Malformed(format!(
            "the {what} in a header is not an octal number"
        )));
    }
    Ok(number.iter().fold(0, |value, byte| value << 3 | u64::from(byte - b'0')))
}

fn kind_name(kind: u8) -> &'static str {
    match kind {
        b'0' | 0 | b'5' => "a directory",
        b'1' => "a hard link",
        b'2' => "a symbolic link",
        b'3' | b'4' => "a device",
        b'6' => "a FIFO",
        b'S' => "a sparse file",
        b'x' | b'g' => "a pax header",
        b'K' | b'L' => "a long name out of place",
        _ => "of an unknown type",
    }
}
