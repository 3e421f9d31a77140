//! Fetching link files: the only ones read are those that the session names, and each on any thread.

use intoto_core::limits::Limits;
use intoto_core::verify::{Admitted, EvidenceRequest};
use rayon::prelude::*;

use crate::foreign::{ForeignDirectory, Unread};

/// Reads the files that exist and checks their signatures. One that cannot be read is said to be so, and harms no other.
pub(super) fn fetch(request: &EvidenceRequest, links: &ForeignDirectory, limits: &Limits) -> Vec<Admitted> {
    request
        .files()
        .par_iter()
        .filter_map(|file| {
            let directories: Vec<&str> = file.directory().iter().map(String::as_str).collect();
            match links.read(&directories, file.name(), limits.json_bytes) {
                Ok(bytes) => Some(file.admit(&bytes)),
                Err(Unread::Missing) => None,
                Err(unread) => Some(file.unreadable(format!("{} {unread}", file.name()))),
            }
        })
        .collect()
}
