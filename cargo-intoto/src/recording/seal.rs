//! From an observation to a link in the store. Keys are open here and no foreign process runs.

use intoto_core::encoding::{to_canonical, to_json};
use intoto_core::envelope::{self, SignError};
use intoto_core::key::Signer;
use intoto_core::link::Link;
use intoto_core::name::{KeyId, StepName};
use intoto_core::record::{LinkForm, Observation, link_files};

use crate::error::CliError;
use crate::recording::{Document, Outcome, core_object};
use crate::signing::{Bundles, Content, NamedBundle, StepSigner};
use crate::store::{LinkStore, Run};
use crate::ui::{Ui, count};

/// Who signs, and in which form.
#[derive(Clone, Copy)]
pub(crate) struct Signing<'a> {
    /// The keys; without any the link is left for `sign`.
    pub(crate) signers: &'a [StepSigner],
    /// The form of the file.
    pub(crate) form: LinkForm,
    /// Who signs by Sigstore, in the one form of its own.
    pub(crate) bundles: Option<Bundles<'a>>,
}

impl Signing<'_> {
    fn is_unsigned(&self) -> bool {
        self.signers.is_empty() && self.bundles.is_none_or(|bundles| bundles.keys.is_empty())
    }
}

/// Makes the link of `outcome`, once for each key, and puts it into `run`.
///
/// # Errors
/// When it cannot be signed or written.
pub(crate) fn seal(ui: &Ui, run: &Run, mut outcome: Outcome, signing: &Signing<'_>) -> Result<Vec<String>, CliError> {
    let step: StepName = outcome
        .step
        .parse()
        .map_err(|error| CliError::usage(format!("{:?} cannot be the name of a step", outcome.step)).because(error))?;
    let documents = std::mem::take(&mut outcome.observed.documents);
    let counts = format!(
        "{}, {}",
        count(outcome.observed.materials.len(), "material"),
        count(outcome.observed.products.len(), "product")
    );
    let mut observation = Observation::of(step.clone());
    observation.command = outcome.command;
    observation.materials = outcome.observed.materials.into_map();
    observation.products = outcome.observed.products.into_map();
    observation.byproducts = core_object(outcome.observed.byproducts);
    observation.environment = core_object(outcome.observed.environment);
    let link = observation.into_link();
    let failed = |error: SignError| CliError::failure(format!("failed to sign the link of `{step}`")).because(error);
    let unsigned = || {
        let bytes = envelope::unsigned(&signing.form.payload(&link), signing.form.container()).map_err(failed)?;
        write_documents(run, &documents)?;
        let name = format!("{step}.unsigned.link");
        run.links().write(&name, &bytes)?;
        ui.status(
            "Recorded",
            format!("{step}: {counts}, unsigned, in {}", run.directory().join(&name)),
        );
        Ok(name)
    };
    if signing.is_unsigned() {
        return Ok(vec![unsigned()?]);
    }
    // First what may fail because somebody else does, so that nothing is stored by half.
    let bundles = match sign_bundles(ui, &link, signing) {
        Ok(bundles) => bundles,
        Err(error) => {
            let name = unsigned()?;
            return Err(error.hint(format!(
                "the record is kept: `cargo intoto sign {} --key …` signs it",
                run.directory().join(name)
            )));
        }
    };
    let signers: Vec<(&dyn Signer, KeyId)> = signing
        .signers
        .iter()
        .map(|signer| (signer.signer(), signer.key_id().clone()))
        .collect();
    let mut names = Vec::new();
    let files = link_files(&link, &signers, signing.form).map_err(failed)?;
    write_documents(run, &documents)?;
    for (file, (_, key_id)) in files.into_iter().zip(&signers) {
        run.links().write(&file.name, &file.bytes)?;
        ui.status("Signed", format!("{step}: {counts}, by key {}", key_id.short()));
        names.push(file.name);
    }
    for bundle in bundles {
        let name = step.sigstore_file(&bundle.key_id);
        run.links().write(&name, &bundle.json)?;
        ui.status("Signed", format!("{step}: {counts}, as {name}"));
        names.push(name);
    }
    Ok(names)
}

/// The bundles of the link's statement.
fn sign_bundles(ui: &Ui, link: &Link, signing: &Signing<'_>) -> Result<Vec<NamedBundle>, CliError> {
    let Some(bundles) = signing.bundles.filter(|bundles| !bundles.keys.is_empty()) else {
        return Ok(Vec::new());
    };
    let statement = statement_bytes(link)?;
    bundles.sign(Content::Statement(&statement), ui)
}

/// The bytes of the statement that a link is signed as in a bundle: JSON as everybody reads it, which in-toto's canonical form is not, because
/// it has the line ends of outputs as they are.
///
/// # Errors
/// When the link has a number that in-toto cannot sign.
pub(crate) fn statement_bytes(link: &Link) -> Result<Vec<u8>, CliError> {
    let statement = LinkForm::Statement.payload(link);
    to_canonical(&statement).map_err(|error| {
        CliError::failure(format!("failed to make the statement of `{}`", link.name)).because(error)
    })?;
    Ok(to_json(&statement).into_bytes())
}

/// Before the links that name them, so that no link is there without its product.
fn write_documents(run: &Run, documents: &[Document]) -> Result<(), CliError> {
    documents
        .iter()
        .try_for_each(|document| run.links().write(&document.name, &document.bytes))
}

#[cfg(test)]
mod tests {
    use intoto_core::encoding::{Value, strict_json};
    use intoto_core::limits::Limits;
    use intoto_core::payload::Payload;

    use super::*;

    #[test]
    fn statements_are_json_whatever_a_tool_printed() {
        let mut observation = Observation::of("build".parse().expect("a name"));
        observation.byproducts.insert("stdout", Value::from("a\n\u{1}\"\\"));
        let link = observation.into_link();
        let bytes = statement_bytes(&link).expect("no floats");
        let limits = Limits::default();
        let value = strict_json::parse(&bytes, &limits).expect("JSON");
        assert_eq!(
            Payload::from_value(&value, &limits).expect("a statement").link(),
            Some(&link)
        );
    }
}
