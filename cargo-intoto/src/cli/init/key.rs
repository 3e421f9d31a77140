//! The key that will own the layout: one that is there, wherever it is, or a new one.

use intoto_core::envelope::Container;
use intoto_core::key::Signer;

use crate::error::CliError;
use crate::signing::{self, GpgKey, KeyDirectory, KeyFile, KeyKindArg, KeyUri, OtherKey};
use crate::ui::Ui;

/// The name of a key that has none of its own.
const OWNER: &str = "owner";

/// The key that was chosen, still closed.
pub(super) struct Chosen {
    /// What its public half is called in the tree.
    pub(super) name: String,
    place: Place,
}

/// Where the secret is.
enum Place {
    /// Yet to be made, in the key directory.
    New,
    File(KeyFile),
    Gpg(Box<GpgKey>),
    Other(Box<OtherKey>),
}

impl Chosen {
    /// The key that is named, or the only one of the user, or a new one if there is none.
    ///
    /// # Errors
    /// When it is not there, or several could be meant.
    pub(super) fn find(named: Option<&str>) -> Result<Self, CliError> {
        if let Some(text) = named {
            return Self::named(KeyUri::parse(text)?);
        }
        let directory = KeyDirectory::of_user()?;
        match directory.keys()?.as_slice() {
            [] => {
                directory.check_free(OWNER)?;
                Ok(Self::new(OWNER, Place::New))
            }
            [only] => Ok(Self::new(&only.name, Place::File(KeyFile::find(&only.private)?))),
            several => {
                let names: Vec<&str> = several.iter().map(|key| key.name.as_str()).collect();
                Err(
                    CliError::usage("there are several keys, and nothing says which of them owns the layout")
                        .hint(format!("name one with `--key`: {}", names.join(", "))),
                )
            }
        }
    }

    fn named(uri: KeyUri) -> Result<Self, CliError> {
        Ok(match uri {
            KeyUri::File(path) => {
                let name = path
                    .file_stem()
                    .filter(|stem| signing::is_key_name(stem))
                    .unwrap_or(OWNER);
                Self::new(name, Place::File(KeyFile::find(&path)?))
            }
            KeyUri::Gpg(id) => Self::new(OWNER, Place::Gpg(Box::new(GpgKey::find(&id)?))),
            KeyUri::Other(key) => Self::new(OWNER, Place::Other(key)),
            KeyUri::Sigstore(key) => {
                return Err(
                    CliError::usage(format!("`{}` cannot own a layout that is set up here", key.name()))
                        .hint("name a key of yours; `--sigstore` lets the CI service sign the steps with its identity")
                        .hint("`cargo intoto layout sign --key sigstore:` signs a layout with an identity besides"),
                );
            }
        })
    }

    fn new(name: &str, place: Place) -> Self {
        Self {
            name: name.to_owned(),
            place,
        }
    }

    /// Whether it is yet to be made.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.place, Place::New)
    }

    /// What has to stand behind `--key` wherever it signs; nothing for a key in a file, which commands look for.
    pub(super) fn uri(&self, named: Option<&str>) -> Option<String> {
        match self.place {
            Place::New | Place::File(_) => None,
            Place::Gpg(_) | Place::Other(_) => named.map(str::to_owned),
        }
    }

    /// The form of what it signs: no implementation takes OpenPGP signatures in any but the older one.
    pub(super) fn container(&self, wanted: Container) -> Container {
        match self.place {
            Place::Gpg(_) => Container::Metablock,
            Place::New | Place::File(_) | Place::Other(_) => wanted,
        }
    }

    /// Opens the key, or makes it.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(super) fn open(&self, no_passphrase: bool, ui: &Ui) -> Result<Box<dyn Signer>, CliError> {
        match &self.place {
            Place::File(file) => return Ok(Box::new(file.open()?)),
            Place::Gpg(key) => return Ok(key.clone()),
            Place::Other(key) => return key.open(),
            Place::New => {}
        }
        let key = signing::generate(KeyKindArg::Ed25519)?;
        let passphrase = match no_passphrase {
            true => None,
            false => Some(signing::new_passphrase(&format!("the new key {}", self.name))?),
        };
        let directory = KeyDirectory::of_user()?;
        let stored = directory.store(&self.name, &key, passphrase.as_ref().map(|text| text.as_str()))?;
        ui.status("Generated", &stored.private);
        Ok(Box::new(key))
    }
}
