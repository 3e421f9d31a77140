//! Reading TOML tables field by field, with the place of everything, so that each mistake is shown where it stands.

use std::num::NonZeroU32;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::layout_source::Problem;

/// A place in the source text, in bytes.
pub(super) type Span = Range<usize>;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At<T> {
    pub value: T,
    pub span: Span,
}

/// One table being read: which fields it may have, and what was wrong so far.
pub(super) struct Table<'a, 'i> {
    table: &'a DeTable<'i>,
    /// The table as a whole, where a missing field is reported.
    span: Span,
    /// How errors call the table: "the layout source", "a step".
    what: &'static str,
}

impl<'a, 'i> Table<'a, 'i> {
    /// A table that may have exactly the fields `known`; others are reported with the nearest known name.
    pub(super) fn new(
        table: &'a DeTable<'i>,
        span: Span,
        what: &'static str,
        known: &[&str],
        problems: &mut Vec<Problem>,
    ) -> Self {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let mut problem = Problem::error(
                    key.span(),
                    format!("{what} has no field `{}`", name.escape_debug()),
                    "unknown field",
                );
                problem.help = Some(match nearest(name, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the fields are: {}", known.join(", ")),
                });
                problems.push(problem);
            }
        }
        Self { table, span, what }
    }

    /// The raw value of `field`, reported when it is missing.
    pub(super) fn required(&self, field: &str, problems: &mut Vec<Problem>) -> Option<&'a Spanned<DeValue<'i>>> {
        let value = self.optional(field);
        if value.is_none() {
            problems.push(Problem::error(
                self.span.clone(),
                format!("{} needs the field `{field}`", self.what),
                "missing here",
            ));
        }
        value
    }

    /// The raw value of `field`, if it is there.
    pub(super) fn optional(&self, field: &str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.table.get(field)
    }

    /// The table's own place.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }
}

/// Reports that `value` is not what `field` takes.
pub(super) fn wrong_type(field: &str, expected: &str, value: &Spanned<DeValue<'_>>) -> Problem {
    Problem::error(
        value.span(),
        format!("`{field}` takes {expected}"),
        format!("this is {}", kind(value.get_ref())),
    )
}

/// A string.
pub(super) fn string(field: &str, value: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> Option<At<String>> {
    match value.get_ref() {
        DeValue::String(text) => Some(At {
            value: text.to_string(),
            span: value.span(),
        }),
        _ => {
            problems.push(wrong_type(field, "a string", value));
            None
        }
    }
}

/// An array of strings.
pub(super) fn strings(field: &str, value: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> Vec<At<String>> {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().filter_map(|item| string(field, item, problems)).collect(),
        _ => {
            problems.push(wrong_type(field, "an array of strings", value));
            Vec::new()
        }
    }
}

/// A truth value; `false` when it is none.
pub(super) fn yes_or_no(field: &str, value: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> bool {
    if let DeValue::Boolean(value) = value.get_ref() {
        return *value;
    }
    problems.push(wrong_type(field, "true or false", value));
    false
}

/// A whole number above zero that fits 32 bits.
pub(super) fn count(field: &str, value: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> Option<At<NonZeroU32>> {
    let parsed = match value.get_ref() {
        DeValue::Integer(integer) => u32::from_str_radix(integer.as_str(), integer.radix()).ok(),
        _ => None,
    };
    match parsed.and_then(NonZeroU32::new) {
        Some(number) => Some(At {
            value: number,
            span: value.span(),
        }),
        _ => {
            problems.push(wrong_type(field, "a whole number from 1", value));
            None
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "another number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// The known name that `name` is most likely a slip of.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The number of letters to add, drop or change between two short words.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    // A field name beyond this length is no slip, and must not cost time.
    for (i, letter) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in b.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        let known = ["name", "by", "threshold", "command", "materials", "products"];
        for (name, near) in [
            ("product", Some("products")),
            ("treshold", Some("threshold")),
            ("material", Some("materials")),
            ("comand", Some("command")),
            ("colour", None),
        ] {
            assert_eq!(nearest(name, &known), near, "{name}");
        }
    }
}
