//! Parameters: values that the verifier puts into a layout's placeholders.
//!
//! A placeholder is `{name}`; `{{` and `}}` stand for braces. They are filled in rules, expected commands and inspections' commands,
//! after these were parsed: a value never becomes a keyword, a second word or a wildcard.
//!
//! ```
//! use intoto_core::layout::{Parameters, Rule};
//!
//! let mut parameters = Parameters::new();
//! parameters.insert("version", "1.0.*")?;
//! let rule: Rule = "ALLOW hello-{version}.crate".parse().unwrap();
//! assert_eq!(parameters.fill_rule(&rule).unwrap().to_string(), "ALLOW hello-1.0.[*].crate");
//! # Ok::<(), intoto_core::layout::ParameterProblem>(())
//! ```

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::error::LayoutLocation;
use super::inspection::Inspection;
use super::model::{Item, Layout};
use super::rule::Rule;
use super::step::Step;
use crate::artifacts::ArtifactList;
use crate::name::{NameError, StepName};
use crate::pattern::{Pattern, escape_pattern, set_length};

/// The values for a layout's placeholders, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    values: BTreeMap<String, String>,
}

impl Parameters {
    /// No values.
    pub const fn new() -> Self {
        Self {
            values: BTreeMap::new(),
        }
    }

    /// Adds a value, or replaces it.
    ///
    /// Names consist of ASCII letters, digits, `_` and `-`. Values are not empty and hold no `/`, no `\` and no control character.
    pub fn insert(&mut self, name: &str, value: &str) -> Result<(), ParameterProblem> {
        if !is_name(name) {
            return Err(ParameterProblem::Name { name: name.to_owned() });
        }
        let flaw = match value {
            "" => Some("is empty"),
            "." | ".." => Some("is a directory reference"),
            _ if value.contains(['/', '\\']) => Some("contains a path separator"),
            _ if value.contains(char::is_control) => Some("contains a control character"),
            _ => None,
        };
        if let Some(flaw) = flaw {
            return Err(ParameterProblem::Value {
                name: name.to_owned(),
                flaw,
            });
        }
        self.values.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Says whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Fills the placeholders of a rule.
    ///
    /// With no values at all, braces mean themselves, as they do to the peers; only a rule with a placeholder is refused then.
    pub fn fill_rule(&self, rule: &Rule) -> Result<Rule, ParameterProblem> {
        if self.is_empty() {
            return no_placeholder(rule).map(|()| rule.clone());
        }
        let pattern = |pattern: &Pattern| self.fill_pattern(pattern);
        Ok(match rule {
            Rule::Create { pattern: text } => Rule::Create {
                pattern: pattern(text)?,
            },
            Rule::Delete { pattern: text } => Rule::Delete {
                pattern: pattern(text)?,
            },
            Rule::Modify { pattern: text } => Rule::Modify {
                pattern: pattern(text)?,
            },
            Rule::Allow { pattern: text } => Rule::Allow {
                pattern: pattern(text)?,
            },
            Rule::Disallow { pattern: text } => Rule::Disallow {
                pattern: pattern(text)?,
            },
            Rule::Require { artifact } => Rule::Require {
                artifact: self.fill(artifact)?,
            },
            Rule::Match {
                pattern: text,
                source_prefix,
                on,
                destination_prefix,
                from,
            } => Rule::Match {
                pattern: pattern(text)?,
                source_prefix: source_prefix.as_deref().map(|prefix| self.fill(prefix)).transpose()?,
                on: *on,
                destination_prefix: destination_prefix
                    .as_deref()
                    .map(|prefix| self.fill(prefix))
                    .transpose()?,
                from: StepName::try_from(self.fill(from.as_str())?.as_str())?,
            },
        })
    }

    /// Fills the words of an expected command.
    fn fill_words(&self, words: &[String]) -> Result<Vec<String>, ParameterProblem> {
        if self.is_empty() {
            Ok(words.to_vec())
        } else {
            words.iter().map(|word| self.fill(word)).collect()
        }
    }

    /// Fills the words of a command that will be run.
    fn fill_run(&self, words: &[String]) -> Result<Vec<String>, ParameterProblem> {
        if self.is_empty() {
            return Ok(words.to_vec());
        }
        for word in words {
            for part in parts(word) {
                if let Part::Placeholder(name) = part?
                    && self.value(name)?.starts_with('-')
                {
                    return Err(ParameterProblem::Dash { name: name.to_owned() });
                }
            }
        }
        self.fill_words(words)
    }

    /// Fills literal text.
    fn fill(&self, text: &str) -> Result<String, ParameterProblem> {
        let mut filled = String::with_capacity(text.len());
        for part in parts(text) {
            match part? {
                Part::Literal(literal) => filled.push_str(literal),
                Part::Placeholder(name) => filled.push_str(self.value(name)?),
            }
        }
        Ok(filled)
    }

    /// Fills a pattern: wildcards in values match literally.
    fn fill_pattern(&self, pattern: &Pattern) -> Result<Pattern, ParameterProblem> {
        let mut filled = String::new();
        let mut rest = pattern.as_str();
        while let Some(bracket) = rest.find('[') {
            let (before, from_bracket) = rest.split_at(bracket);
            self.fill_wildcards(before, &mut filled)?;
            // A bracket that nothing closes in the layout must not be closed by a value either.
            let (set, after) = match set_length(from_bracket) {
                Some(length) => from_bracket.split_at(length),
                None => ("[[]", from_bracket.get(1..).unwrap_or_default()),
            };
            for part in parts(set) {
                match part? {
                    Part::Literal(literal) => filled.push_str(literal),
                    Part::Placeholder(name) => return Err(ParameterProblem::InSet { name: name.to_owned() }),
                }
            }
            rest = after;
        }
        self.fill_wildcards(rest, &mut filled)?;
        Ok(Pattern::compile(&filled))
    }

    /// Fills a part of a pattern that has no set.
    fn fill_wildcards(&self, text: &str, filled: &mut String) -> Result<(), ParameterProblem> {
        for part in parts(text) {
            match part? {
                Part::Literal(literal) => filled.push_str(literal),
                Part::Placeholder(name) => filled.push_str(&escape_pattern(self.value(name)?)),
            }
        }
        Ok(())
    }

    fn value(&self, name: &str) -> Result<&str, ParameterProblem> {
        let value = self.values.get(name).map(String::as_str);
        value.ok_or_else(|| ParameterProblem::Missing { name: name.to_owned() })
    }
}

/// Without values a rule stays as it is, and must not wait for one.
fn no_placeholder(rule: &Rule) -> Result<(), ParameterProblem> {
    match rule.arguments().find_map(placeholder_in) {
        Some(name) => Err(ParameterProblem::Missing { name: name.to_owned() }),
        None => Ok(()),
    }
}

impl Layout {
    /// The layout with its placeholders filled.
    ///
    /// Sublayouts see no parameters: what the owner of one layout calls `version` is not what the owner of another does.
    pub fn with_parameters(&self, parameters: &Parameters) -> Result<Self, ParameterError> {
        if parameters.is_empty() {
            self.without_parameters()?;
            return Ok(self.clone());
        }
        let fill_rules = |item: Item<'_>, list| -> Result<Vec<Rule>, ParameterError> {
            let fill = |(index, rule)| {
                let fill = parameters.fill_rule(rule);
                fill.map_err(|problem| ParameterError {
                    location: item.rule_location(list, index),
                    problem,
                })
            };
            item.rules(list).iter().enumerate().map(fill).collect()
        };
        let mut steps = Vec::with_capacity(self.steps().len());
        let mut inspections = Vec::with_capacity(self.inspections().len());
        for item in self.items() {
            let expected_materials = fill_rules(item, ArtifactList::Materials)?;
            let expected_products = fill_rules(item, ArtifactList::Products)?;
            let at = |problem| ParameterError {
                location: item.location(),
                problem,
            };
            match item {
                Item::Step { step, .. } => steps.push(Step {
                    name: step.name.clone(),
                    pubkeys: step.pubkeys.clone(),
                    certificates: step.certificates.clone(),
                    threshold: step.threshold,
                    expected_command: parameters.fill_words(&step.expected_command).map_err(at)?,
                    expected_materials,
                    expected_products,
                }),
                Item::Inspection { inspection, .. } => inspections.push(Inspection {
                    name: inspection.name.clone(),
                    run: parameters.fill_run(&inspection.run).map_err(at)?,
                    expected_materials,
                    expected_products,
                }),
            }
        }
        Ok(self.with_items(steps, inspections))
    }

