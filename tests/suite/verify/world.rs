//! A small chain on disk, ready to be verified and to be tampered with.

use cargo_intoto_tests::fixed::TIME_RFC3339;
use cargo_intoto_tests::vectors::chain::{self, Person};
use cargo_intoto_tests::{Output, Sandbox};
use serde_json::Value;

/// A sandbox with a chain in `chain/`: `root.layout`, `owner.pub` and the links.
pub(super) struct World {
    pub(super) sandbox: Sandbox,
}

impl World {
    /// The chain of the vectors: `write` by alice, `package` by bob, and an inspection that binds `hello-*.crate`.
    pub(super) fn new() -> Self {
        let world = Self {
            sandbox: Sandbox::new(),
        };
        world.file("owner.pub", chain::owner().pem());
        world.layout(&chain::layout());
        world.link(&chain::alice(), &chain::write_link());
        world.link(&chain::bob(), &chain::package_link());
        world
    }

    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        self.sandbox.write(format!("chain/{name}"), content);
    }

    /// A layout as the owner signs it.
    pub(super) fn layout(&self, layout: &Value) {
        self.file("root.layout", chain::owned(layout));
    }

    /// A link as this person signs it.
    pub(super) fn link(&self, by: &Person, link: &Value) {
        let step = link["name"].as_str().expect("links have names");
        self.file(&by.link_file(step), chain::dsse(&chain::text(link), &[by]));
    }

    /// Tells the trust store whose layouts count.
    pub(super) fn trust(&self, name: &str, key: &str, scope: &str) {
        let add = ["trust", "add", name, "--key", key, "--scope", scope];
        self.sandbox.intoto("chain", &add).succeeds();
    }

    /// Verifies in `chain/` with the owner's key, at the fixed time.
    pub(super) fn verify(&self, more: &[&str]) -> Output {
        self.verify_by(&["--key", "owner.pub"], more)
    }

    /// Verifies in `chain/` at the fixed time.
    pub(super) fn verify_by(&self, trust: &[&str], more: &[&str]) -> Output {
        let common = [
            "verify",
            "--layout",
            "root.layout",
            "--link-dir",
            ".",
            "--as-of",
            TIME_RFC3339,
        ];
        let args: Vec<&str> = common.iter().chain(trust).chain(more).copied().collect();
        self.sandbox.intoto("chain", &args)
    }
}
