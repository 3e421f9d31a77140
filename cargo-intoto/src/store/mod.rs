//! Where links lie: the run directories of the workspace, any other directory of link files, and evidence bundles.

pub mod atomic;
pub mod bundle;
pub mod directory;
pub mod run;
pub mod source;

use crate::error::CliError;

pub use bundle::{Bundle, BundleLinks};
pub use directory::LinkDirectory;
pub use run::{Run, RunId};
pub use source::LinkSource;

/// A place that holds link files under their names (`STEP.KEYID8.link`), and sublayouts' links below a directory per sublayout.
pub trait LinkStore {
    /// The names of all files, relative to the store and sorted.
    ///
    /// # Errors
    /// When the store cannot be listed.
    fn names(&self) -> Result<Vec<String>, CliError>;

    /// Writes the file `name` as a whole or not at all; an earlier file of that name is kept aside, never lost.
    ///
    /// # Errors
    /// When it cannot be written; the earlier file is then still in place.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), CliError>;
}
