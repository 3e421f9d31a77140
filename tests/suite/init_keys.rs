//! `init` with keys that are not in files: GnuPG's, and those behind other URIs.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto_tests::sandbox::{run, twin};
use cargo_intoto_tests::{Output, Project, Sandbox, fixed};

use crate::ssh_agent::{Agent, add_key};

/// Of `fixtures/openpgp-secret-keys.asc`: Ed25519, and RSA with a subkey that signs.
const ED25519: &str = "F1D8F5C66B19BA2CC1E59685D03AA5FE1742B9D4";
const WITH_SUBKEY: &str = "3620AA7F7E8F82DF9D570DCBCDA3B537324D83D0";

/// A GnuPG home directory whose agent ends with the test.
struct Home<'s> {
    sandbox: &'s Sandbox,
    path: Utf8PathBuf,
}

impl<'s> Home<'s> {
    fn with_secret_keys(sandbox: &'s Sandbox) -> Self {
        // Short, because a socket comes to lie in it.
        let path = sandbox.path("g");
        fs::create_dir(&path).expect("created");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(&path, mode).expect("permitted");
        let home = Self { sandbox, path };
        let keys = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/openpgp-secret-keys.asc");
        let words = ["--homedir", home.path.as_str(), "--batch", "--quiet", "--import"];
        sandbox
            .run("", "gpg", &[&words[..], &[keys.as_str()]].concat())
            .succeeds();
        home
    }

    fn uri(&self, fingerprint: &str) -> String {
        format!("gpg:{fingerprint}?home={}", self.path)
    }
}

impl Drop for Home<'_> {
    fn drop(&mut self) {
        let words = ["--homedir", self.path.as_str(), "--kill", "all"];
        self.sandbox.run("", "gpgconf", &words);
    }
}

fn project(sandbox: &Sandbox) -> Project<'_> {
    let project = sandbox.project("hello");
    project.hello().lock().commit("begin");
    project
}

#[test]
fn a_key_that_gnupg_keeps_owns_a_workspace() {
    let sandbox = Sandbox::new();
    let home = Home::with_secret_keys(&sandbox);
    let project = project(&sandbox);
    let key = home.uri(ED25519);
    let init = project
        .intoto(&["init", "--key", &key])
        .succeeds()
        .says(&format!("cargo intoto release --key '{key}'"))
        .says("Trusting `hello` for pkg:cargo/hello");
    // No other form is read with such a signature, and the dictionary is what layouts carry.
    let signed = project.read("layouts/release.layout");
    assert!(signed.contains("\"signed\""), "{signed}");
    let public = project.read("layouts/keys/owner.pub");
    assert!(public.contains(&ED25519.to_lowercase()), "{public}");
    assert!(!sandbox.config().join("keys").exists(), "no key was made");
    project.intoto(&["layout", "check"]).succeeds().says("agree");
    sandbox.run("hello", "sh", &["-c", &init.stdout]).succeeds();

    project.intoto(&["release", "--key", &key]).succeeds();
    project.intoto(&["verify"]).exits(0);
    // The same by another of GnuPG's keys is not by the owner.
    let other = home.uri(WITH_SUBKEY);
    project.intoto(&["layout", "sign", "--key", &other]).succeeds();
    project.intoto(&["verify"]).exits(1).prints("error[signature-missing]");
}

#[test]
fn links_of_a_subkey_count_for_the_key_that_is_listed() {
    let sandbox = Sandbox::new();
    let home = Home::with_secret_keys(&sandbox);
    let project = project(&sandbox);
    let key = home.uri(WITH_SUBKEY);
    let init = project.intoto(&["init", "--key", &key]).succeeds();
    sandbox.run("hello", "sh", &["-c", &init.stdout]).succeeds();
    project.intoto(&["release", "--key", &key]).succeeds();
    // In a new run, where all links are by a key that is no functionary's.
    project.file("src/more.rs", "").commit("more");
    let stranger = home.uri(ED25519);
    project
        .intoto(&["release", "--key", &stranger])
        .exits(3)
        .prints("Step fetch, by nobody");
}

