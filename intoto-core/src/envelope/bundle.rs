//! Sigstore bundles: an envelope, or a signature over a file, with what proves who made it.
//!
//! Specification: `sigstore_bundle.proto` of sigstore/protobuf-specs, versions 0.1 to 0.3, in the JSON form. What proves it, the member
//! `verificationMaterial`, is the [`IdentityVerifier`]'s to read; what is signed is read here.

use alloc::string::String;
use alloc::vec::Vec;

use super::keyed::{self, Material};
use super::{Container, Content, Envelope, EnvelopeError, Parts, Verified, container_of, dsse};
use crate::digest::sha256;
use crate::encoding::value::excerpt;
use crate::encoding::{JsonError, Object, Value, strict_json};
use crate::identity::{Bound, CheckedFacts, IdentityFacts, IdentityRefusal, IdentityVerifier, RefusedFacts};
use crate::key::FulcioIdentity;
use crate::limits::Limits;
use crate::time::Timestamp;

/// The texts in `mediaType` of the versions that are read.
const MEDIA_TYPES: &[&str] = &[
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle.v0.3+json",
];

/// A Sigstore bundle that was taken apart, and of which nothing is believed yet.
#[derive(Clone, Debug)]
pub struct Bundle<'a> {
    pub(super) received: &'a [u8],
    /// None if the bundle signs the bytes of a file beside it.
    pub(super) envelope: Option<Envelope<'a>>,
    /// The signature over that file, if there is one and it can be read.
    pub(super) message: Option<Vec<u8>>,
    pub(super) material: Material,
}

/// A bundle that a verifier vouched for, and that counts for whomever it is by.
#[derive(Clone, Debug)]
pub struct CheckedBundle<'e, 'a> {
    envelope: &'e Envelope<'a>,
    facts: CheckedFacts,
}

/// Why a file is not a bundle of in-toto metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The file is not acceptable JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The file is JSON, but not an object.
    #[error("expected an object, found {found}")]
    NotAnObject {
        /// What kind of value it is.
        found: &'static str,
    },
    /// A member that bundles do not have. Readers of the format know two names for each member; with both there, they would read two files.
    #[error("unknown member {name:?} in a Sigstore bundle")]
    UnknownMember {
        /// The member, cut if it is long.
        name: String,
    },
    /// A member is missing or has the wrong type.
    #[error("`{member}` must be {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A version that is not supported.
    #[error("Sigstore bundles of the media type {found:?} are not supported, expected version 0.1, 0.2 or 0.3")]
    MediaType {
        /// The type found, cut if it is long.
        found: String,
    },
    /// Both a certificate and a key.
    #[error("`verificationMaterial` has both a certificate and a key")]
    Material,
    /// Both an envelope and a signature over a file, or neither.
    #[error("expected either `dsseEnvelope` or `messageSignature`")]
    Content,
    /// Another number of signatures than one; readers disagree which one counts.
    #[error("{found} signatures in the envelope of a Sigstore bundle, expected one")]
    Signatures {
        /// Signatures found.
        found: usize,
    },
    /// The envelope is none of in-toto metadata.
    #[error("`dsseEnvelope`: {0}")]
    Envelope(EnvelopeError),
    /// An envelope where a signature over a file was expected, or the other way round.
    #[error("expected {expected} in the Sigstore bundle")]
    OtherContent {
        /// What was expected.
        expected: &'static str,
    },
}

