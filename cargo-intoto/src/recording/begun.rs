//! Links that were begun: where they lie, and whether they are what whoever finishes them began.

use std::fs;
use std::io::ErrorKind;

use camino::Utf8PathBuf;
use intoto_core::encoding::Value;
use intoto_core::limits::Limits;
use intoto_core::link::Link;
use intoto_core::name::{KeyId, StepName};
use intoto_core::payload::Payload;
use intoto_core::record::LinkForm;

use crate::error::CliError;
use crate::finding::CargoCode;
use crate::foreign;
use crate::recording::Context;
use crate::settings;
use crate::signing::{Content, Signatory, SignedBundle, SignedFile, StepSigner, Witness};
use crate::store::Run;

/// More runs than this are not looked through for a link that was begun.
const MAX_RUNS: usize = 10_000;
/// More bundles than this are not verified to find one's own: people begin a step once, each of them.
const MAX_BUNDLES: usize = 100;

/// The end of the names of begun links, as the reference implementation has it.
const UNFINISHED: &str = ".link-unfinished";
/// Behind the name of one that an identity began: its bundle.
pub(super) const BUNDLE: &str = ".sigstore.json";

/// The begun links of a step.
pub(super) struct Begun<'b> {
    /// The step.
    pub(super) step: &'b StepName,
}

