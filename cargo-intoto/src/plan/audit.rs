//! `cargo audit`: what may be asked of it, and how it is asked so that its answer can be read.

use std::ffi::OsString;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::plan::tool_words::{ToolWords, command};
use crate::plan::{MaterialQuery, ProductQuery, StepPlan};

/// What the user wants of cargo-audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditWords {
    /// `--db`.
    pub database: Option<Utf8PathBuf>,
    /// `--manifest-path`, which cargo-audit does not have: it says which workspace is meant.
    pub manifest_path: Option<Utf8PathBuf>,
    /// `--no-fetch`: the database is taken as it is.
    pub no_fetch: bool,
    /// `--deny`, in order: warnings that are failures.
    pub denied: Vec<String>,
    passed: Vec<String>,
}

impl AuditWords {
    /// Reads the words that follow `audit`.
    ///
    /// # Errors
    /// As for cargo-deny.
    pub fn parse(words: &[String]) -> Result<Self, CliError> {
        let mut parsed = Self::default();
        let mut words = ToolWords::new("cargo-audit", words);
        while let Some(word) = words.next() {
            match word {
                "-d" | "--db" => parsed.database = Some(words.value(word)?.into()),
                "--manifest-path" => parsed.manifest_path = Some(words.value(word)?.into()),
                "-n" | "--no-fetch" => {
                    parsed.no_fetch = true;
                    parsed.passed.push("--no-fetch".to_owned());
                }
                "--json" => {}
                "--format" => {
                    let value = words.value(word)?;
                    words.format(word, value)?;
                }
                "-q" | "--quiet" => {}
                "--stale" => parsed.passed.push(word.to_owned()),
                "-D" | "--deny" => {
                    let value = words.value(word)?.to_owned();
                    parsed.passed.extend(["--deny".to_owned(), value.clone()]);
                    parsed.denied.push(value);
                }
                "bin" => {
                    return Err(words.refuse(
                        word,
                        "it judges an executable and not the lock file",
                        "record `cargo audit`, and bind executables to the build by `cargo intoto auditable`",
                    ));
                }
                _ => return Err(words.refuse_unknown(word, ".cargo/audit.toml")),
            }
        }
        Ok(parsed)
    }

    /// What fetches the database: a first run, whose answer nobody reads.
    pub fn fetch(database: &Utf8Path) -> Vec<OsString> {
        ["audit", "--json", "--db", database.as_str()]
            .map(OsString::from)
            .into()
    }
}

/// Plans the audit, with the database that was found.
pub fn audit(words: &AuditWords, database: &Utf8Path) -> StepPlan {
    let mut arguments: Vec<OsString> = ["audit", "--json", "--db", database.as_str(), "--no-fetch"]
        .map(OsString::from)
        .into();
    arguments.extend(words.passed.iter().filter(|word| *word != "--no-fetch").map(Into::into));
    StepPlan {
        step: "audit".to_owned(),
        command: command("audit", &words.passed),
        arguments,
        environment: Vec::new(),
        materials: MaterialQuery::Judged("Cargo.lock, .cargo/audit.toml, the advisory database by its commit"),
        products: ProductQuery::Report("audit.json".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<AuditWords, CliError> {
        let words: Vec<String> = words.split_ascii_whitespace().map(str::to_owned).collect();
        AuditWords::parse(&words)
    }

    #[test]
    fn the_database_is_named_and_never_fetched_during_the_audit() {
        for (words, command) in [
            ("", "cargo audit"),
            ("--json -n", "cargo audit --no-fetch"),
            ("--db=x -D warnings --stale", "cargo audit --deny warnings --stale"),
        ] {
            let plan = audit(&parse(words).expect(words), "/db".into());
            assert_eq!(plan.command.join(" "), command);
            let arguments: Vec<_> = plan.arguments.iter().filter_map(|word| word.to_str()).collect();
            assert_eq!(arguments[..5], ["audit", "--json", "--db", "/db", "--no-fetch"]);
            assert_eq!(arguments.iter().filter(|word| **word == "--no-fetch").count(), 1);
        }
    }

    #[test]
    fn nothing_that_would_judge_less_is_passed_on() {
        for words in [
            "--ignore RUSTSEC-2020-0001",
            "--file other.lock",
            "-f -",
            "--format sarif",
            "--format terminal",
            "--target-os windows",
            "--no-yanked",
            "--url https://other.example/db",
            "bin target/release/x",
            "--deny",
        ] {
            assert_eq!(parse(words).expect_err(words).exit().code(), 2, "{words}");
        }
    }
}
