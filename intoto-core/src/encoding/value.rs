//! JSON as values that borrow from the text they were read from.
//!
//! ```
//! use intoto_core::encoding::{Object, Value};
//!
//! let mut link = Object::new();
//! link.insert("name", Value::from("build"));
//! link.insert("_type", Value::from("link"));
//! assert_eq!(link.iter().map(|(key, _)| key).collect::<Vec<_>>(), ["_type", "name"]);
//! ```

use alloc::borrow::{Cow, ToOwned};
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem;

/// A JSON value. Numbers stay the text they were, so nothing is rounded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "JSON has these kinds of values and will not get more"
)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number without fraction and exponent, of any size, as written: `-0` stays `-0`.
    Integer(Cow<'a, str>),
    /// A number with a fraction or an exponent, as written. It has no canonical form.
    Float(Cow<'a, str>),
    /// A string, unescaped.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Value<'a> {
    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The number, if it is an integer that fits.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// What kind of value this is, with its article, for messages: "an object".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a number with a fraction or exponent",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// How many values there are in it, itself counted.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Integer(_) | Self::Float(_) | Self::String(_) => 1,
            Self::Array(elements) => 1 + elements.iter().map(Value::count).sum::<usize>(),
            Self::Object(object) => 1 + object.iter().map(|(_, value)| value.count()).sum::<usize>(),
        }
    }

    /// The same value, borrowing nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(text) => Value::Integer(Cow::Owned(text.into_owned())),
            Self::Float(text) => Value::Float(Cow::Owned(text.into_owned())),
            Self::String(text) => Value::String(Cow::Owned(text.into_owned())),
            Self::Array(elements) => Value::Array(elements.into_iter().map(Value::into_owned).collect()),
            Self::Object(object) => Value::Object(object.into_owned()),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::String(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::String(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(Cow::Owned(number.to_string()))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl<'a> From<Vec<Value<'a>>> for Value<'a> {
    fn from(elements: Vec<Value<'a>>) -> Self {
        Self::Array(elements)
    }
}

impl<'a> From<Object<'a>> for Value<'a> {
    fn from(object: Object<'a>) -> Self {
        Self::Object(object)
    }
}

/// The members of a JSON object, sorted by key (by Unicode code points, which is the order of UTF-8 bytes), each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object<'a> {
    members: Vec<(Cow<'a, str>, Value<'a>)>,
}

impl<'a> Object<'a> {
    /// An object without members.
    pub const fn new() -> Self {
        Self { members: Vec::new() }
    }

    /// Takes members as they were read: sorts them unless they are, and fails with the first key that comes twice.
    pub(crate) fn from_members(mut members: Vec<(Cow<'a, str>, Value<'a>)>, sorted: bool) -> Result<Self, String> {
        // The caller's `sorted` means strictly ascending, which also excludes duplicates.
        if !sorted {
            members.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            if let Some(pair) = members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(pair[0].0.clone().into_owned());
            }
        }
        Ok(Self { members })
    }

    /// The value under that key.
    pub fn get(&self, key: &str) -> Option<&Value<'a>> {
        // In a short object most keys differ in length already, so comparing all costs less than bisecting.
        const SHORT: usize = 16;
        if self.members.len() <= SHORT {
            return self
                .members
                .iter()
                .find(|(found, _)| found == key)
                .map(|(_, value)| value);
        }
        self.position(key).ok().map(|at| &self.members[at].1)
    }

    /// Takes the value under that key out.
    pub fn remove(&mut self, key: &str) -> Option<Value<'a>> {
        self.position(key).ok().map(|at| self.members.remove(at).1)
    }

    /// Puts a value under a key, and returns what was there before.
    pub fn insert(&mut self, key: impl Into<Cow<'a, str>>, value: Value<'a>) -> Option<Value<'a>> {
        let key = key.into();
        // Builders usually insert in order; then nothing is searched or moved.
        if self.members.last().is_none_or(|(last, _)| *last < key) {
            self.members.push((key, value));
            return None;
        }
        match self.position(&key) {
            Ok(at) => Some(mem::replace(&mut self.members[at].1, value)),
            Err(at) => {
                self.members.insert(at, (key, value));
                None
            }
        }
    }

    /// Keys and values in the order of the keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value<'a>)> + DoubleEndedIterator {
        self.members.iter().map(|(key, value)| (&**key, value))
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.members.iter().map(|(key, _)| &**key)
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The same object, borrowing nothing.
    pub fn into_owned(self) -> Object<'static> {
        let own = |(key, value): (Cow<'a, str>, Value<'a>)| (Cow::Owned(key.into_owned()), value.into_owned());
        Object {
            members: self.members.into_iter().map(own).collect(),
        }
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.members.binary_search_by(|(found, _)| (**found).cmp(key))
    }
}

impl<'a> IntoIterator for Object<'a> {
    type Item = (Cow<'a, str>, Value<'a>);
    type IntoIter = alloc::vec::IntoIter<(Cow<'a, str>, Value<'a>)>;

    fn into_iter(self) -> Self::IntoIter {
        self.members.into_iter()
    }
}

