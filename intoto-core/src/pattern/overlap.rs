//! Whether two patterns have a name in common.

use alloc::vec;
use alloc::vec::Vec;

use super::token::Token;

/// A search through the pairs of positions that a common name can reach in two patterns.
pub(super) struct Overlap<'t> {
    left: &'t [Token],
    right: &'t [Token],
    seen: Vec<bool>,
    pending: Vec<(usize, usize)>,
}

impl<'t> Overlap<'t> {
    const MAX_PAIRS: usize = 4_000_000;

    /// `None` when the patterns are too long to compare.
    pub(super) fn new(left: &'t [Token], right: &'t [Token]) -> Option<Self> {
        let pairs = (left.len() + 1)
            .checked_mul(right.len() + 1)
            .filter(|pairs| *pairs <= Self::MAX_PAIRS)?;
        Some(Self {
            left,
            right,
            seen: vec![false; pairs],
            pending: vec![],
        })
    }

    pub(super) fn exists(mut self) -> bool {
        self.visit(0, 0);
        while let Some((i, j)) = self.pending.pop() {
            match (self.left.get(i), self.right.get(j)) {
                (None, None) => return true,
                (Some(Token::Star), other) => {
                    self.visit(i + 1, j);
                    if other.is_some_and(can_be_passed) {
                        self.visit(i, j + 1);
                    }
                }
                (other, Some(Token::Star)) => {
                    self.visit(i, j + 1);
                    if other.is_some_and(can_be_passed) {
                        self.visit(i + 1, j);
                    }
                }
                (Some(left), Some(right)) if left.meets(right) => self.visit(i + 1, j + 1),
                _ => {}
            }
        }
        false
    }

    fn visit(&mut self, i: usize, j: usize) {
        let index = i * (self.right.len() + 1) + j;
        if let Some(seen) = self.seen.get_mut(index)
            && !*seen
        {
            *seen = true;
            self.pending.push((i, j));
        }
    }
}

/// Says whether a star of the other pattern can stand for what this token matches.
fn can_be_passed(token: &Token) -> bool {
    *token == Token::Star || token.meets(&Token::AnyOne)
}
