//! Files that are recorded materials, byte for byte.

use intoto_core::digest::to_hex;

use super::{Facts, MANIFEST, Origin};
use crate::collect::crate_file::{CrateFile, ORIGINAL_MANIFEST};
use crate::finding::{CargoCode, CargoFinding};

/// Where the crate's sources lie among the materials.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// The directory of the crate's manifest, empty for the workspace root.
    directory: String,
    manifest: String,
}

/// Whether the step recorded sources, by what the link says alone: an archive with a manifest that nobody recorded must not be
/// what takes the demand off.
pub(super) fn are_recorded(facts: &Facts) -> bool {
    let any = |is: fn(&str) -> bool| facts.materials.keys().any(|name| is(name));
    any(|name| name.rsplit('/').next() == Some(MANIFEST)) && any(|name| name.ends_with(".rs"))
}

impl Sources {
    /// The crate lies in this directory, which ends with a slash unless it is empty.
    pub(super) fn at(directory: &str) -> Self {
        Self {
            directory: directory.to_owned(),
            manifest: format!("{directory}{MANIFEST}"),
        }
    }

    /// Finds the directory of the crate: the one whose `Cargo.toml` is the manifest that the `.crate` was made from. Of several,
    /// as with a copied tree, the one that explains most files is taken; the rest of the account is the same for all.
    pub(super) fn locate(crate_file: &CrateFile, facts: &Facts) -> Option<Self> {
        let original = crate_file.get(ORIGINAL_MANIFEST).or_else(|| crate_file.get(MANIFEST))?;
        let candidates = facts.materials.iter().filter_map(|(name, digest)| {
            let directory = name.strip_suffix(MANIFEST)?;
            let is_directory = directory.is_empty() || directory.ends_with('/');
            (is_directory && *digest == original.sha256).then(|| Self {
                directory: directory.to_owned(),
                manifest: name.clone(),
            })
        });
        candidates.max_by_key(|candidate| {
            let explained = crate_file
                .entries()
                .iter()
                .filter(|(path, entry)| facts.materials.get(&candidate.place(path)) == Some(&entry.sha256));
            (explained.count(), std::cmp::Reverse(candidate.directory.len()))
        })
    }

    /// The directory of the crate, with a slash at the end unless it is empty.
    pub(super) fn directory(&self) -> &str {
        &self.directory
    }

    /// The material that is the crate's manifest.
    pub(super) fn manifest(&self) -> &str {
        &self.manifest
    }

    /// The material that the file at `path` is. `elsewhere` names the files that the manifest takes from outside the crate.
    ///
    /// # Errors
    /// The finding against the file, if it is none.
    pub(super) fn find(
        &self,
        path: &str,
        sha256: [u8; 32],
        facts: &Facts,
        elsewhere: &[&str],
    ) -> Result<Origin, Box<CargoFinding>> {
        let place = self.place(path);
        if let Some(recorded) = facts.materials.get(&place) {
            if *recorded == sha256 {
                return Ok(Origin::Source { material: place });
            }
            let message = format!(
                "{path} has the sha256 {}, and the material {place} that it was made from {}",
                to_hex(&sha256),
                to_hex(recorded)
            );
            return Err(Box::new(
                CargoFinding::refusal(CargoCode::CrateFileChanged, message)
                    .about(path)
                    .hint("package again from the recorded tree; if a build script writes into the sources, that is what changed it"),
            ));
        }
        let taken_from = facts.taken_from.get(path);
        // Cargo puts such a file at the top under the name that it has where it lies.
        let named = elsewhere.contains(&path) && !path.contains('/');
        let material = match taken_from {
            Some(material) => (facts.materials.get(material) == Some(&sha256)).then_some(material),
            None if named => facts
                .materials
                .iter()
                .find(|(name, digest)| **digest == sha256 && name.rsplit('/').next() == Some(path))
                .map(|(name, _)| name),
            None => None,
        };
        match material {
            Some(material) => Ok(Origin::Source {
                material: material.clone(),
            }),
            None => {
                let message = format!("{path} is no recorded source of the crate (sha256 {})", to_hex(&sha256));
                Err(Box::new(
                    CargoFinding::refusal(CargoCode::CrateFileUnexplained, message)
                        .about(path)
                        .hint("package again from the recorded tree; a file that a build makes belongs into OUT_DIR, not into the package"),
                ))
            }
        }
    }

    /// The name that the file at `path` of the `.crate` has as a material.
    fn place(&self, path: &str) -> String {
        match path {
            ORIGINAL_MANIFEST => self.manifest.clone(),
            path => format!("{}{path}", self.directory),
        }
    }
}
