//! Which bytes a text has: a cheap way to see that a pattern cannot match a name, without looking at the name.

/// The set of bytes in a text, modulo 128: exact for ASCII, and a superset otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Letters(u128);

impl Letters {
    pub(crate) fn of(text: &str) -> Self {
        Self(text.bytes().fold(0, |letters, byte| letters | 1 << (byte & 0x7f)))
    }

    pub(crate) fn includes(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}
