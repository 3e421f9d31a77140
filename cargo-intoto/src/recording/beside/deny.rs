//! cargo-deny: lines of JSON on standard error, of which the last is a summary by check, and an exit code with a bit for each.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use intoto_core::encoding::Value;
use serde_json::{Map, json};

use crate::error::CliError;
use crate::exec::captured::Captured;
use crate::plan::{DenyCheck, DenyWords, StepPlan, deny};
use crate::recording::beside::answer::{Answer, Fields, parse, text_or, undecided, undecided_saying};
use crate::recording::beside::{Inputs, Judge, below_root, complaints, perform};
use crate::recording::{Context, Observed, Step};

const TOOL: &str = "cargo-deny";
/// Where cargo-deny looks for its configuration in the root; further up, it is nobody's whom the tree knows.
const CONFIGURATIONS: &[&str] = &["deny.toml", ".deny.toml", ".cargo/deny.toml"];
/// Licences that are allowed for some crates, beside the configuration.
const EXCEPTIONS: &[&str] = &[
    "deny.exceptions.toml",
    ".deny.exceptions.toml",
    ".cargo/deny.exceptions.toml",
];
/// What cargo-deny's log says before the directory of a database.
const OPENING: &str = "Opening advisory database at '";

/// `cargo deny check`.
#[derive(Debug, Clone)]
pub struct Deny {
    words: DenyWords,
}

impl Deny {
    /// A run with these words.
    pub fn new(words: DenyWords) -> Self {
        Self { words }
    }

    fn configuration(&self, context: &Context<'_>) -> Result<Utf8PathBuf, CliError> {
        let root = &context.workspace.root;
        if let Some(given) = &self.words.config {
            let path = below_root(context, given);
            return if path.is_file() {
                Ok(path)
            } else {
                Err(CliError::usage(format!("there is no configuration {given} in {root}")))
            };
        }
        let mut paths = CONFIGURATIONS.iter().map(|name| root.join(name));
        paths.find(|path| path.is_file()).ok_or_else(|| {
            CliError::cannot_decide(format!(
                "there is no deny.toml in {root}, so nothing says what is demanded"
            ))
            .hint("`cargo deny init` writes one to begin with; another place is named by `--config`")
        })
    }
}

impl Step for Deny {
    fn name(&self) -> &str {
        "deny"
    }

    fn compiles(&self) -> bool {
        false
    }

    fn plan(&self, context: &Context<'_>) -> Result<StepPlan, CliError> {
        Ok(deny(&self.words, &self.configuration(context)?))
    }

    fn perform(&self, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        perform(self, context, plan)
    }
}

impl Judge for Deny {
    fn program(&self) -> &'static str {
        TOOL
    }

    fn fetch(&self, context: &Context<'_>) -> Result<Option<Vec<std::ffi::OsString>>, CliError> {
        let configuration = self.configuration(context)?;
        Ok(self.words.fetches().then(|| DenyWords::fetch(&configuration)))
    }

    fn inputs(&self, context: &Context<'_>) -> Result<Inputs, CliError> {
        let exceptions = EXCEPTIONS.iter().map(|name| context.workspace.root.join(name));
        Ok(Inputs {
            files: [self.configuration(context)?]
                .into_iter()
                .chain(exceptions.filter(|path| path.is_file()))
                .collect(),
            packages: true,
        })
    }

    fn read(&self, context: &Context<'_>, said: &Captured) -> Result<Answer, CliError> {
        let mut answer = Said::read(&said.stderr)?.answer(&self.words, said.ended.code())?;
        for directory in &mut answer.databases {
            *directory = below_root(context, directory);
        }
        Ok(answer)
    }
}

/// The lines of one run.
#[derive(Debug, Default)]
struct Said {
    /// All but the log, which has times in it.
    document: Vec<u8>,
    summaries: Vec<BTreeMap<DenyCheck, Counts>>,
    /// Diagnostics that are errors.
    errors: Vec<String>,
    /// What the log calls an error.
    troubles: Vec<String>,
    databases: Vec<Utf8PathBuf>,
}

/// How many diagnostics of each weight a check has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    errors: usize,
    warnings: usize,
    notes: usize,
    helps: usize,
}

impl Said {
    fn read(stream: &[u8]) -> Result<Self, CliError> {
        let mut said = Self::default();
        for (index, line) in stream.split(|byte| *byte == b'\n').enumerate() {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let what = format!("line {}", index + 1);
            let value = parse(TOOL, &what, line)?;
            let line_fields = Fields::of(TOOL, &what, &value)?;
            let fields = line_fields.object("fields")?;
            match line_fields.text("type")? {
                "log" => {
                    said.log(fields)?;
                    continue;
                }
                "diagnostic" => said.diagnostic(fields)?,
                "summary" => said.summaries.push(summary(fields)?),
                other => return Err(undecided(format!("{what} of {TOOL} is of the unknown type {other:?}"))),
            }
            said.document.extend_from_slice(line);
            said.document.push(b'\n');
        }
        Ok(said)
    }

