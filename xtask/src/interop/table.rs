//! The printed matrix: a row per chain, a column per verifier.

use super::verifier::Verdict;
use super::{Chain, Verifier, World};
use crate::failure::Failure;
use crate::say;

/// How wide the first column is.
const WIDTH: usize = 58;

/// The rows so far, and how much of them is as expected.
#[derive(Debug)]
pub(crate) struct Table {
    expected: usize,
    unexpected: Vec<String>,
}

impl Table {
    /// Prints the head; `what` heads the first column.
    pub(crate) fn new(what: &str) -> Self {
        let heads: Vec<String> = Verifier::ALL
            .iter()
            .map(|verifier| format!("{:>9}", verifier.name()))
            .collect();
        say::row(format!("{what:<WIDTH$} {}", heads.join(" ")));
        Self {
            expected: 0,
            unexpected: Vec::new(),
        }
    }

    /// Lets every verifier judge the chain, and prints one row.
    pub(crate) fn judge(&mut self, world: &World, what: &str, chain: &Chain, passes: bool) -> Result<(), Failure> {
        let mut cells = Vec::new();
        for verifier in Verifier::ALL {
            let judgement = verifier.judge(world, chain)?;
            cells.push(format!("{:>9}", judgement.verdict.name()));
            let is_expected = (judgement.verdict == Verdict::Verified) == passes;
            self.count(is_expected, || {
                format!("{what}, {}:\n{}", verifier.name(), judgement.output)
            });
        }
        say::row(format!("{what:<WIDTH$} {}", cells.join(" ")));
        Ok(())
    }

    /// Prints a row about something that only the product can be asked, such as a step that it must refuse to record.
    pub(crate) fn ours(&mut self, what: &str, verdict: &str, is_expected: bool, output: &str) {
        say::row(format!("{what:<WIDTH$} {verdict:>9}"));
        self.count(is_expected, || format!("{what}:\n{output}"));
    }

    /// Prints the sum; anything unexpected is a failure that shows what was printed.
    pub(crate) fn end(self) -> Result<(), Failure> {
        say::row(format!(
            "{} verdicts as expected, {} not",
            self.expected,
            self.unexpected.len()
        ));
        if self.unexpected.is_empty() {
            Ok(())
        } else {
            Err(Failure::new(format!(
                "unexpected verdicts\n{}",
                self.unexpected.join("\n\n")
            )))
        }
    }

    fn count(&mut self, is_expected: bool, explanation: impl FnOnce() -> String) {
        if is_expected {
            self.expected += 1;
        } else {
            self.unexpected.push(explanation());
        }
    }
}
