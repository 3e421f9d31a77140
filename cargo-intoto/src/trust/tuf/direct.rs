//! The client by itself: any target of a repository, for a program that keeps what is fetched in a place of its own. TUF's conformance
//! suite drives the client by it.

use std::collections::BTreeMap;

use intoto_core::time::Timestamp;

use super::client;
use super::local::Local;
use super::{Place, TufSource};
use crate::error::CliError;

/// A repository, and what is known of it.
#[derive(Debug)]
pub struct Direct {
    local: Local,
    source: TufSource,
}

impl Direct {
    /// A repository by the root that is trusted, with the files that [`Self::files`] gave after the last time.
    ///
    /// # Errors
    /// When the root is not UTF-8.
    pub fn new(
        root: Vec<u8>,
        files: BTreeMap<String, String>,
        metadata: Place,
        targets: Place,
    ) -> Result<Self, CliError> {
        let mut local = Local::new(root)?;
        local.files = files;
        let source = TufSource {
            metadata,
            targets,
            project: None,
            sigstore_root: false,
        };
        Ok(Self { local, source })
    }

    /// Asks the repository, and fetches these targets.
    ///
    /// # Errors
    /// When what it says is refused, or it cannot be asked.
    pub fn fetch(&mut self, targets: &[&str], now: Timestamp) -> Result<Vec<Vec<u8>>, CliError> {
        client::fetch(&mut self.local, &self.source, targets, now)
    }

    /// What is to be kept: the roots as `root_history/N.root.json`, the newest metadata of each role that were verified, and targets.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.local.files
    }
}
