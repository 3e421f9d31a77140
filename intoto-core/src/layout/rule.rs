//! The grammar of artifact rules.
//!
//! A rule is a list of words. Keywords are read in any case, everything else exactly; positions decide, so an artifact named `WITH`
//! causes no confusion. `MATCH` has six, eight or ten words, every other rule two (specification 4.3.3).
//!
//! ```
//! use intoto_core::layout::Rule;
//!
//! let rule: Rule = "match *.crate with products in target/package from package".parse()?;
//! assert_eq!(rule.to_string(), "MATCH *.crate WITH PRODUCTS IN target/package FROM package");
//! assert!("ALLOW".parse::<Rule>().is_err());
//! # Ok::<(), intoto_core::layout::RuleError>(())
//! ```

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use crate::artifacts::ArtifactList;
use crate::encoding::value::excerpt;
use crate::name::{NameError, StepName};
use crate::pattern::Pattern;

/// An artifact rule.
///
/// The order of rules decides: each sees only the artifacts that no earlier rule of its list consumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Consumes products that are not also materials.
    Create {
        /// Selects the artifacts.
        pattern: Pattern,
    },
    /// Consumes materials that are not also products.
    Delete {
        /// Selects the artifacts.
        pattern: Pattern,
    },
    /// Consumes artifacts that are materials and products with different digests.
    Modify {
        /// Selects the artifacts.
        pattern: Pattern,
    },
    /// Consumes artifacts unconditionally.
    Allow {
        /// Selects the artifacts.
        pattern: Pattern,
    },
    /// Fails when an artifact that no earlier rule consumed matches.
    Disallow {
        /// Selects the artifacts.
        pattern: Pattern,
    },
    /// Fails unless exactly this artifact is there and no earlier rule consumed it; consumes nothing.
    Require {
        /// The literal name; wildcards mean nothing here.
        artifact: String,
    },
    /// Consumes artifacts that another step recorded with equal digests.
    Match {
        /// Selects the artifacts, by their name after the source prefix.
        pattern: Pattern,
        /// The directory that the artifacts lie in here.
        source_prefix: Option<String>,
        /// The list of the other step that is looked at.
        on: ArtifactList,
        /// The directory that the artifacts lie in there.
        destination_prefix: Option<String>,
        /// The other step.
        from: StepName,
    },
}

impl Rule {
    /// Reads a rule from its words.
    pub fn parse<S: AsRef<str>>(words: &[S]) -> Result<Self, RuleError> {
        Self::parse_words(&words.iter().map(AsRef::as_ref).collect::<Vec<_>>(), None)
    }

    /// Reads a rule that stands beside others: its step is most likely the `neighbour`'s, and shares the name with it then.
    pub(super) fn parse_words(words: &[&str], neighbour: Option<&Self>) -> Result<Self, RuleError> {
        let step = match neighbour {
            Some(Self::Match { from, .. }) => Some(from),
            _ => None,
        };
        parse(words, step).map_err(|problem| RuleError {
            words: excerpt(&words.join(" ")),
            problem,
        })
    }

