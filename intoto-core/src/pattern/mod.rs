//! Artifact patterns: Python's `fnmatch.fnmatchcase` on POSIX, compiled once.
//!
//! The reference implementation hands patterns to that function, so its corner cases decide verdicts and are kept: `*` and `?`
//! match `/`, newlines and leading dots, `[!seq]` negates and `^` does not, `]` is literal when it comes first, an unclosed `[` is
//! literal, an empty range matches nothing, and there is no escape character.
//!
//! ```
//! use intoto_core::pattern::Pattern;
//!
//! let pattern = Pattern::compile("target/package/hello-[0-9]*.crate");
//! assert!(pattern.matches("target/package/hello-0.1.0.crate"));
//! assert!(!pattern.matches("target/package/hello-macros-0.1.0.crate"));
//! ```

mod character_set;
mod letters;
#[cfg(test)]
pub(crate) mod oracle;
mod overlap;
mod piece;
mod token;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, mem};

use overlap::Overlap;
use piece::{Piece, Pieces};
use token::Token;

pub(crate) use letters::Letters;
pub(crate) use token::set_length;

/// A compiled pattern.
///
/// Matching takes time linear in the pattern times the name at worst, so a hostile layout cannot stall verification.
#[derive(Clone)]
pub struct Pattern {
    text: Box<str>,
    /// What stands before the first star, or everything when there is none; anchored at the start of the name.
    head: Piece,
    /// What follows the first star.
    after_star: Option<AfterStar>,
}

impl Pattern {
    /// Compiles a pattern; every text is one.
    ///
    /// ```
    /// # use intoto_core::pattern::Pattern;
    /// assert!(Pattern::compile("src/*").matches("src/bin/main.rs"));
    /// ```
    pub fn compile(text: &str) -> Self {
        let mut pieces = Pieces::new(text);
        let head = pieces.next().unwrap_or(Piece::Text(0..0));
        let after_star = pieces.next().map(|mut tail| {
            // Most patterns have one star, so that this list takes no memory.
            let mut middle = Vec::new();
            for piece in pieces {
                let before = mem::replace(&mut tail, piece);
                // Neighbouring stars leave empty pieces, which match anywhere.
                if !before.is_empty() {
                    middle.push(before);
                }
            }
            AfterStar { middle, tail }
        });
        Self {
            text: text.into(),
            head,
            after_star,
        }
    }

    /// Says whether the whole name matches.
    pub fn matches(&self, name: &str) -> bool {
        let Some(rest) = self.head.strip_from_start(&self.text, name) else {
            return false;
        };
        let Some(AfterStar { middle, tail }) = &self.after_star else {
            return rest.is_empty();
        };
        let Some(mut rest) = tail.strip_from_end(&self.text, rest) else {
            return false;
        };
        // Pieces have a fixed length in characters, so taking the leftmost occurrence of each never loses a match.
        for piece in middle {
            match piece.skip_past_first(&self.text, rest) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        true
    }

    /// The text it was compiled from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one name that it matches, when it has no wildcard.
    pub fn as_literal(&self) -> Option<&str> {
        match (&self.head, &self.after_star) {
            (Piece::Text(_), None) => Some(&self.text),
            _ => None,
        }
    }

    /// The text that every matching name begins with; often a directory, so names can be looked up by range.
    pub fn literal_prefix(&self) -> &str {
        self.head.literal_prefix(&self.text)
    }

    /// Says whether it matches every name, as `*` does.
    pub fn matches_everything(&self) -> bool {
        self.literal_prefix().is_empty() && self.matches_every_name_with_its_prefix()
    }

    /// Says whether [`Self::literal_prefix`] decides alone: the pattern is that text and stars.
    pub(crate) fn matches_every_name_with_its_prefix(&self) -> bool {
        matches!(self.head, Piece::Text(_))
            && self
                .after_star
                .as_ref()
                .is_some_and(|after| after.middle.is_empty() && after.tail.is_empty())
    }

    /// The letters that every matching name has.
    pub(crate) fn letters(&self) -> Letters {
        let letters = self.pieces().map(|piece| piece.letters(&self.text));
        letters.fold(Letters::default(), Letters::with)
    }

    /// An upper bound of the work that matching a name takes, in comparisons of simple patterns.
    pub(crate) fn work(&self, name: &str) -> u64 {
        const STEPS_PER_COMPARISON: usize = 16;
        let ends = [Some(&self.head), self.after_star.as_ref().map(|after| &after.tail)];
        let ends = ends.into_iter().flatten().map(|end| end.compared().min(name.len()));
        let middle = self.after_star.iter().flat_map(|after| &after.middle);
        // No piece goes back to where another was found, so each place of the name is compared with one of them.
        let searched = middle.map(Piece::searched).max().unwrap_or(0);
        let steps = searched.saturating_mul(name.len()).saturating_add(ends.sum());
        1 + u64::try_from(steps / STEPS_PER_COMPARISON).unwrap_or(u64::MAX)
    }

    /// Says whether every name that `other` matches is surely matched by this pattern too; `false` means "not known".
    pub fn covers(&self, other: &Self) -> bool {
        self.text == other.text
            || other.as_literal().is_some_and(|name| self.matches(name))
            || (self.matches_every_name_with_its_prefix() && other.literal_prefix().starts_with(self.literal_prefix()))
    }

    /// Says whether some name matches both patterns.
    ///
    /// Patterns too long to compare (over four million pairs of characters) count as overlapping.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (left, right) = (self.tokens(), other.tokens());
        Overlap::new(&left, &right).is_none_or(Overlap::exists)
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        let after_star = self.after_star.iter();
        let after_star = after_star.flat_map(|after| after.middle.iter().chain([&after.tail]));
        [&self.head].into_iter().chain(after_star)
    }

