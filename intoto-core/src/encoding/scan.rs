//! Finding the next byte of a string that needs attention, eight bytes at a time.

/// The bytes that a reader or a writer stops at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// `"` and `\`: what canonical JSON escapes.
    Quotes,
    /// Also bytes below 32: where a run of plain text in a JSON string ends.
    Controls,
    /// Also bytes above 126: what ASCII-only JSON escapes.
    Unprintable,
}

/// How many bytes from the beginning on need no attention.
pub(super) fn plain_run(bytes: &[u8], stop: Stop) -> usize {
    let mut plain = 0;
    for chunk in bytes.chunks_exact(8) {
        let Ok(chunk) = <[u8; 8]>::try_from(chunk) else { break };
        let marks = marks(u64::from_le_bytes(chunk), stop);
        if marks != 0 {
            return plain + marks.trailing_zeros() as usize / 8;
        }
        plain += 8;
    }
    plain + bytes[plain..].iter().take_while(|&&byte| !is_stop(byte, stop)).count()
}

fn is_stop(byte: u8, stop: Stop) -> bool {
    byte == b'"' || byte == b'\\' || (stop != Stop::Quotes && byte < 32) || (stop == Stop::Unprintable && byte > 126)
}

// The highest bit of each byte to stop at. A byte above one that is marked may be marked wrongly, because subtraction borrows upwards,
// but never a byte below it, and only the lowest mark is used.
fn marks(word: u64, stop: Stop) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let equal = |byte: u8| {
        let difference = word ^ (ONES * u64::from(byte));
        difference.wrapping_sub(ONES) & !difference
    };
    let mut marks = equal(b'"') | equal(b'\\');
    if stop != Stop::Quotes {
        marks |= word.wrapping_sub(ONES * 32) & !word;
    }
    if stop == Stop::Unprintable {
        marks |= word | equal(127);
    }
    marks & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_the_obvious(bytes: Vec<u8>, clean in "[a-z\"\u{7f}\u{80}é\\\\\n ]{0,40}") {
            for text in [bytes.as_slice(), clean.as_bytes()] {
                for stop in [Stop::Quotes, Stop::Controls, Stop::Unprintable] {
                    let expected = text.iter().position(|&byte| is_stop(byte, stop)).unwrap_or(text.len());
                    prop_assert_eq!(plain_run(text, stop), expected);
                }
            }
        }
    }

    #[test]
    fn every_byte_at_every_place() {
        for stop in [Stop::Quotes, Stop::Controls, Stop::Unprintable] {
            for byte in 0..=u8::MAX {
                for place in 0..16 {
                    let mut bytes = [b'a'; 16];
                    bytes[place] = byte;
                    assert_eq!(
                        plain_run(&bytes, stop),
                        if is_stop(byte, stop) { place } else { 16 },
                        "{byte} at {place}"
                    );
                }
            }
        }
    }
}
