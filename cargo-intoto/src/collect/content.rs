//! One digest for many files: of a tree, of a git commit's files, of what a `.crate` holds.

use sha2::{Digest, Sha256};

/// How a file stands in a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A regular file.
    Regular,
    /// A regular file with an execute bit.
    Executable,
    /// A symbolic link; its content is the text of the link.
    Link,
}

impl Mode {
    /// The mode of a regular file.
    pub fn of(executable: bool) -> Self {
        if executable { Self::Executable } else { Self::Regular }
    }

    /// As git writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regular => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
        }
    }
}

/// The sha256 over `MODE SHA256\tPATH\0` of every file, in the order of the paths' bytes.
pub fn digest<'a>(files: impl IntoIterator<Item = (&'a str, Mode, [u8; 32])>) -> [u8; 32] {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_unstable();
    let mut hasher = Sha256::new();
    for (path, mode, sha256) in files {
        hasher.update(mode.as_str());
        hasher.update(" ");
        hasher.update(super::hash::hex(&sha256));
        hasher.update("\t");
        hasher.update(path);
        hasher.update([0]);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_does_not_matter_but_name_mode_and_content_do() {
        let a = ("a", Mode::Regular, [1; 32]);
        let b = ("b", Mode::Regular, [2; 32]);
        let base = digest([a, b]);
        assert_eq!(base, digest([b, a]));
        for other in [
            digest([a]),
            digest([a, ("c", Mode::Regular, [2; 32])]),
            digest([a, ("b", Mode::Executable, [2; 32])]),
            digest([a, ("b", Mode::Link, [2; 32])]),
            digest([a, ("b", Mode::Regular, [3; 32])]),
        ] {
            assert_ne!(base, other);
        }
    }
}
