//! Where the repository is, and where the chores may write.

use camino::{Utf8Path, Utf8PathBuf};

use crate::failure::Failure;

/// The repository's root directory.
#[derive(Debug, Clone)]
pub(crate) struct Root(Utf8PathBuf);

impl Root {
    /// The root as cargo tells it to the running chore.
    pub(crate) fn find() -> Result<Self, Failure> {
        let manifest_dir = std::env::var("CARGO_MANIFEST_DIR")
            .map_err(|_| Failure::new("not run by cargo").hint("run it as `cargo xtask …`"))?;
        let xtask = Utf8PathBuf::from(manifest_dir);
        let root = xtask
            .parent()
            .ok_or_else(|| Failure::new(format!("{xtask} has no parent directory")))?;
        Ok(Self(root.to_owned()))
    }

    /// The root directory itself.
    pub(crate) fn path(&self) -> &Utf8Path {
        &self.0
    }

    /// A path below the root.
    pub(crate) fn join(&self, path: impl AsRef<Utf8Path>) -> Utf8PathBuf {
        self.0.join(path)
    }

    /// The target directory, where all the chores' own files are.
    pub(crate) fn target(&self) -> Utf8PathBuf {
        match std::env::var("CARGO_TARGET_DIR") {
            Ok(directory) => self.0.join(directory),
            Err(_) => self.0.join("target"),
        }
    }
}