    fn tokens(&self) -> Vec<Token> {
        let mut tokens = Vec::new();
        for (index, piece) in self.pieces().enumerate() {
            if index > 0 {
                tokens.push(Token::Star);
            }
            tokens.extend(piece.to_tokens(&self.text));
        }
        tokens
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

/// Wraps text in sets so that a pattern matches it literally: `a*` becomes `a[*]`.
///
/// ```
/// use intoto_core::pattern::{Pattern, escape_pattern};
///
/// assert!(Pattern::compile(&escape_pattern("a[0]*")).matches("a[0]*"));
/// ```
pub fn escape_pattern(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[') {
            escaped.push('[');
            escaped.push(character);
            escaped.push(']');
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[derive(Clone)]
struct AfterStar {
    /// Pieces that follow each other, with anything between; never empty pieces.
    middle: Vec<Piece>,
    /// Anchored at the end of the name.
    tail: Piece,
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use proptest::prelude::*;

    use super::oracle::slow_match;
    use super::*;

    /// Names in the first line; then a pattern and, per name, whether `fnmatch.fnmatchcase` of Python 3.11 matches. `␤` is a newline.
    const PYTHON: &str = include_str!("pattern_cases.tsv");

    #[test]
    fn agrees_with_python() {
        let mut lines = PYTHON.split_terminator('\n');
        let newline = |text: &str| text.replace('␤', "\n");
        let names: Vec<String> = lines.next().expect("the names").split('\t').map(newline).collect();
        let mut wrong = String::new();
        for line in lines {
            let (pattern, expected) = line.split_once('\t').expect("a pattern and its column");
            let pattern = Pattern::compile(&newline(pattern));
            assert_eq!(names.len(), expected.len(), "a column per name for {pattern}");
            for (name, expected) in names.iter().zip(expected.chars()) {
                if pattern.matches(name) != (expected == '1') {
                    wrong.push_str(&format!("{:?} on {name:?}: Python says {expected}\n", pattern.as_str()));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }

    #[test]
    fn tells_its_shape() {
        let cases = [
            ("src/lib.rs", Some("src/lib.rs"), "src/lib.rs", false),
            ("src/*", None, "src/", false),
            ("*", None, "", true),
            ("**", None, "", true),
            ("*?", None, "", false),
            ("a[0]b*", None, "a", false),
            ("a[", Some("a["), "a[", false),
            ("", Some(""), "", false),
        ];
        for (text, literal, prefix, everything) in cases {
            let pattern = Pattern::compile(text);
            assert_eq!(
                (literal, prefix, everything),
                (
                    pattern.as_literal(),
                    pattern.literal_prefix(),
                    pattern.matches_everything()
                ),
                "{text}"
            );
        }
    }

    #[test]
    fn long_hostile_patterns_end_soon() {
        let name = "a".repeat(20_000);
        let cases = [
            ("a*".repeat(200) + "b", false),
            ("*a".repeat(5_000) + "*", true),
            ("[ab]?*".repeat(300) + "c", false),
        ];
        for (text, expected) in cases {
            assert_eq!(expected, Pattern::compile(&text).matches(&name));
        }
        // What is longer than the name is not looked for in it, however often: each of these would take a second of preparations.
        for piece in ["a", "?"] {
            let pattern = Pattern::compile(&alloc::format!("*{}*", piece.repeat(4 << 20)));
            assert!((0..2_000).all(|_| !pattern.matches(&name[..2_000])));
        }
    }

    /// What takes longer than a glance is counted, and nothing is counted more than once.
    #[test]
    fn work_is_at_least_what_matching_takes() {
        let many = |text: &str, count: usize| text.repeat(count);
        let cases = [
            ("a".into(), 1),
            ("a*".into(), 1),
            ("*.rs".into(), 1),
            ("a[bc]*".into(), 1),
            // A piece is searched for in every place: text as well as wildcards.
            ("*ab*".into(), 1 + 1600 / 16),
            ("*ab*cd*ef*".into(), 1 + 1600 / 16),
            ("*[ab]?*".into(), 1 + 2 * 1600 / 16),
            ("*ab*[ab]?*?*".into(), 1 + 2 * 1600 / 16),
            // Wildcards at the ends are compared once, and no more of them than the name is long.
            (many("?", 320), 1 + 320 / 16),
            (many("?", 320) + "*", 1 + 320 / 16),
            (String::from("*") + &many("[ab]", 320), 1 + 320 / 16),
            (many("?", 160) + "*x*" + &many("?", 160), 1 + (1600 + 320) / 16),
            (many("?", 1_000_000), 1 + 1600 / 16),
        ];
        let name = many("a", 1600);
        for (text, expected) in cases {
            let text: String = text;
            assert_eq!(Pattern::compile(&text).work(&name), expected, "{}", text.len());
        }
    }

    #[test]
    fn knows_what_it_covers() {
        let cases = [
            ("*", "a/[b]", true),
            ("a/*", "a/b/*", true),
            ("a/*", "a*", false),
            ("a/*", "a/b", true),
            ("a?", "a?", true),
            ("*.rs", "src/lib.rs", true),
            ("*.rs", "src/*.rs", false),
        ];
        for (wide, narrow, expected) in cases {
            assert_eq!(
                expected,
                Pattern::compile(wide).covers(&Pattern::compile(narrow)),
                "{wide} over {narrow}"
            );
        }
    }

    #[test]
    fn finds_overlaps() {
        let cases = [
            ("hello-[0-9]*.crate", "hello-macros-[0-9]*.crate", false),
            ("hello-[0-9]*.crate", "hello-2d-[0-9]*.crate", true),
            ("hello-*.crate", "hello-macros-*.crate", true),
            ("[c-a]*", "*", false),
            ("*[c-a]", "*", false),
            ("*[c-a]*", "*", false),
            ("[!a]", "a", false),
            ("[a-f]", "[e-z]", true),
            ("[!a]", "[!b]", true),
            ("*a", "*b", false),
            ("*a*", "*b*", true),
            ("", "*", true),
            ("", "?", false),
        ];
        for (left, right, expected) in cases {
            let (left, right) = (Pattern::compile(left), Pattern::compile(right));
            assert_eq!(
                (expected, expected),
                (left.overlaps(&right), right.overlaps(&left)),
                "{left} and {right}"
            );
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_slow_definition(pattern in "[ab*?\\[\\]!/é]{0,10}", name in "[ab\\[\\]!/é\n]{0,10}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            let expected = slow_match(&characters(&pattern), &characters(&name));
            prop_assert_eq!(expected, Pattern::compile(&pattern).matches(&name));
        }

        #[test]
        fn escaped_text_matches_only_itself(text in "[ab*?\\[\\]!-]{0,8}", other in "[ab*?\\[\\]!-]{0,8}") {
            let pattern = Pattern::compile(&escape_pattern(&text));
            prop_assert!(pattern.matches(&text));
            prop_assert_eq!(text == other, pattern.matches(&other));
        }

        #[test]
        fn a_name_that_two_match_shows_in_overlaps_and_covers(
            left in "[ab*?\\[\\]!]{0,6}", right in "[ab*?\\[\\]!]{0,6}", name in "[ab]{0,5}"
        ) {
            let (left, right) = (Pattern::compile(&left), Pattern::compile(&right));
            if left.matches(&name) && right.matches(&name) {
                prop_assert!(left.overlaps(&right));
            }
            if left.covers(&right) && right.matches(&name) {
                prop_assert!(left.matches(&name));
            }
            if left.matches(&name) {
                prop_assert!(name.starts_with(left.literal_prefix()));
            }
        }
    }
}
