//! What all inspections of one verification may take together: who signs a sublayout says how many there are, and what they unpack.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

/// Files and directories that are listed or unpacked, as often as they are. One in the lists of an inspection takes some 150 bytes of memory;
/// ten inspections of a tree of 200,000 files have so many.
const MAX_NAMES: usize = 4_000_000;
/// Bytes that are hashed or decompressed: some minutes of a processor's time.
const MAX_BYTES: u64 = 64 << 30;

/// What has been taken, and how much may be.
#[derive(Debug)]
pub(super) struct Budget {
    names: Cell<usize>,
    bytes: Cell<u64>,
    most: (usize, u64),
}

impl Default for Budget {
    fn default() -> Self {
        Self::of(MAX_NAMES, MAX_BYTES)
    }
}

impl Budget {
    /// So many names and bytes.
    pub(super) fn of(names: usize, bytes: u64) -> Self {
        Self {
            names: Cell::new(0),
            bytes: Cell::new(0),
            most: (names, bytes),
        }
    }

    /// Takes so many names.
    pub(super) fn names(&self, count: usize) -> Result<(), Beyond> {
        self.names.set(self.names.get().saturating_add(count));
        self.check()
    }

    /// Takes so many bytes.
    pub(super) fn bytes(&self, count: u64) -> Result<(), Beyond> {
        self.bytes.set(self.bytes.get().saturating_add(count));
        self.check()
    }

    /// Whether more was taken than there is; then it stays so.
    pub(super) fn check(&self) -> Result<(), Beyond> {
        let (names, bytes) = self.most;
        if self.names.get() > names {
            Err(Beyond::Names(names))
        } else if self.bytes.get() > bytes {
            Err(Beyond::Bytes(bytes))
        } else {
            Ok(())
        }
    }

    /// A reader that takes what is read of it.
    pub(super) fn meter<R: Read>(&self, reader: R) -> Metered<'_, R> {
        Metered { reader, budget: self }
    }
}

/// Of what there was more than the inspections may take, and how much they may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beyond {
    /// Files and directories.
    Names(usize),
    /// Bytes.
    Bytes(u64),
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = "all inspections of a verification together";
        match self {
            Self::Names(most) => write!(f, "{all} list and unpack {most} files and directories at most"),
            Self::Bytes(most) => write!(f, "{all} hash and unpack {most} bytes at most"),
        }
    }
}

/// See [`Budget::meter`].
pub(super) struct Metered<'b, R> {
    reader: R,
    budget: &'b Budget,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let taken = self.budget.bytes(count as u64);
        taken.map_err(|beyond| io::Error::new(io::ErrorKind::QuotaExceeded, beyond.to_string()))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_there_is_may_be_taken() {
        let budget = Budget::of(3, 5);
        assert_eq!((budget.names(2), budget.names(1)), (Ok(()), Ok(())));
        assert_eq!(io::copy(&mut budget.meter(&[0; 5][..]), &mut io::sink()).ok(), Some(5));
        assert_eq!(budget.check(), Ok(()));
        let error = io::copy(&mut budget.meter(&[0][..]), &mut io::sink()).expect_err("too much");
        assert_eq!(error.kind(), io::ErrorKind::QuotaExceeded);
        assert_eq!(budget.check(), Err(Beyond::Bytes(5)));
        assert_eq!(budget.names(1), Err(Beyond::Names(3)));
        assert_eq!(budget.names(usize::MAX), Err(Beyond::Names(3)), "it stays so");
    }
}
