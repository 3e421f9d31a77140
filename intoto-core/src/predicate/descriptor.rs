//! Lists of resource descriptors, as far as they name artifacts.
//!
//! Specification: in-toto attestation framework, `spec/v1/resource_descriptor.md` and `digest_set.md`.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::artifacts::Artifacts;
use crate::digest::{Algorithm, DigestError, DigestSet};
use crate::encoding::value::excerpt;
use crate::encoding::{Object, Value};
use crate::limits::Limits;
use crate::member::{MemberError, Members, is_extension, wrong_kind};
use crate::path::{ArtifactPath, PathError};

/// The artifacts that a list of descriptors names: each with a name of its own and a digest.
pub(super) fn artifacts(list: &Value<'_>, limits: &Limits) -> Result<Artifacts, DescriptorError> {
    let list = list
        .as_array()
        .ok_or_else(|| DescriptorError::Kind { found: list.kind() })?;
    if list.len() > limits.artifacts {
        return Err(DescriptorError::TooMany {
            found: list.len(),
            limit: limits.artifacts,
        });
    }
    let mut entries: Vec<(ArtifactPath, DigestSet)> = Vec::with_capacity(list.len());
    for (index, descriptor) in list.iter().enumerate() {
        entries.push(artifact(descriptor).map_err(|problem| problem.at(index, descriptor))?);
    }
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(DescriptorError::Twice {
            name: pair[0].0.as_str().to_owned(),
        });
    }
    Ok(entries.into_iter().collect())
}

/// The list of descriptors for some artifacts.
pub(super) fn to_value(artifacts: &Artifacts) -> Value<'static> {
    let descriptors = artifacts.iter().map(|(name, digests)| {
        Value::Object(Object::from_iter([
            ("name", Value::from(name.as_str().to_owned())),
            ("digest", digests.to_value()),
        ]))
    });
    Value::Array(descriptors.collect())
}

/// A list of descriptors that cannot be the artifacts of a step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DescriptorError {
    /// It is no list.
    #[error("expected an array of descriptors, found {found}")]
    Kind {
        /// What it is.
        found: &'static str,
    },
    /// There are more than the limits allow.
    #[error("{found} artifacts are more than the limit of {limit}")]
    TooMany {
        /// How many there are.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// Two descriptors have one name, so that two readers could take the digest of either.
    #[error("artifact `{name}` is there twice")]
    Twice {
        /// The name.
        name: String,
    },
    /// A member of a descriptor is missing, unknown or of another kind; the name and the digest have to be there.
    #[error("descriptor {number}{name}: {source}", name = shown(name))]
    Member {
        /// Its position, counted from 1.
        number: usize,
        /// Its name, if it has one.
        name: Option<String>,
        /// What is wrong.
        source: MemberError,
    },
    /// A name that could mean another file than it says.
    #[error("artifact name `{name}` is refused: {source}")]
    Name {
        /// The name as found.
        name: String,
        /// What is wrong with it.
        source: PathError,
    },
    /// A digest cannot be read.
    #[error("digests of artifact `{name}` are refused: {source}")]
    Digest {
        /// The artifact's name.
        name: String,
        /// What is wrong with them.
        source: DigestError,
    },
    /// None of its digests is of an algorithm that is accepted here.
    #[error("artifact `{name}` has digests of {found} only, expected sha256 or sha512")]
    Algorithm {
        /// The artifact's name.
        name: String,
        /// The algorithms.
        found: String,
    },
}

fn shown(name: &Option<String>) -> String {
    name.as_ref()
        .map_or_else(String::new, |name| alloc::format!(" (`{name}`)"))
}

enum Problem {
    Member(MemberError),
    Name(PathError),
    Digest(DigestError),
    Algorithm(String),
}

impl Problem {
    fn at(self, index: usize, descriptor: &Value<'_>) -> DescriptorError {
        let name = descriptor
            .as_object()
            .and_then(|members| members.get("name"))
            .and_then(Value::as_str)
            .map(String::from);
        let named = name.clone().unwrap_or_default();
        match self {
            Self::Member(source) => DescriptorError::Member {
                number: index + 1,
                name,
                source,
            },
            Self::Name(source) => DescriptorError::Name { name: named, source },
            Self::Digest(source) => DescriptorError::Digest { name: named, source },
            Self::Algorithm(found) => DescriptorError::Algorithm { name: named, found },
        }
    }
}

impl From<MemberError> for Problem {
    fn from(error: MemberError) -> Self {
        Self::Member(error)
    }
}

/// Members that describe the artifact further are looked at for their kind only: rules speak of names and digests.
fn artifact(descriptor: &Value<'_>) -> Result<(ArtifactPath, DigestSet), Problem> {
    const TEXTS: [&str; 4] = ["uri", "content", "downloadLocation", "mediaType"];
    let members = Members::of(descriptor)?;
    let known = [
        "name",
        "digest",
        "annotations",
        "uri",
        "content",
        "downloadLocation",
        "mediaType",
    ];
    members.refuse_others_but(&known, is_extension)?;
    for member in TEXTS {
        members.optional_text(member)?;
    }
    if members.optional("annotations").is_some() {
        members.object("annotations")?;
    }
    let name = ArtifactPath::try_from(members.text("name")?).map_err(Problem::Name)?;
    Ok((name, digests(members.required("digest")?)?))
}

/// The digests of algorithms that are accepted here. The framework demands that all others are passed over; an artifact without any
/// is none that can be compared.
fn digests(value: &Value<'_>) -> Result<DigestSet, Problem> {
    let object = value
        .as_object()
        .ok_or_else(|| wrong_kind("digest", value, "an object of digests"))?;
    let (mut accepted, mut others) = (Object::new(), Vec::new());
    for (algorithm, digest) in object.iter() {
        if digest.as_str().is_none() {
            return Err(Problem::Digest(DigestError::NotText {
                algorithm: algorithm.to_owned(),
                found: digest.kind(),
            }));
        }
        match Algorithm::from_name(algorithm) {
            Some(_) => drop(accepted.insert(algorithm.to_owned(), digest.clone().into_owned())),
            None => others.push(excerpt(algorithm)),
        }
    }
    if accepted.is_empty() && !others.is_empty() {
        others.truncate(ALGORITHMS_NAMED);
        return Err(Problem::Algorithm(others.join(", ")));
    }
    DigestSet::from_value(&Value::Object(accepted)).map_err(Problem::Digest)
}

/// So many algorithms are named; a digest set may list thousands.
const ALGORITHMS_NAMED: usize = 4;
