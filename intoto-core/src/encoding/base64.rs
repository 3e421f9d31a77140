//! Base64 with padding, in the standard or the URL-safe alphabet, as DSSE files carry it.
//!
//! Specification: RFC 4648, 4 and 5. Not constant in time: nothing secret passes through here.
//!
//! ```
//! use intoto_core::encoding::base64;
//!
//! assert_eq!(base64::encode(b"hello?>"), "aGVsbG8/Pg==");
//! assert_eq!(base64::decode("aGVsbG8_Pg=="), base64::decode("aGVsbG8/Pg=="));
//! assert!(base64::decode("aGVsbG8/Pg").is_none());
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Writes bytes in the standard alphabet, padded.
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads text in the standard alphabet, else in the URL-safe one, as both reference implementations do. `None` if it is neither: when the padding is
/// missing, something else stands in the text (line ends too), the alphabets are mixed, or bits are set that no byte uses.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
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
        fn round_trips(bytes: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(decode(&URL_SAFE.encode(&bytes)), Some(bytes));
        }

        // One text for each byte string: two texts never decode to the same bytes but in the two alphabets.
        #[test]
        fn is_canonical(text in "[A-D/+=]{0,12}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(&bytes), text);
            }
        }
    }
}
