//! What an entry speaks for: a crate by its exact purl without version, with the registry when it is not the default one.

use std::fmt;
use std::str::FromStr;

use crate::error::CliError;

/// One crate of an entry's scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

impl Scope {
    /// The scope that covers the crate with this purl: the same purl without version and without the qualifiers of one file.
    pub fn of_purl(purl: &str) -> Result<Self, CliError> {
        let malformed = || CliError::usage(format!("`{}` is no purl of a crate", purl.escape_debug())).hint(FORM_HINT);
        let rest = purl.strip_prefix("pkg:cargo/").ok_or_else(malformed)?;
        let (rest, qualifiers) = match rest.split_once('?') {
            Some((rest, qualifiers)) => (rest, Some(qualifiers)),
            None => (rest, None),
        };
        let name = rest.split_once('@').map_or(rest, |(name, _)| name);
        if !is_crate_name(name) {
            return Err(malformed());
        }
        let mut repository = None;
        for pair in qualifiers.into_iter().flat_map(|all| all.split('&')) {
            match pair.split_once('=') {
                Some((key @ ("repository_url" | "vcs_url"), value)) if repository.is_none() && is_plain(value) => {
                    repository = Some((key, value));
                }
                _ => return Err(malformed()),
            }
        }
        Ok(Self(match repository {
            Some((key, value)) => format!("pkg:cargo/{name}?{key}={value}"),
            None => format!("pkg:cargo/{name}"),
        }))
    }

    /// The crate's name, whatever its registry.
    pub fn name(&self) -> &str {
        let name = self.0.strip_prefix("pkg:cargo/").unwrap_or(&self.0);
        name.split_once('?').map_or(name, |(name, _)| name)
    }

    /// The purl.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const FORM_HINT: &str = "a scope is `pkg:cargo/NAME`, or `pkg:cargo/NAME?repository_url=URL` (the URL percent-encoded) for another registry";

impl FromStr for Scope {
    type Err = CliError;

    /// Reads a scope as a user writes it; a version is refused, because an entry speaks for every version.
    fn from_str(text: &str) -> Result<Self, CliError> {
        let scope = Self::of_purl(text)?;
        if scope.0 != text {
            return Err(
                CliError::usage(format!("the scope `{}` is not in its plain form", text.escape_debug()))
                    .hint(format!("a scope has no version: write `{scope}`")),
            );
        }
        Ok(scope)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_crate_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 256
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Visible ASCII without what would end or split a qualifier.
fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && value
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'&' | b'?' | b'#' | b'"' | b'\'' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_have_one_form() {
        for text in [
            "pkg:cargo/hello",
            "pkg:cargo/hello_World-2",
            "pkg:cargo/hello?repository_url=sparse%2Bhttps://other.example/index/",
        ] {
            assert_eq!(text.parse::<Scope>().unwrap().as_str(), text);
        }
        for text in [
            "hello",
            "pkg:cargo/",
            "pkg:cargo/hello@1.0.0",
            "pkg:cargo/hel*",
            "pkg:cargo/hello?",
            "pkg:cargo/hello?x=y",
            "pkg:cargo/hello?repository_url=a&repository_url=b",
            "pkg:npm/hello",
            "pkg:cargo/hello\u{202e}",
        ] {
            assert!(text.parse::<Scope>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_purl_with_version_has_a_scope() {
        assert_eq!(Scope::of_purl("pkg:cargo/a@1.0.0").unwrap().as_str(), "pkg:cargo/a");
        assert_eq!(
            Scope::of_purl("pkg:cargo/a@1.0.0?repository_url=https://r.example")
                .unwrap()
                .as_str(),
            "pkg:cargo/a?repository_url=https://r.example"
        );
    }
}
