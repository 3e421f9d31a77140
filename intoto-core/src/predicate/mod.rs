//! Predicates: what a statement says about its subject. One file for each type and version.
//!
//! Specification: the in-toto attestation framework, `spec/predicates`. Predicates that convert to a link and that of a release are read; any
//! other is kept as it is, so that whoever refuses it can name it.

use alloc::string::String;
use core::fmt;

use crate::artifacts::{Artifacts, ArtifactsError};
use crate::encoding::Value;
use crate::limits::Limits;
use crate::link::Link;
use crate::member::MemberError;
use crate::name::NameError;

mod descriptor;
mod link_v0_2;
mod link_v0_3;
mod release_v0_1;

pub use descriptor::DescriptorError;
pub use release_v0_1::Release;

/// What a statement says, by its `predicateType`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Predicate {
    /// `https://in-toto.io/Link/v0.2`, with the statement's subject as its products.
    LinkV0_2(Link),
    /// `https://in-toto.io/attestation/link/v0.3`, with the statement's subject as its products.
    LinkV0_3(Link),
    /// `https://in-toto.io/attestation/release/v0.1`, with the statement's subject as the release's artifacts. No evidence of any step.
    ReleaseV0_1(Release),
    /// Anything else. Nothing about it is decided here, and nobody may take it for evidence of a step.
    Other {
        /// The `predicateType`.
        predicate_type: String,
        /// The `subject` as received; what it has to look like is the predicate's business.
        subject: Value<'static>,
        /// The `predicate` as received; null if there is none.
        raw: Value<'static>,
    },
}

impl Predicate {
    /// The type of the first link predicate.
    pub const LINK_V0_2: &'static str = "https://in-toto.io/Link/v0.2";
    /// The type of the present link predicate.
    pub const LINK_V0_3: &'static str = "https://in-toto.io/attestation/link/v0.3";
    /// The type of the release predicate.
    pub const RELEASE_V0_1: &'static str = "https://in-toto.io/attestation/release/v0.1";

    /// Reads a predicate together with the subject that it speaks of: which members a subject needs depends on the predicate.
    pub(crate) fn read(
        predicate_type: &str,
        subject: &Value<'_>,
        predicate: Option<&Value<'_>>,
        limits: &Limits,
    ) -> Result<Self, PredicateError> {
        match predicate_type {
            Self::LINK_V0_2 => link_v0_2::read(subject, predicate, limits).map(Self::LinkV0_2),
            Self::LINK_V0_3 => link_v0_3::read(subject, predicate, limits).map(Self::LinkV0_3),
            Self::RELEASE_V0_1 => release_v0_1::read(subject, predicate, limits).map(Self::ReleaseV0_1),
            other => Ok(Self::Other {
                predicate_type: other.into(),
                subject: subject.clone().into_owned(),
                raw: predicate.map_or(Value::Null, |raw| raw.clone().into_owned()),
            }),
        }
    }

    /// What a statement of another predicate is about, as artifacts: each with a name of its own and a digest.
    pub(crate) fn artifacts_of(subject: &Value<'_>, limits: &Limits) -> Result<Artifacts, PredicateError> {
        descriptor::artifacts(subject, limits).map_err(PredicateError::Subject)
    }

    /// The `predicateType`.
    pub fn type_uri(&self) -> &str {
        match self {
            Self::LinkV0_2(_) => Self::LINK_V0_2,
            Self::LinkV0_3(_) => Self::LINK_V0_3,
            Self::ReleaseV0_1(_) => Self::RELEASE_V0_1,
            Self::Other { predicate_type, .. } => predicate_type,
        }
    }

    /// The statement's `subject` and `predicate`.
    pub(crate) fn to_values(&self) -> (Value<'static>, Value<'static>) {
        match self {
            Self::LinkV0_2(link) => (descriptor::to_value(&link.products), link_v0_2::to_value(link)),
            Self::LinkV0_3(link) => (descriptor::to_value(&link.products), link_v0_3::to_value(link)),
            Self::ReleaseV0_1(release) => (
                descriptor::to_value(release.artifacts()),
                release_v0_1::to_value(release),
            ),
            Self::Other { subject, raw, .. } => (subject.clone(), raw.clone()),
        }
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.type_uri())
    }
}

/// A predicate, or the subject that it speaks of, that is not as its type has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PredicateError {
    /// A member of the predicate is missing, unknown or of the wrong kind.
    #[error("predicate: {0}")]
    Member(#[from] MemberError),
    /// The member `name` of the predicate cannot be a step's.
    #[error("predicate: member `name`: {0}")]
    Name(#[from] NameError),
    /// The subject cannot be the products of a step.
    #[error("subject: {0}")]
    Subject(DescriptorError),
    /// The materials, a list of descriptors, cannot be those of a step.
    #[error("predicate: materials: {0}")]
    Materials(DescriptorError),
    /// The materials, an object of digests, cannot be read.
    #[error("predicate: materials: {0}")]
    MaterialsObject(ArtifactsError),
    /// The member `purl` of a release is no package URL with a version.
    #[error("predicate: member `purl` is `{found}`, expected a package URL with a version")]
    Purl {
        /// The text found, cut if it is long.
        found: String,
    },
}

/// What the members of either version that mean the same have to be.
mod shared {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::PredicateError;
    use crate::encoding::{Object, Value};
    use crate::member::{MemberError, Members, is_extension, wrong_kind};

    /// The predicate's members. A member that is an extension by its name is passed over, as the framework demands; any other that the type does
    /// not have is refused: a misspelt `materials` would be a step without materials, to which no rule objects.
    pub(super) fn members<'v, 'a>(
        predicate: Option<&'v Value<'a>>,
        known: &[&str],
    ) -> Result<Members<'v, 'a>, PredicateError> {
        let predicate = predicate.ok_or(MemberError::Missing { member: "predicate" })?;
        let members = Members::of(predicate)?;
        members.refuse_others_but(known, is_extension)?;
        Ok(members)
    }

    pub(super) fn optional_object(
        members: Members<'_, '_>,
        member: &'static str,
    ) -> Result<Value<'static>, PredicateError> {
        match members.optional(member) {
            None => Ok(Value::Object(Object::new())),
            Some(value) if value.as_object().is_some() => Ok(value.clone().into_owned()),
            Some(value) => Err(wrong_kind(member, value, "an object").into()),
        }
    }

    pub(super) fn owned(words: Vec<&str>) -> Vec<String> {
        words.into_iter().map(String::from).collect()
    }
}
