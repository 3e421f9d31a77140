//! Cargo's settings about credentials, as cargo ranks them: who is asked for a registry's token.

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::configuration::{self, Configuration, Origin};
use crate::collect::registries;
use crate::error::CliError;
use crate::foreign::{self, Unread};
use crate::verification::hostile_tree;
use crate::workspace::cargo_home;

/// Far above what lists of tokens take.
const MAX_BYTES: usize = 4 << 20;

/// Everything that cargo reads about credentials when it is started in a directory.
#[derive(Debug)]
pub(super) struct Settings {
    /// The files, nearest first.
    files: Vec<Configuration>,
    /// The file that `cargo login` writes. It overrides all others.
    credentials: Option<Configuration>,
}

/// A setting, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The program and its words.
    pub words: Vec<String>,
    /// The file or variable.
    pub origin: String,
    /// The files that say so, and those that include them.
    files: Vec<Utf8PathBuf>,
}

impl Provider {
    fn of_variable(words: Vec<String>, key: &[&str]) -> Self {
        Self {
            words,
            origin: format!("the variable {}", configuration::variable(key)),
            files: Vec::new(),
        }
    }

    fn of(words: Vec<String>, place: &Configuration) -> Self {
        Self {
            words,
            origin: named(&place.origin),
            files: place.files().map(Utf8Path::to_owned).collect(),
        }
    }

    /// The file that has a say in it and belongs to the tree that cargo is started in, at `here`, and so to whoever changes the tree; one's
    /// own settings are never meant.
    pub(super) fn of_tree(&self, here: &Utf8Path) -> Result<Option<&Utf8Path>, CliError> {
        let tree = Reach::of(here)?;
        Ok(self
            .files
            .iter()
            .find(|file| tree.holds(file))
            .map(|file| file.as_path()))
    }
}

/// How far a tree reaches, and so whoever changes it: up to the root of its outermost repository.
struct Reach {
    root: Utf8PathBuf,
    /// Cargo's home, which is the user's own; unless it lies in the project itself.
    home: Option<Utf8PathBuf>,
}

impl Reach {
    fn of(here: &Utf8Path) -> Result<Self, CliError> {
        let home = foreign::real(&cargo_home()?);
        Ok(Self {
            root: hostile_tree::root(here),
            home: Some(home).filter(|home| !home.starts_with(hostile_tree::innermost_root(here))),
        })
    }

    /// Whether a file belongs to it: it is named there, or a name from elsewhere leads there.
    fn holds(&self, file: &Utf8Path) -> bool {
        let named_in = foreign::real(file.parent().unwrap_or(file));
        let is_own = self.home.as_ref().is_some_and(|home| named_in == *home);
        !is_own && (named_in.starts_with(&self.root) || foreign::real(file).starts_with(&self.root))
    }
}

impl Settings {
    /// What a cargo that is started in `here` reads.
    ///
    /// # Errors
    /// When a file cannot be read or is no TOML.
    pub(super) fn read(here: &Utf8Path) -> Result<Self, CliError> {
        let home = cargo_home()?;
        Ok(Self {
            files: configuration::files(here, &home)?,
            credentials: credentials(&home)?,
        })
    }

    /// The provider that cargo asks for the token of a registry, and of no other: with one, the global ones are not asked.
    pub(super) fn provider(&self, registry: Option<&str>) -> Option<Provider> {
        let found = self.words_at(&key(registry, "credential-provider"))?;
        Some(self.resolved(found))
    }

    /// The words behind the gate, if that is the provider.
    fn gate_words(&self, registry: Option<&str>) -> Option<Vec<String>> {
        let provider = self.provider(registry).filter(|provider| is_gate(&provider.words))?;
        Some(provider.words[1..].to_vec())
    }

