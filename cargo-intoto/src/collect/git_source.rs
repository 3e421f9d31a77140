//! Git dependencies: the checkout that cargo compiles, file by file against the commit that the lock names.

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::content;
use crate::collect::progress::Progress;
use crate::collect::registry_source::{Difference, DifferenceKind};
use crate::collect::tree::{self, ChangeKind};
use crate::error::CliError;
use crate::workspace::Package;

/// What was found in a checkout.
#[derive(Debug, Clone)]
pub(crate) struct Checkout {
    /// One digest over the files of the commit; meaningless when something differs.
    pub(crate) content: [u8; 32],
    /// Files equal to the commit's.
    pub(crate) verified: usize,
    /// The others.
    pub(crate) differences: Vec<Difference>,
}

/// The top of cargo's checkout, `…/git/checkouts/<repository>/<commit>`; none when a directory replaces the repository.
pub(crate) fn checkout_root(package: &Package) -> Option<Utf8PathBuf> {
    package
        .directory()
        .ancestors()
        .find(|directory| {
            let mut above = directory.ancestors().skip(2).map(Utf8Path::file_name);
            (above.next(), above.next()) == (Some(Some("checkouts")), Some(Some("git")))
        })
        .map(Utf8Path::to_owned)
}

/// Compares the whole checkout: a package may include any file of its repository.
///
/// # Errors
/// When the repository cannot be read or is damaged.
pub(crate) fn check(root: &Utf8Path, commit: &str, progress: &Progress) -> Result<Checkout, CliError> {
    let (files, changes) = tree::compare_with_commit(root, commit, &[".cargo-ok"], progress)?;
    let mut differences: Vec<_> = changes
        .into_iter()
        .map(|change| Difference {
            path: change.path,
            kind: match change.kind {
                ChangeKind::Modified => DifferenceKind::Modified,
                ChangeKind::Missing => DifferenceKind::Missing,
                ChangeKind::Added => DifferenceKind::Extra,
            },
        })
        .collect();
    differences.sort();
    let unequal = differences
        .iter()
        .filter(|difference| difference.kind != DifferenceKind::Missing)
        .count();
    Ok(Checkout {
        content: content::digest(files.iter().map(|(path, file)| (path.as_str(), file.mode, file.sha256))),
        verified: files.len().saturating_sub(unequal),
        differences,
    })
}
