//! cargo-vet: one JSON object on standard output, with a `conclusion`; an error is an object of another form.

use std::ffi::OsString;

use intoto_core::encoding::Value;
use serde_json::{Map, json};

use crate::collect::walk::Walk;
use crate::error::CliError;
use crate::exec::captured::Captured;
use crate::plan::{StepPlan, VetWords, vet};
use crate::recording::beside::answer::{Answer, Fields, parse, text_or, undecided, undecided_saying};
use crate::recording::beside::{Inputs, Judge, complaints, perform};
use crate::recording::{Context, Observed, Step};
use crate::ui::count;
use crate::workspace::lock::Lock;

const TOOL: &str = "cargo-vet";
/// The directory with the audits.
const STORE: &str = "supply-chain";
/// Lists of packages that passed, each for another reason.
const VETTED: [&str; 3] = ["vetted_fully", "vetted_partially", "vetted_with_exemptions"];

/// `cargo vet`.
#[derive(Debug, Clone)]
pub struct Vet {
    words: VetWords,
}

impl Vet {
    /// A run with these words.
    pub fn new(words: VetWords) -> Self {
        Self { words }
    }
}

impl Step for Vet {
    fn name(&self) -> &str {
        "vet"
    }

    fn compiles(&self) -> bool {
        false
    }

    fn plan(&self, context: &Context<'_>) -> Result<StepPlan, CliError> {
        let store = context.workspace.root.join(STORE);
        if !store.is_dir() {
            return Err(
                CliError::cannot_decide(format!("there is no {store}, so nothing says what was audited"))
                    .hint("`cargo vet init` makes one"),
            );
        }
        Ok(vet(&self.words))
    }

    fn perform(&self, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        perform(self, context, plan)
    }
}

impl Judge for Vet {
    fn program(&self) -> &'static str {
        TOOL
    }

    fn fetch(&self, _context: &Context<'_>) -> Result<Option<Vec<OsString>>, CliError> {
        Ok(None)
    }

    fn inputs(&self, context: &Context<'_>) -> Result<Inputs, CliError> {
        let store = context.workspace.root.join(STORE);
        let files = Walk::everything_below(&store).files()?;
        Ok(Inputs {
            files: files.into_iter().map(|path| store.join(path)).collect(),
            packages: true,
        })
    }

    fn read(&self, context: &Context<'_>, said: &Captured) -> Result<Answer, CliError> {
        answer(said, said.ended.code(), &context.workspace.lock)
    }
}

/// What it all means, if it all fits together.
fn answer(said: &Captured, code: u8, lock: &Lock) -> Result<Answer, CliError> {
    if said.stdout.trim_ascii().is_empty() {
        return Err(undecided_saying(
            format!("{TOOL} wrote no report (exit code {code}), so it did not finish"),
            &said.stderr,
        ));
    }
    let value = parse(TOOL, "the report", &said.stdout)?;
    let report = Fields::of(TOOL, "the report", &value)?;
    if let Some(error) = report.optional("error") {
        return Err(undecided(format!(
            "{TOOL} could not decide (exit code {code}): {}",
            reasons(error)
        )));
    }
    let conclusion = report.text("conclusion")?;
    let passed = match conclusion {
        "success" => true,
        "fail (vetting)" | "fail (violation)" => false,
        other => {
            return Err(undecided(format!(
                "{TOOL} concludes {other:?}, which nobody here knows"
            )));
        }
    };
    if passed != (code == 0) {
        return Err(undecided(format!(
            "{TOOL} ended with exit code {code} and concludes {conclusion:?}"
        )));
    }
    if passed {
        let byproducts = vetted(report, lock)?;
        let number: u64 = byproducts.values().filter_map(serde_json::Value::as_u64).sum();
        return Ok(Answer {
            report: "vet.json".to_owned(),
            document: said.stdout.clone(),
            verdict: count(usize::try_from(number).unwrap_or(usize::MAX), "package"),
            failed: false,
            complaints: Vec::new(),
            byproducts,
            databases: Vec::new(),
        });
    }
    let listed = ["failures", "violations"]
        .into_iter()
        .filter_map(|name| report.optional(name)?.as_array())
        .flatten();
    let complaints_found: Vec<String> = listed
        .filter_map(|failure| failure.as_object())
        .map(|failure| {
            let missing = failure.get("missing_criteria").and_then(|missing| missing.as_array());
            let missing: Vec<_> = missing
                .unwrap_or_default()
                .iter()
                .filter_map(|word| word.as_str())
                .collect();
            format!(
                "{} {}: {}",
                text_or(failure.get("name"), "?"),
                text_or(failure.get("version"), "?"),
                if missing.is_empty() {
                    conclusion.to_owned()
                } else {
                    format!("nobody says that it is {}", missing.join(", "))
                }
            )
        })
        .collect();
    Ok(Answer {
        report: "vet.json".to_owned(),
        document: said.stdout.clone(),
        verdict: complaints(complaints_found.len()),
        failed: true,
        complaints: complaints_found,
        byproducts: Map::new(),
        databases: Vec::new(),
    })
}

