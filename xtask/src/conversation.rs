//! A long-lived process that answers lines with lines: another implementation, asked many questions without being started for each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::failure::{Context as _, Failure};

/// The process.
#[derive(Debug)]
pub(crate) struct Conversation {
    with: &'static str,
    child: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Conversation {
    /// Starts it; `with` is what failures call it.
    pub(crate) fn start(with: &'static str, command: &mut Command) -> Result<Self, Failure> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(format!("start {with}"))?;
        let (Some(questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Failure::new(format!("{with} has no pipes")));
        };
        Ok(Self {
            with,
            child,
            questions: Some(questions),
            answers: BufReader::new(answers),
        })
    }

    /// Asks one question; the answer comes without its line end.
    pub(crate) fn ask(&mut self, question: &Value) -> Result<String, Failure> {
        let doing = format!("ask {}", self.with);
        let questions = self
            .questions
            .as_mut()
            .ok_or_else(|| Failure::new("nobody is there to ask"))?;
        writeln!(questions, "{question}").context(&doing)?;
        questions.flush().context(&doing)?;
        let mut answer = String::new();
        // An end without an answer is no answer.
        if self.answers.read_line(&mut answer).context(&doing)? == 0 {
            return Err(Failure::new(format!("{} ended over {question}", self.with)));
        }
        answer.truncate(answer.trim_end_matches('\n').len());
        Ok(answer)
    }

    /// The same for an answer that is JSON.
    pub(crate) fn ask_json(&mut self, question: &Value) -> Result<Value, Failure> {
        let answer = self.ask(question)?;
        serde_json::from_str(&answer).context(format!("understand {}", self.with))
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.questions.take());
        let _ = self.child.wait();
    }
}