    /// Checks that no rule has a placeholder, so that the layout is what [`Self::with_parameters`] makes of it without values.
    pub(crate) fn without_parameters(&self) -> Result<(), ParameterError> {
        for item in self.items() {
            for list in ArtifactList::ALL {
                for (index, rule) in item.rules(list).iter().enumerate() {
                    no_placeholder(rule).map_err(|problem| ParameterError {
                        location: item.rule_location(list, index),
                        problem,
                    })?;
                }
            }
        }
        Ok(())
    }
}

/// A placeholder that cannot be filled, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterError {
    location: LayoutLocation,
    problem: ParameterProblem,
}

impl ParameterError {
    /// Where in the layout it is.
    pub fn location(&self) -> &LayoutLocation {
        &self.location
    }

    /// What is wrong there.
    pub fn problem(&self) -> &ParameterProblem {
        &self.problem
    }
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.problem)
    }
}

impl core::error::Error for ParameterError {}

/// What is wrong with a parameter or a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterProblem {
    /// The name is empty or has a character that names do not have.
    #[error("parameter name `{name}` is not made of ASCII letters, digits, `_` and `-`")]
    Name {
        /// The name.
        name: String,
    },
    /// The value could lead elsewhere than the layout's text says.
    #[error("the value of parameter `{name}` {flaw}")]
    Value {
        /// The parameter.
        name: String,
        /// What is wrong with its value.
        flaw: &'static str,
    },
    /// The layout asks for a parameter that was not given.
    #[error("parameter `{name}` was not given")]
    Missing {
        /// The parameter.
        name: String,
    },
    /// Braces that are neither a placeholder nor doubled.
    #[error("`{text}` has a brace that is neither doubled nor part of a `{{name}}`")]
    Braces {
        /// The text.
        text: String,
    },
    /// A placeholder between the brackets of a set.
    #[error("placeholder `{{{name}}}` stands within the brackets of a set")]
    InSet {
        /// The parameter.
        name: String,
    },
    /// A value that a command would take for an option.
    #[error("the value of parameter `{name}` begins with `-`, which a command takes for an option")]
    Dash {
        /// The parameter.
        name: String,
    },
    /// With the value, the name of the step in a `MATCH` rule is none.
    #[error("the step named after the value is impossible: {0}")]
    StepName(#[from] NameError),
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// The first placeholder of a text whose other braces mean themselves.
fn placeholder_in(text: &str) -> Option<&str> {
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let inner = rest.get(open + 1..)?;
        if let Some(doubled) = inner.strip_prefix('{') {
            rest = doubled;
            continue;
        }
        if let Some((name, _)) = inner.split_once('}')
            && is_name(name)
        {
            return Some(name);
        }
        rest = inner;
    }
    None
}

