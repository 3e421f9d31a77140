//! Which bytes a text has: a cheap way to see that a pattern cannot match a name, without looking at the name.

use alloc::vec::Vec;

use super::Pattern;
use crate::artifacts::Artifacts;

/// The set of bytes in a text, modulo 128: exact for ASCII, and a superset otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Letters(u128);

impl Letters {
    pub(super) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |letters, byte| letters | 1 << (byte & 0x7f)))
    }

    fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The letters of every artifact's name; made when the first pattern asks.
#[derive(Default)]
pub(super) struct NameLetters {
    letters: Vec<Letters>,
}

impl NameLetters {
    /// Makes the letters, unless they are there.
    pub(super) fn prepare(&mut self, artifacts: &Artifacts) {
        if self.letters.is_empty() {
            self.letters = artifacts.iter().map(|(path, _)| Letters::of(path.as_str())).collect();
        }
    }

    /// Says whether a name lacks a letter that every name matching the pattern has.
    pub(super) fn exclude(&self, index: usize, pattern: &Pattern) -> bool {
        self.letters
            .get(index)
            .is_some_and(|letters| !letters.includes(pattern.letters()))
    }
}
