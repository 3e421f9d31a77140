//! Keys between the moment they are chosen and the moment they are opened.
//!
//! A recorded command runs other people's code, so the secret is read only after its processes have ended; what can be checked
//! without the secret is checked before they start.

use std::collections::BTreeMap;
use std::rc::Rc;

use camino::Utf8PathBuf;
use intoto_core::key::{KeyIdStyle, PublicKey, SecretKey, SignError, Signer};
use intoto_core::name::KeyId;
use intoto_core::x509::Certificate;

use crate::error::CliError;
use crate::layout_source::LayoutSource;
use crate::settings;
use crate::signing::certificate::load_certificate;
use crate::signing::openpgp::GpgKey;
use crate::signing::{ChosenKeys, KeyArgs, KeyDirectory, KeyFile, OtherKey, SigstoreKey, StoredKey, is_gpg};
use crate::ui::Ui;

/// Keys that were chosen and are still closed.
#[derive(Debug, Clone)]
pub struct PendingSigners {
    files: Vec<KeyFile>,
    /// Keys that GnuPG keeps.
    gpg: Vec<GpgKey>,
    others: Vec<OtherKey>,
    /// Who signs by Sigstore, which is no [`Signer`]: what comes out is a file of another form.
    sigstore: Vec<SigstoreKey>,
    /// Of the only key, if it has one.
    certificate: Option<Certificate>,
    naming: Naming,
}

/// An open key and the id that its signatures and link files carry.
#[derive(Clone)]
pub struct StepSigner {
    key: Rc<dyn Signer>,
    key_id: KeyId,
    /// PEM, to stand beside the signatures.
    certificate: Option<Rc<str>>,
}

impl StepSigner {
    /// A key that is open already, named by `key_id`: the throw-away keys of `try`.
    pub fn new(key: Rc<dyn Signer>, key_id: KeyId) -> Self {
        Self {
            key,
            key_id,
            certificate: None,
        }
    }

    /// What signs.
    pub fn signer(&self) -> &dyn Signer {
        self
    }

    /// The id that names the key in signatures and link files.
    pub fn key_id(&self) -> &KeyId {
        &self.key_id
    }
}

impl Signer for StepSigner {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.key.sign(message)
    }

    fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }
}

/// Which id a key is named by.
#[derive(Debug, Clone)]
enum Naming {
    /// `--keyid-style`.
    Style(KeyIdStyle),
    /// As the layout lists the key, else the legacy id.
    Listed(Vec<(PublicKey, KeyId)>),
}

impl Naming {
    fn name(&self, key: &PublicKey) -> Result<KeyId, CliError> {
        let listed = match self {
            Self::Style(style) => return Ok(key.key_id(*style)),
            Self::Listed(listed) => listed.iter().find(|(other, _)| other == key),
        };
        match listed {
            None => Ok(key.key_id(KeyIdStyle::Legacy)),
            Some((other, id)) if other.kind() == key.kind() => Ok(id.clone()),
            // An RSA key is the same key in every scheme, and nobody would accept the signature.
            Some((other, id)) => Err(CliError::usage(format!(
                "the layout wants {} signatures by the key {}, and this one makes {}",
                other.kind(),
                id.short(),
                key.kind()
            ))
            .hint("sign with the tool that the layout was made for, or list the key again as this tool writes it")),
        }
    }
}

impl PendingSigners {
    pub(super) fn prepare(args: &KeyArgs, step: &str, source: Option<&LayoutSource>) -> Result<Self, CliError> {
        let naming = match args.keyid_style {
            Some(style) => Naming::Style(style.into()),
            None => Naming::Listed(source.map(LayoutSource::listed_keys).unwrap_or_default()),
        };
        if args.keys.iter().any(|key| is_gpg(key)) {
            args.check_gpg()?;
        }
        let ChosenKeys {
            files,
            gpg,
            others,
            sigstore,
        } = match args.keys.as_slice() {
            _ if args.unsigned => ChosenKeys::default(),
            [] => ChosenKeys {
                files: default_keys(step, source)?,
                ..ChosenKeys::default()
            },
            keys => ChosenKeys::find(keys)?,
        };
        let certificate = match &args.certificate {
            None => None,
            Some(_) if files.len() + others.len() != 1 || !gpg.is_empty() => {
                return Err(CliError::usage(
                    "a certificate belongs to one key, and not to one of GnuPG's",
                ));
            }
            Some(path) => Some(load_certificate(path)?),
        };
        Ok(Self {
            files,
            gpg,
            others,
            sigstore,
            certificate,
            naming,
        })
    }

    /// The same keys, named as a layout lists them, unless `--keyid-style` said otherwise.
    #[must_use]
    pub fn listed_as(mut self, listed: Vec<(PublicKey, KeyId)>) -> Self {
        if let Naming::Listed(keys) = &mut self.naming {
            *keys = listed;
        }
        self
    }

    /// Whether nothing will be signed.
    pub fn is_unsigned(&self) -> bool {
        self.files.is_empty() && self.gpg.is_empty() && self.others.is_empty() && self.sigstore.is_empty()
    }

    /// Who signs by Sigstore.
    pub fn sigstore(&self) -> &[SigstoreKey] {
        &self.sigstore
    }

