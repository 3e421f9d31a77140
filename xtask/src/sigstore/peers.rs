//! The product and the other implementations: how each signs a statement, and how it verifies the bundle of one.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use crate::failure::{Context, Failure};
use crate::private_sigstore::client;
use crate::private_sigstore::servers::Stack;
use crate::private_sigstore::{Addresses, Log};
use crate::process::Run;
use crate::root::Root;
use crate::tools::{self, Tools};

/// An implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The product, by the small client of the conformance suite on its modules.
    Ours,
    Cosign,
    Python,
    JavaScript,
}

/// What a verifier is told to expect.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// Who signed.
    pub(crate) identity: String,
    /// By whose word.
    pub(crate) issuer: String,
    /// What the statement is about.
    pub(crate) artifact: Utf8PathBuf,
}

/// Where their programs are.
#[derive(Debug)]
pub(crate) struct Peers {
    tools: Tools,
    /// The product with all its features.
    pub(crate) product: Utf8PathBuf,
    client: Utf8PathBuf,
    cosign: Utf8PathBuf,
    javascript: Utf8PathBuf,
    python: Utf8PathBuf,
}

impl Peer {
    /// Every one.
    pub(crate) const ALL: [Self; 4] = [Self::Ours, Self::Cosign, Self::Python, Self::JavaScript];

    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "cargo intoto",
            Self::Cosign => "cosign",
            Self::Python => "sigstore-python",
            Self::JavaScript => "sigstore-js",
        }
    }
}

impl Peers {
    /// Builds and installs them, or finds them there. `programs` is where Go's are.
    pub(crate) fn install(root: &Root, programs: &Utf8Path) -> Result<Self, Failure> {
        Run::cargo()
            .args(["build", "--quiet", "--locked", "--package", "tests"])
            .args(["--bin", "cargo-intoto-twin", "--bin", "sigstore-conformance-client"])
            .directory(root.path())
            .show()?;
        let own = root.target().join("debug");
        Ok(Self {
            tools: tools::install(root)?,
            product: own.join("cargo-intoto-twin"),
            client: own.join("sigstore-conformance-client"),
            cosign: programs.join("cosign"),
            javascript: tools::npm(root)?,
            python: root.join("tests/sigstore/peer.py"),
        })
    }

    /// Lets one of them sign a statement.
    pub(crate) fn sign(
        &self,
        peer: Peer,
        stack: &Stack,
        log: Log,
        email: &str,
        statement: &Utf8Path,
        bundle: &Utf8Path,
    ) -> Result<(), Failure> {
        let token = client::person(&stack.addresses, email).context("get a token")?;
        let run = match peer {
            Peer::Ours => Run::new(&self.client)
                .args(["sign-bundle", "--in-toto", "--identity-token", &token])
                .args(["--bundle", bundle.as_str(), "--signing-config"])
                .arg(stack.signing_config(log))
                .arg(statement),
            Peer::Cosign => Run::new(&self.cosign)
                .args(["attest-blob", "--yes", "--identity-token", &token, "--statement"])
                .arg(statement)
                .arg("--bundle")
                .arg(bundle)
                .arg("--trusted-root")
                .arg(stack.trusted_root())
                .arg("--signing-config")
                .arg(stack.signing_config(log)),
            Peer::Python => Run::new(self.tools.python("python"))
                .arg(&self.python)
                .arg(stack.trust_config(log))
                .args([token.as_str(), statement.as_str(), bundle.as_str()]),
            Peer::JavaScript => Run::new("node")
                .arg(self.javascript.join("peer.mjs"))
                .args(["sign", &addresses(&stack.addresses)])
                .arg(match log {
                    Log::V1 => "1",
                    Log::V2 => "2",
                })
                .args([token.as_str(), statement.as_str(), bundle.as_str()]),
        };
        // What it could find around it, it is not to find.
        alone(run, &stack.directory).succeed().map(drop)
    }

    /// Whether one of them accepts a bundle; else the last line about it that it says.
    pub(crate) fn verify(
        &self,
        peer: Peer,
        stack: &Stack,
        log: Log,
        expected: &Expected,
        bundle: &Utf8Path,
    ) -> Result<Result<(), String>, Failure> {
        let Expected {
            identity,
            issuer,
            artifact,
        } = expected;
        let run = match peer {
            Peer::Ours => Run::new(&self.client)
                .args(["verify-bundle", "--bundle", bundle.as_str()])
                .args(["--certificate-identity", identity, "--certificate-oidc-issuer", issuer])
                .arg("--trusted-root")
                .arg(stack.trusted_root())
                .arg(artifact),
            Peer::Cosign => Run::new(&self.cosign)
                .args(["verify-blob-attestation", "--bundle", bundle.as_str()])
                .args(["--certificate-identity", identity, "--certificate-oidc-issuer", issuer])
                .arg("--trusted-root")
                .arg(stack.trusted_root())
                .args(["--type", "https://in-toto.io/attestation/link/v0.3"])
                .arg(artifact),
            Peer::Python => Run::new(self.tools.python("sigstore"))
                .arg("--trust-config")
                .arg(stack.trust_config(log))
                .args(["verify", "identity", "--offline", "--bundle", bundle.as_str()])
                .args(["--cert-identity", identity, "--cert-oidc-issuer", issuer])
                .arg(artifact),
            Peer::JavaScript => Run::new("node")
                .arg(self.javascript.join("peer.mjs"))
                .arg("verify")
                .arg(stack.trusted_root())
                .args([identity.as_str(), issuer, artifact.as_str(), bundle.as_str()]),
        };
        let ended = alone(run, &stack.directory).keep()?;
        if ended.is_success() {
            return Ok(Ok(()));
        }
        if peer == Peer::Ours && ended.code != Some(1) {
            // To crash is not to refuse.
            return Err(Failure::new(format!("our client {}", ended.tail())));
        }
        let said = ended.stderr.lines().rev().find(|line| line.contains("rror"));
        let said = said.or(ended.stderr.lines().last()).unwrap_or_default();
        Ok(Err(said.trim().to_owned()))
    }
}

fn alone(run: Run, directory: &Utf8Path) -> Run {
    let home = directory.join("home");
    run.only_env(&["PATH", "LANG"])
        .env("HOME", &home)
        .env("TUF_ROOT", home.join("tuf"))
        .directory(directory)
}

fn addresses(addresses: &Addresses) -> String {
    json!({
        "fulcio": addresses.fulcio,
        "rekor_v1": addresses.rekor_v1,
        "rekor_v2": addresses.rekor_v2,
        "timestamps": addresses.timestamps,
    })
    .to_string()
}
