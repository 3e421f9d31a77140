//! Files beyond the workspace that decide over its builds: cargo's configuration, toolchain files, path dependencies. Links hold
//! their digests only; what a configuration says may be a secret.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::rules::escape_pattern;

use crate::collect::configuration::{Configuration, Origin};
use crate::collect::hash;
use crate::collect::progress::Progress;
use crate::collect::walk::Walk;
use crate::error::CliError;
use crate::naming::Naming;
use crate::workspace::{Source, Workspace};

/// The paths and digests of these files. A `target` folder in a path dependency is cargo's own.
///
/// # Errors
/// When one of them cannot be read.
pub fn files(
    workspace: &Workspace,
    configuration: &[Configuration],
    progress: &Progress,
) -> Result<Vec<(Utf8PathBuf, [u8; 32])>, CliError> {
    let mut paths = settings(workspace, configuration);
    for directory in path_dependencies(workspace) {
        let own_target = directory.join("target");
        let walk = Walk::below(directory).skipping(&[own_target]).within_repository(true);
        for path in walk.files()? {
            let path = directory.join(path);
            // As in the tree, what a link leads to from there is not followed.
            if !path.is_symlink() {
                paths.insert(path);
            }
        }
    }
    let paths: Vec<_> = paths
        .into_iter()
        .filter(|path| !path.starts_with(&workspace.root))
        .collect();
    hash::files(&paths, progress)
}

/// Patterns that match the names of these files in a link and of no others: each setting by its name, each path dependency by its directory.
pub fn patterns(workspace: &Workspace, configuration: &[Configuration], naming: &Naming) -> Vec<String> {
    let files = settings(workspace, configuration)
        .into_iter()
        .filter(|path| !path.starts_with(&workspace.root))
        .map(|path| escape_pattern(&naming.artifact(&path)));
    // A directory above the workspace has another name by itself than in the names of its files.
    let directories = path_dependencies(workspace).map(|directory| {
        let file = naming.artifact(&directory.join("x"));
        format!("{}*", escape_pattern(file.strip_suffix('x').unwrap_or(&file)))
    });
    let patterns: BTreeSet<String> = files.chain(directories).collect();
    patterns.into_iter().collect()
}

/// Configuration of cargo, and toolchain files above the workspace.
fn settings(workspace: &Workspace, configuration: &[Configuration]) -> BTreeSet<Utf8PathBuf> {
    let mut paths: BTreeSet<Utf8PathBuf> = configuration
        .iter()
        .filter_map(|configuration| match &configuration.origin {
            Origin::File(path) => Some(path.clone()),
            Origin::CommandLine | Origin::Environment => None,
        })
        .collect();
    for ancestor in workspace.root.ancestors().skip(1) {
        let names = ["rust-toolchain", "rust-toolchain.toml"].map(|name| ancestor.join(name));
        paths.extend(names.into_iter().filter(|path| path.is_file()));
    }
    paths
}

/// Packages in directories beyond the workspace's root; members may lie there too.
fn path_dependencies(workspace: &Workspace) -> impl Iterator<Item = &Utf8Path> {
    workspace
        .packages
        .iter()
        .filter(|package| package.source == Source::Path)
        .map(|package| package.directory())
        .filter(|directory| !directory.starts_with(&workspace.root))
}
