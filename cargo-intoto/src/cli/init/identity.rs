//! `init --sigstore`: whoever does the steps signs with an identity, and there is no key for it.

use camino::Utf8Path;
use intoto_core::key::{Constraints, Extension, FulcioIdentity, IdentityError};

use crate::ci::Service;
use crate::error::CliError;
use crate::signing::SIGSTORE_BUILD_HINT;
use crate::workspace::{Source, Workspace};

/// The options about an identity.
#[derive(Debug, clap::Args)]
pub(super) struct IdentityArgs {
    /// Let an identity sign the steps, by Sigstore, instead of a key
    #[arg(long, help_heading = "Identity")]
    pub(super) sigstore: bool,
    /// Repository whose release pipeline it is, as `https://github.com/OWNER/NAME`
    #[arg(long, value_name = "URL", requires = "sigstore", help_heading = "Identity")]
    repository: Option<String>,
    /// Exactly this identity instead: a workflow's URI, or an e-mail address
    #[arg(
        long,
        value_name = "IDENTITY",
        requires = "sigstore",
        requires = "issuer",
        conflicts_with = "repository",
        help_heading = "Identity"
    )]
    identity: Option<String>,
    /// Issuer that vouches for it [default: that of the CI service]
    #[arg(long, value_name = "URL", requires = "sigstore", help_heading = "Identity")]
    issuer: Option<String>,
}

impl IdentityArgs {
    /// The identity that the options mean, for a pipeline of that service in that file.
    ///
    /// # Errors
    /// When they do not say whose it is, or it could not sign every step.
    pub(super) fn plan(
        &self,
        service: Option<(Service, &Utf8Path)>,
        workspace: &Workspace,
    ) -> Result<Option<FulcioIdentity>, CliError> {
        if !self.sigstore {
            return Ok(None);
        }
        if cfg!(not(feature = "sigstore")) {
            return Err(CliError::usage("this build has no Sigstore support").hint(SIGSTORE_BUILD_HINT));
        }
        if let Some((service @ Service::Jenkins, _)) = service {
            return Err(CliError::usage(format!(
                "{service:?} gives its jobs no identity that everybody can check"
            ))
            .hint("leave out `--sigstore`: its pipeline signs with a key"));
        }
        let identity = match (&self.identity, &self.issuer, service) {
            (Some(identity), Some(issuer), _) => FulcioIdentity::exact(issuer, identity),
            (None, issuer, Some((service, file))) => {
                let Some(repository) = &self.repository else {
                    return Err(
                        CliError::usage("nothing says which repository's pipeline is to sign").hint(
                            "name it with `--repository URL`, or the identity itself with `--identity` and `--issuer`",
                        ),
                    );
                };
                let issuer = issuer.as_deref().or(service.issuer()).unwrap_or_default();
                of_pipeline(issuer, repository.trim_end_matches('/'), service, file)
            }
            (None, _, None) => {
                return Err(CliError::usage("nothing says whose identity is to sign").hint(
                    "name it with `--identity` and `--issuer`, or the CI service with `--ci` and `--repository`",
                ));
            }
            (Some(_), None, _) => {
                return Err(CliError::usage(
                    "an identity is nothing without the issuer that vouches for it",
                ));
            }
        };
        let identity =
            identity.map_err(|error| CliError::usage("no layout could name this identity").because(error))?;
        // What has no product has no subject, and nobody could verify its bundle.
        if workspace.packages.iter().all(|package| package.source == Source::Path) {
            return Err(CliError::usage(
                "the workspace has no dependencies, so its step `fetch` makes nothing that an identity could sign",
            )
            .hint("leave out `--sigstore`: a key signs it"));
        }
        Ok(Some(identity))
    }
}

/// The pipeline in `file` of that repository, for any tag of a version: whoever may push such a tag may release.
fn of_pipeline(
    issuer: &str,
    repository: &str,
    service: Service,
    file: &Utf8Path,
) -> Result<FulcioIdentity, IdentityError> {
    let subject = match service {
        // Whatever file is included, the identity is that of the first.
        Service::Gitlab => format!("{repository}//.gitlab-ci.yml@refs/tags/v*"),
        _ => format!("{repository}/{file}@refs/tags/v*"),
    };
    let constraints = Constraints::default()
        .with(Extension::SourceRepositoryUri, repository)?
        .with_subject(&subject)?;
    FulcioIdentity::new(issuer, None, constraints)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_are_named_by_repository_file_and_tags() {
        for (service, repository, file, expected) in [
            (
                Service::Github,
                "https://github.com/acme/hello",
                ".github/workflows/intoto-release.yml",
                Some("https://github.com/acme/hello/.github/workflows/intoto-release.yml@refs/tags/v*"),
            ),
            (
                Service::Gitlab,
                "https://gitlab.com/acme/sub/hello",
                ".gitlab/intoto-release.yml",
                Some("https://gitlab.com/acme/sub/hello//.gitlab-ci.yml@refs/tags/v*"),
            ),
            (
                Service::Github,
                "https://github.com/acme",
                ".github/workflows/x.yml",
                None,
            ),
            (
                Service::Github,
                "git@github.com:acme/hello",
                ".github/workflows/x.yml",
                None,
            ),
            (
                Service::Github,
                "https://github.com/*/hello",
                ".github/workflows/x.yml",
                None,
            ),
        ] {
            let identity = of_pipeline("https://issuer.example", repository, service, Utf8Path::new(file)).ok();
            let subject = identity.as_ref().and_then(|identity| identity.constraints().subject());
            assert_eq!(subject.map(|subject| subject.as_str()), expected, "{repository}");
        }
    }
}
