//! Who signs, or signed.

use std::fmt;

use intoto_core::identity::Subject;
use intoto_core::key::{KeyIdStyle, PublicKey};

use crate::escape;

/// Whoever a bundle shows: a person or a job, or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signatory {
    /// As a certificate says.
    Identity {
        /// Who vouches for the subject.
        issuer: String,
        /// Who it is.
        subject: Subject,
    },
    /// A key of one's own.
    Key(PublicKey),
}

impl fmt::Display for Signatory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity { issuer, subject } => {
                write!(f, "{} ({})", escape::plain(subject.as_str()), escape::plain(issuer))
            }
            Self::Key(key) => write!(f, "the key {}", key.key_id(KeyIdStyle::Legacy).short()),
        }
    }
}
