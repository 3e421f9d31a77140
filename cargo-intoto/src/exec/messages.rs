//! What cargo says on its standard output with `--message-format=json-render-diagnostics`.
//!
//! The stream is not all cargo's: what a proc macro prints is passed on by rustc and cargo, and the tests print to the same
//! place. So the messages end with the first `build-finished`, a second one before the end of a build is an error, and nothing
//! here is believed without the exit status and the file on disk.

use cargo_metadata::Message;

pub use cargo_metadata::{Artifact, BuildScript};

use crate::error::CliError;
use crate::finding::CargoCode;

/// The messages of one build.
#[derive(Debug, Default)]
pub struct Messages {
    /// Every unit that was compiled or found fresh, in cargo's order.
    pub artifacts: Vec<Artifact>,
    /// Every build script that ran or whose output was reused.
    pub build_scripts: Vec<BuildScript>,
    finished: Option<bool>,
    contradicted: bool,
}

/// What a line of cargo's standard output was.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A message; it has been taken in.
    Message,
    /// Something else, for the user.
    Text,
}

impl Messages {
    /// Takes in one line of the output.
    pub fn take(&mut self, line: &[u8]) -> Line {
        let Some(message) = parse(line) else { return Line::Text };
        if self.finished.is_some() {
            // After its last message cargo runs the tests: what follows is theirs, whatever it looks like.
            if matches!(message, Message::BuildFinished(_)) {
                self.contradicted = true;
            }
            return Line::Text;
        }
        match message {
            Message::CompilerArtifact(artifact) => self.artifacts.push(artifact),
            Message::BuildScriptExecuted(script) => self.build_scripts.push(script),
            Message::BuildFinished(finished) => self.finished = Some(finished.success),
            _ => {}
        }
        Line::Message
    }

    /// Whether cargo has said how the build ended.
    pub fn is_finished(&self) -> bool {
        self.finished.is_some()
    }

    /// Checks that cargo itself said, once, that the build succeeded.
    ///
    /// # Errors
    /// When it did not say so, said that it failed, or said it more than once.
    pub fn require_success(&self) -> Result<(), CliError> {
        let refused = |message: &str| Err(CliError::refused(CargoCode::BuildUnconfirmed, message));
        match self.finished {
            None => refused("cargo ended without saying that the build had finished"),
            Some(false) => refused("cargo ended with 0 but said that the build had failed"),
            Some(true) if self.contradicted => {
                refused("`build-finished` was announced twice: something other than cargo writes to its output")
            }
            Some(true) => Ok(()),
        }
    }
}

fn parse(line: &[u8]) -> Option<Message> {
    // Cheap refusal of everything that is not an object; most lines of a test run are not.
    if line.first() != Some(&b'{') {
        return None;
    }
    serde_json::from_slice(line).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARTIFACT: &str = concat!(
        r#"{"reason":"compiler-artifact","package_id":"path+file:///w#hello@0.1.0","manifest_path":"/w/Cargo.toml","#,
        r#""target":{"kind":["bin"],"crate_types":["bin"],"name":"hello","src_path":"/w/src/main.rs","edition":"2024","#,
        r#""doc":true,"doctest":false,"test":true},"profile":{"opt_level":"3","debuginfo":0,"debug_assertions":false,"#,
        r#""overflow_checks":false,"test":false},"features":[],"filenames":["/w/target/release/hello"],"#,
        r#""executable":"/w/target/release/hello","fresh":false}"#
    );
    const FINISHED: &str = r#"{"reason":"build-finished","success":true}"#;

    fn taken(lines: &[&str]) -> Messages {
        let mut messages = Messages::default();
        for line in lines {
            messages.take(line.as_bytes());
        }
        messages
    }

    #[test]
    fn messages_end_with_build_finished() {
        let messages = taken(&["text", ARTIFACT, FINISHED, ARTIFACT]);
        assert_eq!(messages.artifacts.len(), 1);
        assert!(messages.require_success().is_ok());
    }

    #[test]
    fn success_must_be_said_once() {
        for lines in [
            &[][..],
            &[ARTIFACT],
            &[r#"{"reason":"build-finished","success":false}"#],
            &[FINISHED, FINISHED],
        ] {
            let error = taken(lines).require_success().expect_err("not confirmed");
            assert_eq!(error.code(), Some(CargoCode::BuildUnconfirmed), "{lines:?}");
        }
    }

    #[test]
    fn text_and_foreign_json_are_passed_on() {
        let mut messages = Messages::default();
        for line in ["", "running 1 test", "{", r#"{"a":1}"#, "[1]"] {
            assert_eq!(messages.take(line.as_bytes()), Line::Text, "{line}");
        }
    }
}
