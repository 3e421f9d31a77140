//! `cargo publish`, through the gate: which of the user's words reach cargo, and what is added to them.

use std::ffi::OsString;

use crate::error::CliError;
use crate::plan::CargoFlags;

/// What the user's words ask of `cargo publish`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishWords {
    /// The words, read.
    pub flags: CargoFlags,
    /// `--registry`.
    pub registry: Option<String>,
    /// What goes to cargo as it stands. Selection, manifest and registry are said anew, because by then they are
    /// decided; cargo stages in a directory of ours.
    passed: Vec<String>,
}

/// What becomes of a word.
enum Fate {
    /// It goes to cargo.
    Passed,
    /// It does not, nor does its value if it takes one.
    Dropped { takes_value: bool },
    /// As `Dropped`, and its value is kept.
    Registry,
}

impl PublishWords {
    /// Reads the words behind `publish`.
    ///
    /// # Errors
    /// For flags that would go past the gate, and for those that cannot be used in a recorded step.
    pub fn parse(words: &[String]) -> Result<Self, CliError> {
        let flags = CargoFlags::parse(words)?;
        if flags.offline {
            return Err(CliError::usage(
                "`--offline` and `--frozen` keep cargo from the registry that it is to publish to",
            ));
        }
        if let Some(config) = flags
            .config
            .iter()
            .find(|config| config.contains("credential-provider"))
        {
            return Err(past_the_gate(&format!("--config {config}")).hint(
                "the gate is the credential provider of this command; where it takes the token from is `cargo intoto gate`'s to know",
            ));
        }
        let (mut registry, mut passed) = (None, Vec::new());
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let (name, attached) = match word.split_once('=') {
                Some((name, value)) if word.starts_with("--") => (name, Some(value)),
                _ => (word.as_str(), None),
            };
            match fate(name)? {
                Fate::Passed => passed.push(word.clone()),
                Fate::Dropped { takes_value } => {
                    if takes_value && attached.is_none() {
                        rest.next();
                    }
                }
                Fate::Registry => registry = attached.map(str::to_owned).or_else(|| rest.next().cloned()),
            }
        }
        Ok(Self {
            flags,
            registry,
            passed,
        })
    }

    /// The arguments with which cargo publishes these packages and no others, asking only `provider` for the token.
    pub fn arguments(&self, publish: &Publish<'_>) -> Vec<OsString> {
        // The package step compiled the same bytes, so nobody's code runs while a token is about.
        let mut arguments: Vec<OsString> = ["publish", "--no-verify"].map(Into::into).to_vec();
        if !self.flags.locked {
            // Another lock file would be another `.crate`.
            arguments.push("--locked".into());
        }
        arguments.extend(self.passed.iter().map(Into::into));
        if publish.dry_run {
            arguments.push("--dry-run".into());
        }
        arguments.extend(["--registry".into(), publish.registry.into()]);
        for name in &publish.packages {
            arguments.extend(["--package".into(), (*name).into()]);
        }
        // Behind the user's own: of two, the last counts.
        arguments.extend(["--config".into(), publish.provider.into()]);
        arguments
    }
}

/// One run of `cargo publish`.
#[derive(Debug, Clone)]
pub struct Publish<'a> {
    /// The names of the members.
    pub packages: Vec<&'a str>,
    /// Cargo's name for the registry.
    pub registry: &'a str,
    /// The `KEY=VALUE` that makes us the credential provider.
    pub provider: &'a str,
    /// Whether cargo stops before the upload.
    pub dry_run: bool,
}

fn fate(name: &str) -> Result<Fate, CliError> {
    let dropped = |takes_value| Ok(Fate::Dropped { takes_value });
    match name {
        "--token" => Err(past_the_gate("--token").hint("put the token into `CARGO_REGISTRY_TOKEN` instead")),
        "--index" => Err(past_the_gate("--index")
            .hint("give the registry a name in .cargo/config.toml (`registries.NAME.index`), then `--registry NAME`")),
        "--registry" => Ok(Fate::Registry),
        "--no-verify" | "--workspace" | "--all" => dropped(false),
        "-p" | "--package" | "--exclude" | "--manifest-path" | "--target-dir" => dropped(true),
        // `-pNAME`
        name if name.starts_with("-p") => dropped(false),
        "--" => Err(CliError::usage("`cargo publish` takes nothing behind `--`")),
        _ => Ok(Fate::Passed),
    }
}

fn past_the_gate(flag: &str) -> CliError {
    CliError::usage(format!("cargo's `{flag}` would upload past the gate"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    fn arguments(text: &str) -> String {
        let words = PublishWords::parse(&words(text)).expect("valid");
        let publish = Publish {
            packages: vec!["a", "b"],
            registry: "here",
            provider: "registries.here.credential-provider=['x']",
            dry_run: false,
        };
        let arguments = words.arguments(&publish);
        arguments
            .iter()
            .map(|word| word.to_str().expect("text"))
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn cargo_gets_the_decided_packages_and_our_provider_last() {
        let end = "--registry here --package a --package b --config registries.here.credential-provider=['x']";
        for (given, passed) in [
            ("", "--locked "),
            ("--locked --jobs 2", "--locked --jobs 2 "),
            ("--workspace --exclude c --no-verify", "--locked "),
            ("-p a -pb --package=c --package d --all", "--locked "),
            (
                "--registry=there --target-dir x --manifest-path y/Cargo.toml",
                "--locked ",
            ),
            (
                "--registry there --allow-dirty --features x",
                "--locked --allow-dirty --features x ",
            ),
            ("--config net.retry=0", "--locked --config net.retry=0 "),
        ] {
            assert_eq!(
                arguments(given),
                format!("publish --no-verify {passed}{end}"),
                "{given}"
            );
        }
    }

    #[test]
    fn nothing_goes_past_the_gate() {
        for given in [
            "--token x",
            "--token=x",
            "--index https://x",
            "--config registries.here.credential-provider='cargo:token'",
            "--config=registry.global-credential-providers=['cargo:token']",
            "--offline",
            "--frozen",
            "--message-format json",
            "-- x",
        ] {
            let error = PublishWords::parse(&words(given)).expect_err(given);
            assert_eq!(error.exit().code(), 2, "{given}");
        }
    }
}
