//! Character sets of patterns, `[seq]` and `[!seq]`, with the reading that Python's `fnmatch.translate` gives them.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The code points of `[…]`: sorted, disjoint, inclusive ranges, with a negation already carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CharacterSet {
    ranges: Box<[(u32, u32)]>,
    /// The same for ASCII, which nearly every character of a name is: a bit each.
    ascii: u128,
}

impl CharacterSet {
    /// Reads what stands between the brackets, as Python rewrites it for its regular expressions.
    pub(super) fn parse(content: &str) -> Self {
        let mut elements = elements(content);
        // Python looks for the `!` after it has dropped empty ranges, so `[b-a!x]` is a negation as well.
        let negated = elements.first() == Some(&Element::Character('!'));
        if negated {
            elements.remove(0);
        }
        let mut ranges = Vec::new();
        let mut rest = elements.as_slice();
        while let [first, after @ ..] = rest {
            let start = first.character();
            match after {
                [Element::RangeHyphen, end, after @ ..] => {
                    ranges.push((u32::from(start), u32::from(end.character())));
                    rest = after;
                }
                _ => {
                    ranges.push((u32::from(start), u32::from(start)));
                    rest = after;
                }
            }
        }
        let ranges = merged(ranges);
        let ranges: Box<[_]> = if negated { complement(&ranges) } else { ranges }.into();
        let is_in = |code: &u32| ranges.iter().any(|(start, end)| start <= code && code <= end);
        let ascii = (0..128).filter(is_in).fold(0, |ascii, code| ascii | 1 << code);
        Self { ranges, ascii }
    }

    /// Says whether no character is in it, as in `[c-a]`.
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(super) fn contains(&self, character: char) -> bool {
        let code = u32::from(character);
        if code < 128 {
            return self.ascii & 1 << code != 0;
        }
        let after = self.ranges.partition_point(|(start, _)| *start <= code);
        after
            .checked_sub(1)
            .and_then(|index| self.ranges.get(index))
            .is_some_and(|(_, end)| code <= *end)
    }

    /// Says whether some character is in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.ranges.iter().any(|(start, end)| {
            other
                .ranges
                .iter()
                .any(|(other_start, other_end)| start <= other_end && other_start <= end)
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Character(char),
    /// A hyphen between two characters that makes them a range.
    RangeHyphen,
}

impl Element {
    fn character(self) -> char {
        match self {
            Self::Character(character) => character,
            Self::RangeHyphen => '-',
        }
    }
}

/// Splits a set's content at the hyphens that make ranges and drops the ranges that are empty, exactly as Python does.
fn elements(content: &str) -> Vec<Element> {
    let characters: Vec<char> = content.chars().collect();
    let mut chunks: Vec<Vec<char>> = Vec::new();
    let mut start = 0;
    // The first character (after a negation) and the one after a range are never range hyphens.
    let mut search_from = if characters.first() == Some(&'!') { 2 } else { 1 };
    while let Some(hyphen) = (search_from..characters.len()).find(|index| characters.get(*index) == Some(&'-')) {
        chunks.push(characters.get(start..hyphen).unwrap_or_default().to_owned());
        start = hyphen + 1;
        search_from = hyphen + 3;
    }
    let last = characters.get(start..).unwrap_or_default().to_owned();
    match chunks.last_mut() {
        Some(chunk) if last.is_empty() => chunk.push('-'),
        _ => chunks.push(last),
    }
    let mut kept: Vec<Vec<char>> = Vec::new();
    for mut chunk in chunks.into_iter().rev() {
        // `kept` is in reverse order: its last element follows this chunk in the pattern.
        if let Some(next) = kept.last_mut()
            && chunk.last() > next.first()
        {
            chunk.pop();
            chunk.extend(next.drain(..).skip(1));
            *next = chunk;
        } else {
            kept.push(chunk);
        }
    }
    let mut elements = Vec::with_capacity(characters.len());
    for (index, chunk) in kept.iter().rev().enumerate() {
        if index > 0 {
            elements.push(Element::RangeHyphen);
        }
        elements.extend(chunk.iter().copied().map(Element::Character));
    }
    elements
}

fn merged(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.retain(|(start, end)| start <= end);
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
    for (start, end) in ranges {
        match merged.last_mut() {
            Some((_, last_end)) if start <= last_end.saturating_add(1) => *last_end = end.max(*last_end),
            _ => merged.push((start, end)),
        }
    }
    merged
}

fn complement(ranges: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut gaps = Vec::with_capacity(ranges.len() + 1);
    let mut next = 0;
    for (start, end) in ranges {
        if next < *start {
            gaps.push((next, start - 1));
        }
        next = end + 1;
    }
    if next <= u32::from(char::MAX) {
        gaps.push((next, u32::from(char::MAX)));
    }
    gaps
}
