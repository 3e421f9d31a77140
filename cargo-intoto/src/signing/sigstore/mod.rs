//! `--key sigstore:…`: signing with an identity, or with a key whose signature a log and a timestamp authority witness.
//!
//! What comes out is a Sigstore bundle: of a statement, beside the links of its step, or of a whole file, beside that file. Until a token
//! is needed nothing secret is read; it is held for as long as the services are asked and handed to nobody else.

mod signatory;
mod source;
mod subject;

#[cfg(feature = "sigstore")]
mod authority;
#[cfg(feature = "sigstore")]
mod keyed;
#[cfg(feature = "sigstore")]
mod log;
#[cfg(feature = "sigstore")]
mod login;
#[cfg(feature = "sigstore")]
mod make;
#[cfg(feature = "sigstore")]
mod redirect;
#[cfg(feature = "sigstore")]
mod refusal;
#[cfg(feature = "sigstore")]
mod requests;
#[cfg(feature = "sigstore")]
mod services;
#[cfg(feature = "sigstore")]
mod timestamps;
#[cfg(feature = "sigstore")]
mod token;

use std::cell::OnceCell;

use camino::Utf8PathBuf;
use intoto_core::key::PublicKey;

use crate::error::CliError;
use crate::ui::Ui;
pub use signatory::Signatory;
use source::Means;
pub use source::TokenSource;
pub use subject::check_subject;

/// How a build without the feature is replaced by one with it.
pub const BUILD_HINT: &str =
    "install it with `cargo install cargo-intoto --features sigstore`, or take a released binary";

/// Who signs by Sigstore, chosen and still without a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigstoreKey {
    means: Means,
    text: String,
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// The bytes of a statement, in a DSSE envelope.
    Statement(&'a [u8]),
    /// A file of any kind, detached.
    File(&'a [u8]),
}

/// A bundle as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBundle {
    /// JSON, with an end of line.
    pub json: Vec<u8>,
    /// The key that signed, unless it was an identity.
    pub key: Option<PublicKey>,
}

/// The services that are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instance {
    /// The signing configuration of a private instance; without one the public-good instance is asked.
    pub signing_config: Option<Utf8PathBuf>,
}

impl Instance {
    /// Whether its signing configuration can be used, so that a mistake shows before anything is recorded.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn check(&self) -> Result<(), CliError> {
        #[cfg(feature = "sigstore")]
        services::Services::of(self)?;
        Ok(())
    }
}

impl SigstoreKey {
    /// Reads what stands behind `sigstore:`, and checks without reading a secret that a token can be had later.
    ///
    /// # Errors
    /// When this build cannot sign so, the words are none of the documented ones, or no token can be had.
    pub fn find(rest: &str) -> Result<Self, CliError> {
        let means = Means::parse(rest)?;
        if cfg!(not(feature = "sigstore")) {
            return Err(CliError::usage(
                "keys of the scheme `sigstore:` cannot be used: this build has no Sigstore support",
            )
            .hint(BUILD_HINT));
        }
        means.check()?;
        Ok(Self {
            means,
            text: rest.to_owned(),
        })
    }

    /// As it was named.
    pub fn name(&self) -> String {
        format!("sigstore:{}", self.text)
    }

    /// Whether it is a key and not an identity that signs.
    pub fn is_keyed(&self) -> bool {
        matches!(self.means, Means::Key(_))
    }

    /// Gets a token, has a certificate issued, signs, and has that witnessed. Call it when no process of a recorded command is left.
    ///
    /// A statement that nobody could verify is refused before anybody is asked for anything. What comes back was not verified; whoever
    /// stores it does that first.
    ///
    /// # Errors
    /// When there is no token, or a service fails or refuses.
    pub fn sign(&self, content: Content<'_>, instance: &Instance, ui: &Ui) -> Result<SignedBundle, CliError> {
        if let Content::Statement(bytes) = content {
            check_subject(bytes)?;
        }
        self.sign_made(|_| Ok(content), instance, ui)
    }

    /// As [`SigstoreKey::sign`], the statement that `make` makes for whoever turns out to sign: it is asked when that is settled, and
    /// before anything is signed. The second of what comes back is the statement.
    ///
    /// # Errors
    /// As [`SigstoreKey::sign`], and those of `make`.
    pub fn sign_for(
        &self,
        make: impl FnOnce(&Signatory) -> Result<Vec<u8>, CliError>,
        instance: &Instance,
        ui: &Ui,
    ) -> Result<(SignedBundle, Vec<u8>), CliError> {
        let made = OnceCell::new();
        let content = |signatory: &Signatory| {
            let statement = make(signatory)?;
            check_subject(&statement)?;
            Ok(Content::Statement(made.get_or_init(|| statement)))
        };
        let bundle = self.sign_made(content, instance, ui)?;
        let statement = made.into_inner().unwrap_or_default();
        Ok((bundle, statement))
    }

    #[cfg(feature = "sigstore")]
    fn sign_made<'c>(
        &self,
        content: impl FnOnce(&Signatory) -> Result<Content<'c>, CliError>,
        instance: &Instance,
        ui: &Ui,
    ) -> Result<SignedBundle, CliError> {
        let services = services::Services::of(instance)?;
        match &self.means {
            Means::Identity(source) => make::by_identity(source, content, &services, ui),
            Means::Key(key) => keyed::by_key(key, content, &services),
        }
    }

    #[cfg(not(feature = "sigstore"))]
    fn sign_made<'c>(
        &self,
        _: impl FnOnce(&Signatory) -> Result<Content<'c>, CliError>,
        _: &Instance,
        _: &Ui,
    ) -> Result<SignedBundle, CliError> {
        Err(CliError::usage("this build has no Sigstore support").hint(BUILD_HINT))
    }
}
