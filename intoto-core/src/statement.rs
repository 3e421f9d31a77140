//! Statements: attestations, of which those with a link predicate may stand in the place of a link (ITE-6).
//!
//! Specification: in-toto attestation framework, `spec/v1/statement.md` and `spec/v0.1.0`. Signed in DSSE only.
//!
//! ```
//! use intoto_core::encoding::strict_json::{JsonError, parse};
//! use intoto_core::limits::Limits;
//! use intoto_core::statement::Statement;
//!
//! let limits = Limits::default();
//! let text = br#"{"_type": "https://in-toto.io/Statement/v1", "predicateType": "https://in-toto.io/attestation/link/v0.3",
//!     "subject": [{"name": "a.out", "digest": {"sha256": "abababababababababababababababababababababababababababababababab"}}],
//!     "predicate": {"name": "build", "command": ["cc", "a.c"]}}"#;
//! let statement = Statement::from_value(&parse(text, &limits)?, &limits).expect("a statement");
//! let link = statement.into_link().expect("a link predicate");
//! assert!(link.products.get("a.out").is_some());
//! # Ok::<(), JsonError>(())
//! ```

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::encoding::value::excerpt;
use crate::encoding::{Object, Value};
use crate::limits::Limits;
use crate::link::Link;
use crate::member::{MemberError, Members, is_extension};
use crate::name::StepName;
use crate::predicate::{Predicate, PredicateError, Release};

/// What somebody attests of some artifacts.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The version of the frame around the predicate.
    pub version: StatementVersion,
    /// What is said, with the subject that it is said of.
    pub predicate: Predicate,
}

/// The versions of the frame around a predicate. As far as links go they differ in nothing but their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum StatementVersion {
    /// `https://in-toto.io/Statement/v0.1`
    V0_1,
    /// `https://in-toto.io/Statement/v1`
    V1,
}

impl StatementVersion {
    /// The text in `_type`.
    pub fn type_uri(self) -> &'static str {
        match self {
            Self::V0_1 => "https://in-toto.io/Statement/v0.1",
            Self::V1 => "https://in-toto.io/Statement/v1",
        }
    }

    /// The version of that `_type`.
    pub fn from_type(text: &str) -> Option<Self> {
        [Self::V0_1, Self::V1]
            .into_iter()
            .find(|version| version.type_uri() == text)
    }
}

impl Statement {
    /// Reads a statement from signed metadata.
    ///
    /// `_type`, `subject` and `predicateType` have to be there. Members whose name is a URI are extensions and are passed over, as the framework
    /// demands; every other member that the framework does not know is refused by its name.
    pub fn from_value(value: &Value<'_>, limits: &Limits) -> Result<Self, StatementError> {
        let members = Members::of(value)?;
        let found = members.text("_type")?;
        let version =
            StatementVersion::from_type(found).ok_or_else(|| StatementError::Version { found: excerpt(found) })?;
        members.refuse_others_but(&["_type", "subject", "predicateType", "predicate"], is_extension)?;
        let predicate_type = members.text("predicateType")?;
        let predicate = Predicate::read(
            predicate_type,
            members.required("subject")?,
            members.optional("predicate"),
            limits,
        );
        Ok(Self {
            version,
            predicate: predicate.map_err(|source| StatementError::Predicate {
                predicate_type: excerpt(predicate_type),
                source,
            })?,
        })
    }

    /// The present form of a link as a statement.
    pub fn of_link(link: Link) -> Self {
        Self {
            version: StatementVersion::V1,
            predicate: Predicate::LinkV0_3(link),
        }
    }

    /// The statement that these artifacts are that release.
    pub fn of_release(release: Release) -> Self {
        Self {
            version: StatementVersion::V1,
            predicate: Predicate::ReleaseV0_1(release),
        }
    }

