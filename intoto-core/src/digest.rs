//! Digests of artifacts and the set of them that a link holds for one artifact.
//!
//! Specification: in-toto 1.0, 4.2 "Hash objects". An artifact's entry maps algorithm names to lower-case hexadecimal text.
//!
//! ```
//! use intoto_core::digest::{DigestSet, sha256, to_hex};
//!
//! let digests = DigestSet::from_sha256(sha256(b"hello"));
//! assert_eq!(digests.sha256().map(|bytes| to_hex(&bytes)[..8].to_string()), Some("2cf24dba".to_string()));
//! ```

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::encoding::{Object, Value};

/// A digest algorithm that this crate knows, so that it checks the length of such digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256 (FIPS 180-4), 32 bytes; what every in-toto implementation records.
    Sha256,
    /// SHA-512 (FIPS 180-4), 64 bytes.
    Sha512,
}

impl Algorithm {
    /// The algorithm of that name, exactly as links spell it.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The name as links spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The length of a digest in bytes.
    pub fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// What a link holds for one artifact: a non-empty map of algorithm names to digests.
///
/// Two sets are equal when they hold the same algorithms with the same text: the implementations compare the whole map, so a
/// set with sha256 alone differs from one with the same sha256 and a sha512, and `AB` differs from `ab`.
/// Algorithms that this crate does not know are kept as text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DigestSet {
    sha256: Option<[u8; 32]>,
    // Everything else, and sha256 as well where its text is not the lower-case form of the bytes.
    others: BTreeMap<Box<str>, Box<str>>,
}

impl DigestSet {
    /// The set that holds this SHA-256 digest and nothing else.
    pub fn from_sha256(digest: [u8; 32]) -> Self {
        Self {
            sha256: Some(digest),
            others: BTreeMap::new(),
        }
    }

    /// Reads the object a link has for one artifact, `{"sha256": "…"}`.
    ///
    /// The text must be hexadecimal, of the algorithm's length where the algorithm is known, and at least one digest must be there.
    pub fn from_value(value: &Value<'_>) -> Result<Self, DigestError> {
        let object = value
            .as_object()
            .ok_or(DigestError::NotAnObject { found: value.kind() })?;
        let mut set = Self {
            sha256: None,
            others: BTreeMap::new(),
        };
        for (algorithm, digest) in object.iter() {
            let hex = digest.as_str().ok_or_else(|| DigestError::NotText {
                algorithm: algorithm.to_owned(),
                found: digest.kind(),
            })?;
            set.insert(algorithm, hex)?;
        }
        if set.sha256.is_none() && set.others.is_empty() {
            return Err(DigestError::Empty);
        }
        Ok(set)
    }

    /// This set with one more digest, which replaces an earlier one of the same algorithm.
    pub fn with(mut self, algorithm: &str, hex: &str) -> Result<Self, DigestError> {
        self.insert(algorithm, hex)?;
        Ok(self)
    }

    /// The SHA-256 digest, if the set has one.
    pub fn sha256(&self) -> Option<[u8; 32]> {
        self.sha256
    }

    /// Whether one of the digests is of an algorithm that is known: any text under another name says nothing about a file.
    pub fn has_known(&self) -> bool {
        self.sha256.is_some() || self.others.contains_key(Algorithm::Sha512.name())
    }

    /// Whether both are certainly of different files: they have digests of a known algorithm in common, and one of these differs, in more than the
    /// case of its letters.
    pub fn differs_from(&self, other: &Self) -> bool {
        let sha256 = self.sha256.zip(other.sha256);
        let name = Algorithm::Sha512.name();
        let sha512 = self.others.get(name).zip(other.others.get(name));
        sha256.is_some_and(|(own, other)| own != other)
            || sha512.is_some_and(|(own, other)| !own.eq_ignore_ascii_case(other))
    }

    /// The algorithms and their digests as hexadecimal text, sorted by algorithm.
    pub fn iter(&self) -> impl Iterator<Item = (&str, String)> {
        let mut entries: Vec<(&str, String)> = self
            .others
            .iter()
            .map(|(name, hex)| (&**name, (**hex).to_owned()))
            .collect();
        if let Some(digest) = self.plain_sha256() {
            let at = entries.partition_point(|(name, _)| *name < "sha256");
            entries.insert(at, ("sha256", to_hex(digest)));
        }
        entries.into_iter()
    }

