//! How a verdict is told: on standard output in one format, and into files in others.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::str::FromStr;

use camino::Utf8PathBuf;
use clap::ValueEnum;

use crate::error::CliError;
use crate::report::{self, Format};
use crate::ui::{Ui, Verbosity};
use crate::verification::Report;

/// The options of every command that ends with a verdict.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportingArgs {
    /// How to report: human, json (as docs/verdict.schema.json says), github, sarif, markdown, gitlab
    #[arg(long, value_name = "FORMAT", default_value = "human", help_heading = "Report")]
    format: Format,
    /// Write a report to a file besides, as in `sarif=intoto.sarif`; may be repeated
    #[arg(long = "report", value_name = "FORMAT=FILE", help_heading = "Report")]
    reports: Vec<ReportFile>,
    /// Append the Markdown report to a file, such as "$GITHUB_STEP_SUMMARY"
    #[arg(long, value_name = "FILE", help_heading = "Report")]
    summary: Option<Utf8PathBuf>,
}

/// A file that gets a report.
#[derive(Debug, Clone)]
struct ReportFile {
    format: Format,
    path: Utf8PathBuf,
}

impl FromStr for ReportFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text
            .split_once('=')
            .filter(|(_, path)| !path.is_empty())
            .ok_or("it is not of the form FORMAT=FILE")?;
        Ok(Self {
            format: Format::from_str(format, false).map_err(|_| format!("there is no format `{format}`"))?,
            path: path.into(),
        })
    }
}

impl ReportingArgs {
    /// Tells the verdict, or what stands in its place.
    ///
    /// # Errors
    /// When a file or standard output cannot be written; whatever the verdict is, nobody is told of it then.
    pub(crate) fn tell(&self, verdict: &Result<Report, CliError>, ui: &Ui) -> Result<(), CliError> {
        // Files are complete whatever the terminal asked for.
        let render = |format, verbosity| match verdict {
            Ok(report) => Some(report::render(report, format, verbosity)),
            Err(error) => report::render_error(error, format, verbosity),
        };
        let mut failed = Ok(());
        for file in &self.reports {
            let text = render(file.format, Verbosity::Normal).unwrap_or_default();
            let written = fs::write(&file.path, without_colours(file.format, &text));
            failed = failed.and(written.map_err(|error| (&file.path, error)));
        }
        if let Some(path) = &self.summary {
            let text = render(Format::Markdown, Verbosity::Normal).unwrap_or_default();
            let appended = OpenOptions::new().create(true).append(true).open(path);
            let appended = appended.and_then(|mut file| file.write_all(text.as_bytes()));
            failed = failed.and(appended.map_err(|error| (path, error)));
        }
        if let Some(text) = render(self.format, ui.verbosity()) {
            ui.data(&text)?;
        }
        match failed {
            Ok(()) => Ok(()),
            Err((path, error)) => {
                let message = format!("failed to write the report {path}");
                // An error that came first is the one to end with.
                match verdict {
                    Ok(_) => Err(CliError::failure(message).because(error)),
                    Err(_) => {
                        ui.warn(format!("{message}: {error}"));
                        Ok(())
                    }
                }
            }
        }
    }
}

/// The report for people is coloured for the terminal, which takes colours out where they have no place; a file has none at all.
fn without_colours(format: Format, text: &str) -> String {
    match format {
        Format::Human | Format::Github => anstream::adapter::strip_str(text).to_string(),
        Format::Json | Format::Sarif | Format::Markdown | Format::Gitlab => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_with_their_format() {
        for (text, expected) in [
            ("sarif=a=b.sarif", Ok((Format::Sarif, "a=b.sarif"))),
            ("json=x", Ok((Format::Json, "x"))),
            ("sarif=", Err("it is not of the form FORMAT=FILE")),
            ("x.sarif", Err("it is not of the form FORMAT=FILE")),
            ("xml=a", Err("there is no format `xml`")),
        ] {
            let parsed = text.parse::<ReportFile>();
            let found = parsed.as_ref().map(|file| (file.format, file.path.as_str()));
            assert_eq!(found.map_err(String::as_str), expected, "{text}");
        }
    }
}
