//! What a package is to hold, asked of cargo before any code of the project or its dependencies runs.
//!
//! That every file of a `.crate` is from source does not say that none is missing: a build script that exchanges the staged
//! archive can leave out the build script that hardens the crate, or the licence.

use std::collections::BTreeSet;

use crate::collect::crate_file::{CrateFile, GENERATED};
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::plan::StepPlan;
use crate::recording::Context;
use crate::workspace::Member;

/// The names of the files that cargo will package of a member, without those that it generates.
///
/// # Errors
/// When cargo cannot say.
pub(super) fn of(context: &Context<'_>, plan: &StepPlan, member: &Member) -> Result<BTreeSet<String>, CliError> {
    let what = format!("cargo package --list of {}", member.name());
    let failed = || CliError::failure(format!("failed to run {what}"));
    let flags = &context.flags;
    let mut command = context.cargo.command();
    command
        .args(["package", "--list", "--allow-dirty", "--manifest-path"])
        .arg(&member.package.manifest_path)
        // The manifest alone means the default members, where it is the workspace's.
        .arg("--package")
        .arg(format!("{}@{}", member.name(), member.version()))
        .arg("--target-dir")
        .arg(context.run.package_directory())
        .args(flags.locked.then_some("--locked"))
        .args(flags.offline.then_some("--offline"))
        .args(flags.for_metadata())
        .envs(plan.environment.iter().map(|(name, value)| (name, value)));
    let output = command.output().map_err(|error| failed().because(error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(failed().because(said));
    }
    let list = String::from_utf8(output.stdout).map_err(|error| failed().because(error))?;
    let names = list.lines().map(|line| line.replace(std::path::MAIN_SEPARATOR, "/"));
    Ok(names.filter(|name| !GENERATED.contains(&name.as_str())).collect())
}

/// Refuses a `.crate` without one of the files that cargo said.
///
/// # Errors
/// When one is missing.
pub(super) fn check(listed: &BTreeSet<String>, crate_file: &CrateFile) -> Result<(), CliError> {
    let mut missing = listed.iter().filter(|name| crate_file.get(name).is_none());
    let Some(first) = missing.next() else { return Ok(()) };
    let more = match missing.count() {
        0 => String::new(),
        more => format!(", nor {more} more"),
    };
    Err(CliError::refused(
        CargoCode::CrateFileMissing,
        format!(
            "{}.crate does not hold {first}{more}, which cargo was to package",
            crate_file.stem()
        ),
    )
    .hint("something exchanged the package while cargo verified it: look at what the build scripts and procedural macros do"))
}