#[test]
fn gnupg_has_to_have_the_key() {
    let sandbox = Sandbox::new();
    let home = Home::with_secret_keys(&sandbox);
    let project = project(&sandbox);
    for id in ["0000000000000000000000000000000000000000", "nobody@example.org"] {
        let output = project.intoto(&["init", "--key", &home.uri(id)]);
        assert!(matches!(output.code, Some(2 | 3)), "{id}: {:?}", output.code);
        assert!(!project.path("layouts").exists(), "{id}");
        assert!(!sandbox.config().join("trust.toml").exists(), "{id}");
    }
}

#[test]
fn keys_behind_other_uris_own_workspaces() {
    let key = fixed::ed25519("variable");
    let helper = snapbox::cmd::cargo_bin("cargo-intoto-test-signer");
    for uri in ["env:SIGNING", &format!("process:{}", helper.to_str().expect("UTF-8"))] {
        let sandbox = Sandbox::new();
        let project = project(&sandbox);
        let mut command = sandbox.command(twin());
        command
            .current_dir(project.path(""))
            .args(["init", "--key", uri])
            .env("SIGNING", &*key.to_pkcs8_pem());
        run(command)
            .succeeds()
            .says(&format!("cargo intoto release --key {uri}"));
        assert!(project.read("layouts/keys/owner.pub").contains("BEGIN PUBLIC KEY"));
        assert!(!project.read("layouts/release.layout").contains("\"signed\""));
        project.intoto(&["layout", "check"]).succeeds().says("agree");
        assert!(!sandbox.config().join("keys").exists(), "no key was made");
    }
}

#[test]
fn a_key_that_an_agent_keeps_owns_a_workspace() {
    let sandbox = Sandbox::new();
    let agent = Agent::start(&sandbox);
    let project = project(&sandbox);
    let intoto = |words: &[&str]| -> Output {
        let mut command = sandbox.command(twin());
        command
            .current_dir(project.path(""))
            .args(words)
            .envs(agent.environment());
        run(command)
    };
    let wrote_nothing = || !project.path("layouts").exists() && !sandbox.config().join("trust.toml").exists();
    intoto(&["init", "--key", "ssh-agent:"])
        .exits(2)
        .says("the SSH agent has no Ed25519 key");
    // It is not told where an agent listens.
    project
        .intoto(&["init", "--key", "ssh-agent:"])
        .exits(3)
        .says("SSH_AUTH_SOCK is not set");
    let (fingerprint, key) = add_key(&sandbox, &agent, "first", "ed25519");
    let (second, _) = add_key(&sandbox, &agent, "second", "ed25519");
    intoto(&["init", "--key", "ssh-agent:"])
        .exits(2)
        .says("several Ed25519 keys of the SSH agent fit");
    assert!(wrote_nothing());

    let init = intoto(&["init", "--key", "ssh-agent:first"])
        .succeeds()
        .says("cargo intoto release --key ssh-agent:first")
        .says("Trusting `hello` for pkg:cargo/hello");
    assert_eq!(project.read("layouts/keys/owner.pub"), key.to_spki_pem());
    assert!(!sandbox.config().join("keys").exists(), "no key was made");
    project.intoto(&["layout", "check"]).succeeds().says("agree");
    sandbox.run("hello", "sh", &["-c", &init.stdout]).succeeds();

    intoto(&["release", "--key", &format!("ssh-agent:{fingerprint}")]).succeeds();
    project.intoto(&["verify"]).exits(0);
    // The same by the agent's other key is not by the owner.
    intoto(&["layout", "sign", "--key", &format!("ssh-agent:{second}")]).succeeds();
    project.intoto(&["verify"]).exits(1).prints("error[signature-missing]");
}
