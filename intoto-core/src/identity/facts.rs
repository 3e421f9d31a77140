//! What was found about whoever signed a bundle.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::key::{Extension, SkippableCheck};
use crate::time::Timestamp;

/// What an [`IdentityVerifier`](super::IdentityVerifier) found about a bundle. Every text comes from the certificate, as it stands there.
///
/// As it is made, it says that nothing is bound and no time is known, and so counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityFacts {
    /// The OpenID issuer.
    pub issuer: String,
    /// The certificate's one alternative name.
    pub subject: Subject,
    /// The certificate's extensions that are known here.
    pub extensions: BTreeMap<Extension, String>,
    /// When the certificate is valid.
    pub validity: Option<Validity>,
    /// When the signature existed, by everybody who is trusted with that. At least one.
    pub times: Vec<TrustedTime>,
    /// What was found to be signed.
    pub bound: Option<Bound>,
    /// The checks that were not made.
    pub skipped: BTreeSet<SkippableCheck>,
}

impl IdentityFacts {
    /// Facts with a certificate's issuer and subject alone.
    pub fn new(issuer: impl Into<String>, subject: Subject) -> Self {
        Self {
            issuer: issuer.into(),
            subject,
            extensions: BTreeMap::new(),
            validity: None,
            times: Vec::new(),
            bound: None,
            skipped: BTreeSet::new(),
        }
    }
}

/// What an [`IdentityVerifier`](super::IdentityVerifier) found about a bundle by a key: who signed is settled by the key, and what others add to it is
/// when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFacts {
    /// When the signature existed, by everybody who is trusted with that. At least one.
    pub times: Vec<TrustedTime>,
    /// What was found to be signed.
    pub bound: Bound,
    /// Whether no log has the signature, and a timestamp authority alone vouches for its time.
    pub is_unlogged: bool,
}

impl KeyFacts {
    /// Facts about a signature over this, at these times, with an entry in a log.
    pub fn new(bound: Bound, times: Vec<TrustedTime>) -> Self {
        Self {
            times,
            bound,
            is_unlogged: false,
        }
    }
}

/// The alternative name of a certificate: two of different kinds are different people, whatever their text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// An address of electronic mail.
    Email(String),
    /// A URI, as workflows have.
    Uri(String),
    /// A name of another kind, as Fulcio gives to users of its own issuers.
    Other(String),
}

impl Subject {
    /// The text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(text) | Self::Uri(text) | Self::Other(text) => text,
        }
    }

    /// The kind, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Uri(_) => "uri",
            Self::Other(_) => "other",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// When a certificate is valid, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a span of time has two ends")]
pub struct Validity {
    /// From when on.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
}

/// A time at which a signature is known to have existed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "a time and who says it")]
pub struct TrustedTime {
    /// The time.
    pub time: Timestamp,
    /// Who says so.
    pub source: TimeSource,
}

/// Who says when a signature existed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TimeSource {
    /// A transparency log, in a signed entry timestamp.
    Log,
    /// A timestamp authority (RFC 3161).
    TimestampAuthority,
}

impl fmt::Display for TimeSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Log => "transparency log",
            Self::TimestampAuthority => "timestamp authority",
        })
    }
}

/// What a signature was found to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Bound {
    /// A DSSE envelope with in-toto's payload type, and a payload of this SHA-256.
    Dsse([u8; 32]),
    /// Bytes of this SHA-256, without an envelope.
    Message([u8; 32]),
}
