//! Sets of positions in a list of artifacts.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// A set of small numbers; one bit each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BitSet {
    words: Vec<u64>,
}

impl BitSet {
    pub(super) fn empty(length: usize) -> Self {
        Self {
            words: vec![0; length.div_ceil(64)],
        }
    }

    pub(super) fn full(length: usize) -> Self {
        let mut set = Self {
            words: vec![u64::MAX; length.div_ceil(64)],
        };
        if let Some(last) = set.words.last_mut() {
            *last &= mask(0..(length - 1) % 64 + 1);
        }
        set
    }

    pub(super) fn insert(&mut self, index: usize) {
        if let Some(word) = self.words.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    pub(super) fn remove(&mut self, index: usize) {
        if let Some(word) = self.words.get_mut(index / 64) {
            *word &= !(1 << (index % 64));
        }
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        self.words
            .get(index / 64)
            .is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    /// The members in a range, in ascending order.
    pub(super) fn iter(&self, range: Range<usize>) -> impl Iterator<Item = usize> + '_ {
        self.members(range, |word, _| word)
    }

    /// The members in a range that are in the other set as well, in ascending order.
    pub(super) fn iter_both<'s>(&'s self, other: &'s Self, range: Range<usize>) -> impl Iterator<Item = usize> + 's {
        self.members(range, |word, position| {
            word & other.words.get(position).copied().unwrap_or_default()
        })
    }

    fn members<'s>(
        &'s self,
        range: Range<usize>,
        select: impl Fn(u64, usize) -> u64 + 's,
    ) -> impl Iterator<Item = usize> + 's {
        let first = range.start / 64;
        let last = range.end.div_ceil(64).min(self.words.len());
        self.words
            .get(first..last)
            .unwrap_or_default()
            .iter()
            .enumerate()
            .flat_map(move |(offset, word)| {
                let position = first + offset;
                let start = range.start.saturating_sub(position * 64).min(64);
                let end = range.end.saturating_sub(position * 64).min(64);
                Ones(select(*word, position) & mask(start..end)).map(move |bit| position * 64 + bit)
            })
    }
}

/// The bits of a range within a word.
fn mask(bits: Range<usize>) -> u64 {
    if bits.is_empty() {
        return 0;
    }
    (u64::MAX >> (64 - bits.len())) << bits.start
}

/// The positions of a word's set bits.
struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let bit = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        usize::try_from(bit).ok()
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn full_holds_exactly_its_length() {
        for length in [0, 1, 63, 64, 65, 128, 200] {
            let set = BitSet::full(length);
            assert_eq!(
                (0..length).collect::<Vec<_>>(),
                set.iter(0..length + 100).collect::<Vec<_>>()
            );
        }
    }

    proptest! {
        #[test]
        fn behaves_like_a_set(
            removed in prop::collection::btree_set(0..200_usize, 0..100),
            other in prop::collection::btree_set(0..200_usize, 0..100),
            start in 0..210_usize,
            length in 0..210_usize,
        ) {
            let mut set = BitSet::full(200);
            for index in &removed {
                set.remove(*index);
            }
            let mut second = BitSet::empty(200);
            for index in &other {
                second.insert(*index);
            }
            let range = start..start + length;
            let expected: BTreeSet<usize> = range.clone().filter(|i| *i < 200 && !removed.contains(i)).collect();
            prop_assert_eq!(expected.iter().copied().collect::<Vec<_>>(), set.iter(range.clone()).collect::<Vec<_>>());
            prop_assert_eq!(expected.intersection(&other).copied().collect::<Vec<_>>(), set.iter_both(&second, range).collect::<Vec<_>>());
            prop_assert!((0..220).all(|i| second.contains(i) == other.contains(&i)));
        }
    }
}
