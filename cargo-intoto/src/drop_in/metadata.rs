//! Links and layouts as the reference implementation takes them in: members that are absent have values there.

use std::borrow::Cow;

use camino::Utf8Path;
use intoto_core::encoding::{Object, Value};
use intoto_core::limits::Limits;
use intoto_core::name::StepName;
use intoto_core::payload::Payload;
use intoto_core::time::Timestamp;

use crate::error::CliError;
use crate::signing::SignedFile;

/// What a file holds, whoever signed it.
pub(super) enum Metadata {
    /// The link of that step.
    Link(StepName),
    /// A layout.
    Layout,
}

impl Metadata {
    /// Looks at what a signed file holds. Of a link or layout that a verifier would refuse, only the kind is known.
    ///
    /// # Errors
    /// When it is neither, or no signed metadata at all.
    pub(super) fn of(file: &SignedFile) -> Result<Self, CliError> {
        let failed = || CliError::cannot_decide(format!("failed to read what `{}` holds", file.path()));
        let envelope = file.envelope()?;
        let value = envelope.payload_value().map_err(|error| failed().because(error))?;
        let text = |member: &str| value.as_object()?.get(member)?.as_str();
        match (text("_type"), text("name")) {
            (Some("layout"), _) => Ok(Self::Layout),
            (Some("link"), Some(name)) => {
                let name = name.parse().map_err(|error| failed().because(error))?;
                Ok(Self::Link(name))
            }
            _ => Err(failed().hint("a link or a layout is wanted")),
        }
    }
}

/// The metadata with every member that the reference implementation fills in, and the time of expiry if that is among them.
///
/// # Errors
/// When it is, even so, nothing that a verifier would take: a signature would only hide that.
pub(super) fn filled(
    path: &Utf8Path,
    payload: Value<'static>,
    now: Timestamp,
) -> Result<(Value<'static>, Option<Timestamp>), CliError> {
    let Value::Object(mut object) = payload else {
        return Err(CliError::cannot_decide(format!("`{path}` holds no object")));
    };
    let mut expires = None;
    match object.get("_type").and_then(Value::as_str) {
        Some("layout") => {
            if object.get("expires").is_none() {
                let time = a_month_after(now);
                object.insert("expires", Value::from(time.to_string()));
                expires = Some(time);
            }
            fill(
                &mut object,
                &[
                    ("keys", Empty::Object),
                    ("steps", Empty::Array),
                    ("inspect", Empty::Array),
                    ("readme", Empty::Text),
                ],
            );
            items(&mut object, "steps", &STEP);
            items(&mut object, "inspect", &INSPECTION);
        }
        _ => fill(
            &mut object,
            &[
                ("materials", Empty::Object),
                ("products", Empty::Object),
                ("byproducts", Empty::Object),
                ("environment", Empty::Object),
                ("command", Empty::Array),
            ],
        ),
    }
    let value = Value::Object(object);
    Payload::from_value(&value, &Limits::default())
        .map_err(|error| CliError::cannot_decide(format!("failed to read what `{path}` holds")).because(error))?;
    Ok((value, expires))
}

#[derive(Clone, Copy)]
enum Empty {
    Object,
    Array,
    Text,
    One,
}

const STEP: [(&str, Empty); 5] = [
    ("pubkeys", Empty::Array),
    ("threshold", Empty::One),
    ("expected_command", Empty::Array),
    ("expected_materials", Empty::Array),
    ("expected_products", Empty::Array),
];
const INSPECTION: [(&str, Empty); 3] = [
    ("run", Empty::Array),
    ("expected_materials", Empty::Array),
    ("expected_products", Empty::Array),
];

fn fill(object: &mut Object<'static>, members: &[(&'static str, Empty)]) {
    for (member, empty) in members {
        if object.get(member).is_none() {
            let value = match empty {
                Empty::Object => Value::Object(Object::new()),
                Empty::Array => Value::Array(Vec::new()),
                Empty::Text => Value::from(""),
                Empty::One => Value::from(1),
            };
            object.insert(*member, value);
        }
    }
}

/// Fills the steps or the inspections of a layout.
fn items(layout: &mut Object<'static>, list: &'static str, members: &[(&'static str, Empty)]) {
    let Some(Value::Array(found)) = layout.get(list) else {
        return;
    };
    let filled = found.iter().cloned().map(|item| match item {
        Value::Object(mut item) => {
            fill(&mut item, members);
            Value::Object(item)
        }
        other => other,
    });
    let filled = Value::Array(filled.collect());
    layout.insert(Cow::Borrowed(list), filled);
}

/// The same day of the next month, or its last day.
fn a_month_after(time: Timestamp) -> Timestamp {
    let text = time.to_string();
    let number = |range| text.get(range).and_then(|digits: &str| digits.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day), Some(rest)) = (number(0..4), number(5..7), number(8..10), text.get(10..))
    else {
        return time;
    };
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let next = (1..=day)
        .rev()
        .find_map(|day| format!("{year:04}-{month:02}-{day:02}{rest}").parse().ok());
    next.unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::a_month_after;

    #[test]
    fn months_have_ends() {
        for (from, to) in [
            ("2026-11-22T10:00:00Z", "2026-12-22T10:00:00Z"),
            ("2026-12-31T23:59:59Z", "2027-01-31T23:59:59Z"),
            ("2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z"),
            ("2028-01-30T00:00:00Z", "2028-02-29T00:00:00Z"),
        ] {
            assert_eq!(a_month_after(from.parse().expect("a time")).to_string(), to);
        }
    }
}
