//! Files that somebody else may have put where we look: opened without waiting, read without trusting their length.
//!
//! A name may lead to a FIFO that nobody writes to, to `/dev/zero`, to a gigabyte of blanks, or out of the directory by a symbolic
//! link. Every other module opens such files here.

mod directory;
mod file;

pub use directory::ForeignDirectory;
pub use file::{ForeignFile, Links, Unread, read};

use camino::{Utf8Path, Utf8PathBuf};

/// Where a path really leads; a path that leads nowhere, or out of what is UTF-8, stays as it is.
pub fn real(path: &Utf8Path) -> Utf8PathBuf {
    path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned())
}
