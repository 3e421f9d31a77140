//! Links: the evidence of one step, as its functionary recorded it (specification 4.4).
//!
//! ```
//! use intoto_core::encoding::strict_json::{JsonError, parse};
//! use intoto_core::limits::Limits;
//! use intoto_core::link::Link;
//!
//! let limits = Limits::default();
//! let text = br#"{"_type": "link", "name": "build", "materials": {}, "products": {}, "command": ["make"]}"#;
//! let link = Link::from_value(&parse(text, &limits)?, &limits).expect("a link");
//! assert_eq!(link.name.as_str(), "build");
//! # Ok::<(), JsonError>(())
//! ```

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::artifacts::{Artifacts, ArtifactsError, ItemArtifacts};
use crate::encoding::{Object, Value};
use crate::limits::Limits;
use crate::member::{MemberError, Members, wrong_kind};
use crate::name::{NameError, StepName};

/// What one functionary recorded of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// The step.
    pub name: StepName,
    /// What was there before the command ran.
    pub materials: Artifacts,
    /// What was there after the command ran.
    pub products: Artifacts,
    /// The command as it was run; empty when none was.
    pub command: Vec<String>,
    /// What else came out: return value, streams, counts. An object.
    pub byproducts: Value<'static>,
    /// Where the command ran. An object.
    pub environment: Value<'static>,
}

impl Link {
    /// The text in `_type`.
    pub const TYPE: &'static str = "link";

    /// Reads a link from signed metadata.
    ///
    /// `_type`, `name`, `materials` and `products` have to be there. `command`, `byproducts` and `environment` may be absent, in
    /// either container: the reference implementation fills them in after verification, and nothing is decided by them. Every
    /// other member is refused by its name.
    pub fn from_value(value: &Value<'_>, limits: &Limits) -> Result<Self, LinkError> {
        let members = Members::of_type(value, Self::TYPE)?;
        members.refuse_others(&[
            "_type",
            "name",
            "materials",
            "products",
            "command",
            "byproducts",
            "environment",
        ])?;
        Ok(Self {
            name: StepName::try_from(members.text("name")?)?,
            materials: Artifacts::from_value(members.required("materials")?, limits).map_err(LinkError::Materials)?,
            products: Artifacts::from_value(members.required("products")?, limits).map_err(LinkError::Products)?,
            command: members
                .optional_words("command")?
                .into_iter()
                .map(str::to_owned)
                .collect(),
            byproducts: optional_object(members, "byproducts")?,
            environment: optional_object(members, "environment")?,
        })
    }

    /// The link as the payload of an envelope, with every member that the peers ask for.
    pub fn to_value(&self) -> Value<'static> {
        let mut object = Object::new();
        object.insert("_type", Value::from(Self::TYPE));
        object.insert("name", Value::from(self.name.as_str().to_owned()));
        object.insert("materials", self.materials.to_value());
        object.insert("products", self.products.to_value());
        object.insert(
            "command",
            self.command.iter().cloned().map(Value::from).collect::<Vec<_>>().into(),
        );
        object.insert("byproducts", self.byproducts.clone());
        object.insert("environment", self.environment.clone());
        Value::Object(object)
    }

    /// The link that stands for a verified sublayout: materials of its first step, the rest of its last (specification 5.2.10).
    ///
    /// The steps come in the order of the layout. A layout without steps leaves an empty link.
    pub fn summary<'l>(name: StepName, steps: impl IntoIterator<Item = &'l Self>) -> Self {
        let mut steps = steps.into_iter();
        let first = steps.next();
        let last = steps.last().or(first);
        Self {
            name,
            materials: first.map(|link| link.materials.clone()).unwrap_or_default(),
            products: last.map(|link| link.products.clone()).unwrap_or_default(),
            command: last.map(|link| link.command.clone()).unwrap_or_default(),
            byproducts: last.map_or_else(empty_object, |link| link.byproducts.clone()),
            environment: empty_object(),
        }
    }

    /// Its artifacts, as rules see them.
    pub fn artifacts(&self) -> ItemArtifacts<'_> {
        ItemArtifacts {
            materials: &self.materials,
            products: &self.products,
        }
    }

    /// Says whether two links of a step report the same; command, byproducts and environment may differ.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.materials == other.materials && self.products == other.products
    }
}

/// Metadata that is no link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// A member is missing, unknown or of the wrong kind.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// The link's name cannot be a step's.
    #[error("member `name`: {0}")]
    Name(#[from] NameError),
    /// The materials cannot be read.
    #[error("materials: {0}")]
    Materials(ArtifactsError),
    /// The products cannot be read.
    #[error("products: {0}")]
    Products(ArtifactsError),
}

