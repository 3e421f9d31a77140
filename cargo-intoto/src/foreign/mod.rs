//! Files that somebody else may have put where we look: opened without waiting, read without trusting their length.
//!
//! A name may lead to a FIFO that nobody writes to, to `/dev/zero`, to a gigabyte of blanks, or out of the directory by a symbolic
//! link. Every other module opens such files here.

mod directory;
mod file;

pub use directory::ForeignDirectory;
pub use file::{ForeignFile, Links, Unread, read};
