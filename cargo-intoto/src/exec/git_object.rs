//! How git names its objects.

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The hash function of a git repository's object names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectFormat {
    /// The usual one.
    Sha1,
    /// `git init --object-format=sha256`.
    Sha256,
}

impl ObjectFormat {
    /// The length of a name in bytes.
    pub fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// The name that git gives to an object of this kind (`blob`, `tree`, `commit`) with these bytes.
pub fn object_name(kind: &str, bytes: &[u8], format: ObjectFormat) -> Vec<u8> {
    let mut hasher = ObjectHasher::new(format, kind, bytes.len() as u64);
    hasher.update(bytes);
    hasher.finish()
}

/// Names a git object while its bytes stream by.
#[derive(Debug)]
pub enum ObjectHasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl ObjectHasher {
    /// A hasher for an object of this kind and length.
    pub fn new(format: ObjectFormat, kind: &str, size: u64) -> Self {
        let mut hasher = match format {
            ObjectFormat::Sha1 => Self::Sha1(Sha1::new()),
            ObjectFormat::Sha256 => Self::Sha256(Sha256::new()),
        };
        hasher.update(format!("{kind} {size}\0").as_bytes());
        hasher
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    /// The name.
    pub fn finish(self) -> Vec<u8> {
        match self {
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use intoto_core::digest::to_hex;

    use super::*;

    #[test]
    fn names_are_those_of_git() {
        for (format, expected) in [
            (ObjectFormat::Sha1, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"),
            (
                ObjectFormat::Sha256,
                "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
            ),
        ] {
            let name = object_name("blob", b"", format);
            assert_eq!(to_hex(&name), expected);
            assert_eq!(name.len(), format.length());
        }
    }
}
