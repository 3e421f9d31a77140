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

/// What follows a `[`: which letters it accepts, and how long it is; nothing if no `]` ends it. Step by step what `fnmatch.translate` does.
fn set(text: &[char]) -> Option<(Box<dyn Fn(char) -> bool>, usize)> {
    let first = usize::from(text.first() == Some(&'!'));
    // A `]` in the first place stands for itself.
    let end = first + 1 + text.get(first + 1..)?.iter().position(|letter| *letter == ']')?;
    let content = &text[..end];
    // The content is cut at hyphens that can be between two letters.
    let mut chunks: Vec<Vec<char>> = Vec::new();
    let (mut begin, mut from) = (0, first + 1);
    while let Some(hyphen) = (from..content.len()).find(|index| content[*index] == '-') {
        chunks.push(content[begin..hyphen].to_vec());
        (begin, from) = (hyphen + 1, hyphen + 3);
    }
    match chunks.last_mut() {
        Some(last) if begin == content.len() => last.push('-'),
        _ => chunks.push(content[begin..].to_vec()),
    }
    // Ranges that hold nothing are taken out, with both their ends.
    for index in (1..chunks.len()).rev() {
        if chunks[index - 1].last() > chunks[index].first() {
            let rest = chunks.remove(index);
            chunks[index - 1].pop();
            chunks[index - 1].extend(&rest[1..]);
        }
    }
    // Only now is a leading `!` looked for, so that what was not in the first place may have come there.
    let negated = chunks[0].first() == Some(&'!');
    if negated {
        chunks[0].remove(0);
        // Alone before a hyphen, it leaves the hyphen in the first place, where it stands for itself.
        if chunks[0].is_empty() && chunks.len() > 1 {
            chunks[0].push('-');
            chunks.insert(1, Vec::new());
        }
    }
    let ranges: Vec<(char, char)> = (1..chunks.len())
        .filter_map(|index| Some((*chunks[index - 1].last()?, *chunks[index].first()?)))
        .collect();
    let accept = move |letter: char| {
        let found = chunks.iter().flatten().any(|own| *own == letter)
            || ranges.iter().any(|(low, high)| (*low..=*high).contains(&letter));
        found != negated
    };
    Some((Box::new(accept), end + 1))
}