impl Begun<'_> {
    /// The name of a link that is begun under this id.
    pub(super) fn file(&self, key_id: &KeyId) -> String {
        format!(".{}.{}{UNFINISHED}", self.step, key_id.short())
    }

    /// The run in which this key began the step.
    pub(super) fn by_key(&self, context: &Context<'_>, key_id: &KeyId) -> Result<(Run, Utf8PathBuf), CliError> {
        let name = self.file(key_id);
        let runs = context.run.all(MAX_RUNS)?;
        let mut found: Vec<(Run, Utf8PathBuf)> = runs
            .into_iter()
            .map(|run| {
                let path = run.directory().join(&name);
                (run, path)
            })
            .filter(|(_, path)| path.is_file())
            .collect();
        match (found.pop(), found.len()) {
            (Some(only), 0) => Ok(only),
            (None, _) => Err(self.nobody(&format!("the key {}", key_id.short()))),
            (Some((_, path)), others) => Err(self.several(&format!("the key {}", key_id.short()), others + 1, &path)),
        }
    }

    /// The link that this signatory began, verified.
    pub(super) fn by_signatory(
        &self,
        context: &Context<'_>,
        signatory: &Signatory,
        witness: &dyn Witness,
    ) -> Result<(Run, Utf8PathBuf, Link), CliError> {
        let key = match signatory {
            Signatory::Key(key) => Some(key.clone()),
            Signatory::Identity { .. } => None,
        };
        let (mut own, mut refused) = (Vec::new(), None);
        for (run, path) in self.bundled(context)? {
            let read = |path: &Utf8PathBuf| {
                let bytes = foreign::read(path, Limits::default().json_bytes);
                bytes.map_err(|unread| unread.about(format_args!("`{path}`")))
            };
            let (json, bytes) = match (read(&Utf8PathBuf::from(format!("{path}{BUNDLE}"))), read(&path)) {
                (Ok(json), Ok(bytes)) => (json, bytes),
                (Err(error), _) | (_, Err(error)) => {
                    refused = Some(differs(&path, "it and its bundle cannot be read").because(error));
                    continue;
                }
            };
            let bundle = SignedBundle { json, key: key.clone() };
            match witness.look(&bundle, Content::File(&bytes)) {
                Ok(shown) if shown.signatory == *signatory => own.push((run, path, bytes)),
                // Somebody else has begun it, too.
                Ok(_) => {}
                Err(error) => refused = Some(differs(&path, "its bundle does not verify").because(error)),
            }
        }
        let (run, path, bytes) = match (own.pop(), own.len()) {
            (Some(only), 0) => only,
            (None, _) => return Err(refused.unwrap_or_else(|| self.nobody(&signatory.to_string()))),
            (Some((_, path, _)), others) => return Err(self.several(&signatory.to_string(), others + 1, &path)),
        };
        let file = SignedFile::of(path, bytes);
        let (link, _) = self.link(&run, &file)?;
        Ok((run, file.path().to_owned(), link))
    }

    /// Every begun link that has a bundle.
    fn bundled(&self, context: &Context<'_>) -> Result<Vec<(Run, Utf8PathBuf)>, CliError> {
        let (start, end) = (format!(".{}.", self.step), format!("{UNFINISHED}{BUNDLE}"));
        let mut found = Vec::new();
        for run in context.run.all(MAX_RUNS)? {
            let directory = run.directory();
            let entries = match directory.read_dir_utf8() {
                Ok(entries) => entries,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(CliError::failure(format!("failed to list {directory}")).because(error)),
            };
            for entry in entries.flatten() {
                // A step's name may have dots: what stands between them is the short id and nothing else.
                let id = entry
                    .file_name()
                    .strip_prefix(&start)
                    .and_then(|rest| rest.strip_suffix(&end));
                let is_regular = fs::symlink_metadata(entry.path()).is_ok_and(|metadata| metadata.is_file());
                let path = entry.path().as_str().strip_suffix(BUNDLE);
                if let (Some(path), true) = (path, is_regular && id.is_some_and(|id| !id.contains('.'))) {
                    found.push((run.clone(), path.into()));
                }
            }
        }
        if found.len() > MAX_BUNDLES {
            return Err(CliError::cannot_decide(format!(
                "the step `{}` was begun more than {MAX_BUNDLES} times",
                self.step
            ))
            .hint("remove those that are not meant"));
        }
        Ok(found)
    }

    /// The link that this key began, verified, and the form it was written in.
    pub(super) fn signed(
        &self,
        run: &Run,
        path: &Utf8PathBuf,
        signer: &StepSigner,
    ) -> Result<(Link, LinkForm), CliError> {
        let file = SignedFile::read(path)?;
        file.envelope()?
            .verify_at(
                signer.signer().public_key(),
                std::slice::from_ref(signer.key_id()),
                settings::now()?,
            )
            .map_err(|error| differs(path, "it is not what this key signed").because(error))?;
        self.link(run, &file)
    }

    /// The link in a file that was verified, if it is of this step and run: the same signer has begun others.
    fn link(&self, run: &Run, file: &SignedFile) -> Result<(Link, LinkForm), CliError> {
        let path = file.path();
        let container = file.envelope()?.container();
        let (link, form) = match file.payload()? {
            Payload::Link(link) => (link, LinkForm::Link(container)),
            Payload::Statement(link) => (link, LinkForm::Statement),
            Payload::Layout(_) => return Err(differs(path, "it holds a layout")),
        };
        if link.name != *self.step {
            return Err(differs(path, &format!("it is the link of the step `{}`", link.name)));
        }
        let of_run = match &link.environment {
            Value::Object(environment) => environment.get("run").and_then(Value::as_str),
            _ => None,
        };
        if of_run != Some(run.id().as_str()) {
            return Err(differs(path, "it was begun in another run"));
        }
        Ok((link, form))
    }

    fn nobody(&self, who: &str) -> CliError {
        CliError::cannot_decide(format!("nobody began the step `{}` with {who}", self.step)).hint(
            "`cargo intoto record start` begins it, with the same key or identity, and in the same form of a key's id",
        )
    }

    fn several(&self, who: &str, runs: usize, path: &Utf8PathBuf) -> CliError {
        CliError::cannot_decide(format!(
            "the step `{}` was begun {runs} times with {who}: {path} is one of them",
            self.step
        ))
        .hint("remove those that are not meant")
    }
}

fn differs(path: &camino::Utf8Path, why: &str) -> CliError {
    CliError::refused(CargoCode::BegunLinkDiffers, format!("failed to finish {path}: {why}"))
}
