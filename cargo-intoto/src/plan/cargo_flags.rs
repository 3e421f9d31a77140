//! The flags of cargo that decide what a step looks at. They are read here and passed on as they are.

use camino::Utf8PathBuf;

use crate::error::CliError;

/// What the words after a step mean to cargo, as far as it matters to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CargoFlags {
    /// `--manifest-path`.
    pub manifest_path: Option<Utf8PathBuf>,
    /// `--target-dir`.
    pub target_directory: Option<Utf8PathBuf>,
    /// `-p`, in order.
    pub packages: Vec<String>,
    /// `--exclude`.
    pub excluded: Vec<String>,
    /// `--workspace` or `--all`.
    pub workspace: bool,
    /// `--profile`, or `release` for `--release`.
    pub profile: Option<String>,
    /// `--target`, in order.
    pub targets: Vec<String>,
    /// `--features`, in order.
    pub features: Vec<String>,
    /// `--all-features`.
    pub all_features: bool,
    /// `--no-default-features`.
    pub no_default_features: bool,
    /// `--offline` or `--frozen`.
    pub offline: bool,
    /// `--locked` or `--frozen`.
    pub locked: bool,
    /// `--allow-dirty`.
    pub allow_dirty: bool,
    /// `--no-run`.
    pub no_run: bool,
    /// `--config`, in order.
    pub config: Vec<String>,
    /// `-Z`, in order.
    pub unstable: Vec<String>,
}

impl CargoFlags {
    /// Reads the words that follow the step. What follows `--` is the program's, not cargo's.
    ///
    /// # Errors
    /// For a flag that would take the step out of our hands, and for a flag without its value.
    pub fn parse(words: &[String]) -> Result<Self, CliError> {
        let mut flags = Self::default();
        let mut words = words.iter().map(String::as_str).take_while(|word| *word != "--");
        while let Some(word) = words.next() {
            let (name, attached) = split(word)?;
            let mut value = || match attached {
                Some(value) => Ok(value.to_owned()),
                None => words
                    .next()
                    .map(str::to_owned)
                    .ok_or_else(|| CliError::usage(format!("cargo's flag {name} needs a value"))),
            };
            match name {
                "--message-format" => return Err(taken(name, "the recorder reads cargo's messages itself")),
                "--build-plan" | "--unit-graph" | "-l" | "--list" => {
                    return Err(taken(name, "nothing would be made to record"));
                }
                "--artifact-dir" | "--out-dir" => {
                    return Err(taken(name, "products are recorded where cargo puts them"));
                }
                "--manifest-path" => flags.manifest_path = Some(value()?.into()),
                "--target-dir" => flags.target_directory = Some(value()?.into()),
                "-p" | "--package" => flags.packages.push(value()?),
                "--exclude" => flags.excluded.push(value()?),
                "--workspace" | "--all" => flags.workspace = true,
                "-r" | "--release" => flags.profile = Some("release".to_owned()),
                "--profile" => flags.profile = Some(value()?),
                "--target" => flags.targets.push(value()?),
                "-F" | "--features" => flags.features.push(value()?),
                "--all-features" => flags.all_features = true,
                "--no-default-features" => flags.no_default_features = true,
                "--offline" => flags.offline = true,
                "--locked" => flags.locked = true,
                "--frozen" => (flags.offline, flags.locked) = (true, true),
                "--allow-dirty" => flags.allow_dirty = true,
                "--no-run" => flags.no_run = true,
                "--config" => flags.config.push(own_config(value()?)?),
                "-Z" => flags.unstable.push(value()?),
                _ => {}
            }
        }
        Ok(flags)
    }

    /// The flags that `cargo metadata` needs to see the same workspace.
    pub fn for_metadata(&self) -> Vec<String> {
        let config = self
            .config
            .iter()
            .flat_map(|value| ["--config".to_owned(), value.clone()]);
        let unstable = self.unstable.iter().flat_map(|value| ["-Z".to_owned(), value.clone()]);
        config.chain(unstable).collect()
    }

    /// The name of the profile that `default` is replaced with when a flag says so.
    pub fn profile_or<'a>(&'a self, default: &'a str) -> &'a str {
        self.profile.as_deref().unwrap_or(default)
    }
}

