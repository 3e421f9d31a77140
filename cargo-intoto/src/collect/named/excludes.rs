//! Patterns of files that are not recorded: gitignore's, exactly as the reference implementation's `GitIgnoreSpec` matches them.
//!
//! The `ignore` crate follows git instead, and differs: it expands `{a,b}`, knows directories from files, and lets a pattern for a
//! directory win over a later one for a file. So each pattern becomes the regular expression that Python makes of it, and matching is
//! linear in the length of the name.

use std::fmt::Write as _;

use regex_automata::Input;
use regex_automata::meta::Regex;

use crate::error::CliError;

/// What is left out when nobody says otherwise, in the reference implementation and under its command names.
pub(crate) const DEFAULT: [&str; 4] = ["*.link*", ".git", "*.pyc", "*~"];

/// The group that says that a directory was matched, and not the name itself.
const DIRECTORY: &str = "(?P<d>/)";
/// The end of a name, as Python's `$` sees it, or a directory.
const END: &str = "(?:(?P<d>/)|\n?$)";

/// Compiled patterns, in their order.
#[derive(Debug, Clone, Default)]
pub struct Excludes {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    excludes: bool,
    regex: Regex,
}

impl Excludes {
    /// Compiles patterns.
    ///
    /// # Errors
    /// For a pattern that the reference implementation does not take either: one that ends in a lone backslash, a lone `!`, and a
    /// range whose end comes before its start.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Result<Self, CliError> {
        let mut compiled = Vec::new();
        for pattern in patterns {
            compiled.extend(compile(pattern.as_ref())?);
        }
        Ok(Self { patterns: compiled })
    }

    /// Whether the file or directory of that name is left out.
    ///
    /// The last pattern that matches the name decides; a pattern that matches a directory above it decides only where none does.
    pub fn matches(&self, name: &str) -> bool {
        let name = name
            .strip_prefix('/')
            .or_else(|| name.strip_prefix("./"))
            .unwrap_or(name);
        let mut of_directory = None;
        for pattern in self.patterns.iter().rev() {
            let mut captures = pattern.regex.create_captures();
            pattern.regex.captures(Input::new(name), &mut captures);
            if !captures.is_match() {
                continue;
            }
            if captures.get_group_by_name("d").is_none() {
                return pattern.excludes;
            }
            of_directory = of_directory.or(Some(pattern.excludes));
        }
        of_directory.unwrap_or(false)
    }
}

/// One pattern; none for a blank line, a comment, and what git discards.
fn compile(pattern: &str) -> Result<Option<Pattern>, CliError> {
    let unusable = || {
        CliError::usage(format!(
            "the exclude pattern `{}` cannot be used",
            pattern.escape_debug()
        ))
    };
    let text = if pattern.ends_with("\\ ") {
        pattern
    } else {
        pattern.trim_end_matches(is_blank)
    };
    if text.is_empty() || text.starts_with('#') || text == "/" {
        return Ok(None);
    }
    let (excludes, text) = match text.strip_prefix('!') {
        Some(rest) => (false, rest),
        None => (true, text),
    };
    let is_directory = text.ends_with('/') || text.is_empty();
    let regex = match segments(text)
        .ok_or_else(|| unusable().hint("a lone `!` takes nothing back"))?
        .as_slice()
    {
        ["**"] if is_directory => DIRECTORY.to_owned(),
        ["**"] | ["**", "*"] => ".".to_owned(),
        ["**", "*", "**"] if is_directory => DIRECTORY.to_owned(),
        ["**", "*", "**"] => "/".to_owned(),
        segments => match expression(segments, is_directory) {
            Ok(regex) => regex,
            Err(Fault::UnclosedSet) => return Ok(None),
            Err(Fault::LoneBackslash) => return Err(unusable().hint("a backslash at the end escapes nothing")),
            Err(Fault::EmptyRange) => {
                return Err(unusable().hint("the range in it ends before it starts"));
            }
        },
    };
    let regex = Regex::new(&regex).map_err(|error| unusable().because(error))?;
    Ok(Some(Pattern { excludes, regex }))
}

