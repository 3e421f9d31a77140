//! The files that a user chooses for a step: which, under which names, hashed how.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use crate::collect::named::{DirectoryLinks, Excludes, LineEnds, Manner, Named, Prefixes, Selection};
use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::naming::Naming;
use crate::recording::{Artifacts, Context};
use crate::ui::Ui;

/// What is never recorded unless a pattern takes it back: git's own files are no part of anybody's step.
const ALWAYS: &str = ".git";
/// The member of a link's environment that says what was left out.
pub(super) const EXCLUDES: &str = "excludes";
/// And the one that says that line ends were changed before hashing.
pub(super) const LINE_ENDINGS: &str = "line-endings";

/// How a user wants files chosen. Nothing of it comes from a file of the tree or from the environment.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Patterns of what is left out, beside git's own files.
    pub excludes: Vec<String>,
    /// Where paths begin, and names too. Without it paths begin in the current directory, and names at the workspace's root.
    pub base: Option<Utf8PathBuf>,
    /// What is cut off names.
    pub prefixes: Vec<String>,
    /// What becomes of line ends.
    pub line_ends: LineEnds,
    /// What becomes of links to directories.
    pub directory_links: DirectoryLinks,
}

impl Choice {
    /// Checks what can be checked before anything runs.
    ///
    /// # Errors
    /// When a pattern cannot be used, or one prefix begins with another.
    pub fn check(&self) -> Result<(), CliError> {
        Excludes::new(self.excludes())?;
        Prefixes::new(self.prefixes.clone())?;
        Ok(())
    }

    /// What a link says about the choice: a file that is not in it may have been left out.
    pub(crate) fn describe(&self, naming: &Naming) -> Map<String, Value> {
        let mut environment = Map::new();
        environment.insert(
            EXCLUDES.to_owned(),
            self.excludes().map(|pattern| naming.pattern(pattern)).collect(),
        );
        if self.line_ends == LineEnds::Normal {
            environment.insert(LINE_ENDINGS.to_owned(), json!("normalized"));
        }
        environment
    }

    /// The artifacts that the words name, in the workspace of a step.
    ///
    /// # Errors
    /// When one is missing, ambiguous or not to be read.
    pub(crate) fn artifacts(&self, context: &Context<'_>, uris: &[String]) -> Result<Artifacts, CliError> {
        let runs = context.run.directory().parent().unwrap_or(context.run.directory());
        let root = &context.workspace.root;
        let base = self.base()?;
        let name = |path: &str| {
            let place = base.join(path);
            Ok(if self.base.is_some() {
                path.to_owned()
            } else if place == *root {
                ".".to_owned()
            } else {
                context.naming.artifact(&place)
            })
        };
        let named = self.select(uris, &base, &[runs.to_owned()], &name, &context.hashing())?;
        let mut artifacts = Artifacts::default();
        for (name, digest) in named.artifacts {
            artifacts.insert(&name, digest)?;
        }
        Ok(artifacts)
    }

    /// The artifacts that the words name, under their paths below the base.
    ///
    /// # Errors
    /// As [`Choice::artifacts`].
    pub(crate) fn named(&self, uris: &[String], ui: &Ui) -> Result<Named, CliError> {
        let name = |path: &str| Ok(path.to_owned());
        self.select(uris, &self.base()?, &[], &name, &Progress::new(ui, "Hashing"))
    }

    /// The first of the words that names a file or directory that is not there.
    ///
    /// # Errors
    /// When the base is no usable path.
    pub(crate) fn missing<'u>(&self, uris: &'u [String]) -> Result<Option<&'u str>, CliError> {
        let base = self.base()?;
        let is_missing = |uri: &&str| Selection::path_of(uri).is_some_and(|path| !base.join(path).exists());
        Ok(uris.iter().map(String::as_str).find(is_missing))
    }

    fn excludes(&self) -> impl Iterator<Item = &str> {
        std::iter::once(ALWAYS).chain(self.excludes.iter().map(String::as_str))
    }

    fn base(&self) -> Result<Utf8PathBuf, CliError> {
        let base = self.base.as_deref().unwrap_or(Utf8Path::new("."));
        let absolute = std::path::absolute(base).ok();
        absolute
            .and_then(|path| Utf8PathBuf::try_from(path).ok())
            .ok_or_else(|| CliError::usage(format!("{base} is no usable path")))
    }

    fn select(
        &self,
        uris: &[String],
        base: &Utf8Path,
        skipped: &[Utf8PathBuf],
        name: &(dyn Fn(&str) -> Result<String, CliError> + Sync),
        progress: &Progress,
    ) -> Result<Named, CliError> {
        Selection {
            excludes: &Excludes::new(self.excludes())?,
            base,
            prefixes: &Prefixes::new(self.prefixes.clone())?,
            line_ends: self.line_ends,
            directory_links: self.directory_links,
            manner: Manner::Strict,
            skipped,
            name,
        }
        .record(uris, progress)
    }
}
