//! `cargo build`.

use std::ffi::OsString;

use camino::Utf8Path;

use crate::error::CliError;
use crate::plan::cargo_flags::profile_directory;
use crate::plan::{CargoFlags, MaterialQuery, ProductQuery, StepPlan};

/// The messages that the recorder reads; diagnostics stay for people.
pub(super) const MESSAGES: &str = "--message-format=json-render-diagnostics";

/// Plans `cargo build` with the user's words, compiling in `build_directory`.
///
/// # Errors
/// For flags that cannot be used in a recorded step.
pub fn build(words: &[String], build_directory: &Utf8Path) -> Result<StepPlan, CliError> {
    let flags = CargoFlags::parse(words)?;
    let profile = profile_directory(flags.profile_or("dev"));
    let directories = if flags.targets.is_empty() {
        vec![format!("target/{profile}")]
    } else {
        flags
            .targets
            .iter()
            .map(|target| format!("target/{}/{profile}", target_directory_name(target)))
            .collect()
    };
    Ok(StepPlan {
        step: "build".to_owned(),
        command: command("build", words),
        arguments: with_messages("build", words),
        environment: vec![("CARGO_BUILD_BUILD_DIR", build_directory.as_os_str().to_owned())],
        materials: MaterialQuery::UsedByUnits,
        products: ProductQuery::FinalArtifacts(directories),
    })
}

/// `cargo STEP` and the user's words.
pub(super) fn command(step: &str, words: &[String]) -> Vec<String> {
    ["cargo".to_owned(), step.to_owned()]
        .into_iter()
        .chain(words.iter().cloned())
        .collect()
}

/// The user's words with the flag that makes cargo speak, which must stand before `--`.
pub(super) fn with_messages(step: &str, words: &[String]) -> Vec<OsString> {
    [step, MESSAGES]
        .into_iter()
        .chain(words.iter().map(String::as_str))
        .map(OsString::from)
        .collect()
}

/// A target given as a file (`x/y.json`) has its stem as directory.
fn target_directory_name(target: &str) -> &str {
    match target.strip_suffix(".json") {
        Some(path) => path.rsplit(['/', '\\']).next().unwrap_or(path),
        None => target,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(words: &[&str]) -> StepPlan {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        build(&words, Utf8Path::new("/b")).expect("valid")
    }

    #[test]
    fn the_command_is_what_was_typed_and_cargo_speaks_json() {
        let plan = planned(&["--release", "--locked"]);
        assert_eq!(plan.command, ["cargo", "build", "--release", "--locked"]);
        assert_eq!(
            plan.arguments,
            [
                "build",
                "--message-format=json-render-diagnostics",
                "--release",
                "--locked"
            ]
        );
        assert_eq!(plan.environment, [("CARGO_BUILD_BUILD_DIR", OsString::from("/b"))]);
    }

    #[test]
    fn products_lie_where_profile_and_target_say() {
        for (words, expected) in [
            (&[][..], &["target/debug"][..]),
            (&["--release"], &["target/release"]),
            (&["--profile", "dist"], &["target/dist"]),
            (
                &["--target", "wasm32-unknown-unknown", "-r"],
                &["target/wasm32-unknown-unknown/release"],
            ),
            (
                &["--target=a/b.json", "--target=c"],
                &["target/b/debug", "target/c/debug"],
            ),
        ] {
            let ProductQuery::FinalArtifacts(directories) = planned(words).products else {
                panic!("{words:?}")
            };
            assert_eq!(directories, expected, "{words:?}");
        }
    }
}
