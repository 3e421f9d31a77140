//! Writes the fixed bundles of `tests/fixtures/sigstore`: good ones, which verify offline for ever.

use std::fs;
use std::io;
use std::sync::LazyLock;

use intoto_core::key::{SecretKey, Signer as _};
use serde_json::{Value, json};

use crate::fixed;
use crate::private_sigstore::Log;
use crate::private_sigstore::bundle::{Order, STATEMENT, link_statement};
use crate::private_sigstore::client::{self, Holder};
use crate::private_sigstore::servers::Stack;
use crate::registry::crate_file;
use crate::root::Root;
use crate::sigstore::attacks;

/// What the statement is about.
pub(crate) fn artifact() -> (&'static str, &'static [u8]) {
    static CRATE: LazyLock<Vec<u8>> = LazyLock::new(|| sound_crate("0.1.0"));
    ("demo-0.1.0.crate", &CRATE)
}

/// What cargo would take for a `.crate`.
pub(super) fn sound_crate(version: &str) -> Vec<u8> {
    let manifest = format!("[package]\nname = \"demo\"\nversion = \"{version}\"\nedition = \"2021\"\n");
    crate_file("demo", version, &[("Cargo.toml", &manifest), ("src/lib.rs", "")])
}

pub(crate) const EMAIL: &str = "dev@example.com";

/// Writes all of them.
pub(crate) fn write(stack: &Stack, root: &Root) -> io::Result<()> {
    let directory = root.join("tests/fixtures/sigstore");
    fs::create_dir_all(&directory)?;
    fs::copy(stack.trusted_root(), directory.join("trusted_root.json"))?;
    fs::write(directory.join(artifact().0), artifact().1)?;
    let statement = link_statement(artifact().0, artifact().1);
    fs::write(directory.join("statement.json"), &statement)?;
    fs::write(directory.join("key.pub"), key().public_key().to_spki_pem())?;
    let issuers = json!({
        "person": stack.addresses.issuer,
        "job": format!("{}/actions", stack.addresses.issuer),
    });
    fs::write(directory.join("issuers.json"), format!("{issuers:#}\n"))?;
    // A proof of the first entry has nothing in it, and an index that clients leave out.
    for log in stack.logs() {
        good(stack, log, Who::Person, b"{}")?;
    }
    for log in stack.logs() {
        let version = attacks::version(log);
        for (name, who) in [("email", Who::Person), ("actions", Who::Job), ("key", Who::Key)] {
            let bundle = good(stack, log, who, &statement)?;
            let path = directory.join(format!("good-{name}-{version}.sigstore.json"));
            fs::write(path, format!("{bundle:#}\n"))?;
        }
    }
    let attack_directory = directory.join("attacks");
    if attack_directory.exists() {
        fs::remove_dir_all(&attack_directory)?;
    }
    fs::create_dir_all(&attack_directory)?;
    let mut codes = String::new();
    for attack in attacks::all(stack)? {
        let path = attack_directory.join(format!("{}.sigstore.json", attack.name));
        fs::write(path, format!("{:#}\n", attack.bundle))?;
        codes.push_str(&format!("{}\t{}\t{}\n", attack.name, attack.code, attack.twin));
    }
    fs::write(attack_directory.join("codes.tsv"), codes)?;
    for (name, bundle) in attacks::twins(stack)? {
        fs::write(directory.join(format!("{name}.sigstore.json")), format!("{bundle:#}\n"))?;
    }
    Ok(())
}

/// Who signs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Who {
    Person,
    Job,
    Key,
}

pub(crate) fn key() -> SecretKey {
    fixed::p256("sigstore signer")
}

pub(crate) fn good(stack: &Stack, log: Log, who: Who, payload: &[u8]) -> io::Result<Value> {
    let addresses = &stack.addresses;
    let token = match who {
        Who::Person => Some(client::person(addresses, EMAIL)?),
        Who::Job => Some(client::job(addresses, "")?),
        Who::Key => None,
    };
    let holder = match token {
        Some(token) => Holder::Certificate(client::certificate(addresses, &token, &key())?),
        None => Holder::Key(key().public_key().to_spki_der()),
    };
    let order = Order {
        addresses,
        log,
        payload_type: STATEMENT,
        payload,
        key,
        holder: &holder,
    };
    order.bundle()
}