    /// The keyword it begins with, in upper case.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Create { .. } => "CREATE",
            Self::Delete { .. } => "DELETE",
            Self::Modify { .. } => "MODIFY",
            Self::Allow { .. } => "ALLOW",
            Self::Disallow { .. } => "DISALLOW",
            Self::Require { .. } => "REQUIRE",
            Self::Match { .. } => "MATCH",
        }
    }

    /// The pattern; `REQUIRE` has none.
    pub fn pattern(&self) -> Option<&Pattern> {
        match self {
            Self::Create { pattern }
            | Self::Delete { pattern }
            | Self::Modify { pattern }
            | Self::Allow { pattern }
            | Self::Disallow { pattern }
            | Self::Match { pattern, .. } => Some(pattern),
            Self::Require { .. } => None,
        }
    }

    /// Its words that are not keywords, as far as it has them: the pattern or artifact, the prefixes, the step.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &str> {
        let artifact = match self {
            Self::Require { artifact } => Some(artifact.as_str()),
            _ => self.pattern().map(Pattern::as_str),
        };
        let of_match = match self {
            Self::Match {
                source_prefix,
                destination_prefix,
                from,
                ..
            } => [
                source_prefix.as_deref(),
                destination_prefix.as_deref(),
                Some(from.as_str()),
            ],
            _ => [None; 3],
        };
        [artifact].into_iter().chain(of_match).flatten()
    }

    /// Its words, with keywords in upper case; [`Self::parse`] of them gives the rule again.
    pub fn to_words(&self) -> Vec<&str> {
        let keyword = self.keyword();
        match self {
            Self::Create { pattern }
            | Self::Delete { pattern }
            | Self::Modify { pattern }
            | Self::Allow { pattern }
            | Self::Disallow { pattern } => vec![keyword, pattern.as_str()],
            Self::Require { artifact } => vec![keyword, artifact],
            Self::Match {
                pattern,
                source_prefix,
                on,
                destination_prefix,
                from,
            } => {
                let mut words = vec![keyword, pattern.as_str()];
                words.extend(source_prefix.iter().flat_map(|prefix| ["IN", prefix]));
                words.extend(["WITH", on.keyword()]);
                words.extend(destination_prefix.iter().flat_map(|prefix| ["IN", prefix]));
                words.extend(["FROM", from.as_str()]);
                words
            }
        }
    }
}

/// Splits at blanks; words that hold blanks need [`Rule::parse`].
impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        Self::parse(&text.split_whitespace().collect::<Vec<_>>())
    }
}

/// The words with blanks between; a word that is empty or holds blanks stands in quotation marks.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.to_words().into_iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            if word.is_empty() || word.contains(char::is_whitespace) {
                write!(f, "\"{word}\"")?;
            } else {
                f.write_str(word)?;
            }
        }
        Ok(())
    }
}

/// A prefix of a `MATCH` rule as it is put before names: with one slash at its end; nothing when the rule has none.
///
/// This is what the reference implementation makes of it: a prefix that is not a clean path matches no clean name.
pub(crate) fn joined_prefix(prefix: Option<&str>) -> Cow<'_, str> {
    match prefix {
        None | Some("") => Cow::Borrowed(""),
        Some(prefix) => {
            let mut joined = String::with_capacity(prefix.len() + 1);
            joined.push_str(prefix);
            if !prefix.ends_with('/') {
                joined.push('/');
            }
            Cow::Owned(joined.replace('\\', "/"))
        }
    }
}

/// Words that are no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule `{words}` {problem}")]
pub struct RuleError {
    words: String,
    problem: RuleProblem,
}

impl RuleError {
    /// The rule's words, with blanks between; of long ones the beginning.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// What is wrong with them.
    pub fn problem(&self) -> &RuleProblem {
        &self.problem
    }
}

/// What keeps words from being a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleProblem {
    /// There is no word at all.
    #[error("is empty")]
    Empty,
    /// The first word is no keyword.
    #[error("begins with `{found}`, which is none of CREATE, DELETE, MODIFY, ALLOW, DISALLOW, REQUIRE and MATCH")]
    UnknownKeyword {
        /// The first word.
        found: String,
    },
    /// The keyword takes another number of words.
    #[error("has {found} words, but {keyword} takes {expected}")]
    WrongLength {
        /// The keyword in upper case.
        keyword: &'static str,
        /// How many words it takes.
        expected: &'static str,
        /// How many there are.
        found: usize,
    },
    /// A keyword is missing where the grammar needs it.
    #[error("has `{found}` as word {position}, where {expected} belongs")]
    MisplacedWord {
        /// What belongs there.
        expected: &'static str,
        /// What stands there.
        found: String,
        /// The position, counted from 1.
        position: usize,
    },
    /// A word is longer than any artifact's name, even with every character in a set.
    #[error("has a word of {found} bytes, more than the limit of {limit}")]
    WordTooLong {
        /// How long it is.
        found: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The step after `FROM` cannot be a step.
    #[error("names no possible step: {0}")]
    StepName(NameError),
}

