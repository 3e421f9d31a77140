//! Patterns beside a naive reading of Python's `fnmatch`, and rules there and back. The input is a pattern, a name, another pattern and
//! the words of a rule, each in its line.
#![no_main]

use intoto_core::layout::Rule;
use intoto_core::pattern::{Pattern, escape_pattern};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (text, name, other, words) = (line(), line(), line(), line());
    let pattern = Pattern::compile(text);
    let matched = pattern.matches(name);
    let (text, letters): (Vec<char>, Vec<char>) = (text.chars().collect(), name.chars().collect());
    if text.len() * letters.len() < 1 << 14 {
        assert_eq!(matched, reference(&text, &letters));
    }
    let other = Pattern::compile(other);
    if matched && other.covers(&pattern) {
        assert!(other.matches(name));
    }
    if matched && other.matches(name) {
        assert!(pattern.overlaps(&other) && other.overlaps(&pattern));
    }
    assert!(Pattern::compile(&escape_pattern(name)).matches(name));

    if let Ok(rule) = words.parse::<Rule>() {
        assert_eq!(Rule::parse(&rule.to_words()).as_ref(), Ok(&rule));
        assert_eq!(rule.to_string().parse::<Rule>().as_ref(), Ok(&rule));
    }
});

/// One row of a table per element of the pattern: which prefixes of the name it has matched so far.
fn reference(pattern: &[char], name: &[char]) -> bool {
    let mut reached = vec![false; name.len() + 1];
    reached[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        let mut next = vec![false; name.len() + 1];
        let accept: Box<dyn Fn(char) -> bool> = match pattern[at] {
            '*' => {
                let mut any = false;
                for (before, after) in reached.iter().zip(&mut next) {
                    any |= before;
                    *after = any;
                }
                reached = next;
                at += 1;
                continue;
            }
            '?' => Box::new(|_| true),
            '[' => match set(&pattern[at + 1..]) {
                Some((accept, length)) => {
                    at += length;
                    accept
                }
                None => Box::new(|letter| letter == '['),
            },
            literal => Box::new(move |letter| letter == literal),
        };
        for index in 0..name.len() {
            next[index + 1] = reached[index] && accept(name[index]);
        }
        reached = next;
        at += 1;
    }
    reached[name.len()]
}

/// What follows a `[`: which letters it accepts, and how long it is; nothing if no `]` ends it.
fn set(text: &[char]) -> Option<(Box<dyn Fn(char) -> bool>, usize)> {
    let negated = text.first() == Some(&'!');
    let first = usize::from(negated);
    // A `]` in the first place stands for itself.
    let end = first + 1 + text.get(first + 1..)?.iter().position(|letter| *letter == ']')?;
    let content = text[first..end].to_vec();
    // Python splits the content at its hyphens, but at none in the first place, and joins again what makes no range.
    let mut ranges = Vec::new();
    let mut index = 0;
    while index < content.len() {
        if content.get(index + 1) == Some(&'-') && index + 2 < content.len() {
            ranges.push((content[index], content[index + 2]));
            index += 3;
        } else {
            ranges.push((content[index], content[index]));
            index += 1;
        }
    }
    Some((
        Box::new(move |letter| ranges.iter().any(|(low, high)| (*low..=*high).contains(&letter)) != negated),
        end + 1,
    ))
}
