//! What a link asks to be done again.

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::encoding::Value;
use intoto_core::link::Link;

use crate::error::CliError;
use crate::signing::SignedFile;
use crate::store::{LinkDirectory, LinkStore};

/// Cargo's flags without a value that may come from a link, whose author is nobody yet.
const FLAGS: [&str; 17] = [
    "--all",
    "--all-features",
    "--all-targets",
    "--bins",
    "--examples",
    "--frozen",
    "--keep-going",
    "--lib",
    "--locked",
    "--no-default-features",
    "--no-verify",
    "--offline",
    "--quiet",
    "--release",
    "--workspace",
    "-q",
    "-r",
];
/// The same with a value. None of them names a program or a file.
const FLAGS_WITH_VALUE: [&str; 11] = [
    "--bin",
    "--example",
    "--exclude",
    "--features",
    "--jobs",
    "--package",
    "--profile",
    "--target",
    "-F",
    "-j",
    "-p",
];

/// A step that is to be carried out again.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// The link.
    pub(crate) link: Link,
    /// Where it was found.
    pub(crate) path: Utf8PathBuf,
    /// `package` or `build`.
    pub(crate) subcommand: &'static str,
    /// The words behind it.
    pub(crate) words: Vec<String>,
    /// The commit.
    pub(crate) commit: String,
}

impl Request {
    /// Reads the link of `step` in a link directory, or the one in `file`. `words` are the user's own, if any, and take the place of the
    /// recorded ones.
    ///
    /// # Errors
    /// When there is none, several that disagree, or one that does not say what to do.
    pub(crate) fn read(
        directory: &Utf8Path,
        file: Option<&Utf8Path>,
        step: &str,
        words: &[String],
    ) -> Result<Self, CliError> {
        let (path, link) = match file {
            Some(file) => (file.to_owned(), read_link(file)?),
            None => find(directory, step)?,
        };
        if link.name.as_str() != step {
            return Err(CliError::usage(format!(
                "{path} is the link of step `{}`, and `{step}` is to be rebuilt",
                link.name
            ))
            .hint(format!("name the step by `--step {}`", link.name)));
        }
        let asked = |why: String| CliError::cannot_decide(format!("{path} does not say what to rebuild: {why}"));
        let mut command = link.command.iter().map(String::as_str);
        let subcommand = match (command.next(), command.next()) {
            (Some("cargo"), Some("package")) => "package",
            (Some("cargo"), Some("build")) => "build",
            _ => {
                return Err(asked(
                    "its command is neither `cargo package` nor `cargo build`".to_owned(),
                ));
            }
        };
        let recorded: Vec<String> = command.map(str::to_owned).collect();
        let words = if words.is_empty() {
            check(&recorded).map_err(|word| {
                asked(format!(
                    "its command has {word:?}, which is not taken from a link that nobody has verified"
                ))
                .hint("give the words of cargo yourself, behind `--`")
            })?;
            recorded
        } else {
            words.to_vec()
        };
        let commit = text(&link.environment, "commit")
            .ok_or_else(|| asked("it was recorded without a commit".to_owned()))?
            .to_owned();
        match member(&link.environment, "dirty") {
            Some(Value::Bool(false)) => {}
            _ => {
                return Err(asked(format!("its tree differed from the commit {commit}"))
                    .hint("nobody else has those files: record the step again from a commit"));
            }
        }
        Ok(Self {
            link,
            path,
            subcommand,
            words,
            commit,
        })
    }

    /// What `rustc -vV` said where the link was made.
    pub(crate) fn rustc(&self) -> Option<&str> {
        text(member(&self.link.environment, "toolchain")?, "rustc")
    }
}

/// The member of an object.
pub(crate) fn member<'v>(value: &'v Value<'_>, name: &str) -> Option<&'v Value<'v>> {
    value.as_object()?.get(name)
}

fn text<'v>(value: &'v Value<'_>, name: &str) -> Option<&'v str> {
    member(value, name)?.as_str()
}

/// The link in a file, whoever signed it.
pub(crate) fn read_link(path: &Utf8Path) -> Result<Link, CliError> {
    let payload = SignedFile::read(path)?.payload()?;
    payload
        .link()
        .cloned()
        .ok_or_else(|| CliError::cannot_decide(format!("{path} is no link")))
}

/// The link of a step. Of several that say the same, the first.
fn find(directory: &Utf8Path, step: &str) -> Result<(Utf8PathBuf, Link), CliError> {
    let store = LinkDirectory::new(directory);
    let prefix = format!("{step}.");
    let mut found: Vec<(Utf8PathBuf, Link)> = Vec::new();
    for name in store.names()?.into_iter().filter(|name| name.starts_with(&prefix)) {
        let path = directory.join(&name);
        // Whatever else lies there is not what is looked for.
        let Ok(link) = read_link(&path) else { continue };
        if link.name.as_str() == step {
            found.push((path, link));
        }
    }
    let differ = |found: &[(Utf8PathBuf, Link)]| found.iter().any(|(_, link)| !link.agrees_with(&found[0].1));
    match found.as_slice() {
        [] => Err(
            CliError::cannot_decide(format!("there is no link of step `{step}` in {directory}"))
                .hint("name the directory with the first builder's links by --link-dir, or the link by --link"),
        ),
        several if differ(several) => Err(CliError::cannot_decide(format!(
            "the links of step `{step}` in {directory} disagree already"
        ))
        .hint("name the one to rebuild by --link")),
        _ => Ok(found.swap_remove(0)),
    }
}

/// The first word that is not taken from a link.
fn check(words: &[String]) -> Result<(), &str> {
    let is_plain = |value: &str| {
        !value.is_empty()
            && !value.starts_with('-')
            && value
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_,+@.*: ".contains(&byte))
            && !value.ends_with(".json")
    };
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if FLAGS.contains(&word) {
            continue;
        }
        let value = match word.split_once('=') {
            Some((flag, value)) if FLAGS_WITH_VALUE.contains(&flag) && flag.starts_with("--") => Some(value),
            _ if FLAGS_WITH_VALUE.contains(&word) => words.next(),
            _ => None,
        };
        if !value.is_some_and(is_plain) {
            return Err(word);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_flags_that_start_nothing_come_from_a_link() {
        let words = |text: &str| {
            text.split(' ')
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        for good in [
            "",
            "--locked",
            "--release --locked -p a -p b",
            "--workspace --exclude c --features=x,y",
            "--target x86_64-unknown-linux-musl --profile dist",
        ] {
            assert_eq!(check(&words(good)), Ok(()), "{good}");
        }
        for bad in [
            "--config build.rustc-wrapper='evil'",
            "--config=x",
            "--manifest-path ../x/Cargo.toml",
            "--target-dir /tmp/x",
            "--target evil.json",
            "--target={outside}/x",
            "--target ../evil",
            "-Z unstable-options",
            "--allow-dirty",
            "--features --config",
            "--package",
            "-p=a",
            "--",
            "x",
        ] {
            assert!(check(&words(bad)).is_err(), "{bad}");
        }
    }
}
