//! How help looks: like cargo's own, one page in which every flag takes one line and the explanation comes first.

use clap::Command;
use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects};

/// The long description stands between the summary and the usage.
const PAGE: &str = "{about-with-newline}\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

/// Cargo's colours.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::BrightGreen.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::BrightCyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::BrightRed.on_default().effects(Effects::BOLD))
    .valid(AnsiColor::BrightCyan.on_default().effects(Effects::BOLD))
    .invalid(AnsiColor::BrightYellow.on_default().effects(Effects::BOLD));

/// Arranges the help of `command` and of all commands below it.
///
/// Clap spreads every flag over several lines as soon as one text is long; so there are no long texts, and `-h` and `--help` say the
/// same.
pub(crate) fn arrange(command: Command) -> Command {
    page(command.styles(STYLES))
}

fn page(mut command: Command) -> Command {
    if let Some(long) = command.get_long_about().cloned() {
        command = command
            .long_about(None)
            .before_help(long_without_summary(&long.to_string()));
    }
    command
        .help_template(PAGE)
        // What the values mean stands in the flag's own line.
        .mut_args(|arg| {
            let takes_value = arg.get_action().takes_values();
            arg.hide_possible_values(takes_value)
        })
        .mut_subcommands(|command| page(command.disable_help_subcommand(true)))
}

/// The description behind its first paragraph, which is the summary.
fn long_without_summary(long: &str) -> String {
    long.split_once("\n\n")
        .map(|(_, rest)| rest)
        .unwrap_or_default()
        .to_owned()
}