/// What Python's `str.rstrip` cuts off.
fn is_blank(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// The parts of a pattern between slashes, with `**` in front where it may match at any depth; none when nothing is left.
fn segments(text: &str) -> Option<Vec<&str>> {
    let mut segments: Vec<&str> = text.split('/').collect();
    if segments[0].is_empty() {
        segments.remove(0);
    } else if (segments.len() == 1 || (segments.len() == 2 && segments[1].is_empty())) && segments[0] != "**" {
        segments.insert(0, "**");
    }
    let last = segments.last_mut()?;
    if last.is_empty() {
        *last = "**";
    }
    segments.dedup_by(|later, earlier| *later == "**" && *earlier == "**");
    Some(segments)
}

/// Why a pattern has no expression.
#[derive(Debug, PartialEq)]
enum Fault {
    /// `[` without `]`: git discards the pattern.
    UnclosedSet,
    LoneBackslash,
    EmptyRange,
}

fn expression(segments: &[&str], is_directory: bool) -> Result<String, Fault> {
    let mut regex = String::new();
    let mut needs_slash = false;
    let end = segments.len() - 1;
    for (index, segment) in segments.iter().enumerate() {
        match *segment {
            "**" if index == 0 => regex.push_str("^(?:.+/)?"),
            "**" if index < end => {
                regex.push_str("(?:/.+)?");
                needs_slash = true;
            }
            "**" if is_directory => regex.push_str(DIRECTORY),
            "**" => regex.push('/'),
            segment => {
                if index == 0 {
                    regex.push('^');
                }
                if needs_slash {
                    regex.push('/');
                }
                if segment == "*" {
                    regex.push_str("[^/]+");
                } else {
                    glob(segment, &mut regex)?;
                }
                if index == end {
                    regex.push_str(END);
                }
                needs_slash = true;
            }
        }
    }
    Ok(regex)
}

fn glob(segment: &str, regex: &mut String) -> Result<(), Fault> {
    let characters: Vec<char> = segment.chars().collect();
    let mut index = 0;
    while let Some(&character) = characters.get(index) {
        index += 1;
        match character {
            '\\' => {
                let escaped = characters.get(index).ok_or(Fault::LoneBackslash)?;
                literal(*escaped, regex);
                index += 1;
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => {
                let is_negated = matches!(characters.get(index), Some('!' | '^'));
                let start = index + usize::from(is_negated);
                // A `]` in front is a member of the set.
                let first = start + usize::from(characters.get(start) == Some(&']'));
                let length = characters
                    .get(first..)
                    .and_then(|rest| rest.iter().position(|c| *c == ']'))
                    .ok_or(Fault::UnclosedSet)?;
                set(&characters[start..first + length], is_negated, regex)?;
                index = first + length + 1;
            }
            _ => literal(character, regex),
        }
    }
    Ok(())
}

/// A set in brackets, which may match a slash, as Python's does.
fn set(members: &[char], is_negated: bool, regex: &mut String) -> Result<(), Fault> {
    regex.push_str(if is_negated { "[^" } else { "[" });
    let mut index = 0;
    while let Some(&low) = members.get(index) {
        literal(low, regex);
        if let (Some('-'), Some(&high)) = (members.get(index + 1), members.get(index + 2)) {
            if high < low {
                return Err(Fault::EmptyRange);
            }
            regex.push('-');
            literal(high, regex);
            index += 3;
        } else {
            index += 1;
        }
    }
    regex.push(']');
    Ok(())
}

fn literal(character: char, regex: &mut String) {
    if character.is_ascii_alphanumeric() {
        regex.push(character);
    } else {
        // Writing to a `String` cannot fail.
        let _ = write!(regex, "\\x{{{:x}}}", u32::from(character));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line was tried with pathspec 1.1.1; `cargo xtask drop-in` compares thousands more.
    #[test]
    fn names_match_as_in_python() {
        let cases: &[(&[&str], &[&str], &[&str])] = &[
            (&["*"], &[".", "a", "a/b"], &[]),
            (
                &["foo"],
                &["foo", "a/foo", "foo/b", "./foo", "/foo"],
                &["foob", "a/bfoo"],
            ),
            (&["foo/"], &["foo/b", "a/foo/b"], &["foo"]),
            (&["/foo"], &["foo", "foo/b"], &["a/foo"]),
            (&["a/foo"], &["a/foo", "a/foo/c"], &["b/a/foo"]),
            (
                &["**/foo", "a/**/b", "c/**"],
                &["x/foo", "a/b", "a/x/y/b", "c/d"],
                &["c"],
            ),
            (&["*.py[co]", "x?"], &["a.pyc", "d/a.pyo", "xy"], &["a.py", "x", "x/"]),
            (&["[!a]b", "[]-]c"], &["cb", "/cb", "]c", "-c"], &["ab", "ac"]),
            (&["a[!b]c"], &["a/c"], &["abc"]),
            (&["{a,b}"], &["{a,b}"], &["a", "b"]),
            (&["foo", "!foo"], &[], &["foo"]),
            (&["foo/", "!foo/keep"], &["foo/b"], &["foo/keep"]),
            (&["!foo/keep", "foo/"], &["foo/b"], &["foo/keep"]),
            (&["\\!a", "\\#b", "c\\ "], &["!a", "#b", "c "], &["c"]),
            (
                &["# a", "", "/", "[a", "trailing  "],
                &["trailing"],
                &["# a", "[a", "a"],
            ),
            (&["a.b"], &["a.b"], &["axb"]),
            (&["ü*"], &["üx"], &["u"]),
            (&["**/"], &["a/b"], &["a"]),
            (&["*/"], &["a/b"], &["a"]),
            (
                &DEFAULT,
                &[".git/config", "s.12345678.link", ".s.link-unfinished", "a/b~"],
                &["a.git"],
            ),
        ];
        for (patterns, matching, others) in cases {
            let excludes = Excludes::new(*patterns).unwrap();
            for name in *matching {
                assert!(excludes.matches(name), "{patterns:?} leaves out {name}");
            }
            for name in *others {
                assert!(!excludes.matches(name), "{patterns:?} keeps {name}");
            }
        }
    }

    #[test]
    fn what_python_does_not_take_is_refused() {
        for pattern in ["a\\", "!", "[b-a]"] {
            let error = Excludes::new([pattern]).unwrap_err();
            assert_eq!(error.exit().code(), 2, "{pattern}");
        }
    }
}
