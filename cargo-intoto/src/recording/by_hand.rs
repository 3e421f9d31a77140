//! A step that no single command does: what is there before the work goes into a link that is begun, what is there after it finishes it.
//!
//! The work may change the tree, so the link stays with the run in which it was begun, and the tree is not compared: what changed are
//! the products. The begun link is signed, so that nobody else's finds its way into the finished one: by the key itself, or, for an identity,
//! by a Sigstore bundle beside it. No secret is kept between the halves, which whoever works there could use.

use std::fs;

use camino::Utf8PathBuf;
use intoto_core::encoding::Value;
use intoto_core::envelope::{self, SignError};
use intoto_core::key::Signer;
use intoto_core::link::Link;
use intoto_core::name::{KeyId, StepName};
use intoto_core::record::{LinkForm, Observation, link_files};
use serde_json::json;

use crate::collect::overrides;
use crate::error::CliError;
use crate::exec::process_group;
use crate::finding::CargoCode;
use crate::recording::begun::{self, Begun};
use crate::recording::choice::{EXCLUDES, LINE_ENDINGS};
use crate::recording::{Choice, Context, Settings, core_object, core_value, environment, seal};
use crate::signing::{Bundles, Content, Signatory, StepSigner, check_subject};
use crate::store::{LinkStore, Run, atomic};
use crate::ui::{Ui, count};

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

    /// Hashes the materials and writes the begun link, once for each key and identity.
    ///
    /// # Errors
    /// When a material cannot be recorded, or the link not be signed or written.
    pub(crate) fn start(
        &self,
        context: &Context<'_>,
        signers: &BothHalves<'_>,
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
        let begun = Begun { step: self.step };
        let write = |name: &str, files: &[(&str, &[u8])]| {
            let path = context.run.directory().join(name);
            if path.exists() {
                context.ui.warn(format!(
                    "`{}` had been begun by this signer already, and is begun anew",
                    self.step
                ));
            }
            for (end, bytes) in files {
                atomic::write(
                    &Utf8PathBuf::from(format!("{path}{end}")),
                    bytes,
                    &context.run.scratch(),
                )?;
            }
            Ok::<(), CliError>(())
        };
        // First what may fail because somebody else does.
        let unsigned =
            envelope::unsigned(&form.payload(&link), form.container()).map_err(|error| self.unsigned(error))?;
        let bundles = match signers.bundles {
            Some(bundles) => bundles.sign(Content::File(&unsigned), context.ui)?,
            None => Vec::new(),
        };
        for signer in (signers.open)()? {
            let bytes = self.sign(&link, &signer, form)?;
            write(&begun.file(signer.key_id()), &[("", &bytes)])?;
            context.ui.status(
                "Begun",
                format!("{}: {counts}, by key {}", self.step, signer.key_id().short()),
            );
        }
        for bundle in bundles {
            let files = [("", unsigned.as_slice()), (begun::BUNDLE, &bundle.json)];
            write(&begun.file(&bundle.key_id), &files)?;
            context
                .ui
                .status("Begun", format!("{}: {counts}, by {}", self.step, bundle.signatory));
        }
        Ok(())
    }

    /// Hashes the products, puts them into the link that each key and identity began, and writes it.
    ///
    /// # Errors
    /// When there is no link that this signer began, it is not what this signer signed, or a product cannot be recorded.
    pub(crate) fn stop(&self, context: &Context<'_>, signers: &BothHalves<'_>) -> Result<(), CliError> {
        if let Some(missing) = self.choice.missing(self.paths)? {
            return Err(CliError::refused(
                CargoCode::ProductMissing,
                format!("`{}` made no file or directory {missing}", self.step),
            ));
        }
        let products = self.choice.artifacts(context, self.paths)?;
        let begun = Begun { step: self.step };
        let finish = |mut link: Link| {
            link.products = products.clone().into_map().into();
            self.describe_products(context, &mut link);
            link
        };
        let mut finished = Vec::new();
        if let Some(bundles) = &signers.bundles {
            // What nobody could verify is refused before anybody is asked for a certificate.
            check_subject(&seal::statement_bytes(&finish(
                Observation::of(self.step.clone()).into_link(),
            ))?)?;
            let mut found = Vec::new();
            let mut make = |signatory: &Signatory| {
                let (run, path, link) = begun.by_signatory(context, signatory, bundles.witness)?;
                let materials = link.materials.len();
                let statement = seal::statement_bytes(&finish(link))?;
                found.push((run, path, materials));
                Ok(statement)
            };
            let made = bundles.sign_for(&mut make, context.ui)?;
            finished.extend(
                found
                    .into_iter()
                    .zip(made)
                    .map(|((run, path, materials), bundle)| Finished {
                        run,
                        begun: vec![path.clone(), Utf8PathBuf::from(format!("{path}{}", begun::BUNDLE))],
                        name: self.step.sigstore_file(&bundle.key_id),
                        bytes: bundle.json,
                        materials,
                        by: bundle.signatory.to_string(),
                    }),
            );
        }
        for signer in (signers.open)()? {
            let (run, path) = begun.by_key(context, signer.key_id())?;
            let (link, form) = begun.signed(&run, &path, &signer)?;
            let link = finish(link);
            finished.push(Finished {
                run,
                begun: vec![path],
                name: self.step.link_file(signer.key_id()),
                bytes: self.sign(&link, &signer, form)?,
                materials: link.materials.len(),
                by: format!("key {}", signer.key_id().short()),
            });
        }
        for link in finished {
            let _lock = link.run.lock()?;
            link.run.links().write(&link.name, &link.bytes)?;
            for path in &link.begun {
                fs::remove_file(path)
                    .map_err(|error| CliError::failure(format!("failed to remove {path}")).because(error))?;
            }
            let counts = format!(
                "{}, {}",
                count(link.materials, "material"),
                count(products.len(), "product")
            );
            context
                .ui
                .status("Signed", format!("{}: {counts}, by {}", self.step, link.by));
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

    fn sign(&self, link: &Link, signer: &StepSigner, form: LinkForm) -> Result<Vec<u8>, CliError> {
        let signers: [(&dyn Signer, KeyId); 1] = [(signer.signer(), signer.key_id().clone())];
        let files = link_files(link, &signers, form).map_err(|error| self.unsigned(error))?;
        Ok(files.into_iter().next().expect("one signer makes one file").bytes)
    }

    fn unsigned(&self, error: SignError) -> CliError {
        CliError::failure(format!("failed to sign the link of `{}`", self.step)).because(error)
    }
}

/// Who signs both halves.
pub(crate) struct BothHalves<'a> {
    /// Opens the keys.
    pub(crate) open: &'a dyn Fn() -> Result<Vec<StepSigner>, CliError>,
    /// Who signs by Sigstore.
    pub(crate) bundles: Option<Bundles<'a>>,
}

/// A link that is signed, and not yet in its place.
struct Finished {
    run: Run,
    /// What is in the way then.
    begun: Vec<Utf8PathBuf>,
    name: String,
    bytes: Vec<u8>,
    materials: usize,
    by: String,
}
