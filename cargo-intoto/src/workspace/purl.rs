//! Package URLs: the names of packages in links.

use std::fmt;

use crate::workspace::Source;

/// A canonical package URL of type `cargo`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl(String);

impl Purl {
    /// Names a package: the registry stands in `repository_url` when it is not the default one, a git dependency's repository
    /// and commit in `vcs_url`.
    pub fn new(name: &str, version: &str, source: &Source) -> Self {
        let mut text = format!("pkg:cargo/{}@{}", encode(name), encode(version));
        match source {
            Source::Path | Source::Registry { is_default: true, .. } => {}
            Source::Registry { url, .. } => {
                text.push_str("?repository_url=");
                text.push_str(&encode(&without_user_info(url)));
            }
            Source::Git { url, commit } => {
                text.push_str("?vcs_url=");
                text.push_str(&encode(&format!("git+{}@{commit}", without_user_info(url))));
            }
        }
        Self(text)
    }

    /// The text of the package URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Percent-encodes all but the characters that stand for themselves in a canonical package URL.
fn encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut result, byte| {
            if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
                result.push(char::from(byte));
            } else {
                result.push_str(&format!("%{byte:02X}"));
            }
            result
        })
}

/// Cuts `user:password@` out of a URL, which may be a token; user names are nobody's business either.
pub(crate) fn without_user_info(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_urls_are_canonical() {
        let default = Source::Registry {
            url: "https://github.com/rust-lang/crates.io-index".to_owned(),
            is_default: true,
        };
        let other = Source::Registry {
            url: "https://user:secret@registry.example/index/".to_owned(),
            is_default: false,
        };
        let git = Source::Git {
            url: "ssh://git@host.example/a/b.git".to_owned(),
            commit: "0123".to_owned(),
        };
        for (version, source, expected) in [
            ("1.0.0", &default, "pkg:cargo/a@1.0.0"),
            ("1.0.0+x.y", &default, "pkg:cargo/a@1.0.0%2Bx.y"),
            ("1.0.0", &Source::Path, "pkg:cargo/a@1.0.0"),
            (
                "1.0.0",
                &other,
                "pkg:cargo/a@1.0.0?repository_url=https:%2F%2Fregistry.example%2Findex%2F",
            ),
            (
                "1.0.0",
                &git,
                "pkg:cargo/a@1.0.0?vcs_url=git%2Bssh:%2F%2Fhost.example%2Fa%2Fb.git%400123",
            ),
        ] {
            let purl = Purl::new("a", version, source);
            assert_eq!(purl.as_str(), expected);
            assert!(
                expected.parse::<intoto_core::path::ArtifactPath>().is_ok(),
                "{expected}"
            );
        }
    }

    #[test]
    fn user_info_is_cut() {
        for (url, expected) in [
            ("https://a:b@h/x", "https://h/x"),
            ("https://a@b@h", "https://h"),
            ("https://h/x@y", "https://h/x@y"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_user_info(url), expected);
        }
    }
}
