//! The verification that ends `release` and `try`: the run that was just recorded, by the same code that anybody else verifies with.

use camino::{Utf8Path, Utf8PathBuf};
use clap::Parser;
use intoto_core::limits::Limits;

use crate::cli::outside::purls;
use crate::cli::verify;
use crate::error::CliError;
use crate::escape;
use crate::exit::Exit;
use crate::foreign;
use crate::store::Run;
use crate::ui::Ui;
use crate::verification::author_tree::{AuthorTree, LAYOUT};
use crate::verification::subject;
use crate::workspace::{Member, Purl, Workspace};

/// What to verify, and by which layout.
pub(super) struct OwnRun<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) run: &'a Run,
    /// The signed layout.
    pub(super) layout: &'a Utf8Path,
    /// The public key that must have signed it; the trust store's when there is none.
    pub(super) owner: Option<&'a Utf8Path>,
    /// Whether the layout source refuses commands that are not the expected ones.
    pub(super) exact_commands: bool,
}

impl OwnRun<'_> {
    /// The artifacts on disk that the layout binds.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn artifacts(&self) -> Result<Vec<Utf8PathBuf>, CliError> {
        let limits = Limits::default();
        let layout = foreign::read(self.layout, limits.json_bytes)
            .map_err(|unread| CliError::cannot_decide(format!("the layout {} {unread}", self.layout)))?;
        let tree = AuthorTree::find(&self.workspace.root, Some(&self.workspace.target_directory))?;
        tree.artifacts(self.run.directory(), (self.layout, &layout), &limits)
    }

    /// The words of `verify` that do it, with `owner` as the key.
    fn words(&self, owner: Option<&Utf8Path>) -> Result<Vec<String>, CliError> {
        let relative = |path: &Utf8Path| path.strip_prefix(&self.workspace.root).unwrap_or(path).to_string();
        let mut words = vec!["verify".to_owned(), "--layout".to_owned(), relative(self.layout)];
        let artifacts = self.artifacts()?;
        if let Some(owner) = owner {
            words.extend(["--key".to_owned(), relative(owner)]);
        } else {
            for purl in self.subjects(&artifacts)? {
                words.extend(["--subject".to_owned(), purl.to_string()]);
            }
        }
        if self.exact_commands {
            words.push("--exact-commands".to_owned());
        }
        words.extend(["--link-dir".to_owned(), relative(self.run.directory())]);
        words.extend(artifacts.iter().map(|path| relative(path)));
        Ok(words)
    }

    /// The crates that the trust store is asked about, where the names of the files do not say which: there are programs only, or one that is not
    /// called like its crate, or a `.crate` is not for the default registry.
    fn subjects(&self, artifacts: &[Utf8PathBuf]) -> Result<Vec<Purl>, CliError> {
        let is_crate = |path: &&Utf8PathBuf| path.extension() == Some("crate");
        if !artifacts.iter().any(|path| is_crate(&path)) {
            return purls(self.workspace, self.workspace.released());
        }
        let members: Vec<&Member> = self
            .workspace
            .released()
            .filter(|member| {
                artifacts
                    .iter()
                    .filter(is_crate)
                    .any(|path| path.file_stem() == Some(&member.package.stem()))
            })
            .collect();
        let subjects = purls(self.workspace, members.iter().copied())?;
        let is_plain = members.iter().map(|member| &member.package.purl).eq(&subjects);
        let says_its_crate = |path: &Utf8PathBuf| {
            let is_output = |member: &Member| {
                path.file_name()
                    .is_some_and(|file| subject::is_output_of(file, &member.package.name))
            };
            is_crate(&path) || members.iter().any(|member| is_output(member))
        };
        let is_plain = is_plain && artifacts.iter().all(says_its_crate);
        Ok(if is_plain { Vec::new() } else { subjects })
    }

    /// The command with which somebody else verifies the same, given the same files.
    ///
    /// # Errors
    /// When there is no artifact.
    pub(super) fn command(&self, owner: &Utf8Path) -> Result<String, CliError> {
        let words = self.words(Some(owner))?;
        let words: Vec<_> = words.iter().map(|word| escape::shell(word).into_owned()).collect();
        Ok(format!("cargo-intoto {}", words.join(" ")))
    }
}

impl OwnRun<'_> {
    /// The command that packs the evidence of the run, which is the workspace's latest.
    ///
    /// # Errors
    /// When there is no artifact.
    pub(super) fn bundle_command(&self) -> Result<String, CliError> {
        let mut command = "cargo intoto bundle create".to_owned();
        let words = self.words(None)?;
        let mut words = words.iter().skip(1);
        while let Some(word) = words.next() {
            let value = match word.as_str() {
                "--exact-commands" => None,
                "--layout" | "--subject" => words.next(),
                // What it finds without being told.
                "--link-dir" => {
                    words.next();
                    continue;
                }
                _ => continue,
            };
            if value.is_some_and(|value| value == LAYOUT) {
                continue;
            }
            for word in [Some(word), value].into_iter().flatten() {
                command.push(' ');
                command.push_str(&escape::shell(word));
            }
        }
        Ok(command)
    }
}

/// Verifies the run; the current directory is the workspace's root.
///
/// # Errors
/// As `verify`.
pub(super) fn verify_run(own: &OwnRun<'_>, ui: &Ui) -> Result<Exit, CliError> {
    /// The words of `verify` alone.
    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        args: verify::Args,
    }
    let words = Words::try_parse_from(own.words(own.owner)?)
        .map_err(|error| CliError::failure("failed to verify what was recorded").because(error))?;
    verify::run(words.args, ui)
}
