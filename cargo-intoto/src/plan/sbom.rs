//! `cargo cyclonedx`: what may be asked of it, and how it is asked so that the same tree gives the same bytes.

use std::ffi::OsString;

use camino::Utf8PathBuf;

use crate::error::CliError;
use crate::plan::tool_words::{ToolWords, command};
use crate::plan::{MaterialQuery, ProductQuery, StepPlan};

/// What the tool is told to call its files, without the ending; no tree has one of that name.
pub const SBOM_FILE: &str = "cargo-intoto-sbom.cdx";

/// What the user wants of cargo-cyclonedx.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SbomWords {
    /// `--manifest-path`, which says which workspace is meant.
    pub manifest_path: Option<Utf8PathBuf>,
    passed: Vec<String>,
}

impl SbomWords {
    /// Reads the words that follow `cyclonedx`.
    ///
    /// # Errors
    /// As for cargo-deny.
    pub fn parse(words: &[String]) -> Result<Self, CliError> {
        let mut parsed = Self::default();
        let mut words = ToolWords::new("cargo-cyclonedx", words);
        while let Some(word) = words.next() {
            match word {
                "--manifest-path" => parsed.manifest_path = Some(words.value(word)?.into()),
                "-f" | "--format" => {
                    let value = words.value(word)?;
                    words.format(word, value)?;
                }
                "--spec-version" | "--target" | "-F" | "--features" => {
                    let value = words.value(word)?.to_owned();
                    parsed.passed.extend([word.to_owned(), value]);
                }
                "--all-features" | "--no-default-features" | "-a" | "--all" => parsed.passed.push(word.to_owned()),
                _ => return Err(words.refuse_unknown(word, "the manifests")),
            }
        }
        Ok(parsed)
    }
}

/// Plans the bill of materials of every member.
pub fn sbom(words: &SbomWords) -> StepPlan {
    let mut arguments: Vec<OsString> = ["cyclonedx", "--format", "json", "--override-filename", SBOM_FILE]
        .map(OsString::from)
        .into();
    if !words.passed.iter().any(|word| word == "--spec-version") {
        arguments.extend(["--spec-version", "1.5"].map(OsString::from));
    }
    arguments.extend(words.passed.iter().map(Into::into));
    StepPlan {
        step: "sbom".to_owned(),
        command: command("cyclonedx", &words.passed),
        arguments,
        environment: Vec::new(),
        materials: MaterialQuery::Judged("Cargo.lock, every manifest and package"),
        products: ProductQuery::Report("NAME-VERSION.cdx.json of every member".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<SbomWords, CliError> {
        let words: Vec<String> = words.split_ascii_whitespace().map(str::to_owned).collect();
        SbomWords::parse(&words)
    }

    #[test]
    fn files_are_named_by_us_and_nothing_is_left_out_of_them() {
        let plan = sbom(&parse("--all-features --spec-version=1.4").expect("known"));
        assert_eq!(
            plan.command.join(" "),
            "cargo cyclonedx --all-features --spec-version 1.4"
        );
        let words: Vec<_> = plan.arguments.iter().filter_map(|word| word.to_str()).collect();
        assert_eq!(
            words.join(" "),
            "cyclonedx --format json --override-filename cargo-intoto-sbom.cdx --all-features --spec-version 1.4"
        );
        for words in [
            "--no-build-deps",
            "--top-level",
            "--override-filename x",
            "--format xml",
            "--describe binaries",
        ] {
            assert_eq!(parse(words).expect_err(words).exit().code(), 2, "{words}");
        }
    }
}
