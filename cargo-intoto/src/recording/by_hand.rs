//! A step that no single command does: what is there before the work goes into a link that is begun, what is there after it finishes it.
//!
//! The work may change the tree, so the link stays with the run in which it was begun, and the tree is not compared: what changed are
//! the products. The begun link is signed, so that nobody else's finds its way into the finished one.

use std::fs;

use camino::Utf8PathBuf;
use intoto_core::encoding::Value;
use intoto_core::envelope::SignError;
use intoto_core::key::Signer;
use intoto_core::link::Link;
use intoto_core::name::{KeyId, StepName};
use intoto_core::payload::Payload;
use intoto_core::record::{LinkForm, Observation, link_files};
use serde_json::json;

use crate::collect::overrides;
use crate::error::CliError;
use crate::exec::process_group;
use crate::finding::CargoCode;
use crate::recording::choice::{EXCLUDES, LINE_ENDINGS};
use crate::recording::{Choice, Context, Settings, core_object, core_value, environment};
use crate::settings;
use crate::signing::{SignedFile, StepSigner};
use crate::store::{LinkStore, Run, atomic};
use crate::ui::{Ui, count};

/// More runs than this are not looked through for a link that was begun.
const MAX_RUNS: usize = 10_000;

/// What both halves are told.
pub(crate) struct ByHand<'h> {
    /// The step.
    pub(crate) step: &'h StepName,
    /// Files, directories and URIs: the materials, then the products.
    pub(crate) paths: &'h [String],
    /// How they are chosen, named and hashed.
    pub(crate) choice: &'h Choice,
}

