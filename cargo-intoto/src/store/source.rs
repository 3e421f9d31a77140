//! Where the link files of a verification come from: a directory, or a bundle.

use std::fmt;

use camino::Utf8Path;

use crate::foreign::{ForeignDirectory, Unread};

/// A place that is asked for link files by name, and whose owner may be hostile. A file that is broken spoils no other.
pub trait LinkSource: fmt::Debug + Send + Sync {
    /// The bytes of the file `name`, below `directories` one in the other, never more than `limit`.
    ///
    /// # Errors
    /// When there is no such file, or it may not or cannot be read.
    fn read(&self, directories: &[&str], name: &str, limit: usize) -> Result<Vec<u8>, Unread>;

    /// The names, sorted, of what lies below `directories` and is `wanted`: no more than `limit` and one, so that a caller sees that
    /// there are too many.
    ///
    /// # Errors
    /// When there is no such directory, or it may not or cannot be read.
    fn names(&self, directories: &[&str], wanted: &dyn Fn(&str) -> bool, limit: usize) -> Result<Vec<String>, Unread>;

    /// What the place is called in reports.
    fn path(&self) -> &Utf8Path;
}

impl LinkSource for ForeignDirectory {
    fn read(&self, directories: &[&str], name: &str, limit: usize) -> Result<Vec<u8>, Unread> {
        Self::read(self, directories, name, limit)
    }

    fn names(&self, directories: &[&str], wanted: &dyn Fn(&str) -> bool, limit: usize) -> Result<Vec<String>, Unread> {
        Self::names(self, directories, wanted, limit)
    }

    fn path(&self) -> &Utf8Path {
        Self::path(self)
    }
}