const KEYWORDS: [&str; 7] = ["CREATE", "DELETE", "MODIFY", "ALLOW", "DISALLOW", "REQUIRE", "MATCH"];

/// Four times the longest name of an artifact: a set such as `[*]` spells one character with three.
const WORD_BYTES: usize = 16_384;

fn parse(words: &[&str], likely_step: Option<&StepName>) -> Result<Rule, RuleProblem> {
    if let Some(long) = words.iter().find(|word| word.len() > WORD_BYTES) {
        return Err(RuleProblem::WordTooLong {
            found: long.len(),
            limit: WORD_BYTES,
        });
    }
    let Some(first) = words.first() else {
        return Err(RuleProblem::Empty);
    };
    let Some(keyword) = KEYWORDS.into_iter().find(|keyword| keyword.eq_ignore_ascii_case(first)) else {
        return Err(RuleProblem::UnknownKeyword {
            found: (*first).to_owned(),
        });
    };
    if keyword == "MATCH" {
        return parse_match(words, likely_step);
    }
    let [_, argument] = words else {
        return Err(RuleProblem::WrongLength {
            keyword,
            expected: "2",
            found: words.len(),
        });
    };
    let pattern = || Pattern::compile(argument);
    Ok(match keyword {
        "CREATE" => Rule::Create { pattern: pattern() },
        "DELETE" => Rule::Delete { pattern: pattern() },
        "MODIFY" => Rule::Modify { pattern: pattern() },
        "ALLOW" => Rule::Allow { pattern: pattern() },
        "DISALLOW" => Rule::Disallow { pattern: pattern() },
        _ => Rule::Require {
            artifact: (*argument).to_owned(),
        },
    })
}

fn parse_match(words: &[&str], likely_step: Option<&StepName>) -> Result<Rule, RuleProblem> {
    let is = |position: usize, keyword: &str| {
        words
            .get(position)
            .is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    };
    // Which of the two eight-word forms it is shows in the third word.
    let (source, list, destination, step) = match words.len() {
        6 => (None, 3, None, 5),
        8 if is(2, "IN") => (Some(3), 5, None, 7),
        8 => (None, 3, Some(5), 7),
        10 => (Some(3), 5, Some(7), 9),
        found => {
            return Err(RuleProblem::WrongLength {
                keyword: "MATCH",
                expected: "6, 8 or 10",
                found,
            });
        }
    };
    let word = |position: usize| words.get(position).copied().unwrap_or_default();
    let expect = |position: usize, expected: &'static str| {
        if is(position, expected) {
            Ok(())
        } else {
            Err(misplaced(expected, word(position), position))
        }
    };
    for prefix in [source, destination].into_iter().flatten() {
        expect(prefix - 1, "IN")?;
    }
    expect(list - 1, "WITH")?;
    expect(step - 1, "FROM")?;
    let on = match word(list) {
        found if found.eq_ignore_ascii_case("MATERIALS") => ArtifactList::Materials,
        found if found.eq_ignore_ascii_case("PRODUCTS") => ArtifactList::Products,
        found => return Err(misplaced("MATERIALS or PRODUCTS", found, list)),
    };
    let from = match likely_step.filter(|likely| likely.as_str() == word(step)) {
        Some(same) => same.clone(),
        None => StepName::try_from(word(step)).map_err(RuleProblem::StepName)?,
    };
    Ok(Rule::Match {
        pattern: Pattern::compile(word(1)),
        source_prefix: source.map(|position| word(position).to_owned()),
        on,
        destination_prefix: destination.map(|position| word(position).to_owned()),
        from,
    })
}

