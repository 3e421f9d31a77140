//! `--key URI`: the table of schemes, and the names of keys in the key directory.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::settings;
use crate::signing::{OtherKey, SigstoreKey};

/// What is known about one scheme.
struct Scheme {
    name: &'static str,
    /// What follows the colon, for the list in errors.
    form: &'static str,
}

/// Every scheme. A backend that is added puts its row here.
const SCHEMES: &[Scheme] = &[
    Scheme {
        name: "file",
        form: "file:PATH",
    },
    Scheme {
        name: "gpg",
        form: "gpg:FINGERPRINT",
    },
    Scheme {
        name: "env",
        form: "env:VARIABLE",
    },
    Scheme {
        name: "process",
        form: "process:PROGRAM",
    },
    Scheme {
        name: "ssh-agent",
        form: "ssh-agent:FINGERPRINT",
    },
    Scheme {
        name: "sigstore",
        form: "sigstore:",
    },
];

/// Where a signing key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyUri {
    /// A private key file.
    File(Utf8PathBuf),
    /// A key that GnuPG keeps: what stands behind `gpg:`.
    Gpg(String),
    /// A key of another scheme, which was found.
    Other(Box<OtherKey>),
    /// An identity, or a key that is witnessed: what stands behind `sigstore:`.
    Sigstore(Box<SigstoreKey>),
}

impl KeyUri {
    /// Reads what stands behind `--key`: a URI, a path, or the bare name of a key in the key directory.
    pub fn parse(text: &str) -> Result<Self, CliError> {
        if text.is_empty() {
            return Err(unknown("the key's name is empty".to_owned()));
        }
        if let Some((scheme, rest)) = split_scheme(text) {
            let Some(row) = SCHEMES.iter().find(|row| row.name == scheme) else {
                return Err(unknown(format!("unknown key scheme `{scheme}:` in `{text}`")));
            };
            if let Some(key) = OtherKey::find(scheme, rest)? {
                return Ok(Self::Other(Box::new(key)));
            }
            return Ok(match row.name {
                "gpg" => Self::Gpg(rest.to_owned()),
                "sigstore" => Self::Sigstore(Box::new(SigstoreKey::find(rest)?)),
                _ => Self::File(Utf8PathBuf::from(file_path(rest))),
            });
        }
        if is_key_name(text) {
            // First of all the user's own key: a file that a tree happens to have by that name must not come before it.
            let own = settings::keys_directory()?.join(format!("{text}.key"));
            if own.exists() || !Utf8Path::new(text).exists() {
                return Ok(Self::File(own));
            }
        }
        Ok(Self::File(Utf8PathBuf::from(text)))
    }
}

/// Whether `text` may name a key in the key directory: a file name that needs no quoting, and no dot in front.
pub fn is_key_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && !text.starts_with(['.', '-'])
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'@' | b'+'))
}

/// Splits `scheme:rest`. A single letter is a drive, not a scheme.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let plausible = scheme.len() > 1
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    plausible.then_some((scheme, rest))
}

/// The path in `file:PATH`; `file:///PATH` is the same as `file:/PATH`.
fn file_path(rest: &str) -> &str {
    match rest.strip_prefix("//") {
        Some(path) if path.starts_with('/') => path,
        _ => rest,
    }
}

fn unknown(message: String) -> CliError {
    let forms: Vec<&str> = SCHEMES.iter().map(|row| row.form).collect();
    CliError::usage(message).hint(format!(
        "a key is a path, the name of a key in the key directory (`cargo intoto key list`), or one of: {}",
        forms.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_uris_paths_and_names() {
        let keys = settings::keys_directory().unwrap();
        let cases: &[(&str, Utf8PathBuf)] = &[
            ("file:a/b.key", "a/b.key".into()),
            ("file:/a/b.key", "/a/b.key".into()),
            ("file:///a/b.key", "/a/b.key".into()),
            ("./x", "./x".into()),
            ("a/b.pem", "a/b.pem".into()),
            ("C:key", "C:key".into()),
            ("owner", keys.join("owner.key")),
        ];
        for (text, path) in cases {
            assert_eq!(KeyUri::parse(text).unwrap(), KeyUri::File(path.clone()), "{text}");
        }
        assert_eq!(KeyUri::parse("gpg:AB").unwrap(), KeyUri::Gpg("AB".to_owned()));
    }

    #[test]
    fn refuses_unknown_and_unavailable_schemes() {
        for (text, expected) in [
            ("pgp:ABCD", "unknown key scheme `pgp:` in `pgp:ABCD`"),
            (
                "sigstore:no-such-way",
                "`sigstore:no-such-way` says not where the identity comes from",
            ),
            ("", "the key's name is empty"),
        ] {
            let error = KeyUri::parse(text).unwrap_err();
            assert_eq!(error.to_string(), expected);
            assert_eq!(error.exit(), crate::exit::Exit::Usage);
            assert!(!error.hints().is_empty());
        }
    }

    #[test]
    fn key_names_are_plain_file_names() {
        for name in ["owner", "ci-2", "a.b", "me@host"] {
            assert!(is_key_name(name), "{name}");
        }
        for name in ["", ".x", "-x", "a/b", "a b", "ä", "..", "a\\b"] {
            assert!(!is_key_name(name), "{name}");
        }
    }
}
