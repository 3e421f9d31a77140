//! The words of a tool beside cargo, one by one. Every word that is not known is refused: it could make the tool judge less.

use crate::error::CliError;

/// What people type to start a tool with these words, as a link records it.
pub(super) fn command(tool: &str, words: &[String]) -> Vec<String> {
    let start = ["cargo", tool].map(str::to_owned);
    start.into_iter().chain(words.iter().cloned()).collect()
}

/// The words that a user gave to a tool.
pub(super) struct ToolWords<'w> {
    tool: &'static str,
    words: std::slice::Iter<'w, String>,
    attached: Option<(&'w str, &'w str)>,
}

impl<'w> ToolWords<'w> {
    /// The words without the `--` that parts them from ours.
    pub(super) fn new(tool: &'static str, words: &'w [String]) -> Self {
        let words = match words.split_first() {
            Some((first, rest)) if first == "--" => rest,
            _ => words,
        };
        Self {
            tool,
            words: words.iter(),
            attached: None,
        }
    }

    /// The next word, or the flag before `=`.
    pub(super) fn next(&mut self) -> Option<&'w str> {
        let word = self.words.next()?;
        self.attached = word.split_once('=').filter(|_| word.starts_with("--"));
        Some(self.attached.map_or(word.as_str(), |(flag, _)| flag))
    }

    /// The value of the flag that was read last.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn value(&mut self, flag: &str) -> Result<&'w str, CliError> {
        match self.attached.take() {
            Some((_, value)) => Ok(value),
            None => self
                .words
                .next()
                .map(String::as_str)
                .ok_or_else(|| CliError::usage(format!("the flag {flag} of {} needs a value", self.tool))),
        }
    }

    /// A word that has no place in a recorded step.
    pub(super) fn refuse(&self, word: &str, why: &str, hint: impl Into<String>) -> CliError {
        CliError::usage(format!(
            "`{word}` cannot be given to {} in a recorded step: {why}",
            self.tool
        ))
        .hint(hint)
    }

    /// A word that would change what is judged, or that nobody here knows.
    pub(super) fn refuse_unknown(&self, word: &str, settings: &str) -> CliError {
        self.refuse(
            word,
            "it may change what is judged, and the link would not show it",
            format!("what is judged is set in {settings}, which the link has as a material"),
        )
    }

    /// A format of the tool's output other than the one that we read.
    ///
    /// # Errors
    /// When it is another one.
    pub(super) fn format(&self, flag: &str, value: &str) -> Result<(), CliError> {
        match value {
            "json" => Ok(()),
            "sarif" => Err(self.refuse(
                &format!("{flag} sarif"),
                "the recorder reads JSON, and with SARIF the exit code of some tools says nothing",
                "leave it out, and make the SARIF file by a run of its own that decides nothing",
            )),
            other => Err(self.refuse(
                &format!("{flag} {other}"),
                "the recorder reads JSON",
                "leave it out; what is wrong is shown by the recorder",
            )),
        }
    }
}
