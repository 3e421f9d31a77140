//! Verification from the outside: files read, evidence fetched for the core's session, inspections run, crates explained.

pub mod hostile_tree;
mod inspections;
pub mod link_files;

use camino::Utf8PathBuf;

/// An artifact in hand.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Where it lies.
    pub path: Utf8PathBuf,
    /// Its name without directories, as an inspection sees it.
    pub name: String,
    /// Its sha256.
    pub sha256: [u8; 32],
}