    /// The providers for registries without one of their own, the one that is asked first in front; none if nothing is set.
    pub(super) fn global(&self) -> Vec<Provider> {
        let key = ["registry", "global-credential-providers"];
        let variable = std::env::var(configuration::variable(&key)).unwrap_or_default();
        // Lists are joined, with the nearest file's at the end, and the environment's behind; and the end is asked first.
        let mut found: Vec<Provider> = words_of(&variable)
            .into_iter()
            .rev()
            .map(|word| Provider::of_variable(vec![word], &key))
            .collect();
        for configuration in self.all() {
            let list = configuration.get(&key).and_then(toml::Value::as_array);
            let texts = list.into_iter().flatten().rev().filter_map(toml::Value::as_str);
            found.extend(texts.map(|text| Provider::of(words_of(text), configuration)));
        }
        found.into_iter().map(|provider| self.resolved(provider)).collect()
    }

    /// Where a token for a registry lies in files.
    pub(super) fn tokens(&self, registry: Option<&str>) -> Vec<String> {
        let mut keys = vec![key(registry, "token"), key(registry, "secret-key")];
        if registry.is_none() {
            keys.push(vec!["registries", "crates-io", "token"]);
            // As `cargo login` wrote it in the beginning.
            keys.push(vec!["token"]);
        }
        let mut found: Vec<String> = self
            .all()
            .filter(|configuration| keys.iter().any(|key| configuration.get(key).is_some()))
            .map(|configuration| named(&configuration.origin))
            .collect();
        found.dedup();
        found
    }

    /// The index of a registry, if anything says it.
    pub(super) fn index(&self, registry: &str) -> Option<String> {
        registries::index(registry, self.all())
    }

    /// All places, the one that wins in front.
    fn all(&self) -> impl Iterator<Item = &Configuration> {
        self.credentials.iter().chain(&self.files)
    }

    /// The words of a setting, and where it stands.
    fn words_at(&self, key: &[&str]) -> Option<Provider> {
        let (value, origin) = configuration::effective(key, self.all())?;
        let words = words(&value)?;
        Some(match self.all().find(|place| place.origin == origin) {
            Some(place) => Provider::of(words, place),
            None => Provider::of_variable(words, key),
        })
    }

    /// A single word may be an alias for more.
    fn resolved(&self, provider: Provider) -> Provider {
        let [name] = provider.words.as_slice() else {
            return provider;
        };
        if name.starts_with("cargo:") {
            return provider;
        }
        match self.words_at(&["credential-alias", name.as_str()]) {
            Some(alias) => Provider {
                origin: format!("{} by the alias `{name}`", provider.origin),
                words: alias.words,
                files: [provider.files, alias.files].concat(),
            },
            None => provider,
        }
    }
}

fn key<'a>(registry: Option<&'a str>, last: &'a str) -> Vec<&'a str> {
    match registry {
        None => vec!["registry", last],
        Some(name) => vec!["registries", name, last],
    }
}

fn named(origin: &Origin) -> String {
    match origin {
        Origin::File(path) => path.to_string(),
        Origin::CommandLine => "--config".to_owned(),
        Origin::Environment => "the environment".to_owned(),
    }
}

