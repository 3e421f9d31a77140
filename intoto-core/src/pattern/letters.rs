//! Which bytes a text has: a cheap way to see that a pattern cannot match a name, without looking at the name.

/// The set of bytes in a text, modulo 128: exact for ASCII, and a superset otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Letters {
    low: u64,
    high: u64,
}

impl Letters {
    pub(crate) fn of(text: &str) -> Self {
        let mut letters = Self::default();
        for byte in text.bytes() {
            let bit = 1 << (byte & 63);
            if byte & 64 == 0 {
                letters.low |= bit;
            } else {
                letters.high |= bit;
            }
        }
        letters
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            low: self.low | other.low,
            high: self.high | other.high,
        }
    }

    pub(crate) fn includes(self, other: Self) -> bool {
        self.low & other.low == other.low && self.high & other.high == other.high
    }
}
