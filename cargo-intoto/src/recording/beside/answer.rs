//! What a tool said, and what must hold before it is believed.

use std::borrow::Cow;

use camino::Utf8PathBuf;
use intoto_core::encoding::{Object, Value, strict_json};
use intoto_core::limits::Limits;
use serde_json::{Map, Value as Json};

use crate::error::CliError;
use crate::finding::CargoCode;

/// No more is read of what a tool says: cargo-deny at its most talkative writes some hundred bytes per package.
pub(super) const MAX_BYTES: usize = 32 << 20;
/// As much of a tool's own words is shown when it says something else than it should.
const SHOWN: usize = 600;

/// The answer of a tool, understood.
#[derive(Debug)]
pub(super) struct Answer {
    /// The name of the report.
    pub(super) report: String,
    /// Its bytes.
    pub(super) document: Vec<u8>,
    /// The outcome in a few words.
    pub(super) verdict: String,
    /// Whether it said no.
    pub(super) failed: bool,
    /// Why, one by one.
    pub(super) complaints: Vec<String>,
    /// For the link.
    pub(super) byproducts: Map<String, Json>,
    /// The databases of advisories that it used.
    pub(super) databases: Vec<Utf8PathBuf>,
}

/// Nothing was decided: the tool did not say what it found, or contradicted itself.
pub(super) fn undecided(message: impl Into<String>) -> CliError {
    CliError::cannot_decide(message).with_code(CargoCode::CheckUndecided)
}

/// The same, with the last that the tool said on a stream.
pub(super) fn undecided_saying(message: impl Into<String>, said: &[u8]) -> CliError {
    saying(undecided(message), said)
}

/// An error, with the last that a tool said on a stream as its reason.
pub(super) fn saying(error: CliError, said: &[u8]) -> CliError {
    let text = String::from_utf8_lossy(said);
    let text = text.trim();
    if text.is_empty() {
        return error;
    }
    let from = text.char_indices().rev().take(SHOWN).last().map_or(0, |(at, _)| at);
    error.because(text[from..].to_owned())
}

/// One JSON text of a tool.
pub(super) fn parse<'a>(tool: &str, what: &str, bytes: &'a [u8]) -> Result<Value<'a>, CliError> {
    let limits = Limits {
        json_bytes: MAX_BYTES,
        ..Limits::default()
    };
    strict_json::parse(bytes, &limits)
        .map_err(|error| undecided_saying(format!("{what} of {tool} is not JSON: {error}"), bytes))
}

/// An object of a tool's JSON, with the name of the tool for errors.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    tool: &'static str,
    object: &'a Object<'a>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(tool: &'static str, what: &str, value: &'a Value<'a>) -> Result<Self, CliError> {
        match value.as_object() {
            Some(object) => Ok(Self { tool, object }),
            None => Err(undecided(format!(
                "{what} of {tool} is {}, not an object",
                value.kind()
            ))),
        }
    }

    pub(super) fn object(&self, name: &str) -> Result<Self, CliError> {
        Self::of(self.tool, &format!("`{name}`"), self.value(name)?)
    }

    pub(super) fn value(&self, name: &str) -> Result<&'a Value<'a>, CliError> {
        self.object
            .get(name)
            .ok_or_else(|| undecided(format!("what {} said has no `{name}`", self.tool)))
    }

    pub(super) fn optional(&self, name: &str) -> Option<&'a Value<'a>> {
        self.object.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, CliError> {
        self.value(name)?.as_str().ok_or_else(|| self.wrong(name, "a text"))
    }

    pub(super) fn boolean(&self, name: &str) -> Result<bool, CliError> {
        self.value(name)?
            .as_bool()
            .ok_or_else(|| self.wrong(name, "true or false"))
    }

    pub(super) fn count(&self, name: &str) -> Result<usize, CliError> {
        let value = self.value(name)?.as_i64();
        value
            .and_then(|value| usize::try_from(value).ok())
            .ok_or_else(|| self.wrong(name, "a count"))
    }

    pub(super) fn array(&self, name: &str) -> Result<&'a [Value<'a>], CliError> {
        self.value(name)?.as_array().ok_or_else(|| self.wrong(name, "a list"))
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&'a str, &'a Value<'a>)> {
        self.object.iter()
    }

    fn wrong(&self, name: &str, expected: &str) -> CliError {
        undecided(format!("`{name}` of {} is not {expected}", self.tool))
    }
}

/// A text for people, or what stands in its place.
pub(super) fn text_or<'a>(value: Option<&'a Value<'a>>, other: &'static str) -> Cow<'a, str> {
    value
        .and_then(Value::as_str)
        .map_or(Cow::Borrowed(other), Cow::Borrowed)
}
