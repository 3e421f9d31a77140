//! The letters of names, so that most names that a pattern cannot match are passed over unseen.

use alloc::vec::Vec;

use crate::artifacts::Artifacts;
use crate::pattern::Letters;

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

    /// Says whether a name lacks one of the letters that every name matching a pattern has.
    pub(super) fn exclude(&self, index: usize, needed: Letters) -> bool {
        self.letters.get(index).is_some_and(|letters| !letters.includes(needed))
    }
}