    /// The object that a link holds for the artifact.
    pub fn to_value(&self) -> Value<'static> {
        if self.others.is_empty()
            && let Some(digest) = &self.sha256
        {
            return Value::Object(Object::from_iter([("sha256", Value::from(to_hex(digest)))]));
        }
        let mut object = Object::new();
        for (algorithm, hex) in self.iter() {
            object.insert(algorithm.to_owned(), Value::from(hex));
        }
        Value::Object(object)
    }

    fn plain_sha256(&self) -> Option<&[u8; 32]> {
        let spelled_otherwise = self.others.contains_key("sha256");
        self.sha256.as_ref().filter(|_| !spelled_otherwise)
    }

    fn insert(&mut self, algorithm: &str, hex: &str) -> Result<(), DigestError> {
        if algorithm.is_empty() {
            return Err(DigestError::NoAlgorithm);
        }
        let not_hex = || DigestError::NotHex {
            algorithm: algorithm.to_owned(),
        };
        let known = Algorithm::from_name(algorithm);
        if known == Some(Algorithm::Sha256) && hex.len() == 64 {
            let mut digest = [0; 32];
            let case = decode_hex(hex.as_bytes(), &mut digest).ok_or_else(not_hex)?;
            self.sha256 = Some(digest);
            if case == Case::Lower {
                self.others.remove("sha256");
                return Ok(());
            }
        } else if hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(not_hex());
        }
        if let Some(known) = known
            && hex.len() != known.length() * 2
        {
            let expected = known.length() * 2;
            return Err(DigestError::WrongLength {
                algorithm: algorithm.to_owned(),
                found: hex.len(),
                expected,
            });
        }
        self.others.insert(algorithm.into(), hex.into());
        Ok(())
    }
}

impl fmt::Display for DigestSet {
    /// Writes `sha256:ab… sha512:cd…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (algorithm, hex)) in self.iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            write!(f, "{blank}{algorithm}:{hex}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for DigestSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DigestSet({self})")
    }
}

/// Why a text or a value is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The text has a character that is no hexadecimal digit, or none at all.
    #[error("the {algorithm} digest is not hexadecimal text")]
    NotHex {
        /// The algorithm as written.
        algorithm: String,
    },
    /// Hexadecimal text outside a digest set is broken: an odd number of digits or another character.
    #[error("expected an even number of hexadecimal digits")]
    BadHex,
    /// The digest of a known algorithm has another length than the algorithm's.
    #[error("the {algorithm} digest has {found} hexadecimal digits, expected {expected}")]
    WrongLength {
        /// The algorithm as written.
        algorithm: String,
        /// Digits found.
        found: usize,
        /// Digits that the algorithm's digests have.
        expected: usize,
    },
    /// A digest set without any digest; the artifact would match nothing or, worse, everything.
    #[error("the artifact has no digest")]
    Empty,
    /// An algorithm with an empty name.
    #[error("a digest has an empty algorithm name")]
    NoAlgorithm,
    /// The value is not an object of digests.
    #[error("expected an object of digests, found {found}")]
    NotAnObject {
        /// What kind of value was found.
        found: &'static str,
    },
    /// A digest is not a string.
    #[error("the {algorithm} digest must be a string, found {found}")]
    NotText {
        /// The algorithm as written.
        algorithm: String,
        /// What kind of value was found.
        found: &'static str,
    },
}

/// The SHA-256 digest of the bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The bytes as lower-case hexadecimal text.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    String::from_utf8(bytes.iter().flat_map(digits).collect()).expect("hexadecimal digits are ASCII")
}

/// The bytes that hexadecimal text of either case stands for.
pub fn from_hex(text: &str) -> Result<Vec<u8>, DigestError> {
    let mut bytes = alloc::vec![0; text.len() / 2];
    decode_hex(text.as_bytes(), &mut bytes).ok_or(DigestError::BadHex)?;
    Ok(bytes)
}

#[derive(Debug, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
}

// The value of each hexadecimal digit, with a mark on upper-case letters and another on everything that is no digit.
static NIBBLES: [u8; 256] = {
    let mut values = [INVALID; 256];
    let mut digit = 0;
    while digit < 16 {
        values[b"0123456789abcdef"[digit] as usize] = digit as u8;
        if digit > 9 {
            values[b"0123456789ABCDEF"[digit] as usize] = digit as u8 | UPPER;
        }
        digit += 1;
    }
    values
};
const INVALID: u8 = 0x80;
const UPPER: u8 = 0x40;

