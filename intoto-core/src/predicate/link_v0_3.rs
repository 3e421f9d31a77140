//! `https://in-toto.io/attestation/link/v0.3`: a link whose materials are a list of descriptors.
//!
//! Specification: in-toto attestation framework, `spec/predicates/link.md`.

use alloc::string::String;
use alloc::vec::Vec;

use super::{PredicateError, descriptor, shared};
use crate::artifacts::Artifacts;
use crate::encoding::{Object, Value};
use crate::limits::Limits;
use crate::link::Link;
use crate::name::StepName;

const MEMBERS: [&str; 5] = ["name", "command", "materials", "byproducts", "environment"];

/// Everything but `name` may be absent: encoders of Protocol Buffers leave out what is empty.
pub(super) fn read(
    subject: &Value<'_>,
    predicate: Option<&Value<'_>>,
    limits: &Limits,
) -> Result<Link, PredicateError> {
    let members = shared::members(predicate, &MEMBERS)?;
    let materials = match members.optional("materials") {
        None => Artifacts::new(),
        Some(list) => descriptor::artifacts(list, limits).map_err(PredicateError::Materials)?,
    };
    Ok(Link {
        name: StepName::try_from(members.text("name")?)?,
        materials,
        products: descriptor::artifacts(subject, limits).map_err(PredicateError::Subject)?,
        command: shared::owned(members.optional_words("command")?),
        byproducts: shared::optional_object(members, "byproducts")?,
        environment: shared::optional_object(members, "environment")?,
    })
}

pub(super) fn to_value(link: &Link) -> Value<'static> {
    let command = link.command.iter().cloned().map(Value::from).collect::<Vec<_>>();
    Value::Object(Object::from_iter([
        ("name", Value::from(String::from(link.name.as_str()))),
        ("command", command.into()),
        ("materials", descriptor::to_value(&link.materials)),
        ("byproducts", link.byproducts.clone()),
        ("environment", link.environment.clone()),
    ]))
}
