//! The verification before anything is published: a verdict for each crate, and one for the release. It is the gate's own decision.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::limits::Limits;

use crate::collect::crate_file::CrateFile;
use crate::error::CliError;
use crate::exit::Exit;
use crate::foreign;
use crate::gate::{self, Question, Registry, Terms, Upload};
use crate::report;
use crate::ui::Ui;
use crate::verification::Report;
use crate::verification::author_tree::AuthorTree;

/// By which evidence, where the crates lie, and for which registry.
#[derive(Debug)]
pub(super) struct ReleaseCheck<'a> {
    /// By what is decided.
    pub(super) terms: &'a Terms,
    /// Where cargo puts what it builds.
    pub(super) target: &'a Utf8Path,
    /// Where the crates are to be uploaded.
    pub(super) registry: &'a Registry,
}

impl ReleaseCheck<'_> {
    /// The `.crate`s that the links say were made, as they lie in the target directory, by `NAME-VERSION`.
    ///
    /// # Errors
    /// When the layout cannot be read, or one of them is gone.
    pub(super) fn artifacts(&self) -> Result<BTreeMap<String, Utf8PathBuf>, CliError> {
        let limits = Limits::default();
        let layout = foreign::read(&self.terms.layout, limits.json_bytes)
            .map_err(|unread| unread.about(format_args!("the layout {}", self.terms.layout)))?;
        let tree = AuthorTree::find(&self.terms.root, Some(self.target))?;
        let paths = tree.artifacts(&self.terms.links, (&self.terms.layout, &layout), &limits)?;
        Ok(paths
            .into_iter()
            .filter(|path| path.extension() == Some("crate"))
            .filter_map(|path| Some((path.file_stem()?.to_owned(), path)))
            .collect())
    }

    /// Verifies these crates, each alone and all together, and tells the verdict: the last one, or the first that is not good.
    ///
    /// # Errors
    /// When nothing can be decided.
    pub(super) fn verify(&self, crates: &[(&str, &str, &CrateFile)], ui: &Ui) -> Result<Exit, CliError> {
        let uploads = crates
            .iter()
            .map(|(name, version, file)| Upload::new(name, version, file.sha256()))
            .collect::<Result<Vec<_>, _>>()?;
        if uploads.len() > 1 {
            for upload in &uploads {
                let report = self.decide(std::slice::from_ref(upload), ui)?;
                if report.exit() != Exit::Success {
                    return told(&report, ui);
                }
                ui.status("Verified", upload.file_name());
            }
        }
        told(&self.decide(&uploads, ui)?, ui)
    }

    fn decide(&self, uploads: &[Upload], ui: &Ui) -> Result<Report, CliError> {
        let question = Question {
            registry: self.registry,
            uploads,
            following: &[],
            directories: &[self.target.join("package")],
            terms: self.terms,
        };
        gate::decide(&question, ui)
    }
}

fn told(report: &Report, ui: &Ui) -> Result<Exit, CliError> {
    ui.data(&report::human::render(report, ui.verbosity()))?;
    Ok(report.exit())
}
