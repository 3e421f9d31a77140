//! `cargo package`, into the run's own target directory: its verify build would overwrite the binaries that `build` recorded.

use std::ffi::OsString;

use camino::Utf8Path;

use crate::error::CliError;
use crate::plan::build::command;
use crate::plan::{CargoFlags, MaterialQuery, ProductQuery, StepPlan, target_directory};

/// Plans `cargo package` of the crates `stems` with the user's words, in the run's directories.
///
/// # Errors
/// For flags that cannot be used in a recorded step.
pub fn package(
    words: &[String],
    stems: Vec<String>,
    build_directory: &Utf8Path,
    package_directory: &Utf8Path,
) -> Result<StepPlan, CliError> {
    CargoFlags::parse(words)?;
    Ok(StepPlan {
        step: "package".to_owned(),
        command: command("package", words),
        arguments: [OsString::from("package")]
            .into_iter()
            .chain(target_directory::replaced(words, package_directory))
            .collect(),
        environment: vec![("CARGO_BUILD_BUILD_DIR", build_directory.as_os_str().to_owned())],
        materials: MaterialQuery::PackagedFiles,
        products: ProductQuery::Crates(stems),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_go_into_the_runs_own_directory() {
        for words in [
            &["--locked"][..],
            &["--target-dir", "t", "--locked"],
            &["--locked", "--target-dir=t"],
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let plan = package(
                &words,
                vec!["a-1.0.0".to_owned()],
                Utf8Path::new("/b"),
                Utf8Path::new("/p"),
            )
            .expect("valid");
            assert_eq!(plan.arguments, ["package", "--target-dir", "/p", "--locked"]);
            assert_eq!(plan.command[2..], words);
        }
    }
}
