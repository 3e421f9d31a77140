//! What lies beyond a workspace and takes part in its builds, for the commands that derive a layout.

use crate::collect::{configuration, outside};
use crate::error::CliError;
use crate::naming::Naming;
use crate::workspace::Workspace;

/// Patterns of the names that recording will show for files beyond the workspace on this machine.
pub(super) fn outside_patterns(workspace: &Workspace) -> Result<Vec<String>, CliError> {
    let configuration = configuration::files(&workspace.root, &workspace.cargo_home)?;
    let naming = Naming::for_workspace(workspace, None, None);
    Ok(outside::patterns(workspace, &configuration, &naming))
}
