//! Reads a `.crate` strictly: what this accepts, every reader sees the same way.
//!
//! Memory stays constant whatever the archive holds: contents are hashed as they stream by, and only the few files that cargo
//! generates or rewrites are kept, up to a limit.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use camino::Utf8Path;
use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use crate::collect::content::{self, Mode};
use crate::collect::hash::open_regular;
use crate::collect::tar_stream::{Entry, TarError, TarStream};
use crate::error::CliError;
use crate::finding::CargoCode;

mod names;

use names::Names;

/// The files that cargo generates or rewrites; [`CrateFile`] keeps their bytes, and [`CrateFile::content_digest`] leaves them out.
pub const GENERATED: [&str; 3] = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml"];

/// The manifest as the author wrote it.
pub const ORIGINAL_MANIFEST: &str = "Cargo.toml.orig";

/// Bounds on what is read.
#[derive(Debug, Clone)]
pub struct CrateLimits {
    /// Bytes of the `.crate`. The public registry takes 10 MiB; private ones are more generous.
    pub compressed: u64,
    /// Bytes of all contents. Cargo itself stops at 512 MiB.
    pub unpacked: u64,
    /// How often the unpacked bytes may exceed the compressed ones, above [`CrateLimits::FREE`] bytes.
    pub ratio: u64,
    /// Files. The largest published crates have some ten thousand.
    pub entries: usize,
    /// Bytes of one kept file; a lock file of some thousand packages is the largest.
    pub kept: u64,
}

impl CrateLimits {
    /// Unpacked bytes below which no ratio is checked: an empty table compresses a thousandfold.
    pub const FREE: u64 = 64 << 20;
}

impl Default for CrateLimits {
    fn default() -> Self {
        Self {
            compressed: 256 << 20,
            unpacked: 512 << 20,
            ratio: 100,
            entries: 100_000,
            kept: 16 << 20,
        }
    }
}

/// A `.crate` whose every byte was read and found in order.
#[derive(Debug, Clone)]
pub struct CrateFile {
    stem: String,
    size: u64,
    sha256: [u8; 32],
    entries: BTreeMap<String, CrateEntry>,
}

/// One file of a `.crate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrateEntry {
    /// The permission bits of the archive.
    pub mode: u32,
    /// Its length.
    pub size: u64,
    /// Its sha256.
    pub sha256: [u8; 32],
    /// Its bytes, for the files that cargo generates or rewrites and for `Cargo.toml.orig`.
    pub content: Option<Vec<u8>>,
}

impl CrateEntry {
    /// Whether its owner may execute it.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o100 != 0
    }
}

/// Why a `.crate` was refused.
#[derive(Debug)]
pub struct CrateError {
    code: CargoCode,
    message: String,
}

impl CrateError {
    /// The stable code.
    pub fn code(&self) -> CargoCode {
        self.code
    }

    /// As an error of a command, naming the file.
    pub fn at(self, path: &Utf8Path) -> CliError {
        let message = format!("failed to read the crate file {path}");
        let error = match self.code {
            CargoCode::CrateUnreadable => CliError::failure(message).with_code(self.code),
            code => CliError::refused(code, message),
        };
        error.because(self.message)
    }

    /// The file could not be read.
    pub(crate) fn unreadable(message: impl Into<String>) -> Self {
        Self::new(CargoCode::CrateUnreadable, message)
    }

    fn new(code: CargoCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}

impl fmt::Display for CrateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CrateError {}

impl From<TarError> for CrateError {
    fn from(error: TarError) -> Self {
        let code = match &error {
            TarError::Malformed(_) => CargoCode::CrateMalformed,
            TarError::NotRegular { .. } => CargoCode::CrateEntryNotRegular,
            TarError::NameNotUtf8(_) => CargoCode::CrateEntryName,
            TarError::AfterEnd => CargoCode::CrateTrailingBytes,
            TarError::Io(error) => return io_error(error),
        };
        Self::new(code, error.to_string())
    }
}

impl CrateFile {
    /// Reads the `.crate` at `path`, whose top folder must be `stem` (`NAME-VERSION`) when one is given.
    ///
    /// # Errors
    /// When the file cannot be read or breaks a rule of the format.
    pub fn read(path: &Utf8Path, stem: Option<&str>, limits: &CrateLimits) -> Result<Self, CliError> {
        let (file, _) = open_regular(path)?;
        Self::from_reader(file, stem, limits).map_err(|error| error.at(path))
    }

    /// Reads a `.crate` from memory.
    ///
    /// # Errors
    /// When it breaks a rule of the format.
    pub fn from_bytes(bytes: &[u8], stem: Option<&str>, limits: &CrateLimits) -> Result<Self, CrateError> {
        Self::from_reader(bytes, stem, limits)
    }

