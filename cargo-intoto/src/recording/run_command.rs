//! Any other step: a command with the files that the user names.

use camino::Utf8PathBuf;

use crate::error::CliError;
use crate::exec::any;
use crate::finding::CargoCode;
use crate::plan::{MaterialQuery, ProductQuery, StepPlan};
use crate::recording::{Choice, Context, Observed, Step, cargo_run};

/// `run --step NAME -m PATH… -p PATH… -- COMMAND`.
#[derive(Debug, Clone)]
pub struct RunCommand {
    /// The step's name.
    pub step: String,
    /// Files, directories and URIs to hash before the command.
    pub materials: Vec<String>,
    /// Files, directories and URIs to hash after it.
    pub products: Vec<String>,
    /// How they are chosen, named and hashed.
    pub choice: Choice,
    /// The program and its arguments.
    pub command: Vec<String>,
}

impl Step for RunCommand {
    fn name(&self) -> &str {
        &self.step
    }

    fn compiles(&self) -> bool {
        false
    }

    fn uses_toolchain(&self) -> bool {
        let program = self.command.first().map_or("", String::as_str);
        let words = self.command.iter().map(String::as_str);
        let paths = self.materials.iter().chain(&self.products);
        program.starts_with("cargo")
            || program.starts_with("rust")
            || words.chain(paths.map(String::as_str)).any(leads_elsewhere)
    }

    fn plan(&self, _context: &Context<'_>) -> Result<StepPlan, CliError> {
        self.choice.check()?;
        let paths = |uris: &[String]| uris.iter().map(Utf8PathBuf::from).collect();
        Ok(StepPlan {
            step: self.step.clone(),
            command: self.command.clone(),
            arguments: Vec::new(),
            environment: Vec::new(),
            materials: MaterialQuery::Paths(paths(&self.materials)),
            products: ProductQuery::Paths(paths(&self.products)),
        })
    }

    fn perform(&self, context: &Context<'_>, _plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        let (program, arguments) = self
            .command
            .split_first()
            .ok_or_else(|| CliError::usage("there is no command to run"))?;
        if let Some(missing) = self.choice.missing(&self.materials)? {
            return Err(CliError::usage(format!(
                "there is no file or directory {missing} to be a material"
            )));
        }
        let materials = self.choice.artifacts(context, &self.materials)?;
        let ended = any::run(program, arguments)?;
        cargo_run::check(ended, &self.step)?;
        if let Some(missing) = self.choice.missing(&self.products)? {
            return Err(CliError::refused(
                CargoCode::ProductMissing,
                format!("`{}` made no file or directory {missing}", self.step),
            ));
        }
        let products = self.choice.artifacts(context, &self.products)?;
        Ok(Some(Observed {
            materials,
            products,
            environment: self.choice.describe(&context.naming),
            ..Observed::default()
        }))
    }
}

/// Whether a word may hold a path that leaves the current directory, so that its name may depend on where the toolchain lies.
fn leads_elsewhere(word: &str) -> bool {
    let is_of_component = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'@' | b'+');
    word.contains("..")
        || word
            .bytes()
            .zip([b'/'].into_iter().chain(word.bytes()))
            .any(|(byte, before)| byte == b'/' && !is_of_component(before))
}
