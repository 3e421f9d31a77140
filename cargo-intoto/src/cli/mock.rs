//! `cargo intoto mock`.

use std::time::Duration;

use intoto_core::name::StepName;

use crate::drop_in;
use crate::error::CliError;
use crate::exit::Exit;
use crate::signing::ContainerArg;
use crate::ui::Ui;

/// Run a command and write an unsigned link of it, to see what a link looks like
///
/// Every file below the current directory is a material and a product, and the link holds what the command printed. Neither a key nor
/// a workspace is needed.
#[derive(Debug, clap::Args)]
#[command(override_usage = "cargo intoto mock [OPTIONS] --name <NAME> -- <COMMAND>...")]
pub(crate) struct Args {
    /// Name of the step; the link is written to <NAME>.link
    #[arg(long, value_name = "NAME")]
    name: StepName,
    /// Form of the link: dsse, metablock
    #[arg(long, value_enum, value_name = "FORM", default_value = "metablock")]
    container: ContainerArg,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let (path, exit) = drop_in::mock(&args.name, &args.command, args.container.into(), Duration::MAX, ui)?;
    if exit.code() != 0 {
        ui.warn(format!("the command ended with {}, and the link says so", exit.code()));
    }
    ui.status("Recorded", format!("{}, unsigned, in {path}", args.name));
    Ok(Exit::Success)
}