fn optional_object(members: Members<'_, '_>, member: &'static str) -> Result<Value<'static>, MemberError> {
    match members.optional(member) {
        None => Ok(empty_object()),
        Some(value) if value.as_object().is_some() => Ok(value.clone().into_owned()),
        Some(value) => Err(wrong_kind(member, value, "an object")),
    }
}

fn empty_object() -> Value<'static> {
    Value::Object(Object::new())
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;
    use crate::encoding::strict_json::parse;

    fn read(text: &str) -> Result<Link, LinkError> {
        let limits = Limits {
            artifacts: 2,
            ..Limits::default()
        };
        Link::from_value(&parse(text.as_bytes(), &limits).expect("JSON"), &limits)
    }

    const DIGEST: &str = r#"{"sha256": "abababababababababababababababababababababababababababababababab"}"#;

    #[test]
    fn reads_what_the_peers_write() {
        let text = format!(
            r#"{{"_type": "link", "byproducts": {{"return-value": 0, "stderr": "", "stdout": ""}}, "command": ["cc", "a.c"],
                "environment": {{}}, "materials": {{"a.c": {DIGEST}}}, "name": "build", "products": {{"a.out": {DIGEST}}}}}"#
        );
        let link = read(&text).expect("a link");
        assert_eq!(
            ("build", 1, 1),
            (link.name.as_str(), link.materials.len(), link.products.len())
        );
        assert_eq!(["cc", "a.c"].as_slice(), link.command);
        assert_eq!(
            Some(&Value::from(0)),
            link.byproducts
                .as_object()
                .and_then(|object| object.get("return-value"))
        );
        assert_eq!(Ok(link.clone()), Link::from_value(&link.to_value(), &Limits::default()));
    }

    #[test]
    fn writes_every_member_the_peers_ask_for() {
        let link = read(r#"{"_type": "link", "name": "s", "materials": {}, "products": {}}"#).expect("a link");
        let expected =
            r#"{"_type":"link","byproducts":{},"command":[],"environment":{},"materials":{},"name":"s","products":{}}"#;
        assert_eq!(expected, crate::encoding::to_json(&link.to_value()));
    }

    #[test]
    fn refuses_what_is_no_link() {
        let cases = [
            ("[]", "expected an object, found an array"),
            (
                r#"{"name": "s", "materials": {}, "products": {}}"#,
                "member `_type` is missing",
            ),
            (r#"{"_type": "layout"}"#, "member `_type` is `layout`, expected `link`"),
            (
                r#"{"_type": "link", "materials": {}, "products": {}}"#,
                "member `name` is missing",
            ),
            (
                r#"{"_type": "link", "name": null, "materials": {}, "products": {}}"#,
                "member `name` is null, expected a string",
            ),
            (
                r#"{"_type": "link", "name": "s", "products": {}}"#,
                "member `materials` is missing",
            ),
            (
                r#"{"_type": "link", "name": "s", "materials": {}}"#,
                "member `products` is missing",
            ),
            (
                r#"{"_type": "link", "name": "s", "materials": {}, "products": {}, "extra": 1}"#,
                "member `extra` is unknown",
            ),
            (
                r#"{"_type": "link", "name": "s", "materials": [], "products": {}}"#,
                "materials: expected an object of artifacts, found an array",
            ),
            (
                r#"{"_type": "link", "name": "s", "materials": {}, "products": {"a": {}, "b": {}, "c": {}}}"#,
                "products: 3 artifacts are more than the limit of 2",
            ),
            (
                r#"{"_type": "link", "name": "s", "materials": {}, "products": {}, "command": "make"}"#,
                "member `command` is a string, expected an array",
            ),
            (
                r#"{"_type": "link", "name": "s", "materials": {}, "products": {}, "command": [1]}"#,
                "member `command` is an integer, expected an array of strings",
            ),
            (
                r#"{"_type": "link", "name": "s", "materials": {}, "products": {}, "byproducts": null}"#,
                "member `byproducts` is null, expected an object",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(expected, read(text).expect_err("no link").to_string());
        }
    }

    #[test]
    fn names_the_artifact_that_is_refused() {
        let cases = [
            ("./a", DIGEST),
            ("a/../b", DIGEST),
            ("a//b", DIGEST),
            ("a", "{}"),
            ("a", r#"{"sha256": "xy"}"#),
            ("a", "7"),
        ];
        for (name, digest) in cases {
            let text =
                format!(r#"{{"_type": "link", "name": "s", "materials": {{"{name}": {digest}}}, "products": {{}}}}"#);
            let error = read(&text).expect_err("no link");
            assert!(matches!(error, LinkError::Materials(_)), "{error}");
            assert!(error.to_string().contains(&format!("`{name}`")), "{error}");
        }
    }

    #[test]
    fn a_summary_spans_the_steps() {
        let link = |name: &str, digest: u8| {
            let artifacts = |file: &str| -> Artifacts {
                let path = format!("{name}/{file}").parse().expect("a path");
                [(path, crate::digest::DigestSet::from_sha256([digest; 32]))]
                    .into_iter()
                    .collect()
            };
            Link {
                name: name.parse().expect("a name"),
                materials: artifacts("in"),
                products: artifacts("out"),
                command: [name.to_string()].into(),
                byproducts: empty_object(),
                environment: empty_object(),
            }
        };
        let (first, last) = (link("first", 1), link("last", 2));
        let name: StepName = "sub".parse().expect("a name");
        let summary = Link::summary(name.clone(), [&first, &link("middle", 3), &last]);
        assert_eq!(
            (&name, &first.materials, &last.products),
            (&summary.name, &summary.materials, &summary.products)
        );
        assert_eq!(last.command, summary.command);
        assert_eq!(first.products, Link::summary(name.clone(), [&first]).products);
        assert!(Link::summary(name, []).artifacts().materials.is_empty());
    }
}
