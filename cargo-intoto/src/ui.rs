//! The only writer to the terminal. Verbs, notes and errors go to stderr in cargo's manner; stdout carries data alone.
//! Nothing that a message holds is obeyed by the terminal: file names, metadata and other programs' words are escaped here.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use crate::error::CliError;
use crate::escape;

const GOOD: Style = AnsiColor::BrightGreen.on_default().bold();
const NOTE: Style = AnsiColor::BrightCyan.on_default().bold();
const WARNING: Style = AnsiColor::BrightYellow.on_default().bold();
const ERROR: Style = AnsiColor::BrightRed.on_default().bold();

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Errors only.
    Quiet,
    /// What cargo would say.
    Normal,
    /// With every artifact.
    Verbose,
}

/// Hands what a recorded program printed to standard output on as it is.
pub fn pass_on(line: &[u8]) {
    // A closed pipe ends nobody's build.
    let _ = io::stdout().lock().write_all(line);
}

/// As [`pass_on`], for what belongs on standard error.
pub fn pass_on_as_noise(line: &[u8]) {
    // As above.
    let _ = io::stderr().lock().write_all(line);
}

/// Whether a recorded program whose output we read should colour it as if it wrote to the terminal itself.
pub fn colors_noise() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// A number of things, in words that fit it.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// The terminal as the commands see it.
#[derive(Debug)]
pub struct Ui {
    color: ColorChoice,
    verbosity: Verbosity,
}

impl Ui {
    /// A terminal that colours as `color` says and is as talkative as `verbosity`.
    pub fn new(color: ColorChoice, verbosity: Verbosity) -> Self {
        Self { color, verbosity }
    }

    /// How much is said.
    pub fn verbosity(&self) -> Verbosity {
        self.verbosity
    }

    /// When to colour, in the words of `CARGO_TERM_COLOR`; nothing when the choice is left to each program.
    pub fn color_choice(&self) -> Option<&'static str> {
        match self.color {
            ColorChoice::Auto => None,
            ColorChoice::Never => Some("never"),
            ColorChoice::Always | ColorChoice::AlwaysAnsi => Some("always"),
        }
    }

    /// Whether a progress bar may be drawn: stderr is a terminal and the user wants to hear something.
    pub fn shows_progress(&self) -> bool {
        self.verbosity != Verbosity::Quiet && io::stderr().is_terminal()
    }

    /// Whether what goes to stdout should be coloured.
    pub fn colors_stdout(&self) -> bool {
        AutoStream::new(io::stdout(), self.color).current_choice() != ColorChoice::Never
    }

    /// A right-aligned bold verb and what it is about, as in `   Recording build`.
    pub fn status(&self, verb: &str, message: impl Display) {
        self.line(Verbosity::Normal, GOOD, &format!("{verb:>12}"), &message);
    }

    /// As [`Ui::status`], in the colour of refusals; said even with `-q`.
    pub fn refusal(&self, verb: &str, message: impl Display) {
        self.line(Verbosity::Quiet, ERROR, &format!("{verb:>12}"), &message);
    }

    /// `warning: …`
    pub fn warn(&self, message: impl Display) {
        self.line(Verbosity::Normal, WARNING, "warning:", &message);
    }

    /// `note: …`
    pub fn note(&self, message: impl Display) {
        self.line(Verbosity::Normal, NOTE, "note:", &message);
    }

    /// An error with its causes and hints; said even with `-q`.
    pub fn error(&self, error: &CliError) {
        let code = error.code().map(|code| format!("[{code}]")).unwrap_or_default();
        self.line(Verbosity::Quiet, ERROR, &format!("error{code}:"), error);
        if let Some(snippet) = error.shown() {
            self.block(Verbosity::Quiet, snippet);
        }
        let mut told = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            // Some libraries repeat in a cause what the error said already.
            if !text.is_empty() && !told.ends_with(&text) {
                // Causes may be what another program printed; no line of theirs begins where one of ours does.
                for (index, line) in text.lines().enumerate() {
                    let label = if index == 0 { "  because" } else { "         |" };
                    self.line(Verbosity::Quiet, Style::new(), label, &line);
                }
            }
            told = text;
            cause = inner.source();
        }
        for hint in error.hints() {
            self.line(Verbosity::Quiet, NOTE, "   hint:", hint);
        }
    }

    /// Several lines that were laid out already, such as a snippet of a source.
    pub fn block(&self, least: Verbosity, text: &str) {
        if self.verbosity >= least {
            let mut stderr = AutoStream::new(io::stderr(), self.color).lock();
            // Nobody is left to tell when stderr itself is gone.
            let _ = writeln!(stderr, "{text}");
        }
    }

    /// Writes data to stdout.
    ///
    /// # Errors
    /// When stdout cannot be written; a closed pipe counts as success, as for any well-behaved filter.
    pub fn data(&self, text: &str) -> Result<(), CliError> {
        let mut stdout = AutoStream::new(io::stdout(), self.color).lock();
        // At once: taken out on the way, the colours would cut the text into a call for each line.
        let text = match stdout.current_choice() {
            ColorChoice::Never => Cow::Owned(strip_str(text).to_string()),
            _ => Cow::Borrowed(text),
        };
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(CliError::failure("failed to write to standard output").because(error))
            }
            _ => Ok(()),
        }
    }

    fn line(&self, least: Verbosity, style: Style, label: &str, message: &dyn Display) {
        if self.verbosity >= least {
            let mut stderr = AutoStream::new(io::stderr(), self.color).lock();
            // Nobody is left to tell when stderr itself is gone.
            let _ = writeln!(
                stderr,
                "{style}{label}{style:#} {}",
                escape::message(&message.to_string())
            );
        }
    }
}
