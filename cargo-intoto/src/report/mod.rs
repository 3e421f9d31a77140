//! Verdicts as text, one file per format; foreign text is made fit to show by `escape` and what each format adds to it.

pub mod bundled;
mod codes;
pub mod comparison;
mod findings;
mod github;
mod gitlab;
pub mod human;
pub mod json;
mod markdown;
mod reasons;
mod sarif;
pub(crate) mod words;

use clap::ValueEnum;

use crate::error::CliError;
use crate::ui::Verbosity;
use crate::verification::Report;
use findings::Told;

pub use reasons::reasons;

/// The formats of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// For programs: docs/verdict.schema.json describes it
    Json,
    /// Annotations, as workflow commands of GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Markdown, for job summaries and comments
    Markdown,
    /// GitLab's code quality report
    Gitlab,
}

/// A report in a format.
pub fn render(report: &Report, format: Format, verbosity: Verbosity) -> String {
    match format {
        Format::Human => human::render(report, verbosity),
        Format::Json => json::render(report),
        Format::Github => github::render(&Told::verdict(report), verbosity),
        Format::Sarif => sarif::render(&Told::verdict(report)),
        Format::Markdown => markdown::render(&Told::verdict(report)),
        Format::Gitlab => gitlab::render(&Told::verdict(report)),
    }
}

/// What a format says in place of a report, when an error came before any verdict: somebody who reads nothing else must not take silence for
/// a pass. The error itself is told on the terminal, which is all that people and readers of the JSON need.
pub fn render_error(error: &CliError, format: Format, verbosity: Verbosity) -> Option<String> {
    let told = Told::error(error);
    match format {
        Format::Human | Format::Json => None,
        Format::Github => Some(github::render(&told, verbosity)),
        Format::Sarif => Some(sarif::render(&told)),
        Format::Markdown => Some(markdown::render(&told)),
        Format::Gitlab => Some(gitlab::render(&told)),
    }
}