fn misplaced(expected: &'static str, found: &str, position: usize) -> RuleProblem {
    RuleProblem::MisplacedWord {
        expected,
        found: found.to_owned(),
        position: position + 1,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Rule {
        text.parse().expect("a rule")
    }

    #[test]
    fn reads_every_form() {
        let cases = [
            ("create *", "CREATE *"),
            ("Delete a/*", "DELETE a/*"),
            ("MODIFY src/[ab]", "MODIFY src/[ab]"),
            ("allow  ALLOW", "ALLOW ALLOW"),
            ("DISALLOW *", "DISALLOW *"),
            ("require Cargo.lock", "REQUIRE Cargo.lock"),
            ("match * with materials from fetch", "MATCH * WITH MATERIALS FROM fetch"),
            (
                "match WITH WITH Products FROM from",
                "MATCH WITH WITH PRODUCTS FROM from",
            ),
            ("MATCH * in a with products from s", "MATCH * IN a WITH PRODUCTS FROM s"),
            ("MATCH * with products in b from s", "MATCH * WITH PRODUCTS IN b FROM s"),
            (
                "MATCH * in a with materials in b from s",
                "MATCH * IN a WITH MATERIALS IN b FROM s",
            ),
            (
                "MATCH * IN WITH WITH MATERIALS FROM s",
                "MATCH * IN WITH WITH MATERIALS FROM s",
            ),
        ];
        for (text, expected) in cases {
            let rule = read(text);
            assert_eq!(expected, rule.to_string());
            assert_eq!(Ok(rule.clone()), Rule::parse(&rule.to_words()), "{text}");
        }
    }

    #[test]
    fn keeps_the_case_of_everything_but_keywords() {
        let Rule::Match {
            pattern,
            source_prefix,
            on,
            destination_prefix,
            from,
        } = read("match Foo*.RS In Src/A with PRODUCTS in Dst from Build")
        else {
            panic!("a MATCH rule");
        };
        assert_eq!("Foo*.RS", pattern.as_str());
        assert_eq!(Some("Src/A"), source_prefix.as_deref());
        assert_eq!(ArtifactList::Products, on);
        assert_eq!(Some("Dst"), destination_prefix.as_deref());
        assert_eq!("Build", from.as_str());
    }

    #[test]
    fn refuses_what_is_no_rule() {
        let cases = [
            ("", "rule `` is empty"),
            (
                "PERMIT *",
                "rule `PERMIT *` begins with `PERMIT`, which is none of CREATE, DELETE, MODIFY, ALLOW, DISALLOW, REQUIRE and MATCH",
            ),
            ("ALLOW", "rule `ALLOW` has 1 words, but ALLOW takes 2"),
            ("REQUIRE a b", "rule `REQUIRE a b` has 3 words, but REQUIRE takes 2"),
            ("MATCH *", "rule `MATCH *` has 2 words, but MATCH takes 6, 8 or 10"),
            (
                "MATCH * WITH PRODUCTS IN a FROM",
                "rule `MATCH * WITH PRODUCTS IN a FROM` has 7 words, but MATCH takes 6, 8 or 10",
            ),
            (
                "MATCH * WITH THINGS FROM s",
                "rule `MATCH * WITH THINGS FROM s` has `THINGS` as word 4, where MATERIALS or PRODUCTS belongs",
            ),
            (
                "MATCH * AND PRODUCTS FROM s",
                "rule `MATCH * AND PRODUCTS FROM s` has `AND` as word 3, where WITH belongs",
            ),
            (
                "MATCH * WITH PRODUCTS OF s",
                "rule `MATCH * WITH PRODUCTS OF s` has `OF` as word 5, where FROM belongs",
            ),
            (
                "MATCH * WITH PRODUCTS AT a FROM s",
                "rule `MATCH * WITH PRODUCTS AT a FROM s` has `AT` as word 5, where IN belongs",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(expected, text.parse::<Rule>().expect_err("no rule").to_string());
        }
        assert!("MATCH * WITH PRODUCTS FROM a/b".parse::<Rule>().is_err());
    }

    #[test]
    fn shows_words_with_blanks_in_quotation_marks() {
        let rule = Rule::parse(&["ALLOW", "my file"]).expect("a rule");
        assert_eq!("ALLOW \"my file\"", rule.to_string());
    }

    proptest! {
        #[test]
        fn words_read_back(words in prop::collection::vec("(?i)(match|in|with|from|materials|products|allow|create|x\\*)", 0..11)) {
            if let Ok(rule) = Rule::parse(&words) {
                prop_assert_eq!(Ok(rule.clone()), Rule::parse(&rule.to_words()));
            }
        }
    }
}
