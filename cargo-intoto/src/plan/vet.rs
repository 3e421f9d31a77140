//! `cargo vet`: what may be asked of it, and how it is asked so that its answer can be read.

use std::ffi::OsString;

use camino::Utf8PathBuf;

use crate::error::CliError;
use crate::plan::tool_words::ToolWords;
use crate::plan::{MaterialQuery, ProductQuery, StepPlan};

/// What the user wants of cargo-vet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VetWords {
    /// `--manifest-path`, which says which workspace is meant.
    pub manifest_path: Option<Utf8PathBuf>,
    passed: Vec<String>,
}

impl VetWords {
    /// Reads the words that follow `vet`.
    ///
    /// # Errors
    /// As for cargo-deny.
    pub fn parse(words: &[String]) -> Result<Self, CliError> {
        let mut parsed = Self::default();
        let mut words = ToolWords::new("cargo-vet", words);
        while let Some(word) = words.next() {
            match word {
                "--manifest-path" => parsed.manifest_path = Some(words.value(word)?.into()),
                "--locked" | "--frozen" => parsed.passed.push(word.to_owned()),
                "--output-format" => {
                    let value = words.value(word)?;
                    words.format(word, value)?;
                }
                // What it does without a subcommand; with one, it takes no format.
                "check" => {}
                _ => return Err(words.refuse_unknown(word, "supply-chain/")),
            }
        }
        Ok(parsed)
    }
}

/// Plans the check. Without `--locked`, cargo-vet could fetch other audits than those of the tree, so the flag is always there.
pub fn vet(words: &VetWords) -> StepPlan {
    let mut arguments: Vec<OsString> = ["vet", "--locked", "--output-format=json"].map(OsString::from).into();
    arguments.extend(words.passed.iter().filter(|word| *word != "--locked").map(Into::into));
    let locked = (!words.passed.iter().any(|word| word == "--locked")).then(|| "--locked".to_owned());
    StepPlan {
        step: "vet".to_owned(),
        command: ["cargo".to_owned(), "vet".to_owned()]
            .into_iter()
            .chain(locked)
            .chain(words.passed.iter().cloned())
            .collect(),
        arguments,
        environment: Vec::new(),
        materials: MaterialQuery::Judged("Cargo.lock, every manifest and package, the files of supply-chain/"),
        products: ProductQuery::Report("vet.json".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<VetWords, CliError> {
        let words: Vec<String> = words.split_ascii_whitespace().map(str::to_owned).collect();
        VetWords::parse(&words)
    }

    #[test]
    fn the_audits_are_those_of_the_tree() {
        for (words, command, arguments) in [
            ("", "cargo vet --locked", "vet --locked --output-format=json"),
            (
                "check --locked",
                "cargo vet --locked",
                "vet --locked --output-format=json",
            ),
            (
                "--locked --frozen --output-format json",
                "cargo vet --locked --frozen",
                "vet --locked --output-format=json --frozen",
            ),
        ] {
            let plan = vet(&parse(words).expect(words));
            assert_eq!(plan.command.join(" "), command);
            let words: Vec<_> = plan.arguments.iter().filter_map(|word| word.to_str()).collect();
            assert_eq!(words.join(" "), arguments);
        }
    }

    #[test]
    fn nothing_that_would_judge_less_is_passed_on() {
        for words in [
            "--filter-graph=x",
            "--store-path elsewhere",
            "--no-all-features",
            "--features a",
            "--output-format human",
            "--output-file x",
            "--cargo-arg=-Zx",
            "regenerate",
            "init",
        ] {
            assert_eq!(parse(words).expect_err(words).exit().code(), 2, "{words}");
        }
    }
}
