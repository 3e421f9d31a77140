//! `cargo test`: cargo's messages come first, up to `build-finished`; what follows is the tests'.

use camino::Utf8Path;

use crate::error::CliError;
use crate::plan::build::{command, with_messages};
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
        arguments: with_messages("test", words),
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
        let plan = test(&words, Utf8Path::new("/b")).expect("valid");
        let messages = "--message-format=json-render-diagnostics";
        assert_eq!(
            plan.arguments,
            ["test", messages, "--release", "name", "--", "--nocapture"]
        );
        assert!(test(&["--no-run".to_owned()], Utf8Path::new("/b")).is_err());
    }
}