impl ByHand<'_> {
    /// Looks at the workspace as it is.
    ///
    /// # Errors
    /// When there is none, or what is to be recorded makes no sense.
    pub(crate) fn open<'a>(&self, ui: &'a Ui, words: &[String], settings: &Settings) -> Result<Context<'a>, CliError> {
        process_group::forbid_inspection();
        self.choice.check()?;
        let context = Context::open(ui, words, settings, false)?;
        if !settings.allow_wrapper {
            overrides::refuse(&context.overrides)?;
        }
        Ok(context)
    }

    /// Hashes the materials and writes the begun link, once for each key.
    ///
    /// # Errors
    /// When a material cannot be recorded, or the link not be signed or written.
    pub(crate) fn start(
        &self,
        context: &Context<'_>,
        open: impl FnOnce() -> Result<Vec<StepSigner>, CliError>,
        form: LinkForm,
    ) -> Result<(), CliError> {
        context.run.join()?;
        let _lock = context.run.lock()?;
        if let Some(missing) = self.choice.missing(self.paths)? {
            return Err(CliError::usage(format!(
                "there is no file or directory {missing} to be a material"
            )));
        }
        let materials = self.choice.artifacts(context, self.paths)?;
        let counts = count(materials.len(), "material");
        let mut observation = Observation::of(self.step.clone());
        observation.materials = materials.into_map();
        let mut describing = environment::of_every_step(context, None);
        describing.extend(self.choice.describe(&context.naming));
        observation.environment = core_object(describing);
        let link = observation.into_link();
        for signer in open()? {
            let path = context.run.directory().join(self.unfinished(signer.key_id()));
            if path.exists() {
                context.ui.warn(format!(
                    "`{}` had been begun by this key already, and is begun anew",
                    self.step
                ));
            }
            atomic::write(&path, &self.sign(&link, &signer, form)?, &context.run.scratch())?;
            context.ui.status(
                "Begun",
                format!("{}: {counts}, by key {}", self.step, signer.key_id().short()),
            );
        }
        Ok(())
    }

    /// Hashes the products, puts them into the link that each key began, and writes it.
    ///
    /// # Errors
    /// When there is no link that this key began, it is not what this key signed, or a product cannot be recorded.
    pub(crate) fn stop(
        &self,
        context: &Context<'_>,
        open: impl FnOnce() -> Result<Vec<StepSigner>, CliError>,
    ) -> Result<(), CliError> {
        if let Some(missing) = self.choice.missing(self.paths)? {
            return Err(CliError::refused(
                CargoCode::ProductMissing,
                format!("`{}` made no file or directory {missing}", self.step),
            ));
        }
        let products = self.choice.artifacts(context, self.paths)?;
        let mut finished = Vec::new();
        for signer in open()? {
            let (run, path) = self.find(context, signer.key_id())?;
            let (mut link, form) = self.begun(&path, &signer)?;
            link.products = products.clone().into_map().into();
            self.describe_products(context, &mut link);
            finished.push((
                run,
                path,
                self.sign(&link, &signer, form)?,
                signer,
                link.materials.len(),
            ));
        }
        for (run, path, bytes, signer, materials) in finished {
            let _lock = run.lock()?;
            run.links().write(&self.step.link_file(signer.key_id()), &bytes)?;
            fs::remove_file(&path)
                .map_err(|error| CliError::failure(format!("failed to remove {path}")).because(error))?;
            let counts = format!("{}, {}", count(materials, "material"), count(products.len(), "product"));
            context.ui.status(
                "Signed",
                format!("{}: {counts}, by key {}", self.step, signer.key_id().short()),
            );
        }
        Ok(())
    }

    /// Says in the link how the products were chosen, where that is not how the materials were.
    fn describe_products(&self, context: &Context<'_>, link: &mut Link) {
        let Value::Object(environment) = &mut link.environment else {
            return;
        };
        let mut chosen = self.choice.describe(&context.naming);
        for (member, usual) in [(EXCLUDES, json!([])), (LINE_ENDINGS, json!("kept"))] {
            let of_products = core_value(chosen.remove(member).unwrap_or_else(|| usual.clone()));
            let of_materials = environment.get(member).cloned().unwrap_or_else(|| core_value(usual));
            if of_products != of_materials {
                environment.insert(format!("{member}-of-products"), of_products);
            }
        }
    }

    /// The name of a link that is begun, as the reference implementation has it.
    fn unfinished(&self, key_id: &KeyId) -> String {
        format!(".{}.{}.link-unfinished", self.step, key_id.short())
    }

    fn sign(&self, link: &Link, signer: &StepSigner, form: LinkForm) -> Result<Vec<u8>, CliError> {
        let failed =
            |error: SignError| CliError::failure(format!("failed to sign the link of `{}`", self.step)).because(error);
        let signers: [(&dyn Signer, KeyId); 1] = [(signer.signer(), signer.key_id().clone())];
        let files = link_files(link, &signers, form).map_err(failed)?;
        Ok(files.into_iter().next().expect("one signer makes one file").bytes)
    }

    /// The run in which this key began the step.
    fn find(&self, context: &Context<'_>, key_id: &KeyId) -> Result<(Run, Utf8PathBuf), CliError> {
        let name = self.unfinished(key_id);
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
            (None, _) => Err(CliError::cannot_decide(format!(
                "nobody began the step `{}` with the key {}",
                self.step,
                key_id.short()
            ))
            .hint("`cargo intoto record start` begins it, with the same key and in the same form of its id")),
            (Some((_, path)), others) => Err(CliError::cannot_decide(format!(
                "the step `{}` was begun in {} runs with the key {}: {path} is one of them",
                self.step,
                others + 1,
                key_id.short()
            ))
            .hint("remove those that are not meant")),
        }
    }

    /// The link that was begun, and the form it was written in.
    fn begun(&self, path: &Utf8PathBuf, signer: &StepSigner) -> Result<(Link, LinkForm), CliError> {
        let file = SignedFile::read(path)?;
        let failed =
            |why: &str| CliError::refused(CargoCode::BegunLinkDiffers, format!("failed to finish {path}: {why}"));
        let envelope = file.envelope()?;
        envelope
            .verify_at(
                signer.signer().public_key(),
                std::slice::from_ref(signer.key_id()),
                settings::now()?,
            )
            .map_err(|error| failed("it is not what this key signed").because(error))?;
        let (link, form) = match file.payload()? {
            Payload::Link(link) => (link, LinkForm::Link(envelope.container())),
            Payload::Statement(link) => (link, LinkForm::Statement),
            Payload::Layout(_) => return Err(failed("it holds a layout")),
        };
        if link.name != *self.step {
            return Err(failed(&format!("it is the link of the step `{}`", link.name)));
        }
        Ok((link, form))
    }
}
