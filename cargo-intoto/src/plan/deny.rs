//! `cargo deny check`: what may be asked of it, and how it is asked so that its answer can be read.

use std::collections::BTreeSet;
use std::ffi::OsString;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::plan::tool_words::ToolWords;
use crate::plan::{MaterialQuery, ProductQuery, StepPlan};

/// A check of cargo-deny. The order is that of the bits of its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DenyCheck {
    /// Known vulnerabilities and the like, by a database.
    Advisories,
    /// Crates that are not wanted, or wanted once.
    Bans,
    /// Licences.
    Licenses,
    /// Registries and repositories.
    Sources,
}

impl DenyCheck {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Advisories, Self::Bans, Self::Licenses, Self::Sources];

    /// The word for it, on the command line and in the summary.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Advisories => "advisories",
            Self::Bans => "bans",
            Self::Licenses => "licenses",
            Self::Sources => "sources",
        }
    }

    /// Its bit in the exit code.
    pub fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The check with this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|check| check.as_str() == word)
    }
}

/// What the user wants of cargo-deny.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenyWords {
    /// The checks.
    pub checks: BTreeSet<DenyCheck>,
    /// `--config`.
    pub config: Option<Utf8PathBuf>,
    /// `--manifest-path`, which says which workspace is meant.
    pub manifest_path: Option<Utf8PathBuf>,
    /// `--offline` or `--frozen`: the advisory database is taken as it is.
    pub offline: bool,
    /// Flags before `check`.
    general: Vec<String>,
    /// Words behind it.
    specific: Vec<String>,
}

impl DenyWords {
    /// Reads the words that follow `deny`.
    ///
    /// # Errors
    /// For words that would change what is judged without the link showing it, or that take the answer out of our hands.
    pub fn parse(words: &[String]) -> Result<Self, CliError> {
        let mut parsed = Self {
            checks: BTreeSet::new(),
            config: None,
            manifest_path: None,
            offline: false,
            general: Vec::new(),
            specific: Vec::new(),
        };
        let mut words = ToolWords::new("cargo-deny", words);
        let mut is_all = false;
        while let Some(word) = words.next() {
            match word {
                "check" => {}
                "all" => is_all = true,
                "--config" => parsed.config = Some(words.value(word)?.into()),
                "--manifest-path" => parsed.manifest_path = Some(words.value(word)?.into()),
                "-f" | "--format" => {
                    let value = words.value(word)?;
                    words.format(word, value)?;
                }
                "--offline" | "--frozen" => {
                    parsed.offline = true;
                    parsed.general.push(word.to_owned());
                }
                // Both are the case in any recorded step.
                "--locked" | "--workspace" | "--all-features" => parsed.general.push(word.to_owned()),
                "--hide-inclusion-graph" => parsed.specific.push(word.to_owned()),
                "-D" | "--deny" => {
                    let value = words.value(word)?;
                    parsed.specific.extend(["--deny".to_owned(), value.to_owned()]);
                }
                "fetch" | "init" | "list" => {
                    return Err(words.refuse(word, "it checks nothing", format!("run `cargo deny {word}` by itself")));
                }
                _ => match DenyCheck::named(word) {
                    Some(check) => {
                        parsed.checks.insert(check);
                        parsed.specific.push(word.to_owned());
                    }
                    None => return Err(words.refuse_unknown(word, "deny.toml")),
                },
            }
        }
        if is_all || parsed.checks.is_empty() {
            parsed.checks = DenyCheck::ALL.into();
        }
        Ok(parsed)
    }

    /// The name of the report. It says what was checked, so that rules can tell a whole check from a part of it.
    pub fn report(&self) -> String {
        if self.checks.len() == DenyCheck::ALL.len() {
            return "deny.json".to_owned();
        }
        let names: Vec<_> = self.checks.iter().map(|check| check.as_str()).collect();
        format!("deny-{}.json", names.join("-"))
    }

    /// Whether there is something to fetch first.
    pub fn fetches(&self) -> bool {
        self.checks.contains(&DenyCheck::Advisories) && !self.offline
    }

    /// What fetches the advisory database.
    pub fn fetch(config: &Utf8Path) -> Vec<OsString> {
        spoken(config)
            .into_iter()
            .chain(["fetch".into(), "db".into(), "index".into()])
            .collect()
    }
}

