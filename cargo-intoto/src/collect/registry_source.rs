//! Packages of registries: where their `.crate` lies, and whether what cargo compiles is what it holds.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use crate::collect::content::Mode;
use crate::collect::crate_file::{CrateEntry, CrateFile};
use crate::collect::progress::Progress;
use crate::collect::tree;
use crate::collect::walk::Walk;
use crate::error::CliError;
use crate::workspace::Package;

/// Where cargo takes a package of a registry from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// Unpacked by cargo from the `.crate` in its cache.
    Unpacked {
        /// `…/registry/cache/<registry>/NAME-VERSION.crate`.
        crate_file: Utf8PathBuf,
    },
    /// In a directory that replaces the registry, as `cargo vendor` makes it.
    Vendored,
}

/// A path that differs between a directory and a `.crate`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// How it differs.
    pub kind: DifferenceKind,
    /// The path below the package's directory.
    pub path: String,
}

/// How a path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// Other bytes, another execute bit, or no regular file.
    Modified,
    /// Not on disk.
    Missing,
    /// On disk alone.
    Extra,
}

/// What a comparison overlooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As cargo unpacks: its own mark beside the files.
    Unpacked,
    /// As `cargo vendor` copies: its checksums beside the files, git's settings left out, execute bits at the mercy of what keeps
    /// the copy.
    Vendored,
}

impl Location {
    /// Tells by the manifest's path alone. The registry's directory name is taken from there: computing it would tie us to one
    /// version of cargo, and searching for the file could find another registry's package of the same name.
    pub(crate) fn of(package: &Package) -> Self {
        match crate_of_manifest(&package.manifest_path, &package.stem()) {
            Some(crate_file) => Self::Unpacked { crate_file },
            None => Self::Vendored,
        }
    }
}

/// Where cargo keeps the `.crate` that it unpacked this manifest of `NAME-VERSION` from; none if it did not.
pub(crate) fn crate_of_manifest(manifest: &Utf8Path, stem: &str) -> Option<Utf8PathBuf> {
    let mut ancestors = manifest.parent()?.ancestors();
    let (own, registry, sources, home) = (
        ancestors.next()?,
        ancestors.next()?,
        ancestors.next()?,
        ancestors.next()?,
    );
    match (
        own.file_name(),
        registry.file_name(),
        sources.file_name(),
        home.file_name(),
    ) {
        (Some(name), Some(registry), Some("src"), Some("registry")) if name == stem => {
            Some(home.join("cache").join(registry).join(format!("{stem}.crate")))
        }
        _ => None,
    }
}

/// Compares every file below `directory` with the `.crate`; the number of equal ones, and the others.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn compare(
    directory: &Utf8Path,
    original: &CrateFile,
    layout: Layout,
    progress: &Progress,
) -> Result<(usize, Vec<Difference>), CliError> {
    let on_disk: BTreeSet<String> = Walk::everything_below(directory).files()?.into_iter().collect();
    let mut differences: Vec<Difference> = original
        .entries()
        .par_iter()
        .map(|(path, entry)| {
            let kind = judge(directory, path, entry, layout, progress)?;
            Ok(kind.map(|kind| Difference {
                kind,
                path: path.clone(),
            }))
        })
        .collect::<Result<Vec<_>, CliError>>()?
        .into_iter()
        .flatten()
        .collect();
    let verified = original.entries().len() - differences.len();
    differences
        .retain(|difference| difference.kind != DifferenceKind::Missing || !may_be_missing(&difference.path, layout));
    differences.extend(
        on_disk
            .into_iter()
            .filter(|path| original.get(path).is_none() && !may_be_extra(path, layout))
            .map(|path| Difference {
                kind: DifferenceKind::Extra,
                path,
            }),
    );
    differences.sort();
    Ok((verified, differences))
}

fn judge(
    directory: &Utf8Path,
    path: &str,
    entry: &CrateEntry,
    layout: Layout,
    progress: &Progress,
) -> Result<Option<DifferenceKind>, CliError> {
    if through_link(directory, path) {
        return Ok(Some(DifferenceKind::Modified));
    }
    let full = directory.join(path);
    match full.symlink_metadata() {
        Ok(metadata) if !metadata.is_file() || metadata.len() != entry.size => {
            return Ok(Some(DifferenceKind::Modified));
        }
        _ => {}
    }
    Ok(match tree::read(directory, path, None, progress)? {
        None => Some(DifferenceKind::Missing),
        Some((file, _)) => {
            let same_mode = layout == Layout::Vendored || file.mode == Mode::of(entry.is_executable());
            let is_same = file.mode != Mode::Link && file.sha256 == entry.sha256 && same_mode;
            (!is_same).then_some(DifferenceKind::Modified)
        }
    })
}

/// A folder on the way that is a link could lead to files that change later.
fn through_link(directory: &Utf8Path, path: &str) -> bool {
    path.match_indices('/')
        .any(|(index, _)| directory.join(&path[..index]).is_symlink())
}

fn may_be_extra(path: &str, layout: Layout) -> bool {
    match layout {
        Layout::Unpacked => path == ".cargo-ok",
        Layout::Vendored => matches!(path, ".cargo-checksum.json" | ".cargo-ok"),
    }
}

fn may_be_missing(path: &str, layout: Layout) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    match layout {
        // An archive of a hostile registry could hold the mark; cargo writes its own over it.
        Layout::Unpacked => false,
        Layout::Vendored => matches!(name, ".gitattributes" | ".gitignore" | ".cargo-ok"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Purl, Source};

    fn package(manifest: &str) -> Package {
        let source = Source::Registry {
            url: String::new(),
            is_default: true,
        };
        Package {
            id: String::new(),
            name: "a".to_owned(),
            version: "1.0.0".to_owned(),
            purl: Purl::new("a", "1.0.0", &source),
            source,
            source_text: None,
            manifest_path: manifest.into(),
            targets: Vec::new(),
            readme: None,
            license_file: None,
        }
    }

    #[test]
    fn the_crate_lies_beside_the_unpacked_tree() {
        for (manifest, expected) in [
            (
                "/h/registry/src/r-1/a-1.0.0/Cargo.toml",
                Some("/h/registry/cache/r-1/a-1.0.0.crate"),
            ),
            ("/h/registry/src/r-1/b-1.0.0/Cargo.toml", None),
            ("/ws/vendor/a-1.0.0/Cargo.toml", None),
            ("/ws/vendor/a/Cargo.toml", None),
            ("Cargo.toml", None),
        ] {
            let expected = expected.map_or(Location::Vendored, |path| Location::Unpacked {
                crate_file: path.into(),
            });
            assert_eq!(Location::of(&package(manifest)), expected, "{manifest}");
        }
    }
}
