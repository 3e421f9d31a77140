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

    fn shown_key(&self, key: &intoto_core::key::PublicKey) -> Shown {
        Shown {
            key_id: self.name_of_key(key),
            signatory: crate::signing::Signatory::Key(key.clone()),
        }
    }

    fn shown_identity(&self, facts: &intoto_core::identity::IdentityFacts) -> Result<Shown, CliError> {
        Ok(Shown {
            key_id: self.name_of_identity(facts)?,
            signatory: crate::signing::Signatory::Identity {
                issuer: facts.issuer.clone(),
                subject: facts.subject.clone(),
            },
        })
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
        use intoto_core::encoding::pae;
        use intoto_core::envelope::{Bundle, PAYLOAD_TYPE};
        use intoto_core::identity::IdentityRefusal;
        use intoto_core::limits::Limits;

        let failed = || {
            CliError::failure("the services signed, but what came back does not verify")
                .hint("nothing of it is stored; is `--trusted-root` that of the instance which signed?")
        };
        let refused = |refusal: IdentityRefusal| failed().because(refusal);
        let now = crate::settings::now()?;
        let limits = Limits::default();
        let read = Bundle::parse(&bundle.json, &limits).map_err(|error| failed().because(error))?;
        let is_own = match content {
            Content::Statement(bytes) => {
                let signed = read.envelope().map(|envelope| envelope.signed_bytes());
                signed.is_some_and(|signed| signed == pae(PAYLOAD_TYPE, bytes))
            }
            Content::File(_) => read.envelope().is_none(),
        };
        if !is_own {
            return Err(refused(IdentityRefusal::OtherContent));
        }
        // As whoever gets it: by the core, with these roots.
        let other = || refused(IdentityRefusal::OtherContent);
        match (&bundle.key, content) {
            (Some(key), Content::Statement(_)) => {
                let checked = read.check_by_key(key, &self.roots, now).ok_or_else(other)?;
                checked.map_err(refused)?;
                Ok(self.shown_key(key))
            }
            (Some(key), Content::File(file)) => {
                let checked = read.check_file_by_key(file, key, &self.roots, now).ok_or_else(other)?;
                checked.map_err(refused)?;
                Ok(self.shown_key(key))
            }
            (None, Content::Statement(_)) => {
                let checked = read.check(&self.roots, now).ok_or_else(other)?;
                self.shown_identity(checked.map_err(|(refusal, _)| refused(refusal))?.facts())
            }
            (None, Content::File(file)) => {
                let checked = read.check_file(file, &self.roots, now).ok_or_else(other)?;
                self.shown_identity(checked.map_err(refused)?.facts())
            }
        }
    }
}
