//! The options of every command that takes files by name.

use camino::Utf8PathBuf;

use crate::collect::named::{DirectoryLinks, LineEnds};
use crate::recording::Choice;

/// Which files, and how they are named and hashed.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ChoiceArgs {
    /// Leave out what matches a pattern of gitignore's kind
    #[arg(long = "exclude", value_name = "PATTERN", num_args = 1.., help_heading = "Artifacts")]
    excludes: Vec<String>,
    /// Directory in which paths begin; no part of the names [default: the current one]
    #[arg(long, value_name = "DIR", help_heading = "Artifacts")]
    base_path: Option<Utf8PathBuf>,
    /// Cut a prefix off names
    #[arg(long, value_name = "PREFIX", num_args = 1.., help_heading = "Artifacts")]
    lstrip_paths: Vec<String>,
    /// Hash CRLF and CR as LF
    #[arg(long, help_heading = "Artifacts")]
    normalize_line_endings: bool,
    /// Go into directories through symbolic links, instead of refusing them
    #[arg(long, help_heading = "Artifacts")]
    follow_links: bool,
}

impl From<ChoiceArgs> for Choice {
    fn from(args: ChoiceArgs) -> Self {
        Self {
            excludes: args.excludes,
            base: args.base_path,
            prefixes: args.lstrip_paths,
            line_ends: if args.normalize_line_endings {
                LineEnds::Normal
            } else {
                LineEnds::Kept
            },
            directory_links: if args.follow_links {
                DirectoryLinks::Followed
            } else {
                DirectoryLinks::Refused
            },
        }
    }
}
