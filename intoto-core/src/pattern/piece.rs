//! What stands between the stars of a pattern.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Range;
use core::str::Chars;

use super::character_set::CharacterSet;
use super::letters::Letters;
use super::token::{Token, set_length};

/// A run of tokens without a star; literal text is not copied but looked up in the pattern's own text.
#[derive(Clone)]
pub(super) enum Piece {
    /// Literal text, at this place of the pattern.
    Text(Range<usize>),
    Mixed {
        tokens: Box<[Token]>,
        /// Where the characters before the first wildcard are.
        prefix: Range<usize>,
    },
}

impl Piece {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Text(place) => place.is_empty(),
            Self::Mixed { tokens, .. } => tokens.is_empty(),
        }
    }

    /// The literal text that it begins with.
    pub(super) fn literal_prefix<'p>(&self, pattern: &'p str) -> &'p str {
        match self {
            Self::Text(place) | Self::Mixed { prefix: place, .. } => literal(pattern, place),
        }
    }

    /// How many tokens are compared where it is expected; plain text is compared at once.
    pub(super) fn compared(&self) -> usize {
        match self {
            Self::Text(_) => 0,
            Self::Mixed { tokens, .. } => tokens.len(),
        }
    }

    /// How many tokens are compared at each position when it is searched for; plain text is compared at once.
    pub(super) fn searched(&self) -> usize {
        self.compared().max(1)
    }

    /// The letters of every text that it matches.
    pub(super) fn letters(&self, pattern: &str) -> Letters {
        match self {
            Self::Text(place) => Letters::of(literal(pattern, place)),
            Self::Mixed { tokens, .. } => {
                let mut buffer = [0; 4];
                let letters = tokens.iter().map(|token| match token {
                    Token::Literal(character) => Letters::of(character.encode_utf8(&mut buffer)),
                    _ => Letters::default(),
                });
                letters.fold(Letters::default(), Letters::with)
            }
        }
    }

    pub(super) fn to_tokens(&self, pattern: &str) -> Vec<Token> {
        match self {
            Self::Text(place) => literal(pattern, place).chars().map(Token::Literal).collect(),
            Self::Mixed { tokens, .. } => tokens.to_vec(),
        }
    }

    /// What follows it in a name that begins with it.
    pub(super) fn strip_from_start<'n>(&self, pattern: &str, name: &'n str) -> Option<&'n str> {
        match self {
            Self::Text(place) => name.strip_prefix(literal(pattern, place)),
            Self::Mixed { tokens, .. } => strip_tokens(tokens, name.chars()),
        }
    }

    /// What precedes it in a name that ends with it.
    pub(super) fn strip_from_end<'n>(&self, pattern: &str, name: &'n str) -> Option<&'n str> {
        match self {
            Self::Text(place) => name.strip_suffix(literal(pattern, place)),
            Self::Mixed { tokens, .. } => {
                let mut characters = name.chars();
                for token in tokens.iter().rev() {
                    if !token.matches(characters.next_back()?) {
                        return None;
                    }
                }
                Some(characters.as_str())
            }
        }
    }

    /// What follows its first occurrence.
    pub(super) fn skip_past_first<'n>(&self, pattern: &str, name: &'n str) -> Option<&'n str> {
        match self {
            Self::Text(place) => {
                let text = literal(pattern, place);
                find(name, text).and_then(|start| name.get(start + text.len()..))
            }
            Self::Mixed { tokens, .. } => {
                let mut start = name.chars();
                loop {
                    // No character is shorter than a byte.
                    if start.as_str().len() < tokens.len() {
                        return None;
                    }
                    if let Some(rest) = strip_tokens(tokens, start.clone()) {
                        return Some(rest);
                    }
                    start.next()?;
                }
            }
        }
    }
}

/// Cuts a pattern at its stars.
pub(super) struct Pieces<'p> {
    pattern: &'p str,
    /// Where the next piece begins; nothing after the last.
    start: Option<usize>,
    /// Cleared by the first bracket that nothing closes, since then nothing closes a later one either.
    may_close: bool,
}

impl<'p> Pieces<'p> {
    pub(super) fn new(pattern: &'p str) -> Self {
        Self {
            pattern,
            start: Some(0),
            may_close: true,
        }
    }

    fn set_at(&mut self, at: usize) -> Option<(Token, usize)> {
        let rest = self.pattern.get(at..).filter(|_| self.may_close)?;
        let length = set_length(rest);
        self.may_close = length.is_some();
        let length = length?;
        let content = rest.get(1..length - 1)?;
        Some((Token::Set(CharacterSet::parse(content)), length))
    }
}

impl Iterator for Pieces<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let start = self.start.take()?;
        let mut at = start;
        let mut mixed: Option<(Vec<Token>, Range<usize>)> = None;
        loop {
            let rest = self.pattern.get(at..).unwrap_or_default();
            let plain = rest.bytes().position(|byte| matches!(byte, b'*' | b'?' | b'['));
            let plain = plain.unwrap_or(rest.len());
            if let Some((tokens, _)) = &mut mixed {
                tokens.extend(literal(self.pattern, &(at..at + plain)).chars().map(Token::Literal));
            }
            at += plain;
            let wildcard = match self.pattern.as_bytes().get(at) {
                None => break,
                Some(b'*') => {
                    self.start = Some(at + 1);
                    break;
                }
                Some(b'?') => Some((Token::AnyOne, 1)),
                Some(_) => self.set_at(at),
            };
            match (wildcard, &mut mixed) {
                (Some((token, length)), _) => {
                    let prefix = start..at;
                    let (tokens, _) = mixed.get_or_insert_with(|| {
                        let literal = literal(self.pattern, &prefix).chars().map(Token::Literal);
                        (literal.collect(), prefix)
                    });
                    tokens.push(token);
                    at += length;
                }
                (None, mixed) => {
                    if let Some((tokens, _)) = mixed {
                        tokens.push(Token::Literal('['));
                    }
                    at += 1;
                }
            }
        }
        Some(match mixed {
            None => Piece::Text(start..at),
            Some((tokens, prefix)) => Piece::Mixed {
                tokens: tokens.into(),
                prefix,
            },
        })
    }
}

fn literal<'p>(pattern: &'p str, place: &Range<usize>) -> &'p str {
    pattern.get(place.clone()).unwrap_or_default()
}

/// Where a text that is not empty occurs first.
fn find(name: &str, text: &str) -> Option<usize> {
    // The standard search begins with preparations that take longer than looking through a name for a short text.
    const SHORT: usize = 16;
    if text.len() > name.len() {
        return None;
    }
    if text.len() > SHORT {
        return name.find(text);
    }
    let (name, text) = (name.as_bytes(), text.as_bytes());
    let first = text.first()?;
    let mut start = 0;
    loop {
        start += name.get(start..)?.iter().position(|byte| byte == first)?;
        if name.get(start..)?.starts_with(text) {
            return Some(start);
        }
        start += 1;
    }
}

fn strip_tokens<'n>(tokens: &[Token], mut characters: Chars<'n>) -> Option<&'n str> {
    for token in tokens {
        if !token.matches(characters.next()?) {
            return None;
        }
    }
    Some(characters.as_str())
}
