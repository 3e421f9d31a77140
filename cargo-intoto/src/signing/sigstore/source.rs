//! The words behind `sigstore:`: where the identity token comes from, or which key signs.

use std::env;
use std::io::IsTerminal;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::signing::{KeyFile, KeyUri};

/// What signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Means {
    /// Whoever a token says.
    Identity(TokenSource),
    /// A key of one's own.
    Key(Box<KeyUri>),
}

/// Where an identity token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// From the CI service, if this is one; else a person logs in.
    Any,
    /// From the CI service.
    Ambient,
    /// From a file.
    File(Utf8PathBuf),
    /// From an environment variable.
    Variable(String),
    /// A person logs in, in a browser on this machine.
    Browser,
    /// A person logs in, in a browser anywhere, and types a code here.
    Code,
}

const FORMS: &str = "write `sigstore:` (the CI service's identity, else a login), `sigstore:ambient`, `sigstore:token-file=FILE`, \
                     `sigstore:env=VARIABLE`, `sigstore:browser`, `sigstore:code`, or `sigstore:key=KEY`";

impl Means {
    pub(super) fn parse(rest: &str) -> Result<Self, CliError> {
        let source = match rest.split_once('=') {
            None => match rest {
                "" => TokenSource::Any,
                "ambient" => TokenSource::Ambient,
                "browser" => TokenSource::Browser,
                "code" => TokenSource::Code,
                _ => return Err(unknown(rest)),
            },
            Some((_, "")) => return Err(unknown(rest)),
            Some(("token-file", path)) => TokenSource::File(path.into()),
            Some(("env", variable)) if !variable.contains(['=', '\0']) => TokenSource::Variable(variable.to_owned()),
            Some(("key", key)) if key.starts_with("sigstore:") || key.starts_with("gpg:") => {
                return Err(CliError::usage(format!("`{key}` cannot be witnessed by Sigstore"))
                    .hint("name a key file, or a key of another scheme"));
            }
            Some(("key", key)) => return Ok(Self::Key(Box::new(KeyUri::parse(key)?))),
            Some(_) => return Err(unknown(rest)),
        };
        Ok(Self::Identity(source))
    }

    /// Whether what signs can be had when it is needed, as far as that shows now.
    pub(super) fn check(&self) -> Result<(), CliError> {
        match self {
            Self::Key(key) => match key.as_ref() {
                KeyUri::File(path) => KeyFile::find(path).map(drop),
                _ => Ok(()),
            },
            Self::Identity(source) => source.check(&|name| env::var_os(name).is_some_and(|value| !value.is_empty())),
        }
    }
}

impl TokenSource {
    fn check(&self, is_set: &dyn Fn(&str) -> bool) -> Result<(), CliError> {
        match self {
            Self::File(path) if !Utf8Path::new(path).is_file() => {
                Err(CliError::usage(format!("there is no token file `{path}`")))
            }
            Self::Variable(name) if !is_set(name) => Err(CliError::usage(format!(
                "the variable {name} holds no identity token: it is not set, or empty"
            ))),
            Self::Any | Self::Ambient => {
                let missing = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
                    .into_iter()
                    .find(|name| is_set("GITHUB_ACTIONS") && !is_set(name));
                if missing.is_some() {
                    return Err(
                        CliError::usage("this job of GitHub Actions may not ask for an identity token")
                            .hint("give the job `permissions: id-token: write`"),
                    );
                }
                let is_service = SERVICES.iter().any(|name| is_set(name));
                if is_service || (*self == Self::Any && can_log_in()) {
                    return Ok(());
                }
                Err(CliError::usage(match self {
                    Self::Ambient => "there is no CI service here that gives out identity tokens",
                    _ => "there is no CI service here that gives out identity tokens, and no terminal to log in from",
                })
                .hint("known are GitHub Actions, GitLab CI/CD, Buildkite and CircleCI")
                .hint("name a token with `--key sigstore:token-file=FILE` or `--key sigstore:env=VARIABLE`"))
            }
            _ => Ok(()),
        }
    }
}

/// The variables by which CI services are known that give out tokens.
const SERVICES: &[&str] = &["GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI"];

/// Whether somebody is there to be asked.
pub(super) fn can_log_in() -> bool {
    std::io::stdin().is_terminal()
}

fn unknown(rest: &str) -> CliError {
    CliError::usage(format!(
        "`sigstore:{}` says not where the identity comes from",
        rest.escape_debug()
    ))
    .hint(FORMS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_or_refused() {
        let token = |source| Some(Means::Identity(source));
        for (text, expected) in [
            ("", token(TokenSource::Any)),
            ("ambient", token(TokenSource::Ambient)),
            ("browser", token(TokenSource::Browser)),
            ("code", token(TokenSource::Code)),
            ("token-file=a=b", token(TokenSource::File("a=b".into()))),
            ("env=TOKEN", token(TokenSource::Variable("TOKEN".to_owned()))),
            (
                "key=a/b.key",
                Some(Means::Key(Box::new(KeyUri::File("a/b.key".into())))),
            ),
            ("env=", None),
            ("env=A=B", None),
            ("token-file", None),
            ("key=gpg:AB", None),
            ("key=sigstore:", None),
            ("other=x", None),
            ("https://x", None),
        ] {
            assert_eq!(Means::parse(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_missing_shows_before_anything_is_recorded() {
        let with =
            |source: &TokenSource, set: &'static [&'static str]| source.check(&|name| set.contains(&name)).is_ok();
        let github: &[&str] = &[
            "GITHUB_ACTIONS",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        ];
        assert!(with(&TokenSource::Ambient, github));
        assert!(!with(&TokenSource::Ambient, &["GITHUB_ACTIONS"]));
        assert!(!with(
            &TokenSource::Any,
            &["GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_URL"]
        ));
        assert!(!with(&TokenSource::Ambient, &[]));
        assert!(with(&TokenSource::Any, &["GITLAB_CI"]));
        assert!(with(&TokenSource::Variable("T".to_owned()), &["T"]));
        assert!(!with(&TokenSource::Variable("T".to_owned()), &[]));
        assert!(!with(&TokenSource::File("/nowhere".into()), &[]));
        assert!(with(&TokenSource::Browser, &[]));
    }
}
