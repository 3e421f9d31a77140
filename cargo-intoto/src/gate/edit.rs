//! Puts the gate into a file of cargo's configuration, and takes it out again; everything else in the file stays as it is.

use toml_edit::{Array, DocumentMut, Item, Table, TableLike, Value};

use super::setting::{is_gate, words_of};
use crate::error::CliError;

/// What became of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// Nothing: it says so already.
    Unchanged,
    /// The gate was put in where no provider was.
    Added,
    /// The gate took the place of these words.
    Replaced(String),
}

/// Whether another provider may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// It is kept, and nothing is installed.
    Kept,
    /// The user said so.
    Replaced,
}

/// The configuration `text` with `words` as the provider for a registry; `None` is the default one.
///
/// # Errors
/// When the text is no TOML, has something else in the way, or names another provider that is to be kept.
pub fn install(
    text: &str,
    registry: Option<&str>,
    words: &[String],
    others: Others,
) -> Result<(String, Installed), CliError> {
    let mut document = parse(text)?;
    let table = table(&mut document, registry)?;
    let new: Array = words.iter().collect();
    let Some(old) = table.get_mut(KEY) else {
        table.insert(KEY, Item::Value(Value::Array(new)));
        return Ok((document.to_string(), Installed::Added));
    };
    let Some(value) = old.as_value_mut() else {
        return Err(in_the_way(registry));
    };
    let before = value_words(value).ok_or_else(|| in_the_way(registry))?;
    if before == words {
        return Ok((text.to_owned(), Installed::Unchanged));
    }
    if others == Others::Kept && !is_gate(&before) {
        return Err(CliError::usage(format!(
            "another credential provider is configured for {}: {}",
            called(registry),
            before.join(" ")
        ))
        .hint("a registry has one provider: with `--replace` the gate takes its place")
        .hint("if it holds the token, let the gate ask for it: `--token-from COMMAND`"));
    }
    let decor = value.decor().clone();
    *value = Value::Array(new);
    *value.decor_mut() = decor;
    Ok((document.to_string(), Installed::Replaced(before.join(" "))))
}

/// The configuration `text` without the gate for a registry; none if it is not there. What is not the gate stays.
///
/// # Errors
/// When the text is no TOML.
pub fn remove(text: &str, registry: Option<&str>) -> Result<Option<String>, CliError> {
    let mut document = parse(text)?;
    let tables = path(registry);
    let mut item: Option<&mut dyn TableLike> = Some(document.as_table_mut());
    for name in &tables {
        item = item
            .and_then(|table| table.get_mut(name))
            .and_then(Item::as_table_like_mut);
    }
    let Some(table) = item else { return Ok(None) };
    let words = table.get(KEY).and_then(Item::as_value).and_then(value_words);
    if !words.is_some_and(|words| is_gate(&words)) {
        return Ok(None);
    }
    table.remove(KEY);
    let is_bare = table.is_empty();
    // A table that the gate was alone in goes with it, unless somebody wrote about it.
    if let ([only], true) = (tables.as_slice(), is_bare) {
        let is_commented = document[only].as_table().is_some_and(|table| {
            table
                .decor()
                .prefix()
                .and_then(|prefix| prefix.as_str())
                .is_some_and(|text| text.contains('#'))
        });
        if !is_commented {
            document.remove(only);
        }
    }
    Ok(Some(document.to_string()))
}

const KEY: &str = "credential-provider";

/// Cargo reads the default registry's settings in a table of its own.
fn path(registry: Option<&str>) -> Vec<&str> {
    match registry {
        None => vec!["registry"],
        Some(name) => vec!["registries", name],
    }
}

fn called(registry: Option<&str>) -> &str {
    registry.unwrap_or("crates-io")
}

fn in_the_way(registry: Option<&str>) -> CliError {
    CliError::cannot_decide(format!(
        "the file has something else where the credential provider of {} should stand",
        called(registry)
    ))
}