// `None` if a character is no digit or the lengths do not fit.
fn decode_hex(text: &[u8], out: &mut [u8]) -> Option<Case> {
    if text.len() != out.len() * 2 {
        return None;
    }
    let mut marks = 0;
    for (pair, byte) in text.chunks_exact(2).zip(out) {
        let (high, low) = (NIBBLES[usize::from(pair[0])], NIBBLES[usize::from(pair[1])]);
        // Looked at once, at the end: text that is no digest is the rare case.
        marks |= high | low;
        *byte = high << 4 | low & 15;
    }
    match marks & (INVALID | UPPER) {
        0 => Some(Case::Lower),
        UPPER => Some(Case::Upper),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::encoding::strict_json;
    use crate::limits::Limits;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn read(text: &str) -> Result<DigestSet, DigestError> {
        DigestSet::from_value(&strict_json::parse(text.as_bytes(), &Limits::default()).unwrap())
    }

    #[test]
    fn sha256_of_nothing() {
        assert_eq!(to_hex(&sha256(b"")), EMPTY);
    }

    #[test]
    fn accepts_and_writes_back() {
        let sha512 = "0".repeat(128);
        for text in [
            alloc::format!(r#"{{"sha256":"{EMPTY}"}}"#),
            alloc::format!(r#"{{"blake3":"00","sha256":"{EMPTY}","xyz":"0"}}"#),
            alloc::format!(r#"{{"sha256":"{}"}}"#, EMPTY.to_uppercase()),
            alloc::format!(r#"{{"sha512":"{sha512}"}}"#),
        ] {
            assert_eq!(crate::encoding::to_json(&read(&text).unwrap().to_value()), text);
        }
    }

    #[test]
    fn refuses() {
        for (text, expected) in [
            ("{}", "the artifact has no digest"),
            ("[]", "expected an object of digests, found an array"),
            (
                r#"{"sha256":1}"#,
                "the sha256 digest must be a string, found an integer",
            ),
            (r#"{"sha256":""}"#, "the sha256 digest is not hexadecimal text"),
            (r#"{"sha256":"zz"}"#, "the sha256 digest is not hexadecimal text"),
            (
                r#"{"sha256":"00"}"#,
                "the sha256 digest has 2 hexadecimal digits, expected 64",
            ),
            (r#"{"":"00"}"#, "a digest has an empty algorithm name"),
        ] {
            assert_eq!(read(text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn equality_is_of_the_whole_text() {
        let lower = DigestSet::from_sha256(sha256(b""));
        let upper = lower.clone().with("sha256", &EMPTY.to_uppercase()).unwrap();
        let more = lower.clone().with("md5", "00").unwrap();
        assert_eq!(lower.sha256(), upper.sha256());
        assert_ne!(lower, upper);
        assert_ne!(lower, more);
        assert_eq!(upper.with("sha256", EMPTY).unwrap(), lower);
    }

    /// Only digests of one known algorithm say that two files differ.
    #[test]
    fn what_differs_is_told_by_a_known_algorithm() {
        let sha256 = |byte| DigestSet::from_sha256([byte; 32]);
        let with = |set: DigestSet, name, hex: &str| set.with(name, hex).unwrap();
        let (ones, twos) = ("1".repeat(128), "2".repeat(128));
        let only = |name, hex: &str| {
            let text = alloc::format!(r#"{{"{name}": "{hex}"}}"#);
            read(&text).unwrap()
        };
        for (one, other, differ) in [
            (sha256(1), sha256(1), false),
            (sha256(1), sha256(2), true),
            (sha256(0xab), with(sha256(0), "sha256", &"AB".repeat(32)), false),
            (sha256(1), with(sha256(1), "sha512", &ones), false),
            (with(sha256(1), "sha512", &ones), with(sha256(1), "sha512", &twos), true),
            (with(sha256(1), "sha512", &ones), with(sha256(2), "sha512", &ones), true),
            (
                only("sha512", &"ab".repeat(64)),
                only("sha512", &"AB".repeat(64)),
                false,
            ),
            (only("sha512", &ones), only("sha512", &twos), true),
            (only("sha512", &ones), sha256(1), false),
            (with(sha256(1), "md5", "00"), with(sha256(1), "md5", "11"), false),
            (only("md5", "00"), only("md5", "11"), false),
        ] {
            assert_eq!(one.differs_from(&other), differ, "{one} {other}");
            assert_eq!(other.differs_from(&one), differ, "{other} {one}");
        }
        for (set, known) in [
            (sha256(1), true),
            (only("sha512", &ones), true),
            (only("md5", "00"), false),
        ] {
            assert_eq!(set.has_known(), known, "{set}");
        }
    }

    #[test]
    fn hex_round_trip() {
        assert_eq!(from_hex("00fFa1").unwrap(), [0, 255, 0xa1]);
        assert_eq!(from_hex("0"), Err(DigestError::BadHex));
        assert_eq!(from_hex("0g"), Err(DigestError::BadHex));
    }

    #[test]
    fn every_character_at_every_place() {
        for place in 0..40 {
            for character in 0..=u8::MAX {
                let mut text = [b'0'; 40];
                text[place] = character;
                let mut bytes = [0; 20];
                let case = decode_hex(&text, &mut bytes);
                let value = char::from(character).to_digit(16);
                assert_eq!(case.is_some(), value.is_some(), "{character}");
                assert_eq!(
                    case == Some(Case::Upper),
                    character.is_ascii_uppercase() && value.is_some()
                );
                if let Some(value) = value {
                    let mut expected = [0; 20];
                    expected[place / 2] = if place % 2 == 0 { value << 4 } else { value };
                    assert_eq!(bytes.map(u32::from), expected);
                }
            }
        }
    }
}
