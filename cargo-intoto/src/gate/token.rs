//! The inner token: what the gate hands out when it opens.

use std::time::Duration;

use zeroize::Zeroizing;

use super::{GateArgs, Lease, Registry};
use crate::error::CliError;
use crate::exec::{printed, waiting};

/// A person may have to unlock a password store first.
const PATIENCE: Duration = Duration::from_secs(180);

/// For what a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The registry is not read without one.
    Read,
    /// An upload that was decided on.
    Publish,
    /// Yanking, and owners.
    Manage,
}

/// A registry's token; gone from memory when it is dropped.
pub struct Token(Zeroizing<String>);

impl Token {
    /// No token at all, for what needs none.
    pub(super) fn empty() -> Self {
        Self(Zeroizing::new(String::new()))
    }

    /// The text, if it can stand in a header.
    pub(super) fn new(text: &str, origin: &str) -> Result<Self, CliError> {
        let is_sound = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_sound {
            Ok(Self(Zeroizing::new(text.to_owned())))
        } else {
            Err(CliError::cannot_decide(format!(
                "{origin} is no token: a token is one word of visible characters"
            )))
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Whether there is a token that is not made for one upload, without asking for it.
pub(super) fn has_token(registry: &Registry, args: &GateArgs) -> bool {
    let is_set = |name: String| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    args.token_from.is_some() || registry.token_variable().is_some_and(is_set)
}

/// Finds the token: in the environment, from the configured command, or by trusted publishing.
///
/// # Errors
/// When there is none, or its origin fails. Whether it may be used is decided elsewhere, and before.
pub fn token(registry: &Registry, args: &GateArgs, purpose: Purpose) -> Result<Token, CliError> {
    let variable = registry.token_variable();
    if let Some(name) = &variable
        && let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty())
    {
        let value = Zeroizing::new(value.into_encoded_bytes());
        return Token::new(
            std::str::from_utf8(&value).unwrap_or_default(),
            &format!("what stands in the variable {name}"),
        );
    }
    if let Some(command) = &args.token_from {
        let words: Vec<String> = command.split_ascii_whitespace().map(str::to_owned).collect();
        let line = printed::first_line(&words, &[("CARGO_REGISTRY_INDEX_URL", registry.url())], PATIENCE).map_err(
            |problem| CliError::failure(format!("`{command}` gives no token for the registry")).because(problem),
        )?;
        return Token::new(line.trim(), &format!("the first line of `{command}`"));
    }
    if args.trusted_publishing && purpose == Purpose::Publish {
        let lease = Lease::obtain(registry, args)?;
        return match waiting::parent() {
            Some(cargo) => lease.revoke_after(cargo),
            None => Ok(lease.into_token()),
        };
    }
    let variable = variable.map(|name| format!("set {name}, or ")).unwrap_or_default();
    Err(CliError::cannot_decide(format!(
        "there is no token for the registry {}",
        registry.name().unwrap_or_else(|| registry.url())
    ))
    .hint(format!(
        "{variable}say where it comes from: `cargo intoto gate install --token-from COMMAND`{}",
        match purpose {
            Purpose::Publish => " or `--trusted-publishing`",
            Purpose::Read | Purpose::Manage => "",
        }
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_visible_word() {
        for (text, sound) in [
            ("cio-abc_123==", true),
            ("", false),
            ("a b", false),
            ("a\r\nX-Other: 1", false),
            ("tök", false),
        ] {
            assert_eq!(Token::new(text, "this").is_ok(), sound, "{text:?}");
        }
    }
}