/// Plans the check, with the configuration that was found.
pub fn deny(words: &DenyWords, config: &Utf8Path) -> StepPlan {
    let mut arguments = spoken(config);
    arguments.extend(["--workspace", "--locked"].map(OsString::from));
    let given = |flag: &str| words.general.iter().any(|word| word == flag);
    // What had to be fetched has been, and is looked at as it is then.
    if words.fetches() || given("--offline") || given("--frozen") {
        arguments.push("--offline".into());
    }
    if given("--all-features") {
        arguments.push("--all-features".into());
    }
    arguments.push("check".into());
    arguments.extend(words.specific.iter().map(Into::into));
    let command = ["cargo", "deny"]
        .into_iter()
        .chain(words.general.iter().map(String::as_str))
        .chain(["check"])
        .chain(words.specific.iter().map(String::as_str))
        .map(str::to_owned)
        .collect();
    StepPlan {
        step: "deny".to_owned(),
        command,
        arguments,
        environment: Vec::new(),
        materials: MaterialQuery::Judged(
            "Cargo.lock, every manifest and package, the configuration, the advisory database by its commit",
        ),
        products: ProductQuery::Report(words.report()),
    }
}

/// The words that make cargo-deny say everything, in JSON: which database it opens stands in its log alone.
fn spoken(config: &Utf8Path) -> Vec<OsString> {
    let words = [
        "deny",
        "--format",
        "json",
        "--color",
        "never",
        "--log-level",
        "debug",
        "--config",
    ];
    words
        .into_iter()
        .map(OsString::from)
        .chain([config.as_str().into()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<DenyWords, CliError> {
        let words: Vec<String> = words.split_ascii_whitespace().map(str::to_owned).collect();
        DenyWords::parse(&words)
    }

    #[test]
    fn a_part_of_the_checks_has_another_name_than_all_of_them() {
        for (words, report, command) in [
            ("", "deny.json", "cargo deny check"),
            ("check all", "deny.json", "cargo deny check"),
            ("-- check", "deny.json", "cargo deny check"),
            (
                "sources --offline bans advisories licenses",
                "deny.json",
                "cargo deny --offline check sources bans advisories licenses",
            ),
            (
                "-- check licenses bans",
                "deny-bans-licenses.json",
                "cargo deny check licenses bans",
            ),
            (
                "--locked check -D unmaintained bans",
                "deny-bans.json",
                "cargo deny --locked check --deny unmaintained bans",
            ),
        ] {
            let words = parse(words).expect(words);
            assert_eq!(words.report(), report);
            let plan = deny(&words, "deny.toml".into());
            assert_eq!(plan.command.join(" "), command);
            let arguments: Vec<_> = plan.arguments.iter().filter_map(|word| word.to_str()).collect();
            assert!(arguments.starts_with(&["deny", "--format", "json"]), "{arguments:?}");
        }
    }

    #[test]
    fn the_database_is_fetched_before_and_not_during_the_check() {
        let plan = |words: &str| {
            let words = parse(words).unwrap();
            let plan = deny(&words, "deny.toml".into());
            (words.fetches(), plan.arguments.contains(&"--offline".into()))
        };
        assert_eq!(plan("check"), (true, true));
        assert_eq!(plan("--offline check"), (false, true));
        assert_eq!(plan("check bans"), (false, false));
    }

    #[test]
    fn nothing_that_would_judge_less_is_passed_on() {
        for words in [
            "--format sarif check",
            "-f human",
            "check -A vulnerability",
            "check --allow=yanked",
            "--exclude itoa",
            "--exclude-dev check",
            "--target x86_64-unknown-linux-gnu",
            "--no-default-features",
            "--metadata-path x.json",
            "check --audit-compatible-output",
            "--log-level off",
            "fetch",
            "list",
            "licences",
            "--config",
        ] {
            assert_eq!(parse(words).expect_err(words).exit().code(), 2, "{words}");
        }
        let error = parse("--format=sarif").unwrap_err();
        assert!(error.hints().iter().any(|hint| hint.contains("SARIF")), "{error}");
    }

    #[test]
    fn the_bits_are_those_of_the_exit_code() {
        assert_eq!(DenyCheck::ALL.map(DenyCheck::bit), [1, 2, 4, 8]);
    }
}
