//! `cargo test`: built first, with messages, then run, so that nothing a test prints is taken for a word of cargo's.

use std::ffi::OsString;

use camino::Utf8Path;

use crate::error::CliError;
use crate::plan::build::{MESSAGES, command};
use crate::plan::{CargoFlags, MaterialQuery, ProductQuery, StepPlan};

/// Plans `cargo test` with the user's words, compiling in `build_directory`.
///
/// # Errors
/// For flags that cannot be used in a recorded step.
pub fn test(words: &[String], build_directory: &Utf8Path) -> Result<StepPlan, CliError> {
    let flags = CargoFlags::parse(words)?;
    if flags.no_run {
        return Err(CliError::usage(
            "`--no-run` runs no test, and a step without tests is not recorded",
        ));
    }
    Ok(StepPlan {
        step: "test".to_owned(),
        command: command("test", words),
        arguments: ["test".to_owned()]
            .into_iter()
            .chain(words.iter().cloned())
            .map(OsString::from)
            .collect(),
        environment: vec![("CARGO_BUILD_BUILD_DIR", build_directory.as_os_str().to_owned())],
        materials: MaterialQuery::UsedByUnits,
        products: ProductQuery::TestExecutables,
    })
}

impl StepPlan {
    /// The arguments of the build that precedes the run of the tests.
    pub fn compile_arguments(&self) -> Vec<OsString> {
        let mut arguments = self.arguments.clone();
        // What is for the test programs is not for the build.
        let end = arguments
            .iter()
            .position(|word| word == "--")
            .unwrap_or(arguments.len());
        arguments.truncate(end);
        arguments.splice(1..1, [MESSAGES.into(), "--no-run".into()]);
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_built_before_they_run() {
        let words = ["--release", "name", "--", "--nocapture"].map(str::to_owned);
        let plan = test(&words, Utf8Path::new("/b")).expect("valid");
        assert_eq!(plan.arguments, ["test", "--release", "name", "--", "--nocapture"]);
        assert_eq!(
            plan.compile_arguments(),
            ["test", MESSAGES, "--no-run", "--release", "name"]
        );
        assert!(test(&["--no-run".to_owned()], Utf8Path::new("/b")).is_err());
    }
}