impl<'a, K: Into<Cow<'a, str>>> FromIterator<(K, Value<'a>)> for Object<'a> {
    /// Collects members; of several with one key the last stays.
    fn from_iter<I: IntoIterator<Item = (K, Value<'a>)>>(members: I) -> Self {
        let mut members: Vec<_> = members.into_iter().map(|(key, value)| (key.into(), value)).collect();
        // A stable sort keeps the later one of equal keys behind the earlier one.
        members.sort_by(|(a, _): &(Cow<'_, str>, _), (b, _)| a.cmp(b));
        members.dedup_by(|later, earlier| {
            let same = later.0 == earlier.0;
            if same {
                mem::swap(later, earlier);
            }
            same
        });
        Self { members }
    }
}

impl<'a> From<BTreeMap<String, Value<'a>>> for Object<'a> {
    fn from(map: BTreeMap<String, Value<'a>>) -> Self {
        Self {
            members: map.into_iter().map(|(key, value)| (Cow::Owned(key), value)).collect(),
        }
    }
}

impl<'a> From<BTreeMap<&'a str, Value<'a>>> for Object<'a> {
    fn from(map: BTreeMap<&'a str, Value<'a>>) -> Self {
        Self {
            members: map
                .into_iter()
                .map(|(key, value)| (Cow::Borrowed(key), value))
                .collect(),
        }
    }
}

/// What of a foreign text goes into an error: the beginning, so that an error stays small.
pub(crate) fn excerpt(text: &str) -> String {
    excerpt_of(text, 80)
}

/// So many characters of a text of which people should see most.
pub(crate) fn excerpt_of(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => {
            let mut short = text[..end].to_owned();
            short.push('…');
            short
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, vec};

    use super::*;

    #[test]
    fn insert_keeps_order_and_replaces() {
        let mut object = Object::new();
        for (key, value) in [("b", 1), ("a", 2), ("c", 3)] {
            assert_eq!(object.insert(key, Value::from(value)), None);
        }
        assert_eq!(object.insert("b", Value::Null), Some(Value::from(1)));
        assert_eq!(object.insert("c", Value::from(4)), Some(Value::from(3)));
        assert_eq!(object.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(object.get("b"), Some(&Value::Null));
        assert_eq!(object.remove("b"), Some(Value::Null));
        assert_eq!(object.get("b"), None);
    }

    #[test]
    fn collecting_keeps_the_last() {
        let object: Object<'_> = vec![("b", Value::from(1)), ("a", Value::from(2)), ("b", Value::from(3))]
            .into_iter()
            .collect();
        assert_eq!(
            object.iter().collect::<Vec<_>>(),
            [("a", &Value::from(2)), ("b", &Value::from(3))]
        );
    }

    #[test]
    fn every_way_to_make_an_object_makes_the_same() {
        let expected = [("a", Value::from(1)), ("b", Value::Null)];
        let object: Object<'_> = expected.clone().into_iter().collect();
        assert_eq!(
            object.iter().collect::<Vec<_>>(),
            [("a", &Value::from(1)), ("b", &Value::Null)]
        );
        let borrowed: BTreeMap<&str, Value<'_>> = expected.clone().into();
        assert_eq!(Object::from(borrowed), object);
        let owned: BTreeMap<String, Value<'_>> = expected.clone().map(|(key, value)| (key.to_string(), value)).into();
        assert_eq!(Object::from(owned), object);
        let members: Vec<_> = object.into_iter().collect();
        assert_eq!(members, expected.map(|(key, value)| (Cow::Borrowed(key), value)));
    }

    #[test]
    fn members_are_found_however_many_there_are() {
        for count in [1, 16, 17, 100] {
            let keys: Vec<String> = (0..count).map(|number| format!("{number:03}")).collect();
            let object: Object<'_> = keys.iter().map(|key| (&**key, Value::from(&**key))).collect();
            assert_eq!(object.len(), count);
            for key in &keys {
                assert_eq!(object.get(key).and_then(Value::as_str), Some(&**key), "{count}");
            }
            assert_eq!(object.get("x"), None, "{count}");
        }
    }

    #[test]
    fn integers() {
        for (text, expected) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
        ] {
            assert_eq!(Value::Integer(text.into()).as_i64(), expected, "{text}");
        }
    }

    #[test]
    fn every_value_counts() {
        let list = |values: &[Value<'static>]| Value::from(values.to_vec());
        let object = |value| Value::from(Object::from_iter([("a", Value::Null), ("b", value)]));
        let three = list(&[Value::from(1), Value::from("x")]);
        for (value, expected) in [
            (Value::Null, 1),
            (Value::from(true), 1),
            (Value::from(7), 1),
            (Value::Float("1.5".into()), 1),
            (Value::from("x"), 1),
            (list(&[]), 1),
            (three.clone(), 3),
            (Object::new().into(), 1),
            (object(three.clone()), 5),
            (list(&[three.clone(), object(three.clone()), three]), 12),
        ] {
            assert_eq!(value.count(), expected, "{value:?}");
        }
    }

    #[test]
    fn a_boolean_is_one() {
        assert_eq!(Value::Bool(true).as_bool(), Some(true));
        assert_eq!(Value::Bool(false).as_bool(), Some(false));
        assert_eq!(Value::from(1).as_bool(), None);
    }

    #[test]
    fn excerpts_are_short() {
        assert_eq!(excerpt("é"), "é");
        assert_eq!(excerpt(&"é".repeat(1000)).chars().count(), 81);
        assert_eq!(excerpt_of("äöü", 3), "äöü");
        assert_eq!(excerpt_of("äöü", 2), "äö…");
    }
}
