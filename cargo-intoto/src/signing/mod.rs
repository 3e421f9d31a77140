//! Signing keys: where they are, how they are opened, and which of them sign a step.

mod agent;
mod args;
mod bundles;
mod certificate;
mod chosen;
mod directory;
mod file;
mod old_pem;
mod openpgp;
mod other;
mod passphrase;
mod pending;
mod process;
mod public;
mod signed_file;
mod sigstore;
mod uri;
mod variable;

pub use agent::AgentKey;
pub(crate) use args::is_gpg;
pub use args::{ContainerArg, KeyArgs, KeyIdStyleArg, LinkFormArg, SigstoreArgs};
pub use bundles::{Bundles, NamedBundle, Shown, Witness};
pub use certificate::{load_certificate, load_certificates, parse_certificates};
pub use chosen::ChosenKeys;
pub use directory::{KeyDirectory, StoredKey};
pub(crate) use file::read_private_key;
pub use file::{KeyFile, KeyKindArg, encode_private, ephemeral, generate};
pub use openpgp::{GpgKey, NEVER_SIGNS, OpenPgpId, SIGNING_SUBKEY, load_from_gpg, load_pubring, never_signs};
pub use other::OtherKey;
pub(crate) use passphrase::{ask as ask_passphrase, new as new_passphrase};
pub use pending::{Keyring, PendingSigners, StepSigner};
pub use process::ProcessKey;
pub use public::{load_public_key, parse_public_key, public_key_text};
pub use signed_file::SignedFile;
pub use sigstore::{
    BUILD_HINT as SIGSTORE_BUILD_HINT, Content, Instance, Signatory, SignedBundle, SigstoreKey, TokenSource,
    check_subject,
};
pub use uri::{KeyUri, is_key_name};
pub use variable::VariableKey;
