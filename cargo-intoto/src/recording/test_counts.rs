//! How many tests ran. The exit status decides whether they passed; the counts show that there were any.

use std::collections::BTreeMap;

/// What libtest's summary lines add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Tests that passed; a target with a harness of its own counts as one.
    pub(super) passed: u64,
    /// Tests that were left out because the source says so.
    pub(super) ignored: u64,
    /// Tests that were left out by a filter.
    pub(super) filtered_out: u64,
}

/// Counts tests in the output of `cargo test`.
///
/// A program with a harness of its own may print whatever it likes, libtest's summary too. Where there is such a target, the
/// counter gets both streams in one and tells by cargo's `Running` lines whose output it sees.
#[derive(Debug)]
pub(super) struct Counter {
    /// The test executables by file name: whether libtest speaks in them.
    standard: BTreeMap<String, bool>,
    counts: Counts,
    listening: bool,
}

impl Counter {
    /// A counter that believes summaries before a `Running` line says whose they are, where `all_standard`: libtest speaks in each executable.
    pub(super) fn new(all_standard: bool) -> Self {
        Self {
            standard: BTreeMap::new(),
            counts: Counts::default(),
            listening: all_standard,
        }
    }

    /// Says whether libtest speaks in the executable `file_name`.
    pub(super) fn expect(&mut self, file_name: &str, is_standard: bool) {
        self.standard.insert(file_name.to_owned(), is_standard);
    }

    /// Takes in one line of output.
    pub(super) fn take(&mut self, line: &[u8]) {
        let text = anstream::adapter::strip_str(&String::from_utf8_lossy(line)).to_string();
        let text = text.trim();
        if let Some(file_name) = running(text) {
            match self.standard.get(file_name) {
                Some(true) => self.listening = true,
                Some(false) => {
                    self.listening = false;
                    self.counts.passed += 1;
                }
                None => {}
            }
        } else if text.starts_with("Doc-tests ") {
            self.listening = true;
        } else if self.listening
            && let Some(counts) = summary(text)
        {
            self.counts.passed += counts.passed;
            self.counts.ignored += counts.ignored;
            self.counts.filtered_out += counts.filtered_out;
        }
    }

    /// What was counted.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }
}

/// The file name of the executable in `Running unittests src/lib.rs (target/debug/deps/hello-0123456789abcdef)`.
fn running(text: &str) -> Option<&str> {
    let path = text.strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once('(')?.1;
    path.rsplit(['/', '\\']).next()
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.00s`
fn summary(text: &str) -> Option<Counts> {
    let (_, list) = text.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |label: &str| {
        list.split("; ")
            .find_map(|part| part.strip_suffix(label)?.trim_end().parse::<u64>().ok())
            .unwrap_or(0)
    };
    Some(Counts {
        passed: count("passed"),
        ignored: count("ignored"),
        filtered_out: count("filtered out"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_add_up() {
        let mut counter = Counter::new(true);
        for line in [
            "running 3 tests\n",
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
            "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.00s\r\n",
            "test result: nonsense\n",
            "test a ... ok\n",
        ] {
            counter.take(line.as_bytes());
        }
        assert_eq!(
            counter.counts(),
            Counts {
                passed: 6,
                ignored: 1,
                filtered_out: 7
            }
        );
    }

    #[test]
    fn a_harness_of_its_own_counts_once_whatever_it_prints() {
        let mut counter = Counter::new(false);
        counter.expect("hello-0123456789abcdef", true);
        counter.expect("own-fedcba9876543210", false);
        for line in [
            "test result: ok. 1000 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
            "\u{1b}[1m\u{1b}[92m     Running\u{1b}[0m tests/own.rs (target/debug/deps/own-fedcba9876543210)\n",
            "test result: ok. 1000 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
            "     Running unittests src/main.rs (target/debug/deps/hello-0123456789abcdef)\n",
            "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
            "     Running tests/own.rs (target/debug/deps/own-fedcba9876543210)\n",
            "test result: ok. 1000 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
            "   Doc-tests hello\n",
            "test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n",
        ] {
            counter.take(line.as_bytes());
        }
        assert_eq!(counter.counts().passed, 5);
    }
}