/// What cargo-vet says of an error of its own.
fn reasons(error: &Value<'_>) -> String {
    let Some(error) = error.as_object() else {
        return "no reason given".to_owned();
    };
    let causes = error.get("causes").and_then(Value::as_array).unwrap_or_default();
    let causes = causes.iter().filter_map(Value::as_str);
    let message = text_or(error.get("message"), "no reason given");
    [&*message].into_iter().chain(causes).collect::<Vec<_>>().join(": ")
}

/// How many packages passed, by reason; all of them must be locked ones.
fn vetted(report: Fields<'_>, lock: &Lock) -> Result<Map<String, serde_json::Value>, CliError> {
    let mut counts = Map::new();
    for list in VETTED {
        let packages = report.array(list)?;
        for package in packages {
            let package = Fields::of(TOOL, "an entry", package)?;
            let (name, version) = (package.text("name")?, package.text("version")?);
            if !lock
                .iter()
                .any(|locked| locked.name == name && locked.version == version)
            {
                return Err(undecided(format!(
                    "{TOOL} looked at {name} {version}, which Cargo.lock does not have"
                )));
            }
        }
        counts.insert(list.replace('_', "-"), json!(packages.len()));
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::process_group::Ended;

    /// What cargo-vet 0.10.2 wrote.
    const PASSED: &str = include_str!("testdata/vet-0.10.2-passed.json");
    const FAILED: &str = include_str!("testdata/vet-0.10.2-failed.json");
    const ERROR: &str = include_str!("testdata/vet-0.10.2-error.json");
    const LOCK: &str = "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"itoa\"\nversion = \"1.0.19\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"3bd1574e617a9a6c1f8f8181bd7e841e1f20e4277607ef28945765188d6284d4\"\n";

    fn judged(stdout: &str, code: u8) -> Result<Answer, CliError> {
        let said = Captured {
            ended: Ended {
                status: std::process::ExitStatus::default(),
                left_running: Vec::new(),
            },
            stdout: stdout.as_bytes().to_vec(),
            stderr: Vec::new(),
        };
        answer(&said, code, &Lock::parse(LOCK.as_bytes()).expect("a lock file"))
    }

    #[test]
    fn a_pass_and_a_failure_are_told_apart() {
        let passed = judged(PASSED, 0).expect("understood");
        assert!(!passed.failed);
        assert_eq!(passed.byproducts["vetted-with-exemptions"], 1);
        let failed = judged(FAILED, 255).expect("understood");
        assert!(failed.failed);
        assert_eq!(
            failed.complaints,
            ["itoa 1.0.19: nobody says that it is safe-to-deploy"]
        );
    }

    #[test]
    fn contradictions_decide_nothing() {
        for (stdout, code, why) in [
            (String::new(), 255, "no report"),
            (ERROR.to_owned(), 255, "could not decide"),
            (ERROR.to_owned(), 0, "could not decide"),
            (PASSED.to_owned(), 255, "exit code 255"),
            (FAILED.to_owned(), 0, "exit code 0"),
            (PASSED.replace("success", "great success"), 0, "nobody here knows"),
            (PASSED.replace("1.0.19", "1.0.18"), 0, "does not have"),
            (PASSED.replace("vetted_fully", "vetted_wholly"), 0, "no `vetted_fully`"),
            (format!("{PASSED}{FAILED}"), 0, "not JSON"),
        ] {
            let error = judged(&stdout, code).expect_err(why);
            assert_eq!(error.exit().code(), 3, "{why}: {error}");
            assert!(error.to_string().contains(why), "{why}: {error}");
        }
    }
}
