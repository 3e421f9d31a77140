//! `cargo intoto match-products`.

use camino::Utf8PathBuf;

use crate::cli::choice::ChoiceArgs;
use crate::collect::named::Difference;
use crate::drop_in;
use crate::error::CliError;
use crate::exit::Exit;
use crate::recording::Choice;
use crate::signing::SignedFile;
use crate::ui::{Ui, count};

/// Compare files here with the products of a link
///
/// To be done before the next step uses them. Whose link it is, is not looked at: `verify` does that. A path may also be `file:PATH`,
/// `dir:PATH` (a directory as one artifact) or `ostree:BRANCH`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The link
    #[arg(long, value_name = "FILE")]
    link: Utf8PathBuf,
    /// Files and directories to compare [default: the current directory]
    #[arg(value_name = "PATH")]
    paths: Vec<String>,
    #[command(flatten)]
    choice: ChoiceArgs,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let file = SignedFile::read(&args.link)?;
    let products = drop_in::products(&file)?;
    let paths = if args.paths.is_empty() {
        vec![".".to_owned()]
    } else {
        args.paths
    };
    let here = Choice::from(args.choice).named(&paths, ui)?;
    let difference = Difference::between(&products, &here);
    if difference.is_none() {
        let files = count(here.artifacts.len(), "file");
        ui.status("Matched", format!("{files} with the products of {}", args.link));
        return Ok(Exit::Success);
    }
    for line in difference.lines() {
        ui.data(&format!("{}\n", crate::escape::message(&line)))?;
    }
    ui.refusal("Differ", format!("the files here from the products of {}", args.link));
    Ok(Exit::Refused)
}