    /// The keys' names, for `--dry-run`.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let files = self.files.iter().map(|file| file.path().to_string());
        files
            .chain(self.gpg.iter().map(|key| format!("gpg:{}", key.key_id())))
            .chain(self.others.iter().map(OtherKey::name))
            .chain(self.sigstore.iter().map(SigstoreKey::name))
    }

    /// Opens the keys, asking for passphrases where needed. Call it when no process of the recorded command is left.
    pub fn open(&self, ui: &Ui) -> Result<Vec<StepSigner>, CliError> {
        Keyring::default().open(self, ui)
    }
}

/// Opened keys, so that several steps ask for one passphrase once.
#[derive(Default)]
pub struct Keyring {
    open: BTreeMap<Utf8PathBuf, Rc<SecretKey>>,
    others: Vec<(OtherKey, Rc<dyn Signer>)>,
}

impl Keyring {
    /// As [`PendingSigners::open`], without asking again for a key that is open.
    pub fn open(&mut self, pending: &PendingSigners, _ui: &Ui) -> Result<Vec<StepSigner>, CliError> {
        let mut signers: Vec<StepSigner> = Vec::new();
        for file in &pending.files {
            let key: Rc<dyn Signer> = match self.open.get(file.path()) {
                Some(key) => Rc::<SecretKey>::clone(key),
                None => {
                    let key = Rc::new(file.open()?);
                    self.open.insert(file.path().to_owned(), Rc::clone(&key));
                    key
                }
            };
            add(&mut signers, key, pending)?;
        }
        for chosen in &pending.others {
            let key = match self.others.iter().find(|(other, _)| other == chosen) {
                Some((_, key)) => Rc::clone(key),
                None => {
                    let key: Rc<dyn Signer> = Rc::from(chosen.open()?);
                    self.others.push((chosen.clone(), Rc::clone(&key)));
                    key
                }
            };
            add(&mut signers, key, pending)?;
        }
        for key in &pending.gpg {
            // Named by what signs, however a layout lists its primary key.
            signers.push(StepSigner {
                key_id: key.key_id().clone(),
                key: Rc::new(key.clone()),
                certificate: None,
            });
        }
        Ok(signers)
    }
}

/// Adds a key that is open, under the id that it is named by, unless it is there.
fn add(signers: &mut Vec<StepSigner>, key: Rc<dyn Signer>, pending: &PendingSigners) -> Result<(), CliError> {
    if signers
        .iter()
        .any(|other| other.signer().public_key() == key.public_key())
    {
        return Ok(());
    }
    let key_id = pending.naming.name(key.public_key())?;
    let certificate = match &pending.certificate {
        Some(certificate) => Some(beside(certificate, key.public_key())?),
        None => None,
    };
    signers.push(StepSigner {
        key,
        key_id,
        certificate,
    });
    Ok(())
}

/// The certificate as it stands beside a signature by `key`, if it is about that key and not over.
fn beside(certificate: &Certificate, key: &PublicKey) -> Result<Rc<str>, CliError> {
    let of = format!("the certificate of {}", certificate.subject().escape_debug());
    if certificate.public_key() != key {
        return Err(
            CliError::usage(format!("{of} is about another key than the one that signs"))
                .hint("name the key that the certificate was issued for with `--key`"),
        );
    }
    let now = settings::now()?;
    if now > certificate.not_after() || now < certificate.not_before() {
        return Err(CliError::cannot_decide(format!(
            "{of} is valid from {} to {}, so nobody would count the link",
            certificate.not_before(),
            certificate.not_after()
        ))
        .hint("have a new certificate issued"));
    }
    Ok(certificate.to_pem().into())
}

/// The keys that sign `step` when none is named.
fn default_keys(step: &str, source: Option<&LayoutSource>) -> Result<Vec<KeyFile>, CliError> {
    let directory = KeyDirectory::of_user()?;
    let stored = directory.keys()?;
    if let Some(functionaries) = source.and_then(|source| source.functionaries(step)) {
        let own: Vec<&StoredKey> = stored
            .iter()
            .filter(|key| {
                key.public
                    .as_ref()
                    .is_some_and(|public| functionaries.contains(&public))
            })
            .collect();
        if !own.is_empty() {
            return own.into_iter().map(|key| KeyFile::find(&key.private)).collect();
        }
        if !stored.is_empty() {
            let names: Vec<&str> = stored.iter().map(|key| key.name.as_str()).collect();
            return Err(CliError::usage(format!(
                "none of your keys ({}) may sign the step `{step}` according to the layout source",
                names.join(", ")
            ))
            .hint("name the key with `--key`, or record with `--unsigned` and sign elsewhere"));
        }
    }
    match stored.as_slice() {
        [only] => Ok(vec![KeyFile::find(&only.private)?]),
        [] => Err(
            CliError::usage(format!("there is no key to sign with in `{}`", directory.path()))
                .hint("run `cargo intoto key generate NAME` (or `cargo intoto init`, which does all the rest too)")
                .hint("`--unsigned` records without a key; `cargo intoto try` needs none at all"),
        ),
        several => {
            let names: Vec<&str> = several.iter().map(|key| key.name.as_str()).collect();
            Err(CliError::usage(format!(
                "there are several keys in `{}`, and nothing says which of them signs",
                directory.path()
            ))
            .hint(format!("name one with `--key`: {}", names.join(", "))))
        }
    }
}
