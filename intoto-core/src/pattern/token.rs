//! The elements of patterns.

use super::character_set::CharacterSet;

/// One element of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Literal(char),
    AnyOne,
    Set(CharacterSet),
    Star,
}

impl Token {
    pub(super) fn matches(&self, character: char) -> bool {
        match self {
            Self::Literal(literal) => *literal == character,
            Self::AnyOne => true,
            Self::Set(set) => set.contains(character),
            Self::Star => false,
        }
    }

    /// Says whether some character matches both tokens, neither being a star.
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Literal(literal), token) | (token, Self::Literal(literal)) => token.matches(*literal),
            (Self::Set(left), Self::Set(right)) => left.meets(right),
            (Self::Set(set), Self::AnyOne) | (Self::AnyOne, Self::Set(set)) => !set.is_empty(),
            (Self::AnyOne, Self::AnyOne) => true,
            (Self::Star, _) | (_, Self::Star) => false,
        }
    }
}

/// The length in bytes of the set that `text`, which begins with `[`, opens; `None` when no `]` closes it.
pub(crate) fn set_length(text: &str) -> Option<usize> {
    let content = text.strip_prefix('[')?;
    let negation = usize::from(content.starts_with('!'));
    let literal_bracket = usize::from(content.get(negation..)?.starts_with(']'));
    let searched = negation + literal_bracket;
    let close = content.get(searched..)?.find(']')?;
    Some(1 + searched + close + 1)
}
