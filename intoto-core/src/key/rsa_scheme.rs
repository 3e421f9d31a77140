//! The signature schemes of RSA keys, as layouts name them.

use core::fmt;

use crate::key::KeyKind;

/// How an RSA key signs: the padding and the digest (RFC 8017, 8.1 and 8.2).
///
/// The names exist in every build; verifying needs the feature `rsa`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RsaScheme {
    /// `rsassa-pss-sha224`.
    PssSha224,
    /// `rsassa-pss-sha256`, which the implementations of in-toto take for an RSA key of which they know nothing else.
    #[default]
    PssSha256,
    /// `rsassa-pss-sha384`.
    PssSha384,
    /// `rsassa-pss-sha512`.
    PssSha512,
    /// `rsa-pkcs1v15-sha224`.
    Pkcs1v15Sha224,
    /// `rsa-pkcs1v15-sha256`.
    Pkcs1v15Sha256,
    /// `rsa-pkcs1v15-sha384`.
    Pkcs1v15Sha384,
    /// `rsa-pkcs1v15-sha512`.
    Pkcs1v15Sha512,
}

impl RsaScheme {
    /// All schemes.
    pub const ALL: [Self; 8] = [
        Self::PssSha224,
        Self::PssSha256,
        Self::PssSha384,
        Self::PssSha512,
        Self::Pkcs1v15Sha224,
        Self::Pkcs1v15Sha256,
        Self::Pkcs1v15Sha384,
        Self::Pkcs1v15Sha512,
    ];

    /// The scheme of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// The `scheme` that layouts carry.
    pub fn name(self) -> &'static str {
        match self {
            Self::PssSha224 => "rsassa-pss-sha224",
            Self::PssSha256 => "rsassa-pss-sha256",
            Self::PssSha384 => "rsassa-pss-sha384",
            Self::PssSha512 => "rsassa-pss-sha512",
            Self::Pkcs1v15Sha224 => "rsa-pkcs1v15-sha224",
            Self::Pkcs1v15Sha256 => "rsa-pkcs1v15-sha256",
            Self::Pkcs1v15Sha384 => "rsa-pkcs1v15-sha384",
            Self::Pkcs1v15Sha512 => "rsa-pkcs1v15-sha512",
        }
    }
}

impl From<RsaScheme> for KeyKind {
    fn from(scheme: RsaScheme) -> Self {
        Self::Rsa(scheme)
    }
}

impl fmt::Display for RsaScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
