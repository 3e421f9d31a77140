//! Writing layouts so that the peers read them.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::{String, ToString};

use super::certificate::{CertificateConstraint, authorities_value};
use super::inspection::Inspection;
use super::model::Layout;
use super::rule::Rule;
use super::step::Step;
use crate::encoding::{Object, Value};
use crate::name::KeyId;

impl Layout {
    /// The layout as the payload of an envelope, in the one form that both peers accept.
    ///
    /// Every member of the Go implementation's structures is there and no other, and keys stand in the legacy form: with
    /// `keyid_hash_algorithms`, without `private`.
    pub fn to_value(&self) -> Value<'static> {
        let mut keys = Object::new();
        for (id, key) in self.keys() {
            keys.insert(id.as_str().to_owned(), key.to_value(id));
        }
        let mut layout = object([
            ("_type", text(Self::TYPE)),
            ("expires", text(self.expires().to_string())),
            (
                "inspect",
                Value::Array(self.inspections().iter().map(inspection_value).collect()),
            ),
            ("keys", Value::Object(keys)),
            ("readme", text(self.readme().to_owned())),
            ("steps", Value::Array(self.steps().iter().map(step_value).collect())),
        ]);
        // Python refuses members that it does not know, so they are there only when they say something.
        for (member, authorities) in [("rootcas", self.roots()), ("intermediatecas", self.intermediates())] {
            if let (false, Value::Object(layout)) = (authorities.is_empty(), &mut layout) {
                layout.insert(member, authorities_value(authorities));
            }
        }
        layout
    }
}

fn step_value(step: &Step) -> Value<'static> {
    let mut value = object([
        ("_type", text(Step::TYPE)),
        ("name", text(step.name.as_str().to_owned())),
        ("pubkeys", words_value(step.pubkeys.iter().map(KeyId::as_str))),
        ("threshold", Value::Integer(step.threshold.to_string().into())),
        (
            "expected_command",
            words_value(step.expected_command.iter().map(String::as_str)),
        ),
        ("expected_materials", rules_value(&step.expected_materials)),
        ("expected_products", rules_value(&step.expected_products)),
    ]);
    if let (false, Value::Object(value)) = (step.certificates.is_empty(), &mut value) {
        let constraints = step.certificates.iter().map(CertificateConstraint::to_value);
        value.insert("cert_constraints", Value::Array(constraints.collect()));
    }
    value
}

fn inspection_value(inspection: &Inspection) -> Value<'static> {
    object([
        ("_type", text(Inspection::TYPE)),
        ("name", text(inspection.name.as_str().to_owned())),
        ("run", words_value(inspection.run.iter().map(String::as_str))),
        ("expected_materials", rules_value(&inspection.expected_materials)),
        ("expected_products", rules_value(&inspection.expected_products)),
    ])
}

fn rules_value(rules: &[Rule]) -> Value<'static> {
    Value::Array(rules.iter().map(|rule| words_value(rule.to_words())).collect())
}

pub(super) fn words_value<'w>(words: impl IntoIterator<Item = &'w str>) -> Value<'static> {
    Value::Array(words.into_iter().map(|word| text(word.to_owned())).collect())
}

fn text(text: impl Into<Cow<'static, str>>) -> Value<'static> {
    Value::from(text.into())
}

fn object<const N: usize>(members: [(&'static str, Value<'static>); N]) -> Value<'static> {
    Value::Object(members.into_iter().collect())
}
