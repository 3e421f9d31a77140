//! What cargo's configuration says about a workspace, for the commands that derive a layout or name its crates.

use crate::collect::{configuration, outside, registries};
use crate::error::CliError;
use crate::naming::Naming;
use crate::workspace::{Member, Purl, Workspace};

/// Patterns of the names that recording will show for files beyond the workspace on this machine.
pub(super) fn outside_patterns(workspace: &Workspace) -> Result<Vec<String>, CliError> {
    let configuration = configuration::files(&workspace.root, &workspace.cargo_home)?;
    let naming = Naming::for_workspace(workspace, None, None);
    Ok(outside::patterns(workspace, &configuration, &naming))
}

/// The names of these members, each in every registry that it may be published to.
pub(super) fn purls<'m>(
    workspace: &Workspace,
    members: impl IntoIterator<Item = &'m Member>,
) -> Result<Vec<Purl>, CliError> {
    let configuration = configuration::files(&workspace.root, &workspace.cargo_home)?;
    let mut purls = Vec::new();
    for member in members {
        purls.extend(registries::purls(member, &configuration)?);
    }
    Ok(purls)
}
