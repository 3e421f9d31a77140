//! Identities in the place of keys: whoever an OpenID issuer says that somebody is, with a certificate of Fulcio for the moment of signing.
//!
//! In a layout an identity stands among the keys, in the form of securesystemslib: `{"keytype": "sigstore-oidc", "scheme": "Fulcio",
//! "keyval": {"identity", "issuer"}}`. What goes beyond it, constraints on the certificate, stands in an object `constraints` beside these two.
//! There is no key in it, so an identity never verifies a signature by itself: [`crate::identity`] says who does.

mod constraints;
mod error;
mod extension;
mod form;
mod pattern;
#[cfg(test)]
mod tests;

use alloc::borrow::ToOwned as _;
use alloc::string::String;

pub use constraints::{Constraints, SkippableCheck};
pub use error::IdentityError;
pub use extension::{Extension, Shape};
pub use pattern::Pattern;

use error::refuse_text;

/// A functionary, or the owner of a layout, who signs with an identity instead of a key.
///
/// Two are equal when they ask for the same. What they are compared with is in [`crate::identity`].
///
/// ```
/// use intoto_core::key::FulcioIdentity;
///
/// let ci = FulcioIdentity::exact(
///     "https://token.actions.githubusercontent.com",
///     "https://github.com/acme/hello/.github/workflows/release.yml@refs/heads/main",
/// )?;
/// assert_eq!(ci.key_id().as_str().len(), 64);
/// # Ok::<(), intoto_core::key::IdentityError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FulcioIdentity {
    issuer: String,
    identity: Option<String>,
    constraints: Constraints,
}

impl FulcioIdentity {
    /// The text in `keytype`.
    pub const KEY_TYPE: &'static str = "sigstore-oidc";
    /// The text in `scheme`.
    pub const SCHEME: &'static str = "Fulcio";

    /// Exactly this identity, by this issuer.
    pub fn exact(issuer: &str, identity: &str) -> Result<Self, IdentityError> {
        Self::new(issuer, Some(identity), Constraints::default())
    }

    /// An identity by this issuer that meets the constraints, and is exactly this one if one is named.
    ///
    /// Without an exact identity the constraints have to pin the repository, by its URI or its number: no pattern covers that.
    pub fn new(issuer: &str, identity: Option<&str>, constraints: Constraints) -> Result<Self, IdentityError> {
        refuse_text("issuer", issuer)?;
        if let Some(identity) = identity {
            refuse_text("identity", identity)?;
        } else if !constraints.pins_repository() {
            return Err(IdentityError::Unpinned);
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            identity: identity.map(str::to_owned),
            constraints,
        })
    }

    /// The OpenID issuer, which is always exact.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The identity, where it is exact.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// What the certificate must say besides.
    pub fn constraints(&self) -> &Constraints {
        &self.constraints
    }
}
