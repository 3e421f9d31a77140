//! Bundles that a command has just made, verified as everybody else will before they are stored.

use intoto_core::layout::{Layout, LayoutKey};
use intoto_core::name::KeyId;

use crate::error::CliError;
use crate::signing::{Bundles, Content, Instance, Shown, SignedBundle, SigstoreArgs, SigstoreKey, Witness};

/// What is needed to sign by Sigstore, found before anything is recorded.
pub(super) struct OwnBundles {
    instance: Instance,
    checker: Checker,
}

impl OwnBundles {
    /// Reads settings, signing configuration and trusted root, if `keys` are to sign by Sigstore.
    ///
    /// # Errors
    /// When one of them cannot be read, or does not fit the others.
    pub(super) fn prepare(
        keys: &[SigstoreKey],
        args: &SigstoreArgs,
        layout: Option<&Layout>,
    ) -> Result<Option<Self>, CliError> {
        if keys.is_empty() {
            if args.signing_config.is_some() {
                return Err(CliError::usage(
                    "`--signing-config` is for `--key sigstore:`, and no such key signs",
                ));
            }
            return Ok(None);
        }
        let settings = args.or_settings()?;
        let instance = Instance {
            signing_config: settings.signing_config,
        };
        instance.check()?;
        Ok(Some(Self {
            instance,
            checker: Checker::new(settings.trusted_root.as_deref(), layout)?,
        }))
    }

    /// What signs with `keys`.
    pub(super) fn by<'a>(&'a self, keys: &'a [SigstoreKey]) -> Bundles<'a> {
        Bundles {
            keys,
            instance: &self.instance,
            witness: &self.checker,
        }
    }
}

/// The ids under which a layout lists keys and identities.
fn listed(layout: Option<&Layout>) -> Vec<(KeyId, LayoutKey)> {
    let keys = layout.map(Layout::keys).into_iter().flatten();
    keys.map(|(id, key)| (id.clone(), key.clone())).collect()
}

#[cfg(not(feature = "sigstore"))]
struct Checker(std::convert::Infallible);

#[cfg(not(feature = "sigstore"))]
impl Checker {
    fn new(_: Option<&camino::Utf8Path>, layout: Option<&Layout>) -> Result<Self, CliError> {
        drop(listed(layout));
        Err(CliError::usage("this build has no Sigstore support").hint(crate::signing::SIGSTORE_BUILD_HINT))
    }
}

#[cfg(not(feature = "sigstore"))]
impl Witness for Checker {
    fn look(&self, _: &SignedBundle, _: Content<'_>) -> Result<Shown, CliError> {
        match self.0 {}
    }
}

#[cfg(feature = "sigstore")]
struct Checker {
    roots: crate::trust::sigstore::TrustedRoots,
    listed: Vec<(KeyId, LayoutKey)>,
}

#[cfg(feature = "sigstore")]
impl Checker {
    fn new(root: Option<&camino::Utf8Path>, layout: Option<&Layout>) -> Result<Self, CliError> {
        Ok(Self {
            roots: crate::trust::sigstore::TrustedRoots::of(root)?,
            listed: listed(layout),
        })
    }

    fn name_of_key(&self, key: &intoto_core::key::PublicKey) -> KeyId {
        let found = self.listed.iter().find(|(_, listed)| listed.supported() == Some(key));
        found.map_or_else(
            || key.key_id(intoto_core::key::KeyIdStyle::Legacy),
            |(id, _)| id.clone(),
        )
    }

    fn name_of_identity(&self, facts: &intoto_core::identity::IdentityFacts) -> Result<KeyId, CliError> {
        let fits = |(id, key): &(KeyId, LayoutKey)| {
            let identity = key.identity()?;
            identity.compare(facts).is_ok().then(|| id.clone())
        };
        if let Some(id) = self.listed.iter().find_map(fits) {
            return Ok(id);
        }
        intoto_core::key::FulcioIdentity::exact(&facts.issuer, facts.subject.as_str())
            .map(|identity| identity.key_id())
            .map_err(|error| {
                CliError::failure("the certificate shows an identity that no layout could name").because(error)
            })
    }
}

#[cfg(feature = "sigstore")]
impl Witness for Checker {
    fn look(&self, bundle: &SignedBundle, content: Content<'_>) -> Result<Shown, CliError> {
        use intoto_core::digest::sha256;
        use intoto_core::identity::{IdentityRefusal, IdentityVerifier as _};

        use crate::signing::Signatory;

        let (Content::Statement(bytes) | Content::File(bytes)) = content;
        let failed = |refusal: IdentityRefusal| {
            CliError::failure("the services signed, but what came back does not verify")
                .because(refusal)
                .hint("nothing of it is stored; is `--trusted-root` that of the instance which signed?")
        };
        match &bundle.key {
            Some(key) => {
                self.roots
                    .check_key(&bundle.json, key, &sha256(bytes))
                    .map_err(|problem| failed(problem.into()))?;
                Ok(Shown {
                    key_id: self.name_of_key(key),
                    signatory: Signatory::Key(key.clone()),
                })
            }
            None => {
                let now = crate::settings::now()?;
                let facts = self
                    .roots
                    .check(&bundle.json, &sha256(bytes), now)
                    .map_err(|problem| failed(problem.into()))?;
                facts.check_times(now).map_err(failed)?;
                Ok(Shown {
                    key_id: self.name_of_identity(&facts)?,
                    signatory: Signatory::Identity {
                        issuer: facts.issuer,
                        subject: facts.subject,
                    },
                })
            }
        }
    }
}