fn parse(text: &str) -> Result<DocumentMut, CliError> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        CliError::cannot_decide("the file is no TOML").because(error.to_string())
    })
}

fn table<'d>(document: &'d mut DocumentMut, registry: Option<&str>) -> Result<&'d mut dyn TableLike, CliError> {
    let mut table: &mut dyn TableLike = document.as_table_mut();
    let names = path(registry);
    for (index, name) in names.iter().enumerate() {
        let mut new = Table::new();
        // `[registries]` alone says nothing.
        new.set_implicit(index + 1 < names.len());
        table = table
            .entry(name)
            .or_insert(Item::Table(new))
            .as_table_like_mut()
            .ok_or_else(|| in_the_way(registry))?;
    }
    Ok(table)
}

/// The words of a provider: a list, or a text with blanks.
fn value_words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(words_of(text.value())),
        Value::Array(list) => list
            .iter()
            .map(|word| word.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        words_of(text)
    }

    #[test]
    fn the_rest_of_the_file_stays() {
        let gate = words("cargo-intoto --layout l");
        for (registry, before, after) in [
            (
                None,
                "",
                "[registry]\ncredential-provider = [\"cargo-intoto\", \"--layout\", \"l\"]\n",
            ),
            (
                Some("ours"),
                "# mine\n[build]\njobs = 2 # two\n",
                "# mine\n[build]\njobs = 2 # two\n\n[registries.ours]\ncredential-provider = [\"cargo-intoto\", \"--layout\", \"l\"]\n",
            ),
            (
                Some("ours"),
                "[registries]\nours = { index = 'i' } # it\n",
                "[registries]\nours = { index = 'i' , credential-provider = [\"cargo-intoto\", \"--layout\", \"l\"] } # it\n",
            ),
            (
                None,
                "[registry] # the default\n# how to get in\ncredential-provider = 'cargo-intoto' # the gate\ndefault = 'x'\n",
                "[registry] # the default\n# how to get in\ncredential-provider = [\"cargo-intoto\", \"--layout\", \"l\"] # the gate\ndefault = 'x'\n",
            ),
        ] {
            let (text, _) = install(before, registry, &gate, Others::Kept).expect("installed");
            assert_eq!(text, after);
            let (again, did) = install(&text, registry, &gate, Others::Kept).expect("installed");
            assert_eq!((again.as_str(), did), (after, Installed::Unchanged));
            let without = remove(&text, registry).expect("TOML").expect("it was there");
            assert!(!without.contains("cargo-intoto"), "{without}");
            assert_eq!(remove(&without, registry).expect("TOML"), None);
            for comment in ["# mine", "# two", "# it", "# the default"] {
                assert_eq!(without.contains(comment), before.contains(comment), "{without}");
            }
        }
        let (text, _) = install("", None, &gate, Others::Kept).expect("installed");
        assert_eq!(remove(&text, None).expect("TOML").as_deref(), Some(""));
    }

    #[test]
    fn another_provider_is_not_thrown_away() {
        let gate = words("cargo-intoto");
        for other in [
            "'cargo:token'",
            "['cargo:libsecret']",
            "\"cargo:token-from-stdout pass x\"",
        ] {
            let text = format!("[registry]\ncredential-provider = {other}\n");
            assert!(install(&text, None, &gate, Others::Kept).is_err(), "{other}");
            assert_eq!(remove(&text, None).expect("TOML"), None, "{other}");
            let (_, did) = install(&text, None, &gate, Others::Replaced).expect("installed");
            assert!(
                matches!(did, Installed::Replaced(old) if old.starts_with("cargo:")),
                "{other}"
            );
        }
        for text in [
            "registry = 1\n",
            "[registry]\ncredential-provider = 1\n",
            "[registry\n",
            "[[registry]]\n",
        ] {
            assert!(install(text, None, &gate, Others::Replaced).is_err(), "{text}");
        }
    }
}
