//! `https://in-toto.io/Link/v0.2`: a link without `_type` and `products`.
//!
//! Specification: ITE-6, and `spec/predicates/link.md` of the attestation framework before version 0.3.

use alloc::string::String;
use alloc::vec::Vec;

use super::{PredicateError, descriptor, shared};
use crate::artifacts::Artifacts;
use crate::encoding::{Object, Value};
use crate::limits::Limits;
use crate::link::Link;
use crate::member::Members;
use crate::name::StepName;

const MEMBERS: [&str; 5] = ["name", "command", "materials", "byproducts", "environment"];

/// As a link has it, so `materials` have to be there.
pub(super) fn read(
    subject: &Value<'_>,
    predicate: Option<&Value<'_>>,
    limits: &Limits,
) -> Result<Link, PredicateError> {
    let members = shared::members(predicate, &MEMBERS)?;
    Ok(Link {
        name: StepName::try_from(members.text("name")?)?,
        materials: Artifacts::from_value(members.required("materials")?, limits)
            .map_err(PredicateError::MaterialsObject)?,
        products: descriptor::artifacts(subject, limits).map_err(PredicateError::Subject)?,
        command: command(members)?,
        byproducts: shared::optional_object(members, "byproducts")?,
        environment: shared::optional_object(members, "environment")?,
    })
}

/// The specification's example is one string, what links hold is a list; whichever it is, it is not taken apart.
fn command(members: Members<'_, '_>) -> Result<Vec<String>, PredicateError> {
    match members.optional("command").and_then(Value::as_str) {
        Some("") => Ok(Vec::new()),
        Some(line) => Ok(alloc::vec![line.into()]),
        None => Ok(shared::owned(members.optional_words("command")?)),
    }
}

pub(super) fn to_value(link: &Link) -> Value<'static> {
    let command = link.command.iter().cloned().map(Value::from).collect::<Vec<_>>();
    Value::Object(Object::from_iter([
        ("name", Value::from(String::from(link.name.as_str()))),
        ("command", command.into()),
        ("materials", link.materials.to_value()),
        ("byproducts", link.byproducts.clone()),
        ("environment", link.environment.clone()),
    ]))
}
