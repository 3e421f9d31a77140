//! Base64 with padding, in the standard or the URL-safe alphabet, as DSSE files carry it.
//!
//! Specification: RFC 4648, 4 and 5. Our own, because a DSSE payload is most of its file and decoding it with a constant-time library
//! took longer than everything else; nothing secret passes through here.
//!
//! ```
//! use intoto_core::encoding::base64;
//!
//! assert_eq!(base64::encode(b"hello?>"), "aGVsbG8/Pg==");
//! assert_eq!(base64::decode("aGVsbG8_Pg=="), base64::decode("aGVsbG8/Pg=="));
//! assert!(base64::decode("aGVsbG8/Pg").is_none());
//! ```

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// What a character that is not in the alphabet decodes to; the bits above six tell it apart.
const INVALID: u8 = 0xff;
static STANDARD_VALUES: [u8; 256] = values(STANDARD);
static URL_SAFE_VALUES: [u8; 256] = values(URL_SAFE);

/// Writes bytes in the standard alphabet, padded.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = vec![b'='; bytes.len().div_ceil(3) * 4];
    let digit = |bits: u32| STANDARD[(bits & 63) as usize];
    let (groups, rest) = bytes.as_chunks::<3>();
    let (full, last) = text.as_chunks_mut::<4>().0.split_at_mut(groups.len());
    for (group, out) in groups.iter().zip(full) {
        let bits = u32::from(group[0]) << 16 | u32::from(group[1]) << 8 | u32::from(group[2]);
        *out = [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)];
    }
    if let (Some(&first), Some(out)) = (rest.first(), last.first_mut()) {
        let bits = u32::from(first) << 16 | u32::from(rest.get(1).copied().unwrap_or(0)) << 8;
        out[..2].copy_from_slice(&[digit(bits >> 18), digit(bits >> 12)]);
        if rest.len() == 2 {
            out[2] = digit(bits >> 6);
        }
    }
    String::from_utf8(text).expect("the alphabet is ASCII")
}

/// Reads text in the standard alphabet, else in the URL-safe one, as both reference implementations do. `None` if it is neither: when the padding is
/// missing, something else stands in the text (line ends too), the alphabets are mixed, or bits are set that no byte uses.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    decode_with(text.as_bytes(), &STANDARD_VALUES).or_else(|| decode_with(text.as_bytes(), &URL_SAFE_VALUES))
}

const fn values(alphabet: &[u8; 64]) -> [u8; 256] {
    let mut values = [INVALID; 256];
    let mut at = 0;
    while at < alphabet.len() {
        values[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    values
}

fn decode_with(text: &[u8], values: &[u8; 256]) -> Option<Vec<u8>> {
    let (groups, rest) = text.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let Some((last, groups)) = groups.split_last() else {
        return Some(Vec::new());
    };
    let mut bytes = vec![0; groups.len() * 3];
    let mut invalid = 0;
    for (group, out) in groups.iter().zip(bytes.as_chunks_mut::<3>().0) {
        let digits = group.map(|character| values[usize::from(character)]);
        // Looked at once, at the end: hostile text is the rare case.
        invalid |= digits[0] | digits[1] | digits[2] | digits[3];
        let [_, first, second, third] = join(digits).to_be_bytes();
        *out = [first, second, third];
    }
    let padding = last.iter().rev().take_while(|&&byte| byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut digits = last.map(|character| values[usize::from(character)]);
    digits[4 - padding..].fill(0);
    invalid |= digits.iter().fold(0, |all, digit| all | digit);
    let bits = join(digits).to_be_bytes();
    let (used, unused) = bits[1..].split_at(3 - padding);
    if invalid & 0xc0 != 0 || unused.iter().any(|&byte| byte != 0) {
        return None;
    }
    bytes.extend_from_slice(used);
    Some(bytes)
}

fn join([a, b, c, d]: [u8; 4]) -> u32 {
    let bits = |digit: u8| u32::from(digit & 63);
    bits(a) << 18 | bits(b) << 12 | bits(c) << 6 | bits(d)
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Base64Url, Encoding as _};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses() {
        for text in [
            "A", "AA", "AAA", "AA=", "A===", "====", "AA==AA==", "AA=A", "+-==", "AAA\n", "AB==", "AAB=", " AAA",
            "AAAé", "AAA=AAAA",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
        assert_eq!(decode(""), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn agrees_with_a_library(bytes: Vec<u8>) {
            prop_assert_eq!(encode(&bytes), Base64::encode_string(&bytes));
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(decode(&Base64Url::encode_string(&bytes)), Some(bytes));
        }

        #[test]
        fn never_panics(text in "[A-D/+_=-]{0,12}") {
            let library = Base64::decode_vec(&text).or_else(|_| Base64Url::decode_vec(&text)).ok();
            prop_assert_eq!(decode(&text), library);
        }
    }
}
