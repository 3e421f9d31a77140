//! The words that stand behind the provider in cargo's configuration.

use camino::Utf8PathBuf;
use clap::{Args as _, Command, FromArgMatches as _};

use crate::error::CliError;
use crate::trust::{OwnerArgs, TrustArgs};

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
    #[command(flatten)]
    pub whom: Whom,
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

/// Every word that says whom to trust, and nothing else: a file of the tree must say none of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct Whom {
    /// Public key that must have signed the layout, instead of the trust store; if repeated, all must
    #[arg(long = "key", value_name = "FILE", help_heading = WHOM)]
    pub keys: Vec<Utf8PathBuf>,
    #[command(flatten)]
    pub owners: OwnerArgs,
    /// Root of a Sigstore instance that identities are verified by, a trusted_root.json [default: the public instance's]
    #[arg(long, value_name = "FILE", help_heading = WHOM)]
    pub trusted_root: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// Under this heading stands, in the help of every command, what says whom to trust.
const WHOM: &str = "Trust";

impl Whom {
    /// The same with paths that start at another directory.
    ///
    /// # Errors
    /// When `fixed` fails for one of them.
    pub fn with_paths<E>(&self, fixed: impl Fn(&Utf8PathBuf) -> Result<Utf8PathBuf, E>) -> Result<Self, E> {
        // Every member by its name, so that a new one is not forgotten here.
        let Self {
            keys,
            owners,
            trusted_root,
            trust: TrustArgs { trust_store },
        } = self;
        Ok(Self {
            keys: keys.iter().map(&fixed).collect::<Result<_, E>>()?,
            owners: owners.clone(),
            trusted_root: trusted_root.as_ref().map(&fixed).transpose()?,
            trust: TrustArgs {
                trust_store: trust_store.as_ref().map(&fixed).transpose()?,
            },
        })
    }
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
        self.whom != Whom::default()
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
            ("--trust-store", &self.whom.trust.trust_store),
            ("--trusted-root", &self.whom.trusted_root),
        ] {
            if let Some(path) = path {
                add(flag, Some(path.as_str()));
            }
        }
        for (flag, paths) in [("--key", &self.whom.keys), ("--intermediate", &self.intermediates)] {
            for path in paths {
                add(flag, Some(path.as_str()));
            }
        }
        let owners = &self.whom.owners;
        for (flag, texts) in [
            ("--owner-identity", &owners.owner_identities),
            ("--owner-issuer", &owners.owner_issuers),
        ] {
            for text in texts {
                add(flag, Some(text));
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
            "--trusted-root r --owner-identity a@b.c --owner-identity d@e.f --owner-issuer https://i --owner-issuer https://j",
            "--id-token-env X --exact-commands --trusted-publishing",
        ] {
            let args = GateArgs::parse(&words(text)).expect("known words");
            assert_eq!(args.to_words(), words(text));
        }
        let spaced = vec!["--token-from".to_owned(), "pass show x".to_owned()];
        assert_eq!(GateArgs::parse(&spaced).expect("one word").to_words(), spaced);
    }

    /// Whatever stands under "Trust" says whom to trust, and nothing else does: so a file of the tree may say none of it.
    #[test]
    fn every_word_about_trust_says_whom_to_trust() {
        let command = GateArgs::augment_args(Command::new("gate"));
        let mut about_trust = Vec::new();
        for arg in command.get_arguments() {
            let flag = format!("--{}", arg.get_long().expect("no word of the gate stands by itself"));
            let mut words = vec![flag.clone()];
            words.extend(arg.get_action().takes_values().then(|| "x".to_owned()));
            match flag.as_str() {
                "--owner-identity" => words.extend(["--owner-issuer".to_owned(), "x".to_owned()]),
                "--owner-issuer" => words.extend(["--owner-identity".to_owned(), "x".to_owned()]),
                "--id-token-env" => words.push("--trusted-publishing".to_owned()),
                _ => {}
            }
            let args = GateArgs::parse(&words).unwrap_or_else(|error| panic!("{flag}: {error}"));
            let is_about_trust = arg.get_help_heading() == Some(WHOM);
            assert_eq!(args.say_whom_to_trust(), is_about_trust, "{flag}");
            about_trust.extend(is_about_trust.then_some(flag));
        }
        about_trust.sort();
        assert_eq!(
            about_trust,
            [
                "--key",
                "--owner-identity",
                "--owner-issuer",
                "--trust-store",
                "--trusted-root"
            ]
        );
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
