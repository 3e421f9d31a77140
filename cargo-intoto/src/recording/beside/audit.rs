//! cargo-audit: one JSON object on standard output; exit code 1 both for a vulnerability and for a database that is missing.

use std::ffi::OsString;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, json};

use crate::error::CliError;
use crate::exec::captured::Captured;
use crate::plan::{AuditWords, StepPlan, audit};
use crate::recording::beside::answer::{Answer, Fields, parse, text_or, undecided, undecided_saying};
use crate::recording::beside::{Inputs, Judge, below_root, complaints, perform};
use crate::recording::{Context, Observed, Step};
use crate::ui::count;

const TOOL: &str = "cargo-audit";

/// `cargo audit`.
#[derive(Debug, Clone)]
pub struct Audit {
    words: AuditWords,
}

impl Audit {
    /// A run with these words.
    pub fn new(words: AuditWords) -> Self {
        Self { words }
    }

    fn database(&self, context: &Context<'_>) -> Utf8PathBuf {
        match &self.words.database {
            Some(given) => below_root(context, given),
            None => context.workspace.cargo_home.join("advisory-db"),
        }
    }
}

impl Step for Audit {
    fn name(&self) -> &str {
        "audit"
    }

    fn compiles(&self) -> bool {
        false
    }

    fn plan(&self, context: &Context<'_>) -> Result<StepPlan, CliError> {
        Ok(audit(&self.words, &self.database(context)))
    }

    fn perform(&self, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        perform(self, context, plan)
    }
}

impl Judge for Audit {
    fn program(&self) -> &'static str {
        TOOL
    }

    fn fetch(&self, context: &Context<'_>) -> Result<Option<Vec<OsString>>, CliError> {
        let database = self.database(context);
        Ok((!self.words.no_fetch).then(|| AuditWords::fetch(&database)))
    }

    fn inputs(&self, context: &Context<'_>) -> Result<Inputs, CliError> {
        let settings = [
            context.workspace.root.join(".cargo/audit.toml"),
            context.workspace.cargo_home.join("audit.toml"),
        ];
        Ok(Inputs {
            files: settings.into_iter().filter(|path| path.is_file()).collect(),
            packages: false,
        })
    }

    fn read(&self, context: &Context<'_>, said: &Captured) -> Result<Answer, CliError> {
        let packages = context.workspace.lock.iter().count();
        let database = self.database(context);
        answer(said, said.ended.code(), packages, &self.words.denied, &database)
    }
}

/// What it all means, if it all fits together.
fn answer(
    said: &Captured,
    code: u8,
    packages: usize,
    denied: &[String],
    database: &Utf8Path,
) -> Result<Answer, CliError> {
    if said.stdout.trim_ascii().is_empty() {
        return Err(undecided_saying(
            format!("{TOOL} wrote no report (exit code {code}), so it did not finish"),
            &said.stderr,
        ));
    }
    let value = parse(TOOL, "the report", &said.stdout)?;
    let report = Fields::of(TOOL, "the report", &value)?;
    let advisories = report.object("database")?.count("advisory-count")?;
    if advisories == 0 {
        return Err(undecided(format!("the database of {TOOL} holds no advisory")));
    }
    let counted = report.object("lockfile")?.count("dependency-count")?;
    if counted != packages {
        return Err(undecided(format!(
            "{TOOL} looked at {counted} packages, and Cargo.lock has {packages}"
        )));
    }
    let vulnerabilities = report.object("vulnerabilities")?;
    let (found, number) = (vulnerabilities.boolean("found")?, vulnerabilities.count("count")?);
    let list = vulnerabilities.array("list")?;
    if number != list.len() || found != (number > 0) {
        return Err(undecided(format!(
            "{TOOL} counts {number} vulnerabilities, lists {} and says that there are {}",
            list.len(),
            if found { "some" } else { "none" }
        )));
    }
    let warnings = warnings(report.object("warnings")?)?;
    // Which warnings are denied is the tool's to know; without any, or without being told to, it has no reason to fail.
    let may_fail = found || (!denied.is_empty() && !warnings.is_empty());
    if (code == 0 && found) || (code != 0 && !may_fail) || code > 1 {
        return Err(undecided(format!(
            "{TOOL} ended with exit code {code}, and its report has {number} vulnerabilities"
        )));
    }
    let mut all: Vec<String> = Vec::new();
    for item in list {
        all.push(vulnerability(item)?);
    }
    let warned = warnings.len();
    if code != 0 {
        all.extend(warnings);
    }
    let ignored = report.object("settings")?.array("ignore")?;
    Ok(Answer {
        report: "audit.json".to_owned(),
        verdict: if code == 0 {
            format!(
                "no vulnerability in {}, {}",
                count(packages, "package"),
                count(warned, "warning")
            )
        } else {
            complaints(all.len())
        },
        failed: code != 0,
        complaints: all,
        byproducts: Map::from_iter([
            ("packages".to_owned(), json!(packages)),
            ("advisories".to_owned(), json!(advisories)),
            ("vulnerabilities".to_owned(), json!(number)),
            ("warnings".to_owned(), json!(warned)),
            (
                "ignored".to_owned(),
                ignored.iter().filter_map(|id| id.as_str()).collect(),
            ),
        ]),
        document: said.stdout.clone(),
        databases: vec![database.to_owned()],
    })
}