    /// Reads a `.crate` from any reader, to its end.
    ///
    /// # Errors
    /// When reading fails or the bytes break a rule of the format.
    pub fn from_reader(reader: impl Read, stem: Option<&str>, limits: &CrateLimits) -> Result<Self, CrateError> {
        let raw = BufReader::with_capacity(32 * 1024, Hashing::new(reader, limits.compressed));
        let mut names = Names::new(stem);
        let mut tar = TarStream::new(GzDecoder::new(raw));
        let mut entries = BTreeMap::new();
        let mut unpacked = 0;
        while let Some(head) = tar.next_entry()? {
            let name = names.admit(&head.name)?;
            unpacked += head.size;
            check_limits(entries.len() + 1, unpacked, limits)?;
            let entry = read_entry(&mut tar, &head, &name, unpacked - head.size, limits)?;
            entries.insert(name, entry);
        }
        let mut raw = tar.into_inner().into_inner();
        reject_rest(&mut raw)?;
        let hashing = raw.into_inner();
        let stem = names
            .stem
            .filter(|_| !entries.is_empty())
            .ok_or_else(|| CrateError::new(CargoCode::CrateMalformed, "the archive holds no file"))?;
        Ok(Self {
            stem,
            size: hashing.count,
            sha256: hashing.hasher.finalize().into(),
            entries,
        })
    }

    /// `NAME-VERSION`, the top folder.
    pub fn stem(&self) -> &str {
        &self.stem
    }

    /// The length of the `.crate` itself.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The sha256 of the `.crate` itself, as in a lock file.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The files by their path below the top folder, sorted.
    pub fn entries(&self) -> &BTreeMap<String, CrateEntry> {
        &self.entries
    }

    /// The file with this path below the top folder.
    pub fn get(&self, path: &str) -> Option<&CrateEntry> {
        self.entries.get(path)
    }

    /// One digest over path, execute bit and content of every file but the [`GENERATED`] ones: equal for two packages of the same
    /// sources whatever cargo version, commit or lock file they were packaged with.
    pub fn content_digest(&self) -> [u8; 32] {
        content::digest(
            self.entries
                .iter()
                .filter(|(path, _)| !GENERATED.contains(&path.as_str()))
                .map(|(path, entry)| (path.as_str(), Mode::of(entry.is_executable()), entry.sha256)),
        )
    }
}

fn check_limits(entries: usize, unpacked: u64, limits: &CrateLimits) -> Result<(), CrateError> {
    if entries > limits.entries {
        return Err(too_large(format!(
            "the archive holds more than {} files",
            limits.entries
        )));
    }
    if unpacked > limits.unpacked {
        return Err(too_large(format!(
            "the archive unpacks to more than {} bytes",
            limits.unpacked
        )));
    }
    Ok(())
}

fn check_ratio(unpacked: u64, compressed: u64, limits: &CrateLimits) -> Result<(), CrateError> {
    if unpacked > CrateLimits::FREE && unpacked / limits.ratio > compressed {
        return Err(too_large(format!(
            "the archive unpacks to more than {} times its size",
            limits.ratio
        )));
    }
    Ok(())
}

fn too_large(what: String) -> CrateError {
    CrateError::new(CargoCode::CrateTooLarge, what)
}

/// Reads the content of an entry; `before` bytes of other entries were unpacked already.
fn read_entry<R: Read>(
    tar: &mut TarStream<GzDecoder<BufReader<Hashing<R>>>>,
    head: &Entry,
    name: &str,
    before: u64,
    limits: &CrateLimits,
) -> Result<CrateEntry, CrateError> {
    let keep = GENERATED.contains(&name) || name == ORIGINAL_MANIFEST;
    if keep && head.size > limits.kept {
        return Err(too_large(format!("{name} is longer than {} bytes", limits.kept)));
    }
    let mut content = keep.then(Vec::new);
    let mut hasher = Sha256::new();
    let mut unpacked = before;
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = tar.read_content(&mut buffer)?;
        if length == 0 {
            break;
        }
        unpacked += length as u64;
        check_ratio(unpacked, tar.inner().get_ref().get_ref().count, limits)?;
        hasher.update(&buffer[..length]);
        if let Some(content) = &mut content {
            content.extend_from_slice(&buffer[..length]);
        }
    }
    Ok(CrateEntry {
        mode: head.mode,
        size: head.size,
        sha256: hasher.finalize().into(),
        content,
    })
}

/// The decoder stops behind the first gzip member; whatever follows is somebody's second archive, or hidden.
fn reject_rest(raw: &mut impl BufRead) -> Result<(), CrateError> {
    let rest = raw.fill_buf().map_err(|error| io_error(&error))?;
    if rest.is_empty() {
        Ok(())
    } else if rest.starts_with(&[0x1f, 0x8b]) {
        Err(CrateError::new(
            CargoCode::CrateSeveralMembers,
            "a second gzip member follows the first",
        ))
    } else {
        Err(CrateError::new(
            CargoCode::CrateTrailingBytes,
            "bytes follow the end of the gzip member",
        ))
    }
}

fn io_error(error: &io::Error) -> CrateError {
    let code = match error.kind() {
        io::ErrorKind::FileTooLarge => CargoCode::CrateTooLarge,
        // What flate2 says of bytes that are no gzip.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            CargoCode::CrateMalformed
        }
        _ => CargoCode::CrateUnreadable,
    };
    CrateError::new(code, error.to_string())
}

/// Hashes and counts what is read, and stops at a limit.
struct Hashing<R> {
    inner: R,
    hasher: Sha256,
    count: u64,
    limit: u64,
}

impl<R> Hashing<R> {
    fn new(inner: R, limit: u64) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
            count: 0,
            limit,
        }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..length]);
        self.count += length as u64;
        if self.count > self.limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("the file is longer than {} bytes", self.limit),
            ));
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests;
