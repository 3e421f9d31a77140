//! From an observation to a link in the store. Keys are open here and no foreign process runs.

use intoto_core::envelope::{self, Container};
use intoto_core::key::Signer;
use intoto_core::link::Link;
use intoto_core::name::{KeyId, StepName};
use serde_json::Value as Json;

use crate::error::CliError;
use crate::recording::{Outcome, core_value};
use crate::signing::StepSigner;
use crate::store::{LinkStore, Run};
use crate::ui::Ui;

/// Who signs, and in which form.
#[derive(Clone, Copy)]
pub(crate) struct Signing<'a> {
    /// The keys; without any the link is left for `sign`.
    pub(crate) signers: &'a [StepSigner],
    /// The form of the file.
    pub(crate) container: Container,
}

/// Makes the link of `outcome`, once for each key, and puts it into `run`.
///
/// # Errors
/// When it cannot be signed or written.
pub(crate) fn seal(ui: &Ui, run: &Run, outcome: Outcome, signing: &Signing<'_>) -> Result<Vec<String>, CliError> {
    let step: StepName = outcome
        .step
        .parse()
        .map_err(|error| CliError::usage(format!("{:?} cannot be the name of a step", outcome.step)).because(error))?;
    let counts = format!(
        "{} materials, {} products",
        outcome.observed.materials.len(),
        outcome.observed.products.len()
    );
    let link = Link {
        name: step.clone(),
        command: outcome.command,
        materials: outcome.observed.materials.into_map().into(),
        products: outcome.observed.products.into_map().into(),
        byproducts: core_value(Json::Object(outcome.observed.byproducts)),
        environment: core_value(Json::Object(outcome.observed.environment)),
    }
    .to_value();
    let failed =
        |error: envelope::SignError| CliError::failure(format!("failed to sign the link of `{step}`")).because(error);
    if signing.signers.is_empty() {
        let bytes = envelope::unsigned(&link, signing.container).map_err(failed)?;
        let name = format!("{step}.unsigned.link");
        run.links().write(&name, &bytes)?;
        ui.status(
            "Recorded",
            format!("{step}: {counts}, unsigned, in {}", run.directory().join(&name)),
        );
        return Ok(vec![name]);
    }
    let mut names = Vec::new();
    for signer in signing.signers {
        let signers: [(&dyn Signer, KeyId); 1] = [(signer.signer(), signer.key_id().clone())];
        let bytes = envelope::sign(&link, &signers, signing.container).map_err(failed)?;
        let name = step.link_file(signer.key_id());
        run.links().write(&name, &bytes)?;
        ui.status(
            "Signed",
            format!("{step}: {counts}, by key {}", signer.key_id().short()),
        );
        names.push(name);
    }
    Ok(names)
}
