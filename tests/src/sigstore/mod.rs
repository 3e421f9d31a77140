//! A private Sigstore on the loopback interface: the project's own servers, and around them an issuer of identities and a log of
//! certificates that are ours.
//!
//! Every key is fixed, so a bundle that it made once verifies with any other run's root. Nobody should ever trust one.

pub mod authority;
pub mod bundle;
pub mod certificate_log;
pub mod client;
pub mod issuer;
pub mod keeper;
pub mod servers;

/// Where the parts of a private Sigstore are.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// The issuer of identities.
    pub issuer: String,
    /// The authority that certifies them.
    pub fulcio: String,
    /// The log of certificates.
    pub certificate_log: String,
    /// The log of signatures, version 2.
    pub rekor_v2: String,
    /// The log of signatures, version 1, if it runs.
    pub rekor_v1: Option<String>,
    /// The timestamp authority.
    pub timestamps: String,
}

/// The two versions of the log of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Log {
    /// Trillian behind it; promises inclusion with a signed time.
    V1,
    /// Tiles; tells no time, so a timestamp goes with it.
    V2,
}

impl Log {
    /// Its name in tables and file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "rekor v1",
            Self::V2 => "rekor v2",
        }
    }
}