    fn log(&mut self, fields: Fields<'_>) -> Result<(), CliError> {
        let message = fields.text("message")?;
        if fields.text("level")? == "ERROR" {
            self.troubles.push(message.to_owned());
        }
        if let Some(directory) = message.strip_prefix(OPENING).and_then(|rest| rest.strip_suffix('\'')) {
            let directory = Utf8PathBuf::from(directory);
            if !self.databases.contains(&directory) {
                self.databases.push(directory);
            }
        }
        Ok(())
    }

    fn diagnostic(&mut self, fields: Fields<'_>) -> Result<(), CliError> {
        if fields.text("severity")? == "error" {
            let graphs = fields.optional("graphs").and_then(Value::as_array).unwrap_or_default();
            let krate = graphs
                .first()
                .and_then(|graph| graph.as_object()?.get("Krate")?.as_object())
                .map(|krate| {
                    format!(
                        "{} {}: ",
                        text_or(krate.get("name"), "?"),
                        text_or(krate.get("version"), "?")
                    )
                });
            self.errors.push(format!(
                "{}{} [{}]",
                krate.unwrap_or_default(),
                fields.text("message")?,
                text_or(fields.optional("code"), "no code"),
            ));
        }
        Ok(())
    }

    /// What it all means, if it all fits together.
    fn answer(self, words: &DenyWords, code: u8) -> Result<Answer, CliError> {
        let summary = match self.summaries.as_slice() {
            [summary] => summary,
            [] => {
                let said = self.troubles.join("\n");
                return Err(undecided_saying(
                    format!("{TOOL} wrote no summary (exit code {code}), so it did not finish its checks"),
                    if said.is_empty() {
                        &self.document
                    } else {
                        said.as_bytes()
                    },
                ));
            }
            _ => return Err(undecided(format!("{TOOL} wrote several summaries"))),
        };
        if !summary.keys().eq(&words.checks) {
            let names: Vec<_> = summary.keys().map(|check| check.as_str()).collect();
            return Err(undecided(format!(
                "{TOOL} was asked for {}, and its summary is about {}",
                words
                    .checks
                    .iter()
                    .map(|check| check.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
                names.join(", ")
            )));
        }
        let failed: Vec<DenyCheck> = summary
            .iter()
            .filter(|(_, counts)| counts.errors > 0)
            .map(|(check, _)| *check)
            .collect();
        let bits = failed.iter().fold(0, |bits, check| bits | check.bit());
        if code != bits {
            return Err(undecided(format!(
                "{TOOL} ended with exit code {code}, and by its summary that would be {bits}"
            )));
        }
        let errors: usize = summary.values().map(|counts| counts.errors).sum();
        if errors != self.errors.len() {
            return Err(undecided(format!(
                "the summary of {TOOL} counts {errors} errors, and {} were shown",
                self.errors.len()
            )));
        }
        if failed.is_empty() && !self.troubles.is_empty() {
            return Err(undecided_saying(
                format!("{TOOL} had trouble and passed all the same"),
                self.troubles.join("\n").as_bytes(),
            ));
        }
        if words.checks.contains(&DenyCheck::Advisories) && self.databases.is_empty() {
            return Err(undecided(format!(
                "{TOOL} does not say which advisory database it used, so the link could not say it either"
            ))
            .hint("this reads what version 0.20 of cargo-deny logs"));
        }
        let names: Vec<_> = words.checks.iter().map(|check| check.as_str()).collect();
        Ok(Answer {
            report: words.report(),
            verdict: if failed.is_empty() {
                names.join(", ")
            } else {
                let failed: Vec<_> = failed.iter().map(|check| check.as_str()).collect();
                format!("{} in {}", complaints(errors), failed.join(", "))
            },
            failed: !failed.is_empty(),
            byproducts: byproducts(summary),
            complaints: self.errors,
            document: self.document,
            databases: self.databases,
        })
    }
}

fn summary(fields: Fields<'_>) -> Result<BTreeMap<DenyCheck, Counts>, CliError> {
    let mut summary = BTreeMap::new();
    for (name, _) in fields.members() {
        let check = DenyCheck::named(name)
            .ok_or_else(|| undecided(format!("the summary of {TOOL} is about the unknown check {name:?}")))?;
        let counts = fields.object(name)?;
        let counts = Counts {
            errors: counts.count("errors")?,
            warnings: counts.count("warnings")?,
            notes: counts.count("notes")?,
            helps: counts.count("helps")?,
        };
        summary.insert(check, counts);
    }
    Ok(summary)
}

fn byproducts(summary: &BTreeMap<DenyCheck, Counts>) -> Map<String, serde_json::Value> {
    let checks: Map<_, _> = summary
        .iter()
        .map(|(check, counts)| {
            let counts = json!({
                "errors": counts.errors,
                "warnings": counts.warnings,
                "notes": counts.notes,
                "helps": counts.helps,
                "passed": counts.errors == 0,
            });
            (check.as_str().to_owned(), counts)
        })
        .collect();
    Map::from_iter([("checks".to_owned(), json!(checks))])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cargo-deny 0.20.2 wrote, but for the times of day.
    const PASSED: &str = include_str!("testdata/deny-0.20.2-passed.jsonl");
    const VULNERABLE: &str = include_str!("testdata/deny-0.20.2-vulnerable.jsonl");
    const UNLICENSED: &str = include_str!("testdata/deny-0.20.2-unlicensed.jsonl");
    const NO_DATABASE: &str = include_str!("testdata/deny-0.20.2-no-database.jsonl");
    const BAD_CONFIGURATION: &str = include_str!("testdata/deny-0.20.2-bad-configuration.jsonl");

    fn words(words: &str) -> DenyWords {
        let words: Vec<String> = words.split_ascii_whitespace().map(str::to_owned).collect();
        DenyWords::parse(&words).expect("known words")
    }

    fn answer(stream: &str, code: u8, asked: &str) -> Result<Answer, CliError> {
        Said::read(stream.as_bytes())?.answer(&words(asked), code)
    }

    #[test]
    fn a_pass_is_a_pass() {
        let answer = answer(PASSED, 0, "").expect("understood");
        assert!(!answer.failed && answer.complaints.is_empty());
        assert_eq!(answer.report, "deny.json");
        assert_eq!(answer.databases, ["dbs/advisory-db-377770d023e5905d"]);
        assert_eq!(answer.byproducts["checks"]["licenses"]["helps"], 2);
        let document = String::from_utf8(answer.document).unwrap();
        let kept: Vec<_> = PASSED.lines().filter(|line| !line.ends_with("\"log\"}")).collect();
        assert_eq!(document.lines().collect::<Vec<_>>(), kept);
        assert!(!document.contains("\"log\""), "{document}");
    }

    #[test]
    fn a_failure_says_which_check_and_why() {
        let vulnerable = answer(VULNERABLE, 1, "").expect("understood");
        assert!(vulnerable.failed);
        assert_eq!(vulnerable.complaints, ["itoa 1.0.19: Bad itoa [vulnerability]"]);
        assert_eq!(vulnerable.verdict, "1 complaint in advisories");
        let unlicensed = answer(UNLICENSED, 4, "bans licenses").expect("understood");
        assert_eq!(unlicensed.complaints.len(), 2);
        assert_eq!(unlicensed.byproducts["checks"]["licenses"]["passed"], false);
    }

    #[test]
    fn no_summary_decides_nothing_whatever_the_exit_code() {
        for (stream, code) in [
            ("", 0),
            ("", 1),
            (NO_DATABASE, 1),
            (NO_DATABASE, 0),
            (BAD_CONFIGURATION, 1),
        ] {
            let error = answer(stream, code, "").expect_err(stream);
            assert_eq!(error.exit().code(), 3, "{error}");
            assert!(error.to_string().contains("no summary"), "{error}");
        }
    }

    #[test]
    fn contradictions_decide_nothing() {
        let summary = PASSED.lines().last().expect("a summary");
        let twice = format!("{PASSED}\n{summary}");
        let unexplained = VULNERABLE.replace("\"errors\":1", "\"errors\":2");
        let silent = PASSED.replace(OPENING, "Ouvrant la base '");
        let extra = PASSED.replace("\"bans\":{", "\"weather\":{");
        let negative = PASSED.replace("\"warnings\":0", "\"warnings\":-1");
        let troubled = format!(
            "{}\n{PASSED}",
            r#"{"type":"log","fields":{"level":"ERROR","message":"disk on fire","timestamp":"x"}}"#
        );
        for (stream, code, asked, why) in [
            (PASSED, 4, "", "exit code 4"),
            (VULNERABLE, 0, "", "exit code 0"),
            (VULNERABLE, 4, "", "exit code 4"),
            (PASSED, 0, "bans", "was asked for bans"),
            (UNLICENSED, 4, "", "was asked for"),
            (twice.as_str(), 0, "", "several summaries"),
            (&unexplained, 1, "", "counts 2 errors"),
            (&silent, 0, "", "which advisory database"),
            (&extra, 0, "", "unknown check"),
            (&negative, 0, "", "not a count"),
            (&troubled, 0, "", "had trouble"),
            ("Segmentation fault", 0, "", "not JSON"),
            ("[1]", 0, "", "not an object"),
            (r#"{"type":"summary","type":"log","fields":{}}"#, 0, "", "not JSON"),
            (r#"{"type":"verdict","fields":{}}"#, 0, "", "unknown type"),
        ] {
            let error = answer(stream, code, asked).expect_err(why);
            assert_eq!(error.exit().code(), 3, "{why}: {error}");
            assert!(error.to_string().contains(why), "{why}: {error}");
        }
    }
}
