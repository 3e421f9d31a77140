//! `in-toto-match-products`.

use camino::Utf8PathBuf;
use intoto_core::digest::DigestSet;
use intoto_core::encoding::{Object, Value};

use super::{Arguments, Failure, arguments};
use crate::collect::named::{Difference, DirectoryLinks};
use crate::error::CliError;
use crate::exit::Exit;
use crate::signing::SignedFile;
use crate::ui::{Ui, Verbosity};

/// Compare files here with the products of a link
///
/// Nobody's signature is checked. The exit code is 0 when they are the same and 1 when they are not.
///
/// This is in-toto-match-products of the Python implementation, as cargo-intoto does it.
#[derive(Debug, clap::Parser)]
pub(super) struct Args {
    /// The link
    #[arg(short, long, value_name = "PATH")]
    link: Utf8PathBuf,
    /// Files and directories to compare [default: the current directory]
    #[arg(short, long, value_name = "PATH", num_args = 1..)]
    paths: Vec<String>,
    /// Leave out what matches these patterns, gitignore's [default: *.link* .git *.pyc *~]
    #[arg(short, long, value_name = "PATTERN", num_args = 1..)]
    exclude: Vec<String>,
    /// Cut these prefixes off the names
    #[arg(long, value_name = "PATH", num_args = 1..)]
    lstrip_paths: Vec<String>,
    /// Say what differs
    #[arg(short, long)]
    verbose: bool,
}

impl Arguments for Args {
    fn verbosity(&self) -> Verbosity {
        if self.verbose {
            Verbosity::Verbose
        } else {
            Verbosity::Normal
        }
    }
}

pub(super) fn run(args: Args, ui: &Ui) -> Result<Exit, Failure> {
    let file = SignedFile::read(&args.link)?;
    let products = products(&file)?;
    let everything = [".".to_owned()];
    let paths = if args.paths.is_empty() {
        &everything
    } else {
        args.paths.as_slice()
    };
    let here = arguments::record(
        paths,
        &args.exclude,
        None,
        &args.lstrip_paths,
        DirectoryLinks::Skipped,
        ui,
    )?;
    if let Some(sentence) = here.odd.doubtful.first() {
        return Err(CliError::cannot_decide(format!("what is here cannot be compared: {sentence}")).into());
    }
    let difference = Difference::between(&products, &here);
    if args.verbose {
        let verdict = if difference.is_none() {
            "Local artifacts match products in passed link."
        } else {
            "Local artifacts don't match products in passed link."
        };
        ui.data(&format!("{verdict}\n"))?;
        for line in difference.lines() {
            ui.data(&format!("{}\n", crate::escape::message(&line)))?;
        }
    }
    Ok(if difference.is_none() {
        Exit::Success
    } else {
        Exit::Refused
    })
}

/// The products of a link, whoever signed it, under whatever names.
pub(crate) fn products(file: &SignedFile) -> Result<Object<'static>, CliError> {
    let path = file.path();
    let no_link = || CliError::cannot_decide(format!("`{path}` holds no link"));
    let envelope = file.envelope()?;
    let value = envelope.payload_value().map_err(|error| no_link().because(error))?;
    let link = value.as_object().ok_or_else(no_link)?;
    if link.get("_type").and_then(Value::as_str) != Some("link") {
        return Err(no_link());
    }
    // Names are the writer's business here, and the rest has to be what a link has.
    for member in ["byproducts", "environment", "command", "materials", "products"] {
        let is_sound = |value: &Value<'_>| match member {
            "command" => are_words(value),
            "materials" | "products" => are_digests(value),
            _ => value.as_object().is_some(),
        };
        if link.get(member).is_some_and(|value| !is_sound(value)) {
            return Err(no_link().because(format!("its `{member}` is malformed")));
        }
    }
    link.get("products")
        .and_then(Value::as_object)
        .map(|products| products.clone().into_owned())
        .ok_or_else(no_link)
}

fn are_words(value: &Value<'_>) -> bool {
    value
        .as_array()
        .is_some_and(|words| words.iter().all(|word| word.as_str().is_some()))
}

/// Whether each member of an object holds the digests of an artifact.
fn are_digests(value: &Value<'_>) -> bool {
    value.as_object().is_some_and(|artifacts| {
        artifacts
            .iter()
            .all(|(_, digests)| DigestSet::from_value(digests).is_ok())
    })
}
