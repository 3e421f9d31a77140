//! A key store of one's own: keys that stay where they are, in a token, a service or, here, a table, and sign when asked.
//!
//! ```text
//! cargo run -p intoto-core --example key_store
//! ```
//!
//! Whatever holds the private key implements [`Signer`]; nothing else of the core knows that there are private keys.
#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "around the core there is a system"
)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::error::Error;

use intoto_core::digest::{DigestSet, sha256};
use intoto_core::envelope::{Container, Envelope};
use intoto_core::key::{KeyIdStyle, PublicKey, SecretKey, SignError, Signer};
use intoto_core::limits::Limits;
use intoto_core::record::{Observation, link_files};

fn main() -> Result<(), Box<dyn Error>> {
    std::io::Write::write_all(&mut std::io::stdout(), run()?.as_bytes())?;
    Ok(())
}

/// What the example prints.
pub(crate) fn run() -> Result<String, Box<dyn Error>> {
    let mut store = Store::default();
    // A real one would make the key inside, from its own random numbers, and never hand it out.
    store.add("build-bot", SecretKey::ed25519_from_seed([7; 32]), 1);

    let mut observed = Observation::of("build".parse()?);
    observed.command = vec!["make".into()];
    let hello = DigestSet::from_sha256(sha256(b"hello"));
    observed.products.insert("hello".parse()?, hello);
    let link = observed.into_link();

    let bot = store.signer("build-bot").ok_or("no such key")?;
    // Each implementation of in-toto derives another id from the same key; a link is found by the one that the layout lists.
    let key_id = bot.public_key().key_id(KeyIdStyle::Python);
    let files = link_files(&link, &[(&bot, key_id.clone())], Container::Dsse)?;

    let limits = Limits::default();
    let envelope = Envelope::parse(&files[0].bytes, &limits)?;
    envelope.verify(bot.public_key(), std::slice::from_ref(&key_id))?;
    let mut said = format!("{} verifies\n", files[0].name);

    // What the store refuses is the signer's error, with the store's words in it; no link is made.
    match link_files(&link, &[(&bot, key_id)], Container::Dsse) {
        Ok(_) => return Err("the store signed more often than it may".into()),
        Err(error) => said += &format!("{error}\n"),
    }
    Ok(said)
}

/// Keys by name, and how often each may still sign.
#[derive(Default)]
struct Store {
    keys: BTreeMap<String, (SecretKey, Cell<u32>)>,
}

impl Store {
    fn add(&mut self, name: &str, key: SecretKey, uses: u32) {
        self.keys.insert(name.into(), (key, Cell::new(uses)));
    }

    fn signer(&self, name: &str) -> Option<StoredKey<'_>> {
        let (key, uses) = self.keys.get(name)?;
        Some(StoredKey { key, uses })
    }
}

/// A handle on a stored key, not the key.
struct StoredKey<'s> {
    key: &'s SecretKey,
    uses: &'s Cell<u32>,
}

impl Signer for StoredKey<'_> {
    /// Asked for often, so it is kept at hand. It need not be trusted: every signature is verified with it before it is written.
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// The message comes whole; a service that signs digests hashes it here, as the key's scheme says.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let left = self.uses.get().checked_sub(1).ok_or_else(|| SignError::Failed {
            reason: "the key may not sign any more".into(),
        })?;
        let signature = self.key.sign(message)?;
        self.uses.set(left);
        Ok(signature)
    }
}
