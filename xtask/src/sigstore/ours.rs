//! The product: its own command line where there is one for it, else the small client of the conformance suite on its modules.

use camino::{Utf8Path, Utf8PathBuf};

use super::peers::Expected;
use crate::failure::{Context, Failure};
use crate::private_sigstore::Log;
use crate::private_sigstore::client;
use crate::private_sigstore::servers::Stack;
use crate::process::Run;
use crate::root::Root;

/// Where our programs are.
#[derive(Debug)]
pub(crate) struct Ours {
    /// The product with all its features.
    pub(crate) product: Utf8PathBuf,
    client: Utf8PathBuf,
}

impl Ours {
    /// Builds them.
    pub(crate) fn build(root: &Root) -> Result<Self, Failure> {
        Run::cargo()
            .args(["build", "--quiet", "--locked", "--package", "tests"])
            .args(["--bin", "cargo-intoto-twin", "--bin", "sigstore-conformance-client"])
            .directory(root.path())
            .show()?;
        let programs = root.target().join("debug");
        Ok(Self {
            product: programs.join("cargo-intoto-twin"),
            client: programs.join("sigstore-conformance-client"),
        })
    }

    /// Signs a statement.
    pub(crate) fn sign(
        &self,
        stack: &Stack,
        log: Log,
        email: &str,
        statement: &Utf8Path,
        bundle: &Utf8Path,
    ) -> Result<(), Failure> {
        let token = client::person(&stack.addresses, email).context("get a token")?;
        Run::new(&self.client)
            .args(["sign-bundle", "--in-toto", "--identity-token", &token])
            .args(["--bundle", bundle.as_str(), "--signing-config"])
            .arg(stack.signing_config(log))
            .arg(statement)
            .succeed()
            .map(drop)
    }

    /// Whether it accepts a bundle; else what it says.
    pub(crate) fn verify(
        &self,
        stack: &Stack,
        expected: &Expected,
        bundle: &Utf8Path,
    ) -> Result<Result<(), String>, Failure> {
        let ended = Run::new(&self.client)
            .args(["verify-bundle", "--bundle", bundle.as_str()])
            .args(["--certificate-identity", &expected.identity])
            .args(["--certificate-oidc-issuer", &expected.issuer, "--trusted-root"])
            .arg(stack.trusted_root())
            .arg(&expected.artifact)
            .keep()?;
        Ok(match ended.code {
            Some(0) => Ok(()),
            Some(1) => Err(ended.stderr.trim().to_owned()),
            // To crash is not to refuse.
            _ => return Err(Failure::new(format!("our client {}", ended.tail()))),
        })
    }
}