/// `itoa 1.0.19: Bad itoa [RUSTSEC-2021-0001]`
fn vulnerability(item: &intoto_core::encoding::Value<'_>) -> Result<String, CliError> {
    let item = Fields::of(TOOL, "an entry", item)?;
    let (advisory, package) = (item.object("advisory")?, item.object("package")?);
    Ok(format!(
        "{} {}: {} [{}]",
        package.text("name")?,
        package.text("version")?,
        advisory.text("title")?,
        advisory.text("id")?
    ))
}

/// By kind, lists of what is no vulnerability: yanked, unmaintained, unsound.
fn warnings(kinds: Fields<'_>) -> Result<Vec<String>, CliError> {
    let mut warnings = Vec::new();
    for (kind, _) in kinds.members() {
        for item in kinds.array(kind)? {
            let package = Fields::of(TOOL, "an entry", item)?.object("package")?;
            let name = text_or(package.optional("name"), "?");
            warnings.push(format!("{name} {}: {kind}", text_or(package.optional("version"), "?")));
        }
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::process_group::Ended;

    /// What cargo-audit 0.22.2 wrote.
    const PASSED: &str = include_str!("testdata/audit-0.22.2-passed.json");
    const VULNERABLE: &str = include_str!("testdata/audit-0.22.2-vulnerable.json");

    fn judged(stdout: &str, code: u8, denied: &[&str]) -> Result<Answer, CliError> {
        let said = Captured {
            ended: Ended {
                status: std::process::ExitStatus::default(),
                left_running: Vec::new(),
            },
            stdout: stdout.as_bytes().to_vec(),
            stderr: b"error: error loading advisory database".to_vec(),
        };
        let denied: Vec<String> = denied.iter().map(ToString::to_string).collect();
        answer(&said, code, 2, &denied, "/db".into())
    }

    #[test]
    fn a_pass_and_a_failure_are_told_apart() {
        let passed = judged(PASSED, 0, &[]).expect("understood");
        assert!(!passed.failed && passed.complaints.is_empty());
        assert_eq!(passed.byproducts["ignored"], json!(["RUSTSEC-2021-0001"]));
        assert_eq!(passed.document, PASSED.as_bytes());
        let failed = judged(VULNERABLE, 1, &[]).expect("understood");
        assert!(failed.failed);
        assert_eq!(failed.complaints, ["itoa 1.0.19: Bad itoa [RUSTSEC-2021-0001]"]);
    }

    #[test]
    fn denied_warnings_are_a_failure_and_others_none() {
        let warned = PASSED.replace(
            "\"warnings\":{}",
            r#""warnings":{"yanked":[{"kind":"yanked","package":{"name":"itoa","version":"1.0.19"}}]}"#,
        );
        assert!(!judged(&warned, 0, &["warnings"]).expect("understood").failed);
        let failed = judged(&warned, 1, &["warnings"]).expect("understood");
        assert_eq!(failed.complaints, ["itoa 1.0.19: yanked"]);
        assert_eq!(judged(&warned, 1, &[]).unwrap_err().exit().code(), 3);
    }

    #[test]
    fn contradictions_decide_nothing() {
        for (stdout, code, why) in [
            (String::new(), 1, "no report"),
            (String::new(), 0, "no report"),
            (PASSED.to_owned(), 1, "exit code 1"),
            (VULNERABLE.to_owned(), 0, "exit code 0"),
            (VULNERABLE.to_owned(), 2, "exit code 2"),
            (VULNERABLE.replace("\"count\":1", "\"count\":2"), 1, "counts 2"),
            (
                VULNERABLE.replace("\"found\":true", "\"found\":false"),
                0,
                "there are none",
            ),
            (
                PASSED.replace("\"advisory-count\":2", "\"advisory-count\":0"),
                0,
                "no advisory",
            ),
            (
                PASSED.replace("\"dependency-count\":2", "\"dependency-count\":1"),
                0,
                "1 packages",
            ),
            (format!("{PASSED}{PASSED}"), 0, "not JSON"),
            (
                PASSED.replace("\"vulnerabilities\"", "\"other\""),
                0,
                "no `vulnerabilities`",
            ),
        ] {
            let error = judged(&stdout, code, &[]).expect_err(why);
            assert_eq!(error.exit().code(), 3, "{why}: {error}");
            assert!(error.to_string().contains(why), "{why}: {error}");
        }
    }
}
