//! What a program printed and how it ended, with assertions that show all of it when they fail.

/// How a program in the sandbox ended.
#[derive(Debug, Clone)]
pub struct Output {
    /// The command line, for messages.
    pub command: String,
    /// The exit code; a program killed by a signal has none.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error, without colours.
    pub stderr: String,
}

impl Output {
    /// Asserts the exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert!(self.code == Some(code), "expected exit code {code}\n{}", self.shown());
        self
    }

    /// Asserts that the program succeeded.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        self.exits(0)
    }

    /// Asserts that standard error contains a text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text),
            "expected {text:?} on stderr\n{}",
            self.shown()
        );
        self
    }

    /// Asserts that neither stream contains a text.
    #[track_caller]
    pub fn never_says(self, text: &str) -> Self {
        let absent = !self.stderr.contains(text) && !self.stdout.contains(text);
        assert!(absent, "expected no {text:?}\n{}", self.shown());
        self
    }

    /// Asserts that standard output contains a text.
    #[track_caller]
    pub fn prints(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "expected {text:?} on stdout\n{}",
            self.shown()
        );
        self
    }

    /// Everything, for a message.
    pub fn shown(&self) -> String {
        let Self {
            command,
            code,
            stdout,
            stderr,
        } = self;
        format!("$ {command}\nexit code: {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}\n---")
    }
}