enum Part<'t> {
    Literal(&'t str),
    Placeholder(&'t str),
}

/// Cuts a text into literal text and placeholders.
fn parts(text: &str) -> impl Iterator<Item = Result<Part<'_>, ParameterProblem>> {
    let mut rest = text;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let found = next_part(rest).ok_or_else(|| ParameterProblem::Braces { text: text.to_owned() });
        rest = found.as_ref().map(|(_, after)| *after).unwrap_or_default();
        Some(found.map(|(part, _)| part))
    })
}

/// The first part of a text that is not empty, and the rest; `None` when it begins with a stray brace.
fn next_part(text: &str) -> Option<(Part<'_>, &str)> {
    for brace in ["{{", "}}"] {
        if let Some(after) = text.strip_prefix(brace) {
            return Some((Part::Literal(brace.get(..1)?), after));
        }
    }
    if let Some(inner) = text.strip_prefix('{') {
        let (name, after) = inner.split_once('}')?;
        return is_name(name).then_some((Part::Placeholder(name), after));
    }
    match text.find(['{', '}']) {
        Some(0) => None,
        Some(length) => Some((Part::Literal(text.get(..length)?), text.get(length..)?)),
        None => Some((Part::Literal(text), "")),
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    fn parameters(values: &[(&str, &str)]) -> Parameters {
        let mut parameters = Parameters::new();
        for (name, value) in values {
            parameters.insert(name, value).expect("a parameter");
        }
        parameters
    }

    fn filled(rule: &[&str], values: &[(&str, &str)]) -> Result<String, String> {
        let rule = Rule::parse(rule).expect("a rule");
        match parameters(values).fill_rule(&rule) {
            Ok(rule) => Ok(rule.to_words().join(" ")),
            Err(problem) => Err(problem.to_string()),
        }
    }

    #[test]
    fn fills_rules_after_they_were_parsed() {
        let cases: [(&[&str], &str); 10] = [
            (&["ALLOW", "a-{v}.crate"], "ALLOW a-1.0.crate"),
            (&["ALLOW", "{v}{v}*"], "ALLOW 1.01.0*"),
            (&["ALLOW", "{{v}}"], "ALLOW {v}"),
            (&["ALLOW", "{star}?*"], "ALLOW [*]?*"),
            (&["ALLOW", "[a{star}"], "ALLOW [[]a[*]"),
            (&["ALLOW", "[ab]{set}"], "ALLOW [ab][[]x]"),
            (&["REQUIRE", "{star}"], "REQUIRE *"),
            (&["ALLOW", "{word}"], "ALLOW DISALLOW [*]"),
            (
                &[
                    "MATCH", "{star}", "IN", "d{v}", "WITH", "PRODUCTS", "IN", "{set}", "FROM", "s{v}",
                ],
                "MATCH [*] IN d1.0 WITH PRODUCTS IN [x] FROM s1.0",
            ),
            (
                &["MATCH", "*", "WITH", "PRODUCTS", "FROM", "{v}"],
                "MATCH * WITH PRODUCTS FROM 1.0",
            ),
        ];
        for (rule, expected) in cases {
            let values = [("v", "1.0"), ("star", "*"), ("set", "[x]"), ("word", "DISALLOW *")];
            assert_eq!(Ok(expected.to_string()), filled(rule, &values), "{rule:?}");
        }
    }

    #[test]
    fn refuses_every_other_use_of_braces() {
        let braces = "has a brace that is neither doubled nor part of a `{name}`";
        let cases = [
            ("{missing}", "parameter `missing` was not given"),
            ("{", braces),
            ("a}", braces),
            ("{}", braces),
            ("{0x!r}", braces),
            ("{v.__class__}", braces),
            ("{v[0]}", braces),
            ("{v:>10}", braces),
            ("{{v}", braces),
            ("[{v}]", "placeholder `{v}` stands within the brackets of a set"),
        ];
        for (pattern, expected) in cases {
            let error = filled(&["ALLOW", pattern], &[("v", "1")]).expect_err("no rule");
            assert!(error.ends_with(expected), "{pattern}: {error}");
        }
    }

    #[test]
    fn without_values_braces_mean_themselves() {
        for pattern in ["{", "{}", "{{name}}", "{a b}", "{{{", "a}b{"] {
            assert_eq!(Ok(["ALLOW ", pattern].concat()), filled(&["ALLOW", pattern], &[]));
        }
        for pattern in ["{name}", "a{name}b", "{{{name}}}", "{x{name}"] {
            assert_eq!(
                Err("parameter `name` was not given".to_string()),
                filled(&["ALLOW", pattern], &[]),
                "{pattern}"
            );
        }
    }

    #[test]
    fn refuses_names_and_values_that_lead_elsewhere() {
        let cases = [
            ("", "x", false),
            ("a b", "x", false),
            ("ä", "x", false),
            ("a.b", "x", false),
            ("a-b_C9", "x y", true),
            ("a", "", false),
            ("a", "x/y", false),
            ("a", "x\\y", false),
            ("a", "..", false),
            ("a", "x\ny", false),
            ("a", "x\u{7f}", false),
            ("a", "-x", true),
            ("a", "{b}", true),
        ];
        for (name, value, accepted) in cases {
            assert_eq!(
                accepted,
                Parameters::new().insert(name, value).is_ok(),
                "{name}={value:?}"
            );
        }
    }

    #[test]
    fn a_value_is_no_option() {
        let parameters = parameters(&[("v", "-rf"), ("w", "a-b")]);
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(Ok(words("rm a-b")), parameters.fill_run(&words("rm {w}")));
        assert_eq!(
            Err(ParameterProblem::Dash { name: "v".to_owned() }),
            parameters.fill_run(&words("rm {v}"))
        );
        assert_eq!(Ok(words("rm -rf")), parameters.fill_words(&words("rm {v}")));
    }

    proptest! {
        #[test]
        fn a_value_matches_only_itself(
            before in "[ab\\[]{0,3}", value in "[ab*?!\\[\\]{}-]{1,6}", after in "[ab\\]]{0,3}", other in "[ab*?!\\[\\]{}-]{1,6}"
        ) {
            // The text around the value is free of wildcards, which could stand for a part of it.
            let template = [&before, "{v}", &after].concat();
            let Ok(pattern) = parameters(&[("v", &value)]).fill_pattern(&Pattern::compile(&template)) else {
                return Ok(());
            };
            let with = |value: &str| [&before, value, &after].concat();
            prop_assert!(pattern.matches(&with(&value)), "{}", pattern);
            prop_assert_eq!(value == other, pattern.matches(&with(&other)), "{}", pattern);
        }
    }
}
