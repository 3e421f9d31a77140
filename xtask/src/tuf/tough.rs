//! Repositories by tough's editor: a package of its own, since its dependencies are none of ours.

use camino::Utf8Path;

use crate::failure::Failure;
use crate::process::Run;
use crate::root::Root;
use crate::say;

/// Makes them below `made`.
pub(super) fn make(root: &Root, made: &Utf8Path, files: &[String]) -> Result<(), Failure> {
    say::status("Building", "tough's editor, which takes minutes the first time");
    let target = root.target().join("tools/tough");
    Run::cargo()
        .args(["build", "--quiet", "--locked", "--target-dir"])
        .arg(&target)
        .directory(&root.join("tests/interop/tough"))
        .show()?;
    Run::new(target.join("debug/tough-peer"))
        .arg(made)
        .args(files)
        .succeed()
        .map(drop)
}
