//! `cargo test`: cargo's messages come first, up to `build-finished`; what follows is the tests'. It has a target directory of its own,
//! because it would overwrite the executables that `build` recorded, with others when development dependencies ask for more features.

use std::ffi::OsString;

use camino::Utf8Path;

use crate::error::CliError;
use crate::plan::build::{MESSAGES, command};
use crate::plan::{CargoFlags, MaterialQuery, ProductQuery, StepPlan, target_directory};

/// Plans `cargo test` with the user's words, compiling in `build_directory` and leaving final artifacts in `test_directory`.
///
/// # Errors
/// For flags that cannot be used in a recorded step.
pub fn test(words: &[String], build_directory: &Utf8Path, test_directory: &Utf8Path) -> Result<StepPlan, CliError> {
    let flags = CargoFlags::parse(words)?;
    if flags.no_run {
        return Err(CliError::usage(
            "`--no-run` runs no test, and a step without tests is not recorded",
        ));
    }
    Ok(StepPlan {
        step: "test".to_owned(),
        command: command("test", words),
        arguments: ["test", MESSAGES]
            .into_iter()
            .map(OsString::from)
            .chain(target_directory::replaced(words, test_directory))
            .collect(),
        environment: vec![("CARGO_BUILD_BUILD_DIR", build_directory.as_os_str().to_owned())],
        materials: MaterialQuery::UsedByUnits,
        products: ProductQuery::TestExecutables,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_speaks_and_the_tests_get_their_own_words() {
        let words = ["--release", "name", "--", "--nocapture"].map(str::to_owned);
        let plan = test(&words, Utf8Path::new("/b"), Utf8Path::new("/t")).expect("valid");
        let messages = "--message-format=json-render-diagnostics";
        assert_eq!(
            plan.arguments,
            [
                "test",
                messages,
                "--target-dir",
                "/t",
                "--release",
                "name",
                "--",
                "--nocapture"
            ]
        );
        assert!(test(&["--no-run".to_owned()], Utf8Path::new("/b"), Utf8Path::new("/t")).is_err());
    }
}
