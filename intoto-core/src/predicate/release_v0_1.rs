//! `https://in-toto.io/attestation/release/v0.1`: these artifacts are that release of a package in a registry.
//!
//! Specification: in-toto attestation framework, `spec/predicates/release.md`. It says nothing about how the artifacts came to be, so it is never
//! the evidence of a step.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::{PredicateError, descriptor};
use crate::artifacts::Artifacts;
use crate::encoding::value::excerpt;
use crate::encoding::{Object, Value};
use crate::limits::Limits;
use crate::member::{MemberError, Members};

/// A release in a package registry, and the artifacts that it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    purl: String,
    artifacts: Artifacts,
}

impl Release {
    /// The release that `purl` names with its version, made of `artifacts`: file names as they would lie on disk, with their digests.
    ///
    /// ```
    /// use intoto_core::artifacts::Artifacts;
    /// use intoto_core::predicate::Release;
    ///
    /// assert!(Release::new("pkg:cargo/hello@1.0.0", Artifacts::new()).is_ok());
    /// assert!(Release::new("pkg:cargo/hello", Artifacts::new()).is_err());
    /// ```
    ///
    /// # Errors
    /// When it is no package URL, or has no version.
    pub fn new(purl: impl Into<String>, artifacts: Artifacts) -> Result<Self, PredicateError> {
        let purl = purl.into();
        if !names_a_version(&purl) {
            return Err(PredicateError::Purl { found: excerpt(&purl) });
        }
        Ok(Self { purl, artifacts })
    }

    /// The package URL, with version.
    pub fn purl(&self) -> &str {
        &self.purl
    }

    /// The artifacts that the release is made of.
    pub fn artifacts(&self) -> &Artifacts {
        &self.artifacts
    }
}

/// Members that other writers add are passed over, as the framework demands: nothing is decided by them. What is read is not changed by any.
pub(super) fn read(
    subject: &Value<'_>,
    predicate: Option<&Value<'_>>,
    limits: &Limits,
) -> Result<Release, PredicateError> {
    let predicate = predicate.ok_or(MemberError::Missing { member: "predicate" })?;
    let purl = Members::of(predicate)?.text("purl")?;
    let artifacts = descriptor::artifacts(subject, limits).map_err(PredicateError::Subject)?;
    Release::new(purl, artifacts)
}

pub(super) fn to_value(release: &Release) -> Value<'static> {
    Value::Object(Object::from_iter([("purl", Value::from(release.purl.to_owned()))]))
}

/// Whether a text is a package URL with a version: `pkg:TYPE/…NAME@VERSION`, perhaps with qualifiers.
fn names_a_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("pkg:") else {
        return false;
    };
    let path = rest.split(['?', '#']).next().unwrap_or(rest);
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let has_version = path
        .rsplit_once('@')
        .is_some_and(|(name, version)| !version.is_empty() && name.contains('/') && !name.ends_with('/'));
    is_plain && has_version
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_has_a_version() {
        for purl in [
            "pkg:cargo/a@1.0.0",
            "pkg:cargo/a@1.0.0%2Bx?repository_url=https:%2F%2Fr.example",
            "pkg:npm/@angular/http@7.2.16",
        ] {
            assert!(names_a_version(purl), "{purl}");
        }
        for purl in [
            "",
            "cargo/a@1.0.0",
            "pkg:cargo/a",
            "pkg:cargo/a@",
            "pkg:cargo/@1",
            "pkg:a@1",
            "pkg:cargo/a?b=@1",
            "pkg:cargo/a@1\u{202e}",
            "pkg:cargo/a @1",
        ] {
            assert!(!names_a_version(purl), "{purl}");
        }
    }
}