/// A text with blanks, or a list.
fn words(value: &toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(words_of(text)),
        toml::Value::Array(list) => list.iter().map(|word| word.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// The words of a provider that is written as one text.
pub(super) fn words_of(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// The file of the tree that has these words behind some program, wherever it has them, when cargo is started in `here`: which of its settings
/// cargo follows depends on the names of registries, which it derives from more than files.
///
/// # Errors
/// When cargo's configuration cannot be read.
pub(super) fn words_of_tree(here: &Utf8Path, given: &[String]) -> Result<Option<Utf8PathBuf>, CliError> {
    let settings = Settings::read(here)?;
    let tree = Reach::of(here)?;
    let with_words = settings
        .all()
        .filter(|place| place.table.values().any(|value| has_words(value, given)));
    let mut files = with_words.flat_map(Configuration::files);
    Ok(files.find(|file| tree.holds(file)).map(Utf8Path::to_owned))
}

/// Whether some list or text in a value starts a program with these words.
fn has_words(value: &toml::Value, given: &[String]) -> bool {
    let are_these = words(value).is_some_and(|words| words.get(1..) == Some(given));
    are_these
        || match value {
            toml::Value::Array(values) => values.iter().any(|value| has_words(value, given)),
            toml::Value::Table(table) => table.values().any(|value| has_words(value, given)),
            _ => false,
        }
}

/// The words behind the gate, if it is what cargo asks for the token of a registry (`None` is the default one) by this configuration, in
/// cargo's order, and what `cargo login` wrote.
///
/// # Errors
/// When that file cannot be read.
pub fn installed_words(
    registry: Option<&str>,
    configuration: &[Configuration],
) -> Result<Option<Vec<String>>, CliError> {
    let settings = Settings {
        files: configuration.to_vec(),
        credentials: credentials(&cargo_home()?)?,
    };
    Ok(settings.gate_words(registry))
}

/// Whether these words start this program: by its name, or by the path of the one that runs.
pub(super) fn is_gate(words: &[String]) -> bool {
    let Some(program) = words.first().map(Utf8Path::new) else {
        return false;
    };
    let is_running = || {
        let same =
            |path: &Utf8Path| Some(path.canonicalize().ok()? == std::env::current_exe().ok()?.canonicalize().ok()?);
        program.is_absolute() && same(program).unwrap_or(false)
    };
    matches!(program.file_name(), Some("cargo-intoto" | "cargo-intoto.exe")) || is_running()
}

fn credentials(home: &Utf8Path) -> Result<Option<Configuration>, CliError> {
    for name in ["credentials", "credentials.toml"] {
        let path: Utf8PathBuf = home.join(name);
        let bytes = match foreign::read(&path, MAX_BYTES) {
            Ok(bytes) => bytes,
            Err(Unread::Missing) => continue,
            Err(unread) => return Err(unread.about(format_args!("cargo's {path}"))),
        };
        let failed = || CliError::cannot_decide(format!("failed to parse cargo's {path}"));
        // What the error would show of the file may be a token.
        let text = String::from_utf8(bytes).map_err(|_| failed())?;
        let table = text.parse().map_err(|_| failed())?;
        return Ok(Some(Configuration::new(Origin::File(path), table)));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(files: &[(&str, &str)], credentials: Option<&str>) -> Settings {
        let one = |name: &str, text: &str| Configuration::new(Origin::File(name.into()), text.parse().expect("TOML"));
        Settings {
            files: files.iter().map(|(name, text)| one(name, text)).collect(),
            credentials: credentials.map(|text| one("credentials", text)),
        }
    }

    #[test]
    fn the_provider_is_the_one_that_cargo_asks() {
        let gate = "[registries.r]\ncredential-provider = ['cargo-intoto', '--key', 'k']";
        let token = "[registries.r]\ncredential-provider = 'cargo:token'";
        let alias = "[registries.r]\ncredential-provider = 'mine'\n[credential-alias]\nmine = ['evil', 'x']";
        for (files, credentials, expected) in [
            (&[][..], None, None),
            (
                &[("near", gate), ("far", token)][..],
                None,
                Some(("cargo-intoto", "near")),
            ),
            (
                &[("near", token), ("far", gate)][..],
                None,
                Some(("cargo:token", "near")),
            ),
            // The file of `cargo login` wins, whatever it is there for.
            (&[("near", gate)][..], Some(token), Some(("cargo:token", "credentials"))),
            (&[("near", alias)][..], None, Some(("evil", "near by the alias `mine`"))),
        ] {
            let found = settings(files, credentials).provider(Some("r"));
            let found = found
                .as_ref()
                .map(|found| (found.words[0].as_str(), found.origin.as_str()));
            assert_eq!(found, expected, "{files:?}");
        }
        assert_eq!(settings(&[("near", gate)], None).provider(None), None);
    }

    #[test]
    fn words_are_the_installed_gates_only() {
        for (provider, expected) in [
            (
                "['cargo-intoto', '--token-from', 'pass show x']",
                Some(&["--token-from", "pass show x"][..]),
            ),
            ("['/opt/bin/cargo-intoto', '--key', 'k']", Some(&["--key", "k"])),
            ("'cargo-intoto --trusted-publishing'", Some(&["--trusted-publishing"])),
            ("'cargo:token'", None),
            ("['other', 'cargo-intoto']", None),
            ("['cargo-intoto-other', '--token-from', 'x']", None),
        ] {
            let text = format!("[registries.r]\ncredential-provider = {provider}\n");
            let near = settings(&[("near", &text)], None);
            let expected = expected.map(|words| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
            assert_eq!(near.gate_words(Some("r")), expected, "{provider}");
            assert_eq!(near.gate_words(None), None);
            // Who logged in with another provider has that one.
            let credentials = "[registries.r]\ncredential-provider = 'cargo:token'";
            assert_eq!(
                settings(&[("near", &text)], Some(credentials)).gate_words(Some("r")),
                None
            );
        }
        let default = "[registry]\ncredential-provider = ['cargo-intoto', '--trusted-publishing']";
        let default = settings(&[("near", default)], None);
        assert_eq!(default.gate_words(None), Some(vec!["--trusted-publishing".to_owned()]));
        assert_eq!(default.gate_words(Some("r")), None);
    }

    #[test]
    fn the_last_global_provider_is_asked_first() {
        let near = "[registry]\nglobal-credential-providers = ['cargo:token', 'cargo-intoto --key k']";
        let far = "[registry]\nglobal-credential-providers = ['cargo:libsecret']";
        let global = settings(&[("near", near), ("far", far)], None).global();
        let names: Vec<&str> = global.iter().map(|provider| provider.words[0].as_str()).collect();
        assert_eq!(names, ["cargo-intoto", "cargo:token", "cargo:libsecret"]);
        assert!(is_gate(&global[0].words) && !is_gate(&global[1].words));
    }

    #[test]
    fn tokens_on_disk_are_found() {
        let file = "[registries.r]\ntoken = 'x'\n";
        assert_eq!(
            settings(&[("near", file)], Some(file)).tokens(Some("r")),
            ["credentials", "near"]
        );
        assert!(settings(&[("near", file)], None).tokens(None).is_empty());
        assert_eq!(
            settings(&[], Some("[registry]\ntoken = 'x'")).tokens(None),
            ["credentials"]
        );
    }

    #[test]
    fn words_are_found_wherever_they_stand() {
        let given = ["--key", "k"].map(str::to_owned);
        for (text, is_there) in [
            (
                "[registries.r]\ncredential-provider = ['cargo-intoto', '--key', 'k']",
                true,
            ),
            (
                "[registries.other]\ncredential-provider = 'cargo-intoto  --key k'",
                true,
            ),
            (
                "[registry]\nglobal-credential-providers = ['cargo:token', 'x --key k']",
                true,
            ),
            ("[credential-alias]\na = ['x', '--key', 'k']", true),
            (
                "[registries.r]\ncredential-provider = ['cargo-intoto', '--key', 'l']",
                false,
            ),
            (
                "[registries.r]\ncredential-provider = ['cargo-intoto', '--key', 'k', 'l']",
                false,
            ),
            ("[registries.r]\ncredential-provider = ['--key', 'k']", false),
        ] {
            let table: toml::Table = text.parse().expect("TOML");
            assert_eq!(has_words(&toml::Value::Table(table), &given), is_there, "{text}");
        }
    }

    #[test]
    fn the_gate_is_known_by_its_name() {
        for (program, is) in [
            ("cargo-intoto", true),
            ("/usr/bin/cargo-intoto", true),
            ("cargo-intoto.exe", true),
            ("cargo:token", false),
            ("cargo-intoto-other", false),
            ("/usr/bin/cargo-intoto.sh", false),
            ("/bin/sh", false),
        ] {
            assert_eq!(is_gate(&[program.to_owned()]), is, "{program}");
        }
        assert!(!is_gate(&[]));
    }
}
