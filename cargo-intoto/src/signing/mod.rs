//! Signing keys: where they are, how they are opened, and which of them sign a step.

mod directory;
mod file;
mod passphrase;
mod public;
mod uri;

pub use directory::{KeyDirectory, StoredKey};
pub use file::{KeyFile, KeyKindArg, encode_private, ephemeral, generate};
pub(crate) use passphrase::new as new_passphrase;
pub use public::{load_public_key, parse_public_key};
pub use uri::{KeyUri, is_key_name};
