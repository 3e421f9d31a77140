//! Verdicts as text, one file per format; foreign text is made fit to show by `escape`.

mod findings;
pub mod human;
pub mod json;

use clap::ValueEnum;

/// The formats of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Human,
    /// For programs: docs/verdict.schema.json describes it
    Json,
}