    /// The statement as the payload of a DSSE envelope.
    pub fn to_value(&self) -> Value<'static> {
        let (subject, predicate) = self.predicate.to_values();
        Value::Object(Object::from_iter([
            ("_type", Value::from(self.version.type_uri())),
            ("subject", subject),
            ("predicateType", Value::from(self.predicate.type_uri().to_owned())),
            ("predicate", predicate),
        ]))
    }

    /// A link of that step whose products are what the statement is about, of a statement with that predicate and no other. Nothing else in it is
    /// looked at, so that it takes somebody who says that this is enough.
    pub(crate) fn attesting(
        value: &Value<'_>,
        predicate_type: &str,
        step: &StepName,
        limits: &Limits,
    ) -> Result<Link, StatementError> {
        let statement = Self::from_value(value, limits)?;
        match statement.predicate {
            Predicate::Other {
                predicate_type: found,
                subject,
                ..
            } if found == predicate_type => {
                let products =
                    Predicate::artifacts_of(&subject, limits).map_err(|source| StatementError::Predicate {
                        predicate_type: excerpt(&found),
                        source,
                    })?;
                let mut link = Link::summary(step.clone(), []);
                link.products = products;
                Ok(link)
            }
            other => Err(StatementError::NotALink {
                predicate_type: excerpt(other.type_uri()),
            }),
        }
    }

    /// The link that it converts to, if its predicate is one: products are what is in its subject.
    pub fn into_link(self) -> Result<Link, StatementError> {
        match self.predicate {
            Predicate::LinkV0_2(link) | Predicate::LinkV0_3(link) => Ok(link),
            other @ (Predicate::ReleaseV0_1(_) | Predicate::Other { .. }) => Err(StatementError::NotALink {
                predicate_type: excerpt(other.type_uri()),
            }),
        }
    }
}

