//! The list of owners that a maintainer puts into a TUF repository.

use camino::Utf8PathBuf;
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;

use super::{find_all, scopes, threshold};
use crate::error::CliError;
use crate::exit::Exit;
use crate::foreign;
use crate::trust::{OwnersList, ReplacedList, exact_identities};
use crate::ui::Ui;

/// Print a list of owners, as a TUF repository hands it out
///
/// It is the target PROJECT/owners.toml. After a change of owners or of the layout, --replace keeps what was released before verifiable: as of
/// a time before --until, by the layouts that --layout names, and by no other.
#[derive(Debug, clap::Args)]
pub(super) struct OwnersArgs {
    /// An owner's public key: a file, or the name of a key of your own; may be repeated
    #[arg(long = "key", value_name = "FILE", required_unless_present = "identities")]
    keys: Vec<String>,
    /// An owner's identity in Sigstore, letter by letter, with its --issuer; may be repeated
    #[arg(long = "identity", id = "identities", value_name = "IDENTITY", requires = "issuers")]
    identities: Vec<String>,
    /// The URL of the OpenID issuer that vouches for the --identity in front of it
    #[arg(long = "issuer", id = "issuers", value_name = "URL", requires = "identities")]
    issuers: Vec<String>,
    /// A crate that the owners speak for, as pkg:cargo/NAME; may be repeated
    #[arg(long = "scope", value_name = "PURL", required = true)]
    scope: Vec<String>,
    /// How many of the keys must have signed [default: all]
    #[arg(long, value_name = "N")]
    threshold: Option<u32>,
    /// The list that this one takes the place of; its owners become former ones
    #[arg(long, value_name = "FILE", requires_all = ["until", "layouts"])]
    replace: Option<Utf8PathBuf>,
    /// They count for what is judged as of a time before this one, as in 2027-01-31T00:00:00Z
    #[arg(long, value_name = "TIME", requires = "replace")]
    until: Option<String>,
    /// A layout of theirs that still counts then; may be repeated
    #[arg(long = "layout", value_name = "FILE", requires = "replace")]
    layouts: Vec<Utf8PathBuf>,
}

/// Far above any list of owners.
const MAX_BYTES: usize = 1 << 20;

pub(super) fn run(args: &OwnersArgs, ui: &Ui) -> Result<Exit, CliError> {
    let keys = find_all(&args.keys)?;
    let identities = exact_identities(&args.identities, &args.issuers, ("--identity", "--issuer"))?;
    let scope = scopes(&args.scope)?;
    let read = |path: &Utf8PathBuf, what: &str, limit: usize| {
        foreign::read(path, limit).map_err(|unread| unread.about(format_args!("the {what} {path}")))
    };
    let replaced = match (&args.replace, &args.until) {
        (Some(path), Some(until)) => {
            let time = until.parse::<Timestamp>().map_err(|error| {
                CliError::usage(format!("`--until {until}` is no time"))
                    .because(error)
                    .hint("write it as in 2027-01-31T00:00:00Z")
            })?;
            Some((read(path, "list of owners", MAX_BYTES)?, time))
        }
        _ => None,
    };
    let layouts = args
        .layouts
        .iter()
        .map(|path| read(path, "layout", Limits::default().json_bytes))
        .collect::<Result<Vec<_>, _>>()?;
    let list = OwnersList {
        scope: &scope,
        threshold: threshold(args.threshold, keys.len() + identities.len())?,
        keys: &keys,
        identities: &identities,
        replaced: replaced.as_ref().map(|(list, until)| ReplacedList {
            list,
            until: *until,
            layouts: &layouts,
        }),
    };
    ui.data(&list.to_toml()?)?;
    Ok(Exit::Success)
}
