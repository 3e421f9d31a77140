//! What a certificate must say beyond its subject and issuer.

use alloc::borrow::ToOwned as _;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::fmt;

use super::error::{IdentityError, refuse_text};
use super::extension::{Extension, Shape};
use super::pattern::Pattern;

/// What the certificate of an identity must say besides: each constraint by the name of what it is about. An extension that the certificate does
/// not have meets no constraint.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constraints {
    subject: Option<Pattern>,
    extensions: BTreeMap<Extension, Pattern>,
    allow_skipped: BTreeSet<SkippableCheck>,
    predicate_type: Option<String>,
}

impl Constraints {
    /// The name of the constraint on the subject, the certificate's one alternative name.
    pub const SUBJECT: &'static str = "subject";
    /// The member with the checks that may be skipped.
    pub const ALLOW_SKIPPED: &'static str = "allow-skipped";
    /// The member with the predicate that is evidence.
    pub const PREDICATE_TYPE: &'static str = "predicate-type";

    /// The same with a pattern for the subject, a URI below a repository.
    pub fn with_subject(mut self, pattern: &str) -> Result<Self, IdentityError> {
        self.subject = Some(Pattern::new(Self::SUBJECT, pattern, Shape::BelowRepository)?);
        Ok(self)
    }

    /// The same with a pattern for an extension.
    pub fn with(mut self, extension: Extension, pattern: &str) -> Result<Self, IdentityError> {
        let pattern = Pattern::new(extension.name(), pattern, extension.shape())?;
        self.extensions.insert(extension, pattern);
        Ok(self)
    }

    /// The same with a check that need not have been made.
    pub fn allowing(mut self, check: SkippableCheck) -> Self {
        self.allow_skipped.insert(check);
        self
    }

    /// The same, with statements of that predicate as evidence in the place of links: what a statement is about are the products, and it says nothing
    /// of materials or of a step's name. That is for provenance which a CI service attests.
    pub fn attesting(mut self, predicate_type: &str) -> Result<Self, IdentityError> {
        refuse_text(Self::PREDICATE_TYPE, predicate_type)?;
        self.predicate_type = Some(predicate_type.to_owned());
        Ok(self)
    }

    /// The predicate that is evidence in the place of a link.
    pub fn predicate_type(&self) -> Option<&str> {
        self.predicate_type.as_deref()
    }

    /// What the subject must look like.
    pub fn subject(&self) -> Option<&Pattern> {
        self.subject.as_ref()
    }

    /// What the extensions must say.
    pub fn extensions(&self) -> impl Iterator<Item = (Extension, &Pattern)> {
        self.extensions.iter().map(|(extension, pattern)| (*extension, pattern))
    }

    /// The checks that need not have been made.
    pub fn allow_skipped(&self) -> impl Iterator<Item = SkippableCheck> + '_ {
        self.allow_skipped.iter().copied()
    }

    /// Whether a check need not have been made.
    pub fn allows(&self, check: SkippableCheck) -> bool {
        self.allow_skipped.contains(&check)
    }

    /// Whether they ask for nothing and allow nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the repository is named, so that a subject that is a pattern, or none at all, lets no other in.
    pub fn pins_repository(&self) -> bool {
        [
            Extension::SourceRepositoryUri,
            Extension::SourceRepositoryIdentifier,
            Extension::GithubWorkflowRepository,
        ]
        .iter()
        .any(|extension| self.extensions.contains_key(extension))
    }
}

/// A check of Sigstore evidence that an instance may have no service for. All others are always made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SkippableCheck {
    /// That the certificate was published in a log of certificates (a signed certificate timestamp).
    CertificateTransparency,
    /// That the signature was published in a transparency log.
    TransparencyLog,
}

impl SkippableCheck {
    /// Every such check.
    pub const ALL: &[Self] = &[Self::CertificateTransparency, Self::TransparencyLog];

    /// Its name in layouts and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::CertificateTransparency => "certificate-transparency",
            Self::TransparencyLog => "transparency-log",
        }
    }

    /// The check of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|check| check.name() == name)
    }
}

impl fmt::Display for SkippableCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