/// Metadata that is no statement, or none that can stand for a link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// `_type` is another version, or no statement's at all.
    #[error("a statement of type `{found}` is not supported")]
    Version {
        /// The type found, cut if it is long.
        found: String,
    },
    /// A member is missing, unknown or of the wrong kind.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// The predicate or its subject is not as the predicate's type has it.
    #[error("predicate type `{predicate_type}`: {source}")]
    Predicate {
        /// The `predicateType`, cut if it is long.
        predicate_type: String,
        /// What is wrong.
        source: PredicateError,
    },
    /// The predicate is none that converts to a link, so it says nothing that a step's rules could judge.
    #[error("predicate type `{predicate_type}` is not supported as the evidence of a step")]
    NotALink {
        /// The `predicateType`, cut if it is long.
        predicate_type: String,
    },
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;
    use crate::encoding::strict_json::parse;

    const DIGEST: &str = r#"{"sha256": "abababababababababababababababababababababababababababababababab"}"#;
    const V0_1: &str = "https://in-toto.io/Statement/v0.1";
    const V1: &str = "https://in-toto.io/Statement/v1";

    fn read(text: &str) -> Result<Statement, StatementError> {
        let limits = Limits {
            artifacts: 2,
            ..Limits::default()
        };
        Statement::from_value(&parse(text.as_bytes(), &limits).expect("JSON"), &limits)
    }

    fn statement(version: &str, predicate_type: &str, subject: &str, predicate: &str) -> String {
        format!(
            r#"{{"_type": "{version}", "predicateType": "{predicate_type}", "subject": {subject}, "predicate": {predicate}}}"#
        )
    }

    #[test]
    fn every_version_converts_to_the_link_it_means() {
        let subject = format!(r#"[{{"name": "a.out", "digest": {DIGEST}}}]"#);
        let object = format!(
            r#"{{"name": "build", "command": ["make"], "materials": {{"a.c": {DIGEST}}}, "byproducts": {{"x": 1}}, "environment": {{}}}}"#
        );
        let line = object.replace(r#"["make"]"#, r#""make""#);
        let list = format!(
            r#"{{"name": "build", "command": ["make"], "materials": [{{"name": "a.c", "digest": {DIGEST}}}], "byproducts": {{"x": 1}}}}"#
        );
        let link = format!(
            r#"{{"_type": "link", "name": "build", "command": ["make"], "materials": {{"a.c": {DIGEST}}},
                "products": {{"a.out": {DIGEST}}}, "byproducts": {{"x": 1}}, "environment": {{}}}}"#
        );
        let limits = Limits::default();
        let expected = Link::from_value(&parse(link.as_bytes(), &limits).expect("JSON"), &limits).expect("a link");
        for version in [V0_1, V1] {
            for (predicate_type, predicate) in [
                (Predicate::LINK_V0_2, &object),
                (Predicate::LINK_V0_2, &line),
                (Predicate::LINK_V0_3, &list),
            ] {
                let found = read(&statement(version, predicate_type, &subject, predicate)).expect("a statement");
                assert_eq!(
                    (version, predicate_type),
                    (found.version.type_uri(), found.predicate.type_uri())
                );
                let again = Statement::from_value(&found.to_value(), &limits).expect("what was written");
                assert_eq!(found, again);
                assert_eq!(
                    expected,
                    found.into_link().expect("a link"),
                    "{version} {predicate_type}"
                );
            }
        }
        let written = Statement::of_link(expected.clone()).to_value();
        let read = Statement::from_value(&written, &limits).expect("what was written");
        assert_eq!(StatementVersion::V1, read.version);
        assert_eq!(Ok(expected), read.into_link());
    }

    #[test]
    fn empty_members_may_be_absent_in_the_present_version() {
        let text = statement(V1, Predicate::LINK_V0_3, "[]", r#"{"name": "look"}"#);
        let link = read(&text).expect("a statement").into_link().expect("a link");
        assert!(link.materials.is_empty() && link.products.is_empty() && link.command.is_empty());
    }

    #[test]
    fn another_predicate_is_kept_and_is_no_link() {
        let text = statement(
            V1,
            "https://slsa.dev/provenance/v1",
            r#"[{"digest": {"gitCommit": "abc"}}]"#,
            r#"{"x": 1.5}"#,
        );
        let found = read(&text).expect("a statement");
        let Predicate::Other {
            predicate_type, raw, ..
        } = &found.predicate
        else {
            panic!("{found:?}")
        };
        assert_eq!("https://slsa.dev/provenance/v1", predicate_type);
        assert!(raw.as_object().is_some_and(|raw| raw.get("x").is_some()));
        assert_eq!(
            Ok(found.clone()),
            Statement::from_value(&found.to_value(), &Limits::default())
        );
        assert_eq!(
            "predicate type `https://slsa.dev/provenance/v1` is not supported as the evidence of a step",
            found.into_link().expect_err("no link").to_string()
        );
    }

    #[test]
    fn a_release_is_read_and_is_no_link() {
        let subject = format!(r#"[{{"name": "a-1.0.0.crate", "digest": {DIGEST}}}]"#);
        let text = |purl: &str| statement(V1, Predicate::RELEASE_V0_1, &subject, purl);
        let found = read(&text(r#"{"purl": "pkg:cargo/a@1.0.0", "packageId": "7"}"#)).expect("a statement");
        let Predicate::ReleaseV0_1(release) = &found.predicate else {
            panic!("{found:?}")
        };
        assert_eq!("pkg:cargo/a@1.0.0", release.purl());
        assert!(release.artifacts().get("a-1.0.0.crate").is_some());
        let written = Statement::of_release(release.clone());
        assert_eq!(
            Ok(&written),
            Statement::from_value(&written.to_value(), &Limits::default()).as_ref()
        );
        assert_eq!(found, written);
        assert_eq!(
            "predicate type `https://in-toto.io/attestation/release/v0.1` is not supported as the evidence of a step",
            found.into_link().expect_err("no link").to_string()
        );
        for (predicate, expected) in [
            ("{}", "member `purl` is missing"),
            (r#"{"purl": "pkg:cargo/a"}"#, "expected a package URL with a version"),
            (r#"{"purl": 1}"#, "member `purl` is an integer"),
        ] {
            let error = read(&text(predicate)).expect_err("no statement").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn extensions_are_passed_over_and_further_members_have_a_kind() {
        let subject = format!(
            r#"[{{"name": "a", "digest": {{"sha256": "{}", "gitBlob": "x", "arn": "arn:aws:1"}}, "uri": "file:a", "mediaType": "text/plain",
                "downloadLocation": "https://example.com/a", "content": "", "annotations": {{"x": [1]}}, "https://example.com/x": 1}}]"#,
            "ab".repeat(32)
        );
        let predicate = r#"{"name": "look", "https://example.com/x": {}}"#;
        let text = statement(V1, Predicate::LINK_V0_3, &subject, predicate).replacen(
            '{',
            r#"{"https://example.com/x": null, "#,
            1,
        );
        let link = read(&text).expect("a statement").into_link().expect("a link");
        let digests = link.products.get("a").expect("a product");
        assert_eq!(1, digests.iter().count(), "{digests}");
    }

    #[test]
    fn refuses_what_is_no_link_statement() {
        let named = |descriptor: &str| format!(r#"[{{"name": "a", {descriptor}}}]"#);
        let plain = named(&format!(r#""digest": {DIGEST}"#));
        let name = r#"{"name": "s"}"#;
        let three = statement(V1, Predicate::LINK_V0_3, &plain, name);
        let of_subject = |subject: &str| statement(V1, Predicate::LINK_V0_3, subject, name);
        let of_predicate = |predicate: &str| statement(V1, Predicate::LINK_V0_3, "[]", predicate);
        let cases = [
            (
                three.replace("Statement/v1", "Statement/v2"),
                "a statement of type `https://in-toto.io/Statement/v2` is not supported",
            ),
            (three.replacen('{', r#"{"extra": 1, "#, 1), "member `extra` is unknown"),
            (
                three.replace("predicateType", "predicate:type"),
                "member `predicateType` is missing",
            ),
            (
                three.replace("\"subject\"", "\"x:subject\""),
                "member `subject` is missing",
            ),
            (
                three.replace("\"predicate\"", "\"x:predicate\""),
                "predicate: member `predicate` is missing",
            ),
            (
                of_subject("{}"),
                "subject: expected an array of descriptors, found an object",
            ),
            (
                of_subject("[1]"),
                "subject: descriptor 1: expected an object, found an integer",
            ),
            (
                of_subject(&format!(r#"[{{"digest": {DIGEST}}}]"#)),
                "subject: descriptor 1: member `name` is missing",
            ),
            (
                of_subject(r#"[{"name": "a"}]"#),
                "subject: descriptor 1 (`a`): member `digest` is missing",
            ),
            (
                of_subject(&named(r#""digest": {}"#)),
                "subject: digests of artifact `a` are refused: the artifact has no digest",
            ),
            (
                of_subject(&named(r#""digest": {"sha256": "xy"}"#)),
                "subject: digests of artifact `a` are refused: the sha256 digest is not hexadecimal text",
            ),
            (
                of_subject(&named(r#""digest": {"sha1": 1}"#)),
                "subject: digests of artifact `a` are refused: the sha1 digest must be a string, found an integer",
            ),
            (
                of_subject(&named(r#""digest": {"md5": "ab", "sha1": "ab"}"#)),
                "subject: artifact `a` has digests of md5, sha1 only, expected sha256 or sha512",
            ),
            (
                of_subject(&named(&format!(r#""digest": {DIGEST}, "size": 1"#))),
                "subject: descriptor 1 (`a`): member `size` is unknown",
            ),
            (
                of_subject(&named(&format!(r#""digest": {DIGEST}, "uri": 1"#))),
                "subject: descriptor 1 (`a`): member `uri` is an integer, expected a string",
            ),
            (
                of_subject(&plain.replace("\"a\"", "\"./a\"")),
                "subject: artifact name `./a` is refused: ",
            ),
            (
                of_subject(&format!("[{0}, {0}]", plain.trim_matches(['[', ']']))),
                "subject: artifact `a` is there twice",
            ),
            (
                of_subject(&format!("[{0}, {0}, {0}]", plain.trim_matches(['[', ']']))),
                "subject: 3 artifacts are more than the limit of 2",
            ),
            (of_predicate("{}"), "predicate: member `name` is missing"),
            (of_predicate(r#"{"name": "a/b"}"#), "predicate: member `name`: "),
            (
                of_predicate(r#"{"name": "s", "materails": []}"#),
                "predicate: member `materails` is unknown",
            ),
            (
                of_predicate(r#"{"name": "s", "products": {}}"#),
                "predicate: member `products` is unknown",
            ),
            (
                of_predicate(r#"{"name": "s", "materials": {}}"#),
                "predicate: materials: expected an array of descriptors, found an object",
            ),
            (
                of_predicate(r#"{"name": "s", "command": "make"}"#),
                "predicate: member `command` is a string, expected an array",
            ),
            (
                statement(V0_1, Predicate::LINK_V0_2, "[]", name),
                "predicate: member `materials` is missing",
            ),
            (
                statement(V0_1, Predicate::LINK_V0_2, "[]", r#"{"name": "s", "materials": []}"#),
                "predicate: materials: expected an object of artifacts, found an array",
            ),
        ];
        for (text, expected) in cases {
            let error = read(&text).expect_err("no statement").to_string();
            assert!(error.contains(expected), "{error}\n{expected}");
        }
    }
}
