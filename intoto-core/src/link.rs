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

use crate::artifacts::{Artifacts, ArtifactsError};
use crate::encoding::{Object, Value};
use crate::limits::Limits;
use crate::member::{MemberError, Members, wrong_kind};
use crate::name::{NameError, StepName};
use crate::rules::ItemArtifacts;

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