/// The directory in the target directory that cargo uses for a profile.
pub fn profile_directory(profile: &str) -> &str {
    match profile {
        "dev" | "test" => "debug",
        "bench" => "release",
        other => other,
    }
}

/// A word as a flag and the value that is attached to it: `--a=b`, `-pb`, `-p=b`.
///
/// # Errors
/// For short flags in one word, which every reader of cargo's words would have to take apart.
fn split(word: &str) -> Result<(&str, Option<&str>), CliError> {
    if word.starts_with("--") {
        return Ok(match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word, None),
        });
    }
    let Some((name, rest)) = word
        .split_at_checked(2)
        .filter(|(name, rest)| name.starts_with('-') && !rest.is_empty())
    else {
        return Ok((word, None));
    };
    match name {
        // Of cargo's short flags only these take a value.
        "-p" | "-F" | "-Z" | "-j" | "-C" => Ok((name, Some(rest.strip_prefix('=').unwrap_or(rest)))),
        "-v" if rest.bytes().all(|byte| byte == b'v') => Ok((word, None)),
        _ => Err(CliError::usage(format!(
            "cargo's flags in `{word}` cannot be told apart in a recorded step"
        ))
        .hint("write each short flag for itself: `-r -F NAME` in the place of `-rF NAME`")),
    }
}

fn taken(name: &str, why: &str) -> CliError {
    CliError::usage(format!("cargo's flag {name} cannot be used in a recorded step: {why}"))
}

/// Refuses the configuration values that the recorder sets itself.
fn own_config(value: String) -> Result<String, CliError> {
    let key: String = value
        .split('=')
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let key = key.replace(['"', '\''], "");
    if matches!(key.as_str(), "build.build-dir" | "build.target-dir" | "build") {
        return Err(own_directory(&key));
    }
    Ok(value)
}

/// Refuses a configuration value that the recorder sets itself.
pub fn own_directory(key: &str) -> CliError {
    CliError::usage(format!("`--config {key}` cannot be used in a recorded step"))
        .hint("the run has a build directory of its own; for the target directory use `--target-dir`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<CargoFlags, CliError> {
        let words: Vec<String> = words.split_ascii_whitespace().map(str::to_owned).collect();
        CargoFlags::parse(&words)
    }

    #[test]
    fn flags_are_read_in_every_spelling() {
        let flags = parsed(
            "-p a -pb --package=c --exclude d --release --target x --target=y -Fs,t --features u --locked --offline \
             --manifest-path m/Cargo.toml --target-dir=t --config net.offline=true -Zn --workspace filter -- --profile z",
        )
        .expect("valid");
        assert_eq!(flags.packages, ["a", "b", "c"]);
        assert_eq!(flags.excluded, ["d"]);
        assert_eq!(flags.profile_or("dev"), "release");
        assert_eq!(flags.targets, ["x", "y"]);
        assert_eq!(flags.features, ["s,t", "u"]);
        assert!(flags.locked && flags.offline && flags.workspace && !flags.allow_dirty);
        assert_eq!(
            flags.manifest_path.as_deref().map(|path| path.as_str()),
            Some("m/Cargo.toml")
        );
        assert_eq!(flags.target_directory.as_deref().map(|path| path.as_str()), Some("t"));
        assert_eq!(flags.for_metadata(), ["--config", "net.offline=true", "-Z", "n"]);
    }

    #[test]
    fn flags_that_take_the_step_out_of_our_hands_are_refused() {
        for words in [
            "--message-format json",
            "--message-format=short",
            "--list",
            "--artifact-dir x",
            "--config build.build-dir=\"x\"",
            "--config build.target-dir='x'",
            "--config build={}",
            "--target",
            "-p",
            "-l",
            "-rF danger",
            "-qj2",
            "-vr",
        ] {
            assert_eq!(parsed(words).expect_err(words).exit().code(), 2, "{words}");
        }
        assert!(parsed("-- --message-format json").is_ok());
        assert!(parsed("-vv -v -j2 -j 2 -q - -- -rF x").is_ok());
    }

    #[test]
    fn profiles_have_cargos_directories() {
        for (profile, directory) in [
            ("dev", "debug"),
            ("test", "debug"),
            ("bench", "release"),
            ("release", "release"),
            ("dist", "dist"),
        ] {
            assert_eq!(profile_directory(profile), directory);
        }
    }
}
