//! Owners by identity, as command lines name them.

use intoto_core::key::FulcioIdentity;

use crate::error::CliError;
use crate::ui::count;

/// Owners by identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct OwnerArgs {
    /// Identity that must have signed the layout in a Sigstore bundle beside it, letter by letter; each with its --owner-issuer
    #[arg(
        long = "owner-identity",
        value_name = "IDENTITY",
        requires = "owner_issuers",
        help_heading = "Trust"
    )]
    pub owner_identities: Vec<String>,
    /// The URL of the OpenID issuer that vouches for the --owner-identity in front of it
    #[arg(
        long = "owner-issuer",
        value_name = "URL",
        requires = "owner_identities",
        help_heading = "Trust"
    )]
    pub owner_issuers: Vec<String>,
}

impl OwnerArgs {
    /// The identities, each once.
    ///
    /// # Errors
    /// When one has no issuer, or is none that could own a layout.
    pub fn identities(&self) -> Result<Vec<FulcioIdentity>, CliError> {
        let names = ("--owner-identity", "--owner-issuer");
        exact_identities(&self.owner_identities, &self.owner_issuers, names)
    }
}

/// Identities as a command line names them: each with the issuer that stands at the same place among the issuers. `names` are those of the two flags.
///
/// # Errors
/// When one has no issuer, or is none that could own a layout.
pub fn exact_identities(
    identities: &[String],
    issuers: &[String],
    (of_identity, of_issuer): (&str, &str),
) -> Result<Vec<FulcioIdentity>, CliError> {
    if identities.len() != issuers.len() {
        return Err(CliError::usage(format!(
            "{of_identity} is given {} and {of_issuer} {}",
            count(identities.len(), "time"),
            count(issuers.len(), "time")
        ))
        .hint("each identity needs the issuer that vouches for it"));
    }
    let mut found: Vec<FulcioIdentity> = Vec::new();
    for (identity, issuer) in identities.iter().zip(issuers) {
        if identity.contains('*') {
            return Err(
                CliError::usage(format!("{of_identity} `{identity}` is exact, letter by letter"))
                    .hint("patterns are for the functionaries of a layout"),
            );
        }
        let owner = FulcioIdentity::exact(issuer, identity).map_err(|error| {
            CliError::usage(format!("{of_identity} `{identity}` by `{issuer}` cannot be used")).because(error)
        })?;
        if found.contains(&owner) {
            return Err(CliError::usage(format!("the identity `{identity}` is given twice")));
        }
        found.push(owner);
    }
    Ok(found)
}