impl<'a> Bundle<'a> {
    /// Takes a bundle apart. The envelope's payload type must be in-toto's, and its one signature the whole of its `signatures`.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, BundleError> {
        let root = strict_json::parse(bytes, limits)?;
        let Value::Object(root) = root else {
            return Err(BundleError::NotAnObject { found: root.kind() });
        };
        let members = ["dsseEnvelope", "mediaType", "messageSignature", "verificationMaterial"];
        refuse_others(&root, &members)?;
        let media_type = root
            .get("mediaType")
            .and_then(Value::as_str)
            .ok_or(BundleError::Member {
                member: "mediaType",
                expected: "a string",
            })?;
        if !MEDIA_TYPES.contains(&media_type) {
            return Err(BundleError::MediaType {
                found: excerpt(media_type),
            });
        }
        let material = keyed::material(object(&root, "verificationMaterial")?)?;
        let (envelope, message) = match (root.get("dsseEnvelope"), root.get("messageSignature")) {
            (Some(_), None) => (
                Some(read_envelope(object(&root, "dsseEnvelope")?, bytes, limits)?),
                None,
            ),
            (None, Some(_)) => (None, keyed::message(object(&root, "messageSignature")?)),
            _ => return Err(BundleError::Content),
        };
        Ok(Self {
            received: bytes,
            envelope,
            message,
            material,
        })
    }

    /// The envelope in it; `None` if it is a signature over a file beside it. **Not verified.**
    pub fn envelope(&self) -> Option<&Envelope<'a>> {
        self.envelope.as_ref()
    }

    /// Has the verifier look at the bundle's envelope. An error comes with the facts, if there are any.
    ///
    /// Of a bundle without an envelope nothing is said.
    pub fn check(
        &self,
        verifier: &dyn IdentityVerifier,
        at: Timestamp,
    ) -> Option<Result<CheckedBundle<'_, 'a>, RefusedFacts>> {
        let (envelope, payload) = self.with_payload()?;
        let facts = CheckedFacts::of(self.received, Bound::Dsse(sha256(payload)), verifier, at);
        Some(facts.map(|facts| CheckedBundle { envelope, facts }))
    }

    /// The envelope and its payload.
    pub(super) fn with_payload(&self) -> Option<(&Envelope<'a>, &[u8])> {
        let envelope = self.envelope.as_ref()?;
        match envelope.content {
            Content::Dsse { payload_at } => Some((envelope, &envelope.signed_bytes[payload_at..])),
            Content::Metablock { .. } => None,
        }
    }

    /// Has the verifier look at a bundle that signs the bytes of a file.
    pub fn check_file(
        &self,
        file: &[u8],
        verifier: &dyn IdentityVerifier,
        at: Timestamp,
    ) -> Option<Result<CheckedFacts, IdentityRefusal>> {
        if self.envelope.is_some() {
            return None;
        }
        let facts = CheckedFacts::of(self.received, Bound::Message(sha256(file)), verifier, at);
        Some(facts.map_err(|(refusal, _)| refusal))
    }
}

impl<'e, 'a> CheckedBundle<'e, 'a> {
    /// Who signed, and when.
    pub fn facts(&self) -> &IdentityFacts {
        self.facts.facts()
    }

    /// The envelope as signed by that identity, if that is who signed it.
    pub fn by(&self, identity: &FulcioIdentity) -> Result<Verified<&'e Envelope<'a>>, IdentityRefusal> {
        self.facts.are_about(identity)?;
        Ok(Verified::by_identity(self.envelope, identity))
    }
}

impl Envelope<'_> {
    /// The file as signed by that identity with a bundle beside it, about which these facts are.
    ///
    /// Which file the facts are about is not looked at again, so that the crate itself alone puts the two together.
    pub(crate) fn signed_beside(
        &self,
        facts: &CheckedFacts,
        identity: &FulcioIdentity,
    ) -> Result<Verified<&Self>, IdentityRefusal> {
        if facts.facts().bound != Some(Bound::Message(sha256(self.received))) {
            return Err(IdentityRefusal::OtherContent);
        }
        facts.are_about(identity)?;
        Ok(Verified::by_identity(self, identity))
    }
}

fn read_envelope<'a>(root: &Object<'_>, received: &'a [u8], limits: &Limits) -> Result<Envelope<'a>, BundleError> {
    let container = container_of(root).map_err(BundleError::Envelope)?;
    if container != Container::Dsse {
        return Err(BundleError::Member {
            member: "dsseEnvelope",
            expected: "a DSSE envelope",
        });
    }
    let signatures = root.get("signatures").and_then(Value::as_array).unwrap_or_default();
    let [signature] = signatures else {
        return Err(BundleError::Signatures {
            found: signatures.len(),
        });
    };
    if let Some(signature) = signature.as_object() {
        refuse_others(signature, &["keyid", "sig"])?;
    }
    let Parts {
        content,
        signed_bytes,
        signatures,
    } = dsse::take_apart(root, limits).map_err(BundleError::Envelope)?;
    Ok(Envelope {
        received,
        content,
        signed_bytes,
        signatures,
        limits: limits.clone(),
    })
}

fn object<'v, 'a>(root: &'v Object<'a>, member: &'static str) -> Result<&'v Object<'a>, BundleError> {
    root.get(member).and_then(Value::as_object).ok_or(BundleError::Member {
        member,
        expected: "an object",
    })
}

fn refuse_others(object: &Object<'_>, known: &[&str]) -> Result<(), BundleError> {
    let unknown: Vec<&str> = object.keys().filter(|name| !known.contains(name)).collect();
    match unknown.first() {
        Some(name) => Err(BundleError::UnknownMember { name: excerpt(name) }),
        None => Ok(()),
    }
}
