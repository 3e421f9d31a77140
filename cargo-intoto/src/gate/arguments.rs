//! The words that stand behind the provider in cargo's configuration.

use camino::Utf8PathBuf;
use clap::{Args as _, Command, FromArgMatches as _};

use crate::error::CliError;
use crate::trust::TrustArgs;

/// How the gate decides, and where its token comes from. Relative paths start at the workspace's root.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GateArgs {
    /// The signed layout [default: layouts/release.layout]
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    pub layout: Option<Utf8PathBuf>,
    /// Directory with the links [default: the workspace's latest run]
    #[arg(long, value_name = "DIR", help_heading = "Evidence")]
    pub link_dir: Option<Utf8PathBuf>,
    /// Cargo's build directory, if neither its configuration nor the environment names it
    #[arg(long, value_name = "DIR", help_heading = "Evidence")]
    pub build_dir: Option<Utf8PathBuf>,
    /// Certificates of authorities between the layout's roots and a functionary; may be repeated
    #[arg(long = "intermediate", value_name = "FILE", help_heading = "Evidence")]
    pub intermediates: Vec<Utf8PathBuf>,
    /// Refuse a step whose recorded command is not the one that the layout expects, instead of warning
    #[arg(long, help_heading = "Evidence")]
    pub exact_commands: bool,
    /// Public key that must have signed the layout, instead of the trust store; if repeated, all must
    #[arg(long = "key", value_name = "FILE", help_heading = "Trust")]
    pub keys: Vec<Utf8PathBuf>,
    #[command(flatten)]
    pub trust: TrustArgs,
    /// Command that prints the registry's token; words are split at blanks, without a shell
    #[arg(long, value_name = "COMMAND", help_heading = "Token")]
    pub token_from: Option<String>,
    /// Exchange the CI job's identity for a token that is good for minutes
    #[arg(long, help_heading = "Token")]
    pub trusted_publishing: bool,
    /// Variable with the job's identity token, where it cannot be asked for as on GitHub
    #[arg(
        long,
        value_name = "VARIABLE",
        requires = "trusted_publishing",
        help_heading = "Token"
    )]
    pub id_token_env: Option<String>,
}

impl GateArgs {
    /// Reads the words that cargo hands on.
    ///
    /// # Errors
    /// When one of them is not understood: what a word was to demand is not known.
    pub fn parse(words: &[String]) -> Result<Self, CliError> {
        let command = Self::augment_args(Command::new("credential-provider"))
            .no_binary_name(true)
            .disable_help_flag(true)
            .disable_version_flag(true);
        command
            .try_get_matches_from(words)
            .and_then(|matches| Self::from_arg_matches(&matches))
            .map_err(|error| {
                let text = error.to_string();
                let first = text.lines().next().unwrap_or_default();
                CliError::usage(format!(
                    "the words behind the credential provider in cargo's configuration are not understood: {}",
                    first.strip_prefix("error: ").unwrap_or(first)
                ))
                .hint("`cargo intoto gate install` writes them; `cargo intoto help gate install` explains them")
            })
    }

    /// Whether they say themselves whose layout counts.
    pub fn say_whom_to_trust(&self) -> bool {
        !self.keys.is_empty() || self.trust.trust_store.is_some()
    }

    /// The words that [`parse`](Self::parse) reads as these.
    pub fn to_words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut add = |flag: &str, value: Option<&str>| {
            words.push(flag.to_owned());
            words.extend(value.map(str::to_owned));
        };
        for (flag, path) in [
            ("--layout", &self.layout),
            ("--link-dir", &self.link_dir),
            ("--build-dir", &self.build_dir),
            ("--trust-store", &self.trust.trust_store),
        ] {
            if let Some(path) = path {
                add(flag, Some(path.as_str()));
            }
        }
        for (flag, paths) in [("--key", &self.keys), ("--intermediate", &self.intermediates)] {
            for path in paths {
                add(flag, Some(path.as_str()));
            }
        }
        for (flag, text) in [
            ("--token-from", &self.token_from),
            ("--id-token-env", &self.id_token_env),
        ] {
            if let Some(text) = text {
                add(flag, Some(text));
            }
        }
        for (flag, given) in [
            ("--exact-commands", self.exact_commands),
            ("--trusted-publishing", self.trusted_publishing),
        ] {
            if given {
                add(flag, None);
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn words_survive_being_read_and_written() {
        for text in [
            "",
            "--layout l --link-dir d --build-dir b --trust-store t --key a --key b --intermediate i --token-from pass",
            "--id-token-env X --exact-commands --trusted-publishing",
        ] {
            let args = GateArgs::parse(&words(text)).expect("known words");
            assert_eq!(args.to_words(), words(text));
        }
        let spaced = vec!["--token-from".to_owned(), "pass show x".to_owned()];
        assert_eq!(GateArgs::parse(&spaced).expect("one word").to_words(), spaced);
    }

    #[test]
    fn unknown_words_are_refused() {
        for text in [
            "--allow-everything",
            "layout",
            "--key",
            "--help",
            "--version",
            "--exact-commands=no",
        ] {
            assert!(GateArgs::parse(&words(text)).is_err(), "{text}");
        }
    }
}
